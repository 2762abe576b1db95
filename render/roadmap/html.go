package roadmap

import (
	"slices"

	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/render/page"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
	"github.com/pm-gitops/pm-gitops/templates"
)

// HTML writes the report as one page that needs no network and runs no script.
func (r Report) HTML() ([]byte, error) {
	return page.Write(templates.Plan, r)
}

// Name is the environment, with the release if the roadmap is about one.
func (r Roadmap) Name() string { return r.name() }

// GoalName names the goal.
func (r Roadmap) GoalName() string { return r.goal() }

// Todos is what to do before the next hop.
func (r Roadmap) Todos() []Todo { return r.todo() }

// Notes is the remarks that ask nothing of a person.
func (r Roadmap) Notes() []upgrade.Remark { return notes(r.Remarks) }

// Notes is the remarks that ask nothing of a person.
func (h Hop) Notes() []upgrade.Remark { return notes(h.Remarks) }

// Gaps says which part of the comparison is missing.
func (c Chart) Gaps() []string { return c.gaps() }

// Shown gives the effects that people want to see.
func (c Chart) Shown() []Effect { return c.shown() }

// Head is the title of the step, with its limit of time.
func (s Step) Head() string { return s.head() }

// Picture gives the waves of the environment after the hop, with what changes in each;
// none where they are not known.
func (h Hop) Picture() []page.Wave {
	changes := map[string][]diff.Change{}
	for _, chart := range h.Charts {
		changes[chart.Release] = chart.Changes.Changes
	}
	if h.Waves == nil {
		return nil
	}
	waves := page.NewWaves(h.Waves, changes)
	for _, wave := range waves {
		for i := range wave.Releases {
			h.annotate(&wave.Releases[i])
		}
	}
	return waves
}

// annotate adds the versions before and after the hop to a release of the picture. Where
// tags change, its pods do, though no chart was compared.
func (h Hop) annotate(release *page.Release) {
	for _, t := range h.Versions {
		switch {
		case t.From == t.To:
		case t.Part.Title() == release.Key:
			release.Was, release.Version, release.Unseen = or(t.From, "unknown"), or(t.To, "unknown"), true
		case !t.Part.IsChart() && release.Key == upgrade.PrefectCloud.Title():
			release.Notes = append(release.Notes, t.Part.Title()+" "+or(t.From, "unknown")+" → "+or(t.To, "unknown"))
			release.Unseen = true
		}
	}
	for _, chart := range h.Charts {
		if chart.Release == release.Key {
			release.Unseen = chart.Analysis == nil || chart.Analysis.Unrendered != ""
		}
	}
}

// Values is the values of a release that the environment sets, and their fates.
type Values struct{ Differ, Stay []hop.Parity }

// Values gives the values of the release; nil where they were not compared.
func (c Chart) Values() *Values {
	if c.Analysis == nil || len(c.Analysis.Parity) == 0 {
		return nil
	}
	var all Values
	for _, parity := range c.Analysis.Parity {
		if parity.Fate == hop.Landed {
			all.Stay = append(all.Stay, parity)
		} else {
			all.Differ = append(all.Differ, parity)
		}
	}
	return &all
}

// Summary counts the values by their fates.
func (v Values) Summary() string { return fates(slices.Concat(v.Differ, v.Stay)) }
