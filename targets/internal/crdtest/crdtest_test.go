package crdtest_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/targets/internal/crdtest"
)

const helmRelease = `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: istiod, namespace: istio-system, labels: {app: istiod}}
spec:
  interval: 30m
  chartRef: {kind: OCIRepository, name: istiod}
  install: {remediation: {retries: 3}}
  values: {pilot: {anything: {goes: [here, 1, true]}}}
`

const kustomization = `
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: prefect, namespace: flux-system}
spec:
  interval: 1h
  prune: true
  path: ./clusters/prod
  sourceRef: {kind: GitRepository, name: flux-system}
  dependsOn: [{name: istio}]
`

const ociRepository = `
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: istiod, namespace: istio-system}
spec:
  interval: 30m
  url: oci://registry.example.com/charts/istiod
  ref: {semver: 1.28.3}
`

func TestFluxAcceptsCorrectObjects(t *testing.T) {
	for _, release := range []string{"flux-2.4", "flux-2.5", "flux-2.6", "flux-2.7", "flux-2.8", "flux-2.9"} {
		t.Run(release, func(t *testing.T) {
			schemas := load(t, release)
			oci := object(t, ociRepository)
			if release < "flux-2.6" {
				oci["apiVersion"] = "source.toolkit.fluxcd.io/v1beta2"
			}
			for _, o := range []map[string]any{object(t, helmRelease), object(t, kustomization), oci} {
				before := (&unstructured.Unstructured{Object: o}).DeepCopy().Object
				if errs := schemas.Validate(o); len(errs) > 0 {
					t.Errorf("Validate(%v) = %v, want no errors", o["kind"], errs)
				}
				if diff := cmp.Diff(before, o); diff != "" {
					t.Errorf("Validate changed its argument (-before +after):\n%s", diff)
				}
			}
		})
	}
}

// TestFluxMutations sets one field of a correct object; the value nil removes
// it. Errors must contain want; where want is empty the object must pass.
func TestFluxMutations(t *testing.T) {
	tests := []struct {
		name, release, base, path string
		value                     any
		want                      string
	}{
		{"misspelt field", "flux-2.4", helmRelease, "spec.forceUpgrade", true, `unknown field "spec.forceUpgrade"`},
		{"misspelt field", "flux-2.7", helmRelease, "spec.forceUpgrade", true, `unknown field "spec.forceUpgrade"`},
		{"misspelt field", "flux-2.9", helmRelease, "spec.forceUpgrade", true, `unknown field "spec.forceUpgrade"`},
		{"misspelt nested field", "flux-2.9", ociRepository, "spec.ref.semVer", "1", `unknown field "spec.ref.semVer"`},
		{"misspelt field of a list", "flux-2.7", kustomization, "spec.dependsOn", []any{map[string]any{"nam": "istio"}}, `unknown field "spec.dependsOn[0].nam"`},
		{"misspelt metadata", "flux-2.7", kustomization, "metadata.label", "x", `unknown field "metadata.label"`},
		{"misspelt top level", "flux-2.7", kustomization, "sepc", "x", `unknown field "sepc"`},

		{"strategy before it existed", "flux-2.6", helmRelease, "spec.install.strategy", strategy("RetryOnFailure"), `unknown field "spec.install.strategy"`},
		{"strategy", "flux-2.7", helmRelease, "spec.install.strategy", strategy("RetryOnFailure"), ""},
		{"strategy", "flux-2.9", helmRelease, "spec.install.strategy", strategy("RetryOnFailure"), ""},
		{"deletionPolicy before it existed", "flux-2.4", kustomization, "spec.deletionPolicy", "Orphan", `unknown field "spec.deletionPolicy"`},
		{"deletionPolicy", "flux-2.5", kustomization, "spec.deletionPolicy", "Orphan", ""},
		{"deletionPolicy unknown", "flux-2.9", kustomization, "spec.deletionPolicy", "Keep", `spec.deletionPolicy: Unsupported value: "Keep"`},

		{"v1 before it existed", "flux-2.4", ociRepository, "apiVersion", "source.toolkit.fluxcd.io/v1", "source.toolkit.fluxcd.io/v1, OCIRepository is not served by this release: want source.toolkit.fluxcd.io/v1beta2"},
		{"v1 before it existed", "flux-2.5", ociRepository, "apiVersion", "source.toolkit.fluxcd.io/v1", "is not served by this release"},
		{"v1", "flux-2.6", ociRepository, "apiVersion", "source.toolkit.fluxcd.io/v1", ""},
		{"v1beta2 beside v1", "flux-2.7", ociRepository, "apiVersion", "source.toolkit.fluxcd.io/v1beta2", ""},
		{"v1beta2 after its end", "flux-2.9", ociRepository, "apiVersion", "source.toolkit.fluxcd.io/v1beta2", "want source.toolkit.fluxcd.io/v1"},
		{"unknown kind", "flux-2.7", helmRelease, "kind", "HelmChart", "helm.toolkit.fluxcd.io/v2, HelmChart is not served by this release: want HelmRelease"},
		{"group of others", "flux-2.7", helmRelease, "apiVersion", "v1", "no schema for v1, HelmRelease"},
		{"no apiVersion", "flux-2.7", helmRelease, "apiVersion", nil, "no schema for , HelmRelease"},

		{"neither chart nor chartRef", "flux-2.4", helmRelease, "spec.chartRef", nil, "either chart or chartRef must be set"},
		{"neither chart nor chartRef", "flux-2.7", helmRelease, "spec.chartRef", nil, "either chart or chartRef must be set"},
		{"neither chart nor chartRef", "flux-2.9", helmRelease, "spec.chartRef", nil, "either chart or chartRef must be set"},
		{"retryInterval without retry", "flux-2.7", helmRelease, "spec.install.strategy", strategy("RemediateOnFailure"), ".retryInterval cannot be set when .name is 'RemediateOnFailure'"},
		{"retryInterval without retry", "flux-2.9", helmRelease, "spec.install.strategy", strategy("RemediateOnFailure"), ".retryInterval cannot be set when .name is 'RemediateOnFailure'"},

		{"duration pattern", "flux-2.4", helmRelease, "spec.interval", "30 minutes", `spec.interval: Invalid value: "30 minutes"`},
		{"duration pattern", "flux-2.7", kustomization, "spec.interval", "1d", `spec.interval: Invalid value: "1d"`},
		{"duration pattern", "flux-2.9", ociRepository, "spec.timeout", "1h", `spec.timeout: Invalid value: "1h"`},
		{"wrong type", "flux-2.7", kustomization, "spec.prune", "yes", `spec.prune: Invalid value: "string"`},
		{"required field", "flux-2.7", kustomization, "spec.prune", nil, "spec.prune: Required value"},
		{"null", "flux-2.7", kustomization, "spec.prune", "null", "spec.prune: Required value"},

		{"no name", "flux-2.7", kustomization, "metadata.name", nil, "metadata.name: Required value"},
		{"no namespace", "flux-2.7", kustomization, "metadata.namespace", nil, "metadata.namespace: Required value"},
		{"no metadata", "flux-2.7", kustomization, "metadata", nil, "metadata.name: Required value"},
		{"name not of DNS", "flux-2.7", kustomization, "metadata.name", "a_b", `metadata.name: Invalid value: "a_b"`},
		{"label not a string", "flux-2.7", kustomization, "metadata.labels", map[string]any{"a": int64(1)}, "read metadata: "},
		{"status is ignored", "flux-2.7", kustomization, "status", map[string]any{"observedGeneration": "x"}, ""},
	}
	loaded := map[string]*crdtest.Schemas{} // reading a release again for each case would take most of the time
	for _, test := range tests {
		t.Run(test.release+" "+test.name, func(t *testing.T) {
			if loaded[test.release] == nil {
				loaded[test.release] = load(t, test.release)
			}
			o := object(t, test.base)
			mutate(t, o, test.path, test.value)
			check(t, loaded[test.release].Validate(o), test.want)
		})
	}
}

// Several mistakes are reported at once, each by itself.
func TestValidateReportsEverything(t *testing.T) {
	o := object(t, kustomization)
	mutate(t, o, "spec.forse", true)
	mutate(t, o, "spec.prun", true)
	mutate(t, o, "spec.interval", "1d")
	if errs := load(t, "flux-2.7").Validate(o); len(errs) != 3 {
		t.Errorf("Validate = %d errors, want 3: %v", len(errs), errs)
	}
}

func TestOwnsByGroup(t *testing.T) {
	schemas := load(t, "flux-2.7")
	for apiVersion, want := range map[string]bool{
		"helm.toolkit.fluxcd.io/v2":      true,
		"source.toolkit.fluxcd.io/v1":    true,
		"source.toolkit.fluxcd.io/never": true,
		"argoproj.io/v1alpha1":           false,
		"apps/v1":                        false,
		"v1":                             false,
		"":                               false,
		"a/b/c":                          false,
	} {
		if got := schemas.Owns(apiVersion); got != want {
			t.Errorf("Owns(%q) = %v, want %v", apiVersion, got, want)
		}
	}
}

// Every release at hand must load, whichever controller it is of.
func TestLoadEveryRelease(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join(filepath.Dir(crdtest.Dir(t, "flux-2.7")), "*-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		if _, err := crdtest.Load(dir); err != nil {
			t.Errorf("Load: %v", err)
		}
	}
}

// load loads the definitions of one release, or skips t.
func load(t *testing.T, release string) *crdtest.Schemas {
	t.Helper()
	schemas, err := crdtest.Load(crdtest.Dir(t, release))
	if err != nil {
		t.Fatal(err)
	}
	return schemas
}

// object parses YAML.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var o map[string]any
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// mutate sets the field at the dotted path; nil removes it and the text "null"
// sets null.
func mutate(t *testing.T, o map[string]any, path string, value any) {
	t.Helper()
	fields := strings.Split(path, ".")
	switch value {
	case nil:
		unstructured.RemoveNestedField(o, fields...)
		return
	case "null":
		value = nil
	}
	if err := unstructured.SetNestedField(o, value, fields...); err != nil {
		t.Fatal(err)
	}
}

// check compares errs with the text that one of them must contain.
func check(t *testing.T, errs []error, want string) {
	t.Helper()
	err := errors.Join(errs...)
	switch {
	case want == "" && err != nil:
		t.Errorf("Validate = %v, want no errors", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("Validate = %v, want an error with %q", err, want)
	}
}

// strategy gives a HelmRelease's install strategy with a retry interval.
func strategy(name string) map[string]any {
	return map[string]any{"name": name, "retryInterval": "5m"}
}

// write puts one file into a new folder.
func write(t *testing.T, name, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
