package graph_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/graph"
)

var update = flag.Bool("update", false, "rewrite the golden drawings")

const testdata = "../../testdata"

func plan(t testing.TB, file string) render.Plan {
	t.Helper()
	read := func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(testdata, name)) }
	data, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	env, err := render.Parse(file, data, read)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := render.NewPlan(env, catalog.Embedded(), render.IntoValues)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// drawings is what the golden files are drawn from.
func drawings(t testing.TB) map[string]graph.Graph {
	minimal, twenty := plan(t, "env/minimal.yaml"), plan(t, "graph/twenty.yaml")
	return map[string]graph.Graph{
		"minimal": graph.New(minimal),
		"twenty":  graph.New(twenty),
		"fleet":   graph.New(minimal, plan(t, "env/old-line.yaml"), plan(t, "env/own-istio.yaml")),
	}
}

// TestDrawings compares with the golden files in every format.
func TestDrawings(t *testing.T) {
	for name, g := range drawings(t) {
		asJSON, err := json.MarshalIndent(g, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		for extension, got := range map[string][]byte{"mmd": g.Mermaid(), "dot": g.DOT(), "svg": g.SVG(), "json": append(asJSON, '\n')} {
			file := filepath.Join(testdata, "graph", name+"."+extension)
			if *update {
				if err := os.WriteFile(file, got, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		}
	}
}

// TestDrawingsAreStable draws the same twice.
func TestDrawingsAreStable(t *testing.T) {
	first, second := drawings(t), drawings(t)
	for name := range first {
		a, b := first[name], second[name]
		if !bytes.Equal(a.SVG(), b.SVG()) || !bytes.Equal(a.Mermaid(), b.Mermaid()) || !bytes.Equal(a.DOT(), b.DOT()) {
			t.Errorf("%s is drawn differently the second time", name)
		}
	}
}

// planOf is a plan of releases, each a key and what it needs; a wave a list.
func planOf(waves ...[][]string) render.Plan {
	plan := render.Plan{Environment: "test", Namespaces: []render.Namespace{{Name: "all"}}}
	for _, releases := range waves {
		var wave render.Wave
		for _, r := range releases {
			wave = append(wave, render.Release{Key: r[0], Name: r[0], Namespace: "all", Chart: render.Chart{Version: "1.0.0"}, Needs: r[1:]})
		}
		plan.Waves = append(plan.Waves, wave)
	}
	return plan
}

func TestArrows(t *testing.T) {
	type arrow = graph.Arrow
	tests := []struct {
		name string
		plan render.Plan
		want []arrow
	}{
		{"what needs nothing waits for the prerequisites", planOf([][]string{{"a"}, {"b"}}), []arrow{{"prereqs", "a"}, {"prereqs", "b"}}},
		{"a chain", planOf([][]string{{"a"}}, [][]string{{"b", "a"}}), []arrow{{"a", "b"}, {"prereqs", "a"}}},
		{"what another path implies", planOf([][]string{{"a"}}, [][]string{{"b", "a"}}, [][]string{{"c", "a", "b"}}), []arrow{{"a", "b"}, {"b", "c"}, {"prereqs", "a"}}},
		{"what a long path implies", planOf([][]string{{"a"}}, [][]string{{"b", "a"}}, [][]string{{"c", "b"}}, [][]string{{"d", "a", "c"}}), []arrow{{"a", "b"}, {"b", "c"}, {"c", "d"}, {"prereqs", "a"}}},
		{"a diamond", planOf([][]string{{"a"}}, [][]string{{"b", "a"}, {"c", "a"}}, [][]string{{"d", "a", "b", "c"}}), []arrow{{"a", "b"}, {"a", "c"}, {"b", "d"}, {"c", "d"}, {"prereqs", "a"}}},
		{"a long arrow that nothing implies", planOf([][]string{{"a"}, {"x"}}, [][]string{{"b", "a"}}, [][]string{{"c", "b", "x"}}), []arrow{{"a", "b"}, {"b", "c"}, {"prereqs", "a"}, {"prereqs", "x"}, {"x", "c"}}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, graph.New(tt.plan).Environments[0].Arrows); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestTwentyIsReduced keeps the sample one in which arrows are left out.
func TestTwentyIsReduced(t *testing.T) {
	env := drawings(t)["twenty"].Environments[0]
	releases, needs, arrows := 0, 0, 0
	for _, wave := range env.Waves {
		for _, release := range wave.Releases {
			releases, needs = releases+1, needs+len(release.Needs)
		}
	}
	for _, arrow := range env.Arrows {
		if arrow.From != render.Prereqs {
			arrows++
		}
	}
	if releases != 20 || needs-arrows < 5 {
		t.Errorf("%d releases with %d needs and %d arrows, want 20 and at least 5 arrows fewer", releases, needs, arrows)
	}
	if slices.Contains(env.Arrows, graph.Arrow{From: "cert-manager", To: "postgres"}) {
		t.Error("cert-manager -> postgres is drawn, and follows from cert-manager -> postgres-operator -> postgres")
	}
}
