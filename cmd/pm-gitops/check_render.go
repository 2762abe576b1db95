package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/check"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/trace"
)

// atOnce is how many environments are looked at before what was rendered for
// them is let go of: a fleet's objects do not all fit into memory.
const atOnce = 16

// findings renders the releases of environments and looks at them. Those that
// are named and in no environment are wrong usage.
func (o checkOptions) findings(ctx context.Context, source charts.Source, members []fleet.Member) ([]finding.Finding, error) {
	if _, err := plannedReleases(plansOf(members), o.releases); err != nil {
		return nil, err
	}
	var found []finding.Finding
	for start := 0; start < len(members); start += atOnce {
		some, err := o.findSome(ctx, source, members[start:min(start+atOnce, len(members))])
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

func (o checkOptions) findSome(ctx context.Context, source charts.Source, members []fleet.Member) ([]finding.Finding, error) {
	releases, err := plannedReleases(plansOf(members), nil)
	if err != nil {
		return nil, err
	}
	releases = slices.DeleteFunc(releases, func(p planned) bool { return !chooses(o.releases, p.Key) })
	made, err := eachChart(ctx, o.jobs, source, releases, o.renderTwice)
	if err != nil {
		return nil, err
	}
	results, failures := make([][]finding.Finding, len(members)), make([]error, len(members))
	parallel(o.jobs, len(members), func(i int) {
		in := check.Input{Environment: members[i].Environment, Plan: members[i].Plan, Target: o.target, Manifests: members[i].Rendering.Manifests}
		for j, release := range releases {
			if release.index == i {
				in.Releases = append(in.Releases, made[j].Release)
			}
		}
		results[i], failures[i] = charts.InTime(ctx, charts.MaxTime, func(context.Context) ([]finding.Finding, error) { return check.Run(in) })
	})
	var found []finding.Finding
	for i := range members {
		if failures[i] != nil {
			return nil, fmt.Errorf("check %s: %w", members[i].Plan.Environment, failures[i])
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

// renderTwice renders a release for a first install, for that once more, and
// where the target knows the difference for an upgrade. A chart that fails is a
// finding, and no error, unless there was no time or memory left.
func (o checkOptions) renderTwice(ctx context.Context, p planned, own charts.Chart) (renderedTwice, error) {
	in, err := p.input(own, o.target)
	if err != nil {
		return renderedTwice{}, err
	}
	made := check.Release{Release: p.Release, Chart: own.Chart, Rendered: in}
	upgrade := in
	upgrade.IsUpgrade = true
	steps := []struct {
		in  chart.Input
		out *chart.Output
	}{{in, &made.Install}, {in, &made.Again}, {upgrade, &made.Upgrade}}
	if in.As.AlwaysInstall {
		steps = steps[:2]
	}
	for _, step := range steps {
		*step.out, made.Failure = own.Render(ctx, step.in)
		switch {
		case errors.Is(made.Failure, charts.ErrTooLong), made.Failure != nil && ctx.Err() != nil:
			return renderedTwice{}, fmt.Errorf("%s: %w", p.Key, made.Failure)
		case made.Failure != nil:
			return renderedTwice{made}, nil
		}
	}
	in.As.OriginGroup = "" // no secret lands in labels that the controller adds, and adding them takes long
	made.Trace, made.TraceFailure = trace.Release(ctx, p.Release, func(values map[string]any) ([]chart.Object, error) {
		in.Values = values
		return own.Everything(ctx, in)
	})
	if errors.Is(made.TraceFailure, charts.ErrTooLong) || ctx.Err() != nil {
		return renderedTwice{}, fmt.Errorf("%s: %w", p.Key, cmp.Or(made.TraceFailure, context.Cause(ctx)))
	}
	return renderedTwice{made}, nil
}
