package draft

import (
	"fmt"

	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/hop"
)

// isFlip reports whether a finding says that a switch has to be set that no environment sets.
func isFlip(f hop.Finding) bool {
	if f.Class != hop.Flipped && f.Class != hop.ChangedDefault || f.Certainty != hop.Certain || f.From == "" || len(f.Edits) != 1 {
		return false
	}
	_, isSwitch := f.Edits[0].Value.(bool)
	return isSwitch && f.Edits[0].Path == f.To && isName(f.To)
}

// flipOf finds the switch that an old one became, and whether it is the other way round.
func (d *drafting) flipOf(path string) (f hop.Finding, opposite, found bool) {
	for _, run := range d.Runs {
		for _, f := range run.Analysis.Findings {
			if isFlip(f) && f.From == path && !run.Own {
				return f, f.Was != fmt.Sprint(f.Edits[0].Value), true
			}
		}
	}
	return hop.Finding{}, false, false
}

// flips adds what has to be set because a default is another one: where the old layout
// leaves the old default.
func (d *drafting) flips(groups *[]group) {
	seen := map[string]bool{}
	for _, run := range d.Runs {
		for _, f := range run.Analysis.Findings {
			if run.Own || !isFlip(f) || seen[f.To] {
				continue
			}
			seen[f.To] = true
			why := d.clean(f.Message) + ": " + d.clean(f.Evidence) + " (" + run.About + ")"
			add(groups, d.otherwise(f.From), f.To, f.Edits[0].Value, why)
		}
	}
}

// otherwise gives the conditions under which the old layout does not set a value: none if
// they cannot be written.
func (d *drafting) otherwise(path string) catalog.Conditions {
	for _, rule := range d.Old.Layout {
		if _, sets := rule.Set[path]; !sets || !isCloud(rule) || len(rule.When) != 1 {
			continue
		}
		c := rule.When[0]
		if !c.Equal {
			c.Not = !c.Not
			return catalog.Conditions{c}
		}
		for _, other := range choices[c.Field] {
			if len(choices[c.Field]) == 2 && other != c.Value && !c.Not {
				c.Value = other
				return catalog.Conditions{c}
			}
		}
	}
	return nil
}
