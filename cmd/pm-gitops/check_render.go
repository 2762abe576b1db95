package main

import (
	"context"
	"errors"
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
// are named and in no environment are wrong usage. Of a fleet it gives what it
// found in those environments that did not fail, and how many they are.
func (a app) findings(ctx context.Context, o checkOptions, source charts.Source, fleet []checkable) (found []check.Finding, checked int, err error) {
	var plans []render.Plan
	for _, one := range fleet {
		plans = append(plans, one.plan)
	}
	if _, err := plannedReleases(plans, o.releases); err != nil {
		return nil, 0, err
	}
	workers := a.workersFor(o.jobs, len(fleet))
	defer workers.Close()
	var failures []error
	for start := 0; start < len(fleet) && ctx.Err() == nil; start += atOnce {
		some, n, err := o.findSome(ctx, workers, source, fleet[start:min(start+atOnce, len(fleet))])
		found, checked, failures = append(found, some...), checked+n, append(failures, err)
	}
	return found, checked, errors.Join(append(failures, ctx.Err())...)
}

func (o checkOptions) findSome(ctx context.Context, workers *charts.Workers, source charts.Source, fleet []checkable) (found []check.Finding, checked int, err error) {
	plans := make([]render.Plan, len(fleet))
	for i, one := range fleet {
		plans[i] = one.plan
	}
	releases, err := plannedReleases(plans, nil)
	if err != nil {
		return nil, 0, err
	}
	releases = slices.DeleteFunc(releases, func(p planned) bool { return !chooses(o.releases, p.Key) })
	made, done, failed := eachChart(ctx, o.jobs, workers, source, releases, o.renderTwice)
	if ctx.Err() != nil || failed != nil && workers == nil {
		return nil, 0, failed
	}
	results, failures, skip := make([][]check.Finding, len(fleet)), make([]error, len(fleet)), make([]bool, len(fleet))
	parallel(o.jobs, len(fleet), func(i int) {
		in := check.Input{Environment: fleet[i].env, Plan: fleet[i].plan, Target: o.target, Manifests: fleet[i].rendering.Manifests}
		for j, release := range releases {
			if release.plan == &plans[i] {
				in.Releases, skip[i] = append(in.Releases, made[j].Release), !done[j]
			}
		}
		if !skip[i] {
			results[i], failures[i] = charts.InTime(ctx, charts.MaxTime, func(context.Context) ([]check.Finding, error) { return check.Run(in) })
		}
	})
	for i := range fleet {
		switch {
		case failures[i] != nil:
			failures[i] = fmt.Errorf("check %s: %w", fleet[i].plan.Environment, failures[i])
		case !skip[i]:
			found, checked = append(found, results[i]...), checked+1
		}
	}
	return found, checked, errors.Join(append(failures, failed)...)
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
