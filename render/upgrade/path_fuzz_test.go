package upgrade_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// TestFindPathRefuses looks at goals and environments of which there is no path.
func TestFindPathRefuses(t *testing.T) {
	for _, tt := range []struct {
		goal, chart, lines string
		want               string
	}{
		{goal: "spring", want: `"spring" is neither a release line nor a version: want one such as 1.3 or 1.3.4`},
		{goal: "v1.3.4", want: `"v1.3.4" is neither`},
		{goal: "1.3.4@sha256:ab", want: `is neither a release line nor a version`},
		{goal: "01.3", want: `is neither a release line nor a version`},
		{goal: "1", want: `"1" is neither`},
		{chart: "none", want: "the environment has no version of prefect-cloud"},
		{chart: "latest", want: "latest of prefect-cloud is of no release line"},
		{lines: `- {name: "1.3", like: "9.9"}`, want: `line "1.3" is like the unknown line "9.9"`},
	} {
		has := upgrade.Versions{cloud: or(tt.chart)}
		switch tt.chart {
		case "":
			has = now
		case "none":
			has = nil
		}
		_, err := upgrade.FindPath(upgrade.Question{Now: has, Catalog: own(t, tt.lines), Goal: tt.goal})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("goal %q of %q: %v, want %s", tt.goal, tt.chart, err, tt.want)
		}
	}
}

// FuzzFindPath holds what is true of every path: each hop begins where the one before
// ended, goes up, and passes by no line of the catalog.
func FuzzFindPath(f *testing.F) {
	f.Add("1.2.900", "2025.10.202511042343", "1.4", "1.3.1 1.4.0", "2026.1.202601150930", true)
	f.Add("0.8.1", "2025.7.1", "", "1.0.0 1.2.0-rc.1 9.9.9", "2025.010.1 2025.10.1", false)
	f.Add("1.3.0", "x", "1.2.9", "", "", true)
	c := own(f, train)
	f.Fuzz(func(t *testing.T, chart, tag, goal, charts, tags string, complete bool) {
		known := upgrade.Known{cloud: {Versions: strings.Fields(charts), Complete: complete}, server: {Versions: strings.Fields(tags), Complete: complete}}
		path, err := upgrade.FindPath(upgrade.Question{Now: upgrade.Versions{cloud: chart, server: tag}, Catalog: c, Known: known, Goal: goal, At: spring})
		if err != nil {
			return
		}
		at, passed := path.From.Line, 0
		for _, hop := range path.Hops {
			if hop.From.Line != at || (hop.Kind == upgrade.PatchHop) != (hop.To.Line == at) {
				t.Fatalf("a hop from %s to %s after %s", hop.From.Line, hop.To.Line, at)
			}
			at = hop.To.Line
			if hop.To.Known && hop.Kind == upgrade.LineHop {
				passed++
			}
		}
		between := 0
		for _, line := range c.Lines {
			if above(line.Name, path.From.Line) && !above(line.Name, at) {
				between++
			}
		}
		if passed != between {
			t.Fatalf("%d lines of the catalog between %s and %s, and %d taken", between, path.From.Line, at, passed)
		}
	})
}

// above compares MAJOR.MINOR.
func above(a, b string) bool {
	var x, y [2]int
	_, _ = fmt.Sscanf(a, "%d.%d", &x[0], &x[1])
	_, _ = fmt.Sscanf(b, "%d.%d", &y[0], &y[1])
	return x[0] > y[0] || x[0] == y[0] && x[1] > y[1]
}
