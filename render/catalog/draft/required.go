package draft

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/hop"
)

// requireEntries gives what an environment has to set, and reports whether the catalog
// does not say it yet.
func (d *drafting) requireEntries() (entries []entry, differs bool) {
	seen := map[string]bool{}
	for _, run := range d.Runs {
		for _, f := range run.Analysis.Findings {
			if f.Class != hop.Required || f.To == "" || seen[f.To] || run.Own && !has(d.NewDefaults, f.To) {
				continue
			}
			seen[f.To] = true
			one, isNew := d.require(run, f)
			entries, differs = append(entries, one), differs || isNew
		}
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.why, b.why) })
	return entries, differs
}

// require gives the entry of a value that must be set.
func (d *drafting) require(run Run, f hop.Finding) (entry, bool) {
	why := fmt.Sprintf("%s must be set: %s (%s)", d.clean(f.To), d.clean(f.Evidence), run.About)
	for _, rule := range d.layout {
		if string(rule.Path) == f.To && rule.Field != "" && isCloud(rule) {
			documented := slices.ContainsFunc(d.New.Moves, func(m catalog.Move) bool { return d.Known && m.Require == rule.Field })
			one := entry{sure: f.Certainty, why: why, item: []pair{{"require", rule.Field}, {"why", "the chart wants " + f.To + " to be set"}}}
			if documented {
				one.item = nil
			}
			return one, !documented
		}
	}
	if slices.Contains(render.Fields(), f.To) {
		return entry{sure: hop.Suspected, off: true, why: why + "; the field has its name, and a layout rule {field, path} has to take it there", item: []pair{{"require", f.To}}}, false
	}
	return entry{sure: f.Certainty, why: why + "; no field of an environment stands for it: set spec.values." + release + "." + d.clean(f.To)}, false
}

// migrations gives the hooks that migrate databases, and whether a first install runs them
// after the services; none if rendering shows none.
func (d *drafting) migrations() (jobs []string, after, known bool) {
	for _, run := range d.Runs {
		if run.Own {
			continue
		}
		for _, o := range run.Analysis.Objects {
			if o.Kind != "Job" || o.Hook == nil || o.Hook.Tests() || !strings.Contains(strings.ToLower(o.Name), "migrat") || slices.Contains(jobs, o.Name) || !d.isShared(o.Name) {
				continue
			}
			jobs = append(jobs, o.Name)
			after = after || !o.Hook.Has("pre-install") && !slices.Contains(o.Hook.Phases, "PreSync")
		}
	}
	slices.Sort(jobs)
	return jobs, after, jobs != nil
}
