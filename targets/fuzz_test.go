package targets_test

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/targets"
)

// FuzzRender feeds the whole pipeline. Whatever the file says, nothing
// panics; what is accepted places every release once, after all it needs,
// inside the tree, and gives the same bytes twice.
func FuzzRender(f *testing.F) {
	for _, file := range samples(f) {
		f.Add(readFile(f, file))
	}
	f.Add(readFile(f, "../templates/environment.yaml"))
	standIn, err := catalog.Parse("stand-in.yaml", readFile(f, "../testdata/env/shared/stand-in.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	cat := catalog.Embedded().With(standIn) // so that every field reaches the chart
	f.Fuzz(func(t *testing.T, source []byte) {
		read := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
		env, err := render.Parse("environment.yaml", source, read)
		if err != nil {
			checkProblems(t, err)
			return
		}
		for _, target := range []render.Target{targets.Flux{}, targets.Argo{}} {
			checkRendering(t, env, cat, target)
		}
	})
}

func checkRendering(t *testing.T, env render.Environment, cat catalog.Catalog, target render.Target) {
	t.Helper()
	plan, err := render.PlanFor(env, cat, target)
	if err != nil || env.IsDefaults() {
		checkProblems(t, err)
		return
	}
	checkPlan(t, env, plan)
	first, err := render.Render(plan, target)
	if err != nil {
		checkProblems(t, err)
		return
	}
	for _, name := range first.Tree.Paths() {
		if path.IsAbs(name) || path.Clean(name) != name || strings.HasPrefix(name, "../") || strings.HasPrefix(name, ".git/") {
			t.Errorf("a file is written to %q", name)
		}
	}
	second, err := render.Render(plan, target)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second, cmpopts.IgnoreUnexported(render.Rendering{})); diff != "" {
		t.Errorf("rendered twice (-first +second):\n%s", diff)
	}
}

// checkProblems wants every refusal of an input to say where.
func checkProblems(t *testing.T, err error) {
	t.Helper()
	var problems render.Problems
	if err != nil && (!errors.As(err, &problems) || len(problems) == 0) {
		t.Errorf("an input is refused without a place: %v", err)
	}
	for _, problem := range problems {
		if problem.Message == "" || problem.Position.File == "" {
			t.Errorf("a problem says nothing: %#v", problem)
		}
	}
}

// checkPlan wants every release in exactly one wave, after what it needs.
func checkPlan(t *testing.T, env render.Environment, plan render.Plan) {
	t.Helper()
	var placed []string
	for _, wave := range plan.Waves {
		before := slices.Clone(placed)
		for _, release := range wave {
			placed = append(placed, release.Key)
			for _, need := range release.Needs {
				if !slices.Contains(before, need) {
					t.Errorf("%s comes before %s, which it needs", release.Key, need)
				}
			}
		}
	}
	want := env.ReleaseKeys()
	slices.Sort(want)
	slices.Sort(placed)
	if !slices.Equal(placed, want) {
		t.Errorf("the waves have %q, want %q", placed, want)
	}
}
