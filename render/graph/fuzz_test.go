package graph_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/graph"
)

// anyPlan is a plan of up to 40 releases in which each byte is one of them:
// what it needs, and whether it is protected.
func anyPlan(shape []byte, text string) render.Plan {
	plan := render.Plan{Environment: text, Namespaces: []render.Namespace{{Name: text}}}
	var keys []string
	waveOf := map[string]int{}
	for i, b := range shape[:min(len(shape), 40)] {
		key := fmt.Sprintf("%s%d", text, i)
		var needs []string
		wave := 0
		for n := range int(b % 4) {
			if i > 0 {
				need := keys[(int(b)*7+n*13)%i]
				needs, wave = append(needs, need), max(wave, waveOf[need]+1)
			}
		}
		slices.Sort(needs)
		needs = slices.Compact(needs)
		keys, waveOf[key] = append(keys, key), wave
		for len(plan.Waves) <= wave {
			plan.Waves = append(plan.Waves, nil)
		}
		plan.Waves[wave] = append(plan.Waves[wave], render.Release{Key: key, Name: text, Namespace: text, Chart: render.Chart{Version: text}, Needs: needs, Protected: b&8 > 0})
	}
	return plan
}

// mermaidLine is what a line of ours may look like: nothing in a label ends it.
var mermaidLine = regexp.MustCompile(`^ *(flowchart LR|acc(Title|Descr): [\w .,:+/#;-]*|subgraph \w+ \["[^"<>&|` + "`" + `]*"\]|end|e\d+\w+\["([\w .,:+/#;-]|<br/>)*"\](:::protected)?|e\d+\w+ --> e\d+\w+|classDef protected stroke-width:3px)$`)

// dotString is a quoted text of DOT.
var dotString = regexp.MustCompile(`"(\\.|[^"\\])*"`)

// FuzzGraph draws any shape with any text: what is drawn is well-formed, boxes
// and arrows are where they should be, and the arrows say what the needs say.
func FuzzGraph(f *testing.F) {
	f.Add([]byte{}, "a")
	f.Add([]byte{0, 1, 2, 3, 11, 7, 6, 5, 255}, "prefect-cloud")
	f.Add([]byte("the quick brown fox jumps over the lazy dog"), `"]--><script>&amp;\`)
	f.Add([]byte{1, 1, 1}, "\x00\n\"\\N end %s 漢字 \xff")
	f.Fuzz(func(t *testing.T, shape []byte, text string) {
		plan := anyPlan(shape, text)
		g := graph.New(plan)
		check(t, graph.New(plan, plan))
		for line := range strings.Lines(string(g.Mermaid())) {
			if !mermaidLine.MatchString(strings.TrimSuffix(line, "\n")) {
				t.Errorf("Mermaid has the line %q", line)
			}
		}
		dot := g.DOT()
		if rest := dotString.ReplaceAll(dot, nil); bytes.ContainsAny(rest, `"\&<>`+"`") && !bytes.Contains(rest, []byte("->")) || bytes.Count(dot, []byte("\n")) != strings.Count(string(rest), "\n") {
			t.Errorf("DOT has texts that are not quoted:\n%s", dot)
		}
		if !bytes.Equal(dot, graph.New(plan).DOT()) || !bytes.Equal(g.SVG(), graph.New(plan).SVG()) {
			t.Error("drawn differently the second time")
		}
		sameOrder(t, g.Environments[0])
	})
}

// sameOrder: by the arrows the same releases wait for each other as by the
// needs, and no arrow can be left out.
func sameOrder(t *testing.T, env graph.Environment) {
	t.Helper()
	all, drawn := map[string][]string{}, map[string][]string{}
	var keys []string
	for _, wave := range env.Waves {
		for _, release := range wave.Releases {
			keys, all[release.Key] = append(keys, release.Key), release.Needs
		}
	}
	for _, arrow := range env.Arrows {
		drawn[arrow.To] = append(drawn[arrow.To], arrow.From)
	}
	for _, key := range keys {
		want := reached(all, key, "")
		want[render.Prereqs] = true
		got := reached(drawn, key, "")
		if len(got) != len(want) {
			t.Errorf("%q waits for %d others by the arrows, want %d", key, len(got), len(want))
		}
		for need := range want {
			if !got[need] {
				t.Errorf("%q does not wait for %q by the arrows", key, need)
			}
		}
		for _, from := range drawn[key] {
			if reached(drawn, key, from)[from] {
				t.Errorf("the arrow %q -> %q follows from others", from, key)
			}
		}
	}
}

// reached is all that a release waits for, without its own arrow from one.
func reached(arrows map[string][]string, key, without string) map[string]bool {
	seen := map[string]bool{}
	var visit func(string)
	visit = func(at string) {
		for _, from := range arrows[at] {
			if at == key && from == without || seen[from] {
				continue
			}
			seen[from] = true
			visit(from)
		}
	}
	visit(key)
	return seen
}
