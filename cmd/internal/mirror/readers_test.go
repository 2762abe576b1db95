package mirror

import (
	"bytes"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	helm "helm.sh/helm/v3/pkg/registry"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
	"github.com/pm-gitops/pm-gitops/cmd/internal/registry/registrytest"
	standins "github.com/pm-gitops/pm-gitops/testdata/charts"
)

// What was mirrored from one real registry to another is what crane and helm read there:
// an image's digest and bytes, and a chart that helm pushed, with its provenance.
func TestOthersReadTheMirror(t *testing.T) {
	from, to := registrytest.Debian(t), registrytest.Debian(t)
	client := must(helm.NewClient(helm.ClientOptPlainHTTP()))
	archive := must(standins.Archive(standins.Cloud, "1.2.900"))
	provenance := []byte("-----BEGIN PGP SIGNED MESSAGE-----\n")
	place := "/charts/" + standins.Cloud + ":1.2.900"
	pushed := must(client.Push(archive, from+place, helm.PushOptProvData(provenance)))
	image := must(crane.Image(map[string][]byte{"a": []byte("a")}))
	if err := crane.Push(image, from+"/server:1"); err != nil {
		t.Fatal(err)
	}
	wantAll(t, run(t, registry.Options{}, []Artifact{
		{Kind: Chart, Source: from + place, Target: to + "/mirror" + place},
		{Kind: Image, Source: from + "/server:1", Target: to + "/mirror/server:1"},
	}, (*Mirror).Copy), Copied)

	if got, want := must(crane.Digest(to+"/mirror/server:1")), must(image.Digest()).String(); got != want {
		t.Errorf("crane digest: %s, want %s", got, want)
	}
	if err := validate.Image(must(crane.Pull(to + "/mirror/server:1"))); err != nil {
		t.Errorf("crane validate: %v", err)
	}
	pulled := must(client.Pull(to+"/mirror"+place, helm.PullOptWithChart(true), helm.PullOptWithProv(true)))
	if pulled.Manifest.Digest != pushed.Manifest.Digest || !bytes.Equal(pulled.Chart.Data, archive) || !bytes.Equal(pulled.Prov.Data, provenance) {
		t.Errorf("helm pull: %s with %d and %d bytes, want %s with %d and %d", pulled.Manifest.Digest, len(pulled.Chart.Data), len(pulled.Prov.Data), pushed.Manifest.Digest, len(archive), len(provenance))
	}
}
