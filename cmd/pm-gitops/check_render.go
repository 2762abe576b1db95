package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/check"
)

// atOnce is how many environments are looked at before what was rendered for
// them is let go of: a fleet's objects do not all fit into memory.
const atOnce = 16

// findings renders the releases of environments and looks at them. Those that
// are named and in no environment are wrong usage.
func (o checkOptions) findings(ctx context.Context, source charts.Source, fleet []checkable) ([]check.Finding, error) {
	var plans []render.Plan
	for _, one := range fleet {
		plans = append(plans, one.plan)
	}
	if _, err := plannedReleases(plans, o.releases); err != nil {
		return nil, err
	}
	var found []check.Finding
	for start := 0; start < len(fleet); start += atOnce {
		some, err := o.findSome(ctx, source, fleet[start:min(start+atOnce, len(fleet))])
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

func (o checkOptions) findSome(ctx context.Context, source charts.Source, fleet []checkable) ([]check.Finding, error) {
	plans := make([]render.Plan, len(fleet))
	for i, one := range fleet {
		plans[i] = one.plan
	}
	releases, err := plannedReleases(plans, nil)
	if err != nil {
		return nil, err
	}
	releases = slices.DeleteFunc(releases, func(p planned) bool { return !chooses(o.releases, p.Key) })
	made, err := eachChart(ctx, o.jobs, source, releases, o.renderTwice)
	if err != nil {
		return nil, err
	}
	results, failures := make([][]check.Finding, len(fleet)), make([]error, len(fleet))
	parallel(o.jobs, len(fleet), func(i int) {
		in := check.Input{Environment: fleet[i].env, Plan: fleet[i].plan, Target: o.target, Manifests: fleet[i].rendering.Manifests}
		for j, release := range releases {
			if release.plan == &plans[i] {
				in.Releases = append(in.Releases, made[j].Release)
			}
		}
		results[i], failures[i] = charts.InTime(ctx, charts.MaxTime, func(context.Context) ([]check.Finding, error) { return check.Run(in) })
	})
	var found []check.Finding
	for i := range fleet {
		if failures[i] != nil {
			return nil, fmt.Errorf("check %s: %w", fleet[i].plan.Environment, failures[i])
		}
		found = append(found, results[i]...)
	}
	return found, nil
}

// renderedTwice is a release as checks look at it.
type renderedTwice struct{ check.Release }

// size is how much of it is kept.
func (r renderedTwice) Size() int {
	size := 0
	for _, out := range []chart.Output{r.Install, r.Again, r.Upgrade} {
		for _, object := range out.Objects {
			size += len(object.YAML)
		}
	}
	return size
}

// renderTwice renders a release as checks look at it.
func (o checkOptions) renderTwice(ctx context.Context, p planned, own charts.Chart) (renderedTwice, error) {
	in, err := p.input(own, o.target)
	if err != nil {
		return renderedTwice{}, err
	}
	made, err := own.Examine(ctx, p.Release, in)
	if err != nil {
		return renderedTwice{}, fmt.Errorf("%s: %w", p.Key, err)
	}
	return renderedTwice{made}, nil
}
