package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/check"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// atOnce is how many environments are looked at before what was rendered for
// them is let go of: a fleet's objects do not all fit into memory.
const atOnce = 16

// findings renders the releases of environments and looks at them. Those that
// are named and in no environment are wrong usage. Of a fleet it gives what it
// found in those environments that did not fail, and how many they are.
func (a app) findings(ctx context.Context, o checkOptions, source charts.Source, members []fleet.Member) (found []finding.Finding, checked int, err error) {
	if _, err := plannedReleases(plansOf(members), o.releases); err != nil {
		return nil, 0, err
	}
	workers := a.workersFor(o.jobs, len(members))
	defer workers.Close()
	var failures []error
	for start := 0; start < len(members) && ctx.Err() == nil; start += atOnce {
		some, err := o.findSome(ctx, workers, source, members[start:min(start+atOnce, len(members))])
		for _, note := range dropRepeated(some.notes) {
			fmt.Fprintln(a.err, note)
		}
		found, checked, failures = append(found, some.found...), checked+some.checked, append(failures, err)
	}
	return found, checked, charts.JoinAgain(append(failures, ctx.Err())...)
}

// looked holds the findings of some environments.
type looked struct {
	found   []finding.Finding
	notes   []string // of objects that are not looked at
	checked int      // how many environments did not fail
}

func (o checkOptions) findSome(ctx context.Context, workers *charts.Workers, source charts.Source, members []fleet.Member) (all looked, err error) {
	releases, err := plannedReleases(plansOf(members), nil)
	if err != nil {
		return all, err
	}
	releases = slices.DeleteFunc(releases, func(p planned) bool { return !chooses(o.releases, p.Key) })
	made, done, failed := eachChart(ctx, o.jobs, workers, source, releases, func(ctx context.Context, p planned, own charts.Chart) (renderedTwice, error) {
		return renderTwice(ctx, p, own)
	})
	if ctx.Err() != nil || failed != nil && workers == nil {
		return all, failed
	}
	for i, p := range releases {
		if done[i] {
			all.notes = append(all.notes, leftOut(p, made[i].LeftOut())...)
		}
	}
	results, failures, skip := make([][]finding.Finding, len(members)), make([]error, len(members)), make([]bool, len(members))
	parallel.Each(o.jobs, len(members), func(i int) {
		in := check.Input{Environment: members[i].Environment, Plan: members[i].Plan, Traits: members[i].Plan.Traits(), Manifests: members[i].Rendering.Manifests}
		for j, release := range releases {
			if release.index == i {
				in.Releases, skip[i] = append(in.Releases, made[j].Release), !done[j]
			}
		}
		if !skip[i] {
			results[i], failures[i] = charts.InTime(ctx, "", charts.MaxTime, func(context.Context) ([]finding.Finding, error) { return check.Run(in) })
		}
	})
	for i := range members {
		switch {
		case failures[i] != nil:
			failures[i] = fmt.Errorf("check %s: %w", members[i].Plan.Environment, failures[i])
		case !skip[i]:
			all.found, all.checked = append(all.found, results[i]...), all.checked+1
		}
	}
	return all, errors.Join(append(failures, failed)...)
}

// renderedTwice is a release as checks look at it.
type renderedTwice struct{ check.Release }

// Size gives how much of it is kept, in bytes.
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
func renderTwice(ctx context.Context, p planned, own charts.Chart) (renderedTwice, error) {
	in, err := p.input(own, p.plan.Traits().Renderer)
	if err != nil {
		return renderedTwice{}, err
	}
	made, err := own.Examine(ctx, p.Release, in)
	if err != nil {
		return renderedTwice{}, fmt.Errorf("%s: %w", p.Key, err)
	}
	return renderedTwice{made}, nil
}
