package draft

import (
	"maps"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// fate says what becomes of a chart value, by all runs.
type fate struct {
	hop.Parity
	about    string // the run that says so
	tried    bool   // a run set it
	disputed bool   // runs prove different things
}

// proved reports whether the fate is certain, and seen in what the value does.
func (f fate) proved() bool {
	return f.tried && !f.disputed && rank(f.Parity) >= 4 && (f.To == "" || isName(f.To))
}

// isName reports whether a chart value has a name that a catalog can have.
func isName(path string) bool {
	return catalog.ValuePath(path).Validate() == nil && len(path) <= maxName && text.Visible(path) == path
}

// maxName limits how long a name of a value is that stands outside of comments.
const maxName = 200

// rank says how much a run shows of a value: what is certain and seen in objects counts
// most.
func rank(p hop.Parity) int {
	switch {
	case p.Certainty == hop.Certain && (p.Fate == hop.Placed || p.Fate == hop.Landed && len(p.Objects) > 0):
		return 5
	case p.Certainty == hop.Certain && p.Fate == hop.Gone:
		return 4
	case p.Certainty == hop.Certain:
		return 3
	case p.To != "" || p.Certainty == hop.Suspected:
		return 2
	}
	return 1
}

// fate looks a dotted chart value up in all runs.
func (d *drafting) fate(at string) fate {
	var best fate
	for _, run := range d.Runs {
		for _, p := range run.Analysis.Parity {
			p, ok := under(p, at)
			if !ok {
				continue
			}
			switch {
			case !best.tried || rank(p) > rank(best.Parity):
				best = fate{Parity: p, about: run.About, tried: true}
			case rank(p) == 5 && (p.Fate != best.Fate || p.To != best.To || p.Form != best.Form):
				best.disputed = true
			}
		}
	}
	return best
}

// under gives the fate of a value by that of itself, or of a key of the mapping that it is.
func under(p hop.Parity, at string) (hop.Parity, bool) {
	rest, within := strictyaml.Under(p.Path, at)
	if !within {
		return p, false
	}
	to, whole := strings.CutSuffix(p.To, rest)
	if p.To != "" && !whole {
		return p, false
	}
	p.Path, p.To = at, to
	return p, true
}

// because gives the evidence of a fate as comments have it.
func (d *drafting) because(f fate) string {
	why := f.Why
	switch {
	case !f.tried:
		return "no comparison set it"
	case f.disputed:
		why = "comparisons contradict each other"
	}
	return d.clean(why) + " (" + f.about + ")"
}

// isShared reports whether the name of an object has nothing of the environment, such as the
// name of its release.
func (d *drafting) isShared(name string) bool { return d.hide.Replace(name) == name }

// maxEvidence limits how much of a chart's or an analysis's own text a comment has.
const maxEvidence = 400

// clean makes a text one that can stand in a comment: on one line, without control
// characters, without what is the environment's, and not too long.
func (d *drafting) clean(sentence string) string {
	sentence = d.hide.Replace(sentence)
	sentence = strings.NewReplacer("for this environment", "with these values", "this environment", "these values", "the environment sets", "these values set").Replace(sentence)
	sentence = text.Visible(strings.Join(strings.Fields(strings.ToValidUTF8(sentence, "?")), " "))
	if runes := []rune(sentence); len(runes) > maxEvidence {
		sentence = string(runes[:maxEvidence]) + "…"
	}
	return sentence
}

// hiding takes the texts of an environment out of sentences, but for those that the charts
// have themselves.
func hiding(in Input) *strings.Replacer {
	public := map[string]bool{}
	for _, defaults := range []map[string]any{in.OldDefaults, in.NewDefaults} {
		collect(public, defaults)
	}
	var pairs []string
	hide := slices.Compact(slices.Sorted(slices.Values(in.Hide)))
	slices.SortStableFunc(hide, func(a, b string) int { return len(b) - len(a) })
	for _, one := range hide {
		if len(one) > 2 && !public[one] {
			pairs = append(pairs, one, "(hidden)")
		}
	}
	return strings.NewReplacer(pairs...)
}

// collect adds the keys and texts of values.
func collect(into map[string]bool, value any) {
	switch value := value.(type) {
	case string:
		into[value] = true
	case []any:
		for _, item := range value {
			collect(into, item)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			into[key] = true
			collect(into, value[key])
		}
	}
}
