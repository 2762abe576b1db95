package targets_test

import (
	"bytes"
	"errors"
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

// objects is the documents of a YAML stream.
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
// server of each Flux release would, unknown fields and CEL rules included.
func TestObjectsFitCRDs(t *testing.T) {
	for _, version := range fluxVersions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			schemas, err := crdtest.Load(crdtest.Dir(t, "flux-"+version))
			if err != nil {
				t.Fatal(err)
			}
			for name, file := range samples(t) {
				for _, manifest := range rendered(t, forFlux(t, file, version), targets.Flux{}).Manifests {
					for _, object := range objects(t, manifest.YAML) {
						if object["kind"] == "Namespace" {
							continue
						}
						for _, err := range schemas.Validate(object) {
							t.Errorf("%s, %s: %v", name, manifest.Source, err)
						}
					}
				}
			}
		})
	}
}

// TestNewerFieldsAreRefused is the proof that the check above can fail: what
// is written for the newest Flux does not fit the oldest.
func TestNewerFieldsAreRefused(t *testing.T) {
	schemas, err := crdtest.Load(crdtest.Dir(t, "flux-2.4"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, manifest := range rendered(t, forFlux(t, samples(t)["guide"], "2.9"), targets.Flux{}).Manifests {
		for _, object := range objects(t, manifest.YAML) {
			if object["kind"] == "Namespace" {
				continue
			}
			for _, err := range schemas.Validate(object) {
				found = append(found, err.Error())
			}
		}
	}
	for _, want := range []string{"spec.deletionPolicy", "spec.install.strategy", "spec.upgrade.strategy", "source.toolkit.fluxcd.io/v1"} {
		if !strings.Contains(strings.Join(found, "\n"), want) {
			t.Errorf("the CRDs of Flux 2.4 do not refuse %s; they say:\n%s", want, strings.Join(found, "\n"))
		}
	}
}

// TestBuiltAsKustomizeBuilds compares our built overlays with the kustomize
// program's.
func TestBuiltAsKustomizeBuilds(t *testing.T) {
	kustomize, err := exec.LookPath("kustomize")
	if err != nil {
		t.Skip("the kustomize program is not in PATH")
	}
	for name, file := range samples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rendering, dir := rendered(t, forFlux(t, file, "2.7"), targets.Flux{}), t.TempDir()
			for path, content := range rendering.Tree {
				write(t, filepath.Join(dir, path), content)
			}
			compared := 0
			for _, manifest := range rendering.Manifests {
				if strings.HasPrefix(manifest.Source, "clusters/") {
					continue
				}
				command := exec.Command(kustomize, "build", filepath.Join(dir, manifest.Source))
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
				t.Errorf("compared %d overlays, want at least the prerequisites and a release", compared)
			}
		})
	}
}

// helmRelease is the built HelmRelease of a release.
func helmRelease(t testing.TB, rendering render.Rendering, key string) map[string]any {
	t.Helper()
	for _, manifest := range rendering.Manifests {
		for _, object := range objects(t, manifest.YAML) {
			if object["kind"] == "HelmRelease" && object["metadata"].(map[string]any)["name"] == key {
				return object
			}
		}
	}
	t.Fatalf("no HelmRelease %s", key)
	return nil
}
