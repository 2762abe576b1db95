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
	"github.com/pm-gitops/pm-gitops/render/lock"
	"github.com/pm-gitops/pm-gitops/render/tree"
	"github.com/pm-gitops/pm-gitops/targets"
)

var update = flag.Bool("update", false, "rewrite the golden trees")

// fluxVersions is every release of Flux that an environment may name.
var fluxVersions = []string{"2.4", "2.5", "2.6", "2.7", "2.8", "2.9"}

// argoVersions is every release of Argo CD that an environment may name.
var argoVersions = []string{"2.14", "3.0", "3.1", "3.2", "3.3", "3.4", "3.5"}

// forFlux and forArgo plan a sample for a release of a delivery system.
func forFlux(t testing.TB, file, version string) render.Plan {
	t.Helper()
	plan := planSource(t, targets.Flux{}, file, readFile(t, file))
	plan.Delivery.Flux.Version = render.FluxVersion(version)
	return plan
}

func forArgo(t testing.TB, file, version string) render.Plan {
	t.Helper()
	plan := planSource(t, targets.Argo{}, file, readFile(t, file))
	plan.Delivery.Argo.Version = render.ArgoVersion(version)
	return plan
}

// deliveries is every release of every delivery system.
var deliveries = []struct {
	target   render.Target
	versions []string
	plan     func(t testing.TB, file, version string) render.Plan
}{
	{targets.Flux{}, fluxVersions, forFlux},
	{targets.Argo{}, argoVersions, forArgo},
}

// samples gives the sample environments, each name with its file.
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

// planSource plans an environment that stands where file does.
func planSource(t testing.TB, target render.Target, file string, source []byte) render.Plan {
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
	if env.IsPinned() {
		name := filepath.Join(filepath.Dir(file), env.LockFile())
		locked, err := lock.Parse(env.LockFile(), readFile(t, name))
		if err != nil {
			t.Fatalf("lock.Parse: %v", err)
		}
		env = env.WithLock(locked)
	}
	plan, err := render.PlanFor(env, cat, target)
	if err != nil {
		t.Fatalf("NewPlan: %v", err)
	}
	return plan
}

func rendered(t testing.TB, plan render.Plan, target render.Target) render.Rendering {
	t.Helper()
	rendering, err := render.Render(plan, target)
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
// Of a sample that a target refuses, the archive has the reasons.
func TestGoldenTrees(t *testing.T) {
	wanted := map[string]bool{}
	for _, delivery := range deliveries {
		for name, file := range samples(t) {
			for _, version := range delivery.versions {
				of := delivery.target.Name() + "-" + version
				golden := filepath.Join("..", "testdata", "golden", of, name+".txtar")
				wanted[golden] = true
				t.Run(of+"/"+name, func(t *testing.T) {
					got := goldenOf(delivery.plan(t, file, version), delivery.target)
					if *update {
						write(t, golden, got)
					}
					if diff := cmp.Diff(string(readFile(t, golden)), string(got)); diff != "" {
						t.Errorf("tree (-want +got):\n%s", diff)
					}
				})
			}
		}
	}
	found, _ := filepath.Glob("../testdata/golden/*/*.txtar")
	for _, golden := range found {
		if !wanted[golden] {
			t.Errorf("%s belongs to no sample environment", golden)
		}
	}
}

func goldenOf(plan render.Plan, target render.Target) []byte {
	rendering, err := render.Render(plan, target)
	if err != nil {
		return archive(tree.Tree{"refused": []byte(err.Error() + "\n")})
	}
	return archive(rendering.Tree)
}

func archive(tree tree.Tree) []byte {
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
// get. No flag rewrites these files; another content is another base version.
func TestBaseNeverChanges(t *testing.T) {
	for _, delivery := range deliveries {
		frozen, seen := map[string]string{}, map[string]bool{}
		for _, file := range txtar.Parse(readFile(t, "../testdata/frozen/base-v1-"+delivery.target.Name()+".txtar")).Files {
			frozen[file.Name] = string(file.Data)
		}
		for name, file := range samples(t) {
			for _, version := range delivery.versions {
				plan := delivery.plan(t, file, version)
				rendering, err := render.Render(plan, delivery.target)
				if err != nil {
					continue // a golden archive has the reason
				}
				for path, content := range rendering.Tree {
					relative, ok := strings.CutPrefix(path, plan.Base(delivery.target.Name(), "")+"/")
					if !ok {
						continue
					}
					seen[relative] = true
					if frozen[relative] != string(content) {
						t.Errorf("%s for %s %s: base %s is\n%swhile it is for ever\n%s", name, delivery.target.Name(), version, relative, content, frozen[relative])
					}
				}
			}
		}
		if len(frozen) == 0 || len(seen) != len(frozen) {
			t.Errorf("%s has the bases %v, want %d", delivery.target.Name(), seen, len(frozen))
		}
	}
}
