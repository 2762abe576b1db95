package mirror

import (
	"io"
	"log"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	ociregistry "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry/registrytest"
)

// servers are the registries that everything is copied between.
var servers = map[string]func(testing.TB) string{
	"with the referrers API":    func(t testing.TB) string { return inProcess(t, true) },
	"without the referrers API": func(t testing.TB) string { return inProcess(t, false) },
	debian:                      registrytest.Debian,
}

const debian = "Debian's docker-registry"

func inProcess(t testing.TB, referrers bool) string {
	server := httptest.NewServer(ociregistry.New(ociregistry.Logger(log.New(io.Discard, "", 0)), ociregistry.WithReferrersSupport(referrers)))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// set is artifacts in a registry, with all that belongs to them, as go-containerregistry
// made them.
type set struct {
	names     []string            // PATH:TAG of the artifacts
	manifests map[string][]string // by path, every manifest's digest
	tags      map[string]v1.Hash  // by PATH:TAG, those of signatures too
	refers    map[string][]string // by PATH@DIGEST, the digests that refer to it
}

// pusher fills a registry.
type pusher struct {
	t    testing.TB
	host string
	set
	n int64
}

// image makes an image, another each time, the same in each run.
func (p *pusher) image(layers int64) v1.Image {
	p.n++
	return must(random.Image(3000, layers, random.WithSource(newSource(p.n))))
}

// runs gives an image the platform that validation wants in its configuration.
func (p *pusher) runs(image v1.Image, architecture, variant string) v1.Image {
	config := must(image.ConfigFile()).DeepCopy()
	config.OS, config.Architecture, config.Variant = "linux", architecture, variant
	return must(mutate.ConfigFile(image, config))
}

func newSource(seed int64) *source { s := source(seed); return &s }

// source is random numbers for go-containerregistry.
type source uint64

func (s *source) Seed(int64) {}
func (s *source) Int63() int64 {
	*s = *s*6364136223846793005 + 1442695040888963407
	return int64(*s >> 1)
}

func (p *pusher) put(path, tag string, what remote.Taggable) v1.Hash {
	p.t.Helper()
	var err error
	digest := must(partial.Digest(what.(partial.WithRawManifest)))
	ref := name.Reference(must(name.ParseReference(p.host + "/" + path + "@" + digest.String())))
	if tag != "" {
		ref = must(name.NewTag(p.host + "/" + path + ":" + tag))
		p.tags[path+":"+tag] = digest
	}
	switch what := what.(type) {
	case v1.ImageIndex:
		err = remote.WriteIndex(ref, what)
		for _, child := range must(what.IndexManifest()).Manifests {
			p.manifests[path] = append(p.manifests[path], child.Digest.String())
		}
	case v1.Image:
		err = remote.Write(ref, what)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.manifests[path] = append(p.manifests[path], digest.String())
	return digest
}

// attach gives a manifest a signature or the like under a tag of cosign.
func (p *pusher) attach(path string, to v1.Hash, end string) v1.Hash {
	return p.put(path, "sha256-"+to.Hex+end, p.image(1))
}

// refer makes an image that refers to a manifest.
func (p *pusher) refer(path string, to v1.Hash) v1.Hash {
	subject := v1.Descriptor{MediaType: types.OCIManifestSchema1, Digest: to, Size: 1}
	image := mutate.Subject(mutate.MediaType(p.image(1), types.OCIManifestSchema1), subject).(v1.Image)
	digest := p.put(path, "", image)
	key := path + "@" + to.String()
	p.refers[key] = append(p.refers[key], digest.String())
	return digest
}

// fill puts an OCI index, a Docker list, an image, a signed one by its digest, and a
// chart with its provenance into a registry.
func fill(t testing.TB, host string) *set {
	t.Helper()
	p := &pusher{t: t, host: host, set: set{manifests: map[string][]string{}, tags: map[string]v1.Hash{}, refers: map[string][]string{}}}
	amd, arm := p.runs(p.image(2), "amd64", ""), p.runs(p.image(3), "arm64", "v8")
	platforms := func(index v1.ImageIndex, as types.MediaType) v1.ImageIndex {
		return mutate.IndexMediaType(mutate.AppendManifests(index,
			mutate.IndexAddendum{Add: amd, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
			mutate.IndexAddendum{Add: arm, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}}},
		), as)
	}
	index := p.put("cloud/server", "1", platforms(empty.Index, types.OCIImageIndex))
	child := must(amd.Digest())
	p.attach("cloud/server", index, ".sig")
	p.attach("cloud/server", index, ".att")
	p.attach("cloud/server", child, ".sig")
	p.attach("cloud/server", must(arm.Digest()), ".sbom")
	p.refer("cloud/server", child)
	p.refer("cloud/server", p.refer("cloud/server", index))
	p.refer("cloud/server", index)

	amd, arm = p.runs(p.image(1), "amd64", ""), p.runs(p.image(1), "arm64", "v8")
	p.put("cloud/ui", "2.0_b", platforms(empty.Index, types.DockerManifestList))
	p.put("cloud/plain", "latest", p.image(4))

	provenance := static.NewLayer([]byte("-----BEGIN PGP SIGNED MESSAGE-----"), "application/vnd.cncf.helm.chart.provenance.v1.prov")
	archive := static.NewLayer([]byte("chart"), "application/vnd.cncf.helm.chart.content.v1.tar+gzip")
	chart := must(mutate.AppendLayers(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), "application/vnd.cncf.helm.config.v1+json"), archive, provenance))
	p.put("cloud/charts/app", "1.2.0", chart)
	p.names = []string{"cloud/server:1", "cloud/ui:2.0_b", "cloud/plain:latest", "cloud/charts/app:1.2.0"}
	return &p.set
}

// artifacts says what to copy: the same paths, below a folder.
func (s *set) artifacts(from, to string) (all []Artifact) {
	for _, one := range s.names {
		all = append(all, Artifact{Kind: Image, Source: from + "/" + one, Target: to + "/mirror/" + one, Environments: []string{"prod"}})
	}
	return all
}

// judge compares a target with the set, of which the artifacts for which there is no
// result, or one without an error, must be there. Of others, what is there must be right;
// but for tags: a registry cannot know which bytes they are for.
func (s *set) judge(t testing.TB, host string, results ...Result) {
	t.Helper()
	failed := map[string]bool{}
	for _, one := range results {
		path, _, _ := strings.Cut(strings.TrimPrefix(one.Target, one.Target[:strings.Index(one.Target, "/mirror/")]+"/mirror/"), ":")
		failed[path] = one.Error != ""
	}
	for tag, want := range s.tags {
		if path, _, _ := strings.Cut(tag, ":"); failed[path] {
			continue
		}
		got, err := remote.Get(must(name.ParseReference(host + "/mirror/" + tag)))
		switch {
		case err != nil:
			t.Errorf("%s: %v", tag, err)
		case got.Digest != want:
			t.Errorf("%s is %s, want %s", tag, got.Digest, want)
		}
	}
	for path, digests := range s.manifests {
		for _, digest := range digests {
			s.judgeManifest(t, must(name.NewDigest(host+"/mirror/"+path+"@"+digest)), !failed[path])
		}
	}
	for subject, want := range s.refers {
		if path, _, _ := strings.Cut(subject, "@"); failed[path] {
			continue
		}
		index, err := remote.Referrers(must(name.NewDigest(host + "/mirror/" + subject)))
		if err != nil {
			t.Errorf("%s: %v", subject, err)
			continue
		}
		var got []string
		for _, one := range must(index.IndexManifest()).Manifests {
			got = append(got, one.Digest.String())
		}
		// A manifest that was altered on its way is another one: that a registry takes it,
		// too, is no harm.
		if slices.ContainsFunc(want, func(one string) bool { return !slices.Contains(got, one) }) {
			t.Errorf("what refers to %s: %v, want %v", subject, got, want)
		}
	}
}

func (s *set) judgeManifest(t testing.TB, ref name.Digest, whole bool) {
	t.Helper()
	got, err := remote.Get(ref)
	if err != nil {
		if whole {
			t.Errorf("%s: %v", ref, err)
		}
		return
	}
	if index, err := got.ImageIndex(); got.MediaType.IsIndex() && err == nil {
		err = validate.Index(index)
		if err != nil {
			t.Errorf("%s: %v", ref, err)
		}
		return
	}
	image, err := got.Image()
	if err == nil {
		err = registrytest.ReadBlobs(image)
	}
	if err != nil {
		t.Errorf("%s: %v", ref, err)
	}
}
