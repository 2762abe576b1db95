package render_test

import (
	"os"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
)

// TestReferences: the fields that name places in registries keep to the grammar
// of references, and so does the schema.
func TestReferences(t *testing.T) {
	digest, sha512 := "@sha256:"+strings.Repeat("a", 64), "@sha512:"+strings.Repeat("a", 128)
	tests := []struct {
		field, text string
		taken       bool
	}{
		{"mirror", "Registry.Company.com:5000/prefect", true},
		{"mirror", "registry.company.com", true},
		{"mirror", "localhost/prefect", true},
		{"mirror", "[fd00::1]:5000/prefect", true},
		{"mirror", "registry/prefect", false}, // container runtimes take it for docker.io/registry/prefect
		{"mirror", "registry.company.com/Prefect", false},
		{"mirror", "registry.company.com/a..b", false},
		{"mirror", "registry.company.com/a/", false},
		{"mirror", "registry.company.com/a:1", false},
		{"mirror", "oci://registry.company.com/a", false},
		{"chart", "oci://Registry.company.com/charts/worker", true},
		{"chart", "oci://localhost:5000/worker", true},
		{"chart", "oci://registry.company.com", false},
		{"chart", "oci://registry/worker", false},
		{"chart", "oci://registry.company.com/charts/worker:1", false},
		{"chart", "oci://registry.company.com//worker", false},
		{"chart", "registry.company.com/charts/worker", false},
		{"version", "1.2.3" + digest, true},
		{"version", "1.2.3" + sha512, false}, // charts are verified by sha256
		{"version", "1.2.3" + digest + "0", false},
	}
	minimal, err := os.ReadFile("../testdata/env/minimal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	schema := compiled(t)
	for _, tt := range tests {
		set := map[string]string{"mirror": "registry.company.com/prefect", "chart": "oci://registry.company.com/charts/worker", "version": "1.2.3", tt.field: tt.text}
		source := strings.Replace(string(minimal), "spec:\n", "spec:\n  registry: {mirror: '"+set["mirror"]+"'}\n"+
			"  releases: [{name: worker, namespace: workers, chart: '"+set["chart"]+"', version: '"+set["version"]+"'}]\n", 1)
		_, err := render.Parse("environment.yaml", []byte(source), nil)
		if tt.taken != (err == nil) {
			t.Errorf("%s %q: %v, want it taken: %v", tt.field, tt.text, err, tt.taken)
		}
		if err := validate(t, schema, source); tt.taken != (err == nil) {
			t.Errorf("%s %q: the schema says %v, want it taken: %v", tt.field, tt.text, err, tt.taken)
		}
	}
}
