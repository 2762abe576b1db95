package targets_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/targets"
)

var update = flag.Bool("update", false, "rewrite the golden trees")

// fluxVersions is every release of Flux that an environment may name.
var fluxVersions = []render.FluxVersion{"2.4", "2.5", "2.6", "2.7", "2.8", "2.9"}

// samples is the sample environments, each name with its file.
func samples(t testing.TB) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../testdata/env/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sample environments: %v", err)
	}
	byName := map[string]string{}
	for _, file := range files {
		byName[strings.TrimSuffix(filepath.Base(file), ".yaml")] = file
	}
	return byName
}

// planOf plans a sample for a release of Flux.
func planOf(t testing.TB, file string, version render.FluxVersion) render.Plan {
	t.Helper()
	plan := planSource(t, file, readFile(t, file))
	plan.Delivery.Flux.Version = version
	return plan
}

// planSource plans an environment that stands where file does.
func planSource(t testing.TB, file string, source []byte) render.Plan {
	t.Helper()
	env, err := render.Parse(file, source, os.ReadFile)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	cat := catalog.Embedded()
	if name := env.CatalogFile(); name != "" {
		other, err := catalog.Parse(name, readFile(t, name))
		if err != nil {
			t.Fatalf("catalog.Parse: %v", err)
		}
		cat = cat.With(other)
	}
	plan, err := render.NewPlan(env, cat, targets.Flux{}.SecretsInto())
	if err != nil {
		t.Fatalf("NewPlan: %v", err)
	}
	return plan
}

func rendered(t testing.TB, plan render.Plan) render.Rendering {
	t.Helper()
	rendering, err := render.Render(plan, targets.Flux{})
	if err != nil {
		t.Fatalf("Render: %v", err)
	}
	return rendering
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestGoldenTrees compares whole trees: a file too many fails as one too few.
func TestGoldenTrees(t *testing.T) {
	wanted := map[string]bool{}
	for name, file := range samples(t) {
		for _, version := range fluxVersions {
			golden := filepath.Join("..", "testdata", "golden", "flux-"+string(version), name+".txtar")
			wanted[golden] = true
			t.Run(name+"/"+string(version), func(t *testing.T) {
				got := archive(rendered(t, planOf(t, file, version)).Tree)
				if *update {
					write(t, golden, got)
				}
				if diff := cmp.Diff(string(readFile(t, golden)), string(got)); diff != "" {
					t.Errorf("tree of %s for Flux %s (-want +got):\n%s", name, version, diff)
				}
			})
		}
	}
	found, _ := filepath.Glob("../testdata/golden/flux-*/*.txtar")
	for _, golden := range found {
		if !wanted[golden] {
			t.Errorf("%s belongs to no sample environment", golden)
		}
	}
}

func archive(tree render.Tree) []byte {
	var a txtar.Archive
	for _, path := range tree.Paths() {
		a.Files = append(a.Files, txtar.File{Name: path, Data: tree[path]})
	}
	return txtar.Format(&a)
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestBaseNeverChanges: environments are rendered one at a time, by different
// versions of the program, so a base that changed would change what others
// get. No flag rewrites this file; another content is another base version.
func TestBaseNeverChanges(t *testing.T) {
	frozen := map[string]string{}
	for _, file := range txtar.Parse(readFile(t, "../testdata/frozen/base-v1-flux.txtar")).Files {
		frozen[file.Name] = string(file.Data)
	}
	seen := map[string]bool{}
	for name, file := range samples(t) {
		for _, version := range fluxVersions {
			plan := planOf(t, file, version)
			for path, content := range rendered(t, plan).Tree {
				relative, ok := strings.CutPrefix(path, plan.Path+"/base/v1/flux/")
				if !ok {
					continue
				}
				seen[relative] = true
				if frozen[relative] != string(content) {
					t.Errorf("%s, Flux %s: base %s is\n%swhile it is for ever\n%s", name, version, relative, content, frozen[relative])
				}
			}
		}
	}
	if len(seen) != len(frozen) {
		t.Errorf("bases %v, want %d", seen, len(frozen))
	}
}
