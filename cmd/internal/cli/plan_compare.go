package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/render/roadmap"
	choice "github.com/pm-gitops/pm-gitops/render/upgrade"
)

// changedCharts gives the charts that have another version after a hop, none of them
// compared.
func changedCharts(m fleet.Member, step choice.Hop) []roadmap.Chart {
	changed := []roadmap.Chart{}
	for _, transfer := range step.Versions {
		release := transfer.Part.Title()
		if transfer.From == transfer.To && transfer.To != "" || !slices.Contains(m.Environment.ReleaseKeys(), release) {
			continue
		}
		one := roadmap.Chart{Release: release, From: transfer.From, To: transfer.To, Unseen: "it is compared once the hops before it are made"}
		if transfer.To == "" || transfer.From == "" {
			one.Unseen = "one of the two versions is not known"
		}
		changed = append(changed, one)
	}
	return changed
}

// compare compares the charts of the next hop, as far as their versions are known. What
// fails is said where the comparison would be.
func (p planner) compare(ctx context.Context, m fleet.Member, h *roadmap.Hop) {
	after, err := planAfter(m, h.Hop)
	var pairs []pair
	for i := range h.Charts {
		one := &h.Charts[i]
		if one.From == "" || one.To == "" {
			continue
		}
		if err != nil {
			one.Unseen = "the environment cannot be planned with these versions: " + oneLine(err)
			continue
		}
		old, new := plannedRelease(&m.Plan, one.Release), plannedRelease(&after, one.Release)
		if old.plan == nil || new.plan == nil {
			one.Unseen = "the environment does not install it on both lines"
			continue
		}
		pairs = append(pairs, pair{old: old, new: new, chart: one})
	}
	if pairs == nil {
		return
	}
	var all []planned
	var wanted []charts.Release
	for _, one := range pairs {
		all = append(all, one.old, one.new)
		wanted = append(wanted, charts.Release{Key: one.old.Key, Chart: one.old.Chart})
	}
	source := newOriginals(p.source, all)
	results, failures := charts.Each(ctx, p.jobs, nil, source, wanted, func(ctx context.Context, i int, own charts.Chart) (hop.Analysis, error) {
		next, err := source.Chart(ctx, pairs[i].new.Chart)
		if err != nil {
			return hop.Analysis{}, fmt.Errorf("%s: %w", pairs[i].new.Key, err)
		}
		found, err := pairs[i].analyze(ctx, h.Moves, own, next)
		if err == nil && pairs[i].new.Key == render.PrefectCloud {
			p.draft.add(ctx, m, h, pairs[i], own, next, found)
			addDefaults(h.Versions, found, pairs[i].old.plan.ValuePaths(), next)
		}
		return found, err
	})
	for i, one := range pairs {
		switch {
		case failures[i] != nil:
			one.chart.Unseen = oneLine(failures[i])
		default:
			one.chart.Analysis, one.chart.Unseen = &results[i], ""
			if changes, ok := one.changes(results[i]); ok {
				one.chart.Effects = roadmap.NewEffects(changes)
				one.chart.Changes = changes.Settled(p.output == "html")
			}
		}
	}
}

// addDefaults adds to tags that are not known those that the chart has by default: where
// the old chart has its tags, or where the comparison found that they moved to.
func addDefaults(versions []choice.Transfer, found hop.Analysis, paths map[string]string, next charts.Chart) {
	defaults, err := next.Defaults()
	if err != nil {
		return
	}
	for i := range versions {
		transfer := &versions[i]
		path := paths["versions."+string(transfer.Part)]
		if transfer.To != "" || path == "" {
			continue
		}
		for _, parity := range found.Parity {
			if parity.Path == path && parity.Fate == hop.Placed && parity.To != "" {
				path = parity.To
			}
		}
		var value any = defaults
		for key := range strings.SplitSeq(path, ".") {
			mapping, _ := value.(map[string]any)
			value = mapping[key]
		}
		if tag, isText := value.(string); isText && render.Tag(tag).Validate() == nil {
			transfer.Default = tag
		}
	}
}

// planAfter plans an environment with the versions that a hop brings it to, as far as they
// are known.
func planAfter(m fleet.Member, step choice.Hop) (render.Plan, error) {
	var settings []render.Setting
	for _, transfer := range step.Versions {
		field := m.Plan.ReleasePath(string(transfer.Part)) + ".version"
		if slices.Contains(choice.Parts(), transfer.Part) {
			field = "spec.versions." + string(transfer.Part)
		}
		if transfer.To != "" && transfer.To != transfer.From {
			settings = append(settings, render.Setting{Field: field, Value: transfer.To})
		}
	}
	changed, err := m.Environment.With(settings...)
	if err != nil {
		return render.Plan{}, err
	}
	return render.PlanFor(changed.Unpinned(), m.Catalog, m.Plan.Target())
}

// pair is a release before and after a hop.
type pair struct {
	old, new planned
	chart    *roadmap.Chart
}

// plannedRelease finds a release of a plan; the result has no plan where there is none.
func plannedRelease(plan *render.Plan, key string) planned {
	for wave, releases := range plan.Waves {
		for _, release := range releases {
			if release.Key == key {
				return planned{Release: release, plan: plan, wave: wave + 1}
			}
		}
	}
	return planned{}
}

// analyze compares the two versions of the chart.
func (p pair) analyze(ctx context.Context, moves []catalog.Move, old, new charts.Chart) (hop.Analysis, error) {
	in := hop.Input{Release: p.old.Key, KubeVersion: p.old.plan.KubeVersion}
	if in.Release == render.PrefectCloud {
		in.Moves = moves
	}
	var err error
	if in.Old, err = sideOf(p.old, old); err != nil {
		return hop.Analysis{}, err
	}
	if in.New, err = sideOf(p.new, new); err != nil {
		return hop.Analysis{}, err
	}
	for _, secret := range slices.Concat(p.old.SecretInputs, p.new.SecretInputs) {
		if !slices.Contains(in.Secrets, secret.Path) {
			in.Secrets = append(in.Secrets, secret.Path)
		}
	}
	return hop.Analyze(ctx, in)
}

// changes gives the changes of the release's objects, with what the cluster does about
// them, if both charts render.
func (p pair) changes(a hop.Analysis) (changes diff.Result, ok bool) {
	traits := p.new.plan.Traits()
	as, err := p.new.renderer(traits.Renderer)
	if err != nil || a.Unrendered != "" {
		return diff.Result{}, false
	}
	old, new := objectsOf(p.old, chart.Output{Objects: a.Before}, as), objectsOf(p.new, chart.Output{Objects: a.Objects}, as)
	return diff.Compare(old, new).Effects(traits.Applier), true
}

// sideOf renders a version of a chart as the controller does on an upgrade.
func sideOf(p planned, own charts.Chart) (hop.Side, error) {
	in, err := p.input(own, p.plan.Traits().Renderer)
	if err != nil {
		return hop.Side{}, err
	}
	in.IsUpgrade = !in.As.AlwaysInstall
	return hop.Side{Chart: own.Chart, Values: in.Values, Make: func(ctx context.Context, values map[string]any) ([]chart.Object, error) {
		with := in
		with.Values = values
		out, err := charts.InTime(ctx, "", charts.MaxTime, func(ctx context.Context) (chart.Output, error) { return own.Chart.Render(ctx, with) })
		return out.Objects, err
	}}, nil
}

// oneLine gives an error on one line.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
