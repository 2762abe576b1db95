package targets_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/targets"
	"github.com/pm-gitops/pm-gitops/targets/internal/crdtest"
)

// objects gives the documents of a YAML stream.
func objects(t testing.TB, stream []byte) []map[string]any {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(stream))
	var all []map[string]any
	for {
		var object map[string]any
		switch err := decoder.Decode(&object); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatalf("decode: %v", err)
		}
		all = append(all, object)
	}
}

// TestObjectsFitCRDs validates everything that reaches the cluster as the API
// server of each release would, unknown fields and CEL rules included.
func TestObjectsFitCRDs(t *testing.T) {
	for _, delivery := range deliveries {
		for _, version := range delivery.versions {
			of := delivery.target.Name() + "-" + version
			t.Run(of, func(t *testing.T) {
				t.Parallel()
				schemas, fitting := crds(t, of), 0
				for name, file := range samples(t) {
					rendering, err := render.Render(delivery.plan(t, file, version), delivery.target)
					if err != nil {
						continue // a golden archive has the reason
					}
					fitting++
					for _, misfit := range misfits(t, schemas, rendering) {
						t.Errorf("%s: %s", name, misfit)
					}
				}
				if fitting < 4 {
					t.Errorf("%d samples were checked, want at least 4", fitting)
				}
			})
		}
	}
}

// crds gives the CRDs of a release, such as flux-2.4.
func crds(t *testing.T, release string) *crdtest.Schemas {
	t.Helper()
	schemas, err := crdtest.Load(crdtest.Dir(t, release))
	if err != nil {
		t.Fatal(err)
	}
	return schemas
}

// misfits gives what CRDs refuse of what reaches the cluster.
func misfits(t *testing.T, schemas *crdtest.Schemas, rendering render.Rendering) []string {
	t.Helper()
	var found []string
	for _, manifest := range rendering.Manifests {
		for _, object := range objects(t, manifest.YAML) {
			if object["kind"] == "Namespace" || object["kind"] == "Secret" {
				continue
			}
			for _, err := range schemas.Validate(object) {
				found = append(found, fmt.Sprintf("%s: %v", manifest.Source, err))
			}
		}
	}
	return found
}

// TestNewerFieldsAreRefused proves that the check above can fail: what
// is written for the newest Flux does not fit the oldest.
func TestNewerFieldsAreRefused(t *testing.T) {
	found := strings.Join(misfits(t, crds(t, "flux-2.4"), rendered(t, forFlux(t, samples(t)["guide"], "2.9"), targets.Flux{})), "\n")
	for _, want := range []string{"spec.deletionPolicy", "spec.install.strategy", "spec.upgrade.strategy", "source.toolkit.fluxcd.io/v1"} {
		if !strings.Contains(found, want) {
			t.Errorf("the CRDs of Flux 2.4 do not refuse %s; they say:\n%s", want, found)
		}
	}
}

// TestArgoMistakesAreRefused proves the same for Argo CD, with mistakes made
// in what is written for it.
func TestArgoMistakesAreRefused(t *testing.T) {
	schemas, rendering := crds(t, "argo-2.14"), rendered(t, forArgo(t, samples(t)["minimal"], "2.14"), targets.Argo{})
	for _, mistake := range []struct{ old, new, want string }{
		{"project: ", "projects: ", "spec.project"},
		{"limit: 5", "limit: none", "spec.syncPolicy.retry.limit"},
		{"limit: 5", "limit: 5\n      refresh: true", "spec.syncPolicy.retry.refresh"}, // from Argo CD 3.2
		{"argoproj.io/v1alpha1", "argoproj.io/v1", "argoproj.io/v1, "},
		{"releaseName: ", "release: ", "spec.source.helm.release"},
		{"destinations:", "destination:", "spec.destination"},
	} {
		mistaken := rendering
		mistaken.Manifests = nil
		for _, manifest := range rendering.Manifests {
			manifest.YAML = []byte(strings.ReplaceAll(string(manifest.YAML), mistake.old, mistake.new))
			mistaken.Manifests = append(mistaken.Manifests, manifest)
		}
		if found := strings.Join(misfits(t, schemas, mistaken), "\n"); !strings.Contains(found, mistake.want) {
			t.Errorf("the CRDs of Argo CD 2.14 do not refuse %q for %q; they say:\n%s", mistake.new, mistake.old, found)
		}
	}
}

// TestBuiltAsKustomizeBuilds compares our built overlays with the kustomize
// program's, which by itself would order objects by kind and name.
func TestBuiltAsKustomizeBuilds(t *testing.T) {
	kustomize, err := exec.LookPath("kustomize")
	if err != nil {
		t.Skip("the kustomize program is not in PATH")
	}
	for _, delivery := range deliveries {
		for name, file := range samples(t) {
			version := delivery.versions[len(delivery.versions)-1]
			rendering, err := render.Render(delivery.plan(t, file, version), delivery.target)
			if err != nil {
				continue // a golden archive has the reason
			}
			t.Run(delivery.target.Name()+"/"+name, func(t *testing.T) {
				t.Parallel()
				sameAsKustomize(t, kustomize, rendering)
			})
		}
	}
}

func sameAsKustomize(t *testing.T, kustomize string, rendering render.Rendering) {
	t.Helper()
	dir, compared := t.TempDir(), 0
	for path, content := range rendering.Tree {
		write(t, filepath.Join(dir, path), content)
	}
	for _, manifest := range rendering.Manifests {
		if strings.HasPrefix(manifest.Source, "clusters/") {
			continue
		}
		command := exec.Command(kustomize, "build", "--reorder=none", filepath.Join(dir, manifest.Source))
		command.Stderr = os.Stderr
		want, err := command.Output()
		if err != nil {
			t.Fatalf("kustomize build %s: %v", manifest.Source, err)
		}
		if !bytes.Equal(want, manifest.YAML) {
			t.Errorf("%s: kustomize builds\n%s\nwe build\n%s", manifest.Source, want, manifest.YAML)
		}
		compared++
	}
	if compared < 2 {
		t.Errorf("compared %d overlays, want at least the prerequisites and the releases", compared)
	}
}

// helmRelease gives the built HelmRelease of a release.
func helmRelease(t testing.TB, rendering render.Rendering, key string) map[string]any {
	t.Helper()
	return built(t, rendering, "HelmRelease", key)
}

// built gives an object that reaches the cluster.
func built(t testing.TB, rendering render.Rendering, kind, name string) map[string]any {
	t.Helper()
	for _, manifest := range rendering.Manifests {
		for _, object := range objects(t, manifest.YAML) {
			if object["kind"] == kind && object["metadata"].(map[string]any)["name"] == name {
				return object
			}
		}
	}
	t.Fatalf("no %s %s", kind, name)
	return nil
}
