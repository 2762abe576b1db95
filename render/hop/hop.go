// Package hop finds what an upgrade from one version of a chart to another one means
// for an environment: which of its values have another place, which do nothing any
// more, which must be set, and what else becomes of its objects. It needs no help from
// the chart, since it renders both versions with other values and compares what comes
// out. Like package render it never touches disk, network, clock or environment
// variables: a caller hands in how to render.
//
// No secret is in anything that it gives: texts that stand for secrets are put in the
// place of all of them before anything is rendered.
package hop

import (
	"context"
	"slices"

	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/chart"
)

// Make renders a chart for an upgrade of a release that has these values. All hooks
// that an install or an upgrade runs are among the objects. It must give the same for
// the same values, but for what the chart makes at random, and may be slow: an analysis
// calls it some hundred times at most, with one call at a time (see [Input.Most]).
type Make func(ctx context.Context, values map[string]any) ([]chart.Object, error)

// Side is one of the two versions of a chart.
type Side struct {
	Chart chart.Chart
	// Values is the release's values, as the environment composes them for this version:
	// the layout of another line may put them elsewhere. What stands in the place of a
	// secret does not matter, unless it is empty.
	Values map[string]any
	Make   Make
}

// Input is a hop of one release.
type Input struct {
	Release  string // the key
	Old, New Side
	// Secrets is the paths of the values, of both sides, that hold secrets or get them
	// from a Secret.
	Secrets []string
	// Moves is what the catalog knows of the line of New (moves and require).
	Moves []catalog.Move
	// KubeVersion is that of the cluster, such as "1.33"; empty if it is not known.
	KubeVersion string
	// Most limits how often charts are rendered; 0 is [MostRenders].
	Most int
}

// MostRenders limits how often an analysis renders charts, if its input does not.
const MostRenders = 400

// Analysis holds the meaning of a hop for an environment.
type Analysis struct {
	// Findings is sorted: what blocks first, then by severity, class, path and object.
	Findings []Finding `json:"findings"`
	// Parity is every leaf of the values of Old, by path.
	Parity []Parity `json:"parity"`
	// Images lists the images that the new version needs, and the old one did not: those of the finding
	// of class [Images], sorted.
	Images []string `json:"images,omitempty"`
	// Values is the values of New with all edits of the findings. What must be set and
	// has no value yet is not in it. Secrets are as they were handed in.
	Values map[string]any `json:"-"`
	// Objects is what the new chart makes of them, and Before what the old one makes. A
	// text stands in the place of each secret, and of what must be set and has no value.
	Objects []chart.Object `json:"-"`
	Before  []chart.Object `json:"-"`
	// Unrendered says why the new chart does not render with them, and the findings are
	// not complete; empty otherwise.
	Unrendered string `json:"unrendered,omitempty"`
	Renders    int    `json:"renders"` // how often charts were rendered
	// Exhausted: there would have been more to render than [Input.Most] allows. What was
	// not tried is unknown or suspected.
	Exhausted bool `json:"exhausted,omitempty"`
}

// Blocked reports whether a finding blocks the hop as the environment is.
func (a Analysis) Blocked() bool {
	for _, f := range a.Findings {
		if f.Blocks {
			return true
		}
	}
	return false
}

// Edits gives the edits of all findings, each once, in an order in which they can be
// made one after the other: first what moves, then what is taken out, then what is set.
func (a Analysis) Edits() []Edit {
	var all []Edit
	seen := map[string]bool{}
	for _, f := range a.Findings {
		for _, e := range f.Edits {
			if key := e.String(); !seen[key] {
				seen[key] = true
				all = append(all, e)
			}
		}
	}
	rank := func(e Edit) int {
		switch {
		case e.To != "":
			return 0
		case e.Remove:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(all, func(a, b Edit) int { return rank(a) - rank(b) })
	return all
}

// Analyze finds out what a hop means. The error is that the old chart does not render
// with the values that the environment has, that the defaults of a chart cannot be read,
// or that the context ended.
func Analyze(ctx context.Context, in Input) (Analysis, error) {
	return analyze(ctx, in)
}
