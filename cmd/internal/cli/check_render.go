package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/apis"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/check"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// atOnce is how many environments are looked at before what was rendered for
// them is let go of: a fleet's objects do not all fit into memory.
const atOnce = 16

// findings renders the releases of environments and looks at them. Of a fleet it gives
// what it found in those environments that did not fail.
func (a app) findings(ctx context.Context, o checkOptions, source charts.Source, members []fleet.Member) (all looked, err error) {
	workers := a.workersFor(o.jobs, len(members))
	defer workers.Close()
	var failures []error
	looks := looker{checkOptions: o, workers: workers, source: source, tries: max(1, min(maxTries, maxTriesInAll/max(1, len(members))))}
	for start := 0; start < len(members) && ctx.Err() == nil; start += atOnce {
		some, err := looks.findSome(ctx, members[start:min(start+atOnce, len(members))])
		all.found, all.notes, all.checked = append(all.found, some.found...), append(all.notes, some.notes...), all.checked+some.checked
		failures = append(failures, err)
	}
	return all, charts.JoinAgain(append(failures, ctx.Err())...)
}

// looked holds the findings of some environments.
type looked struct {
	found   []finding.Finding
	notes   []string // of objects that are not looked at
	checked int      // how many environments did not fail
}

// maxTries limits how often an environment is rendered again for its fixes, and
// maxTriesInAll how often all of a fleet are, of which each is at least once.
const (
	maxTries      = 50
	maxTriesInAll = 200
)

// looker renders releases and looks at them.
type looker struct {
	checkOptions
	workers *charts.Workers
	source  charts.Source
	tries   int // how often an environment is rendered again
}

func (o looker) findSome(ctx context.Context, members []fleet.Member) (all looked, err error) {
	releases, err := plannedReleases(plansOf(members), nil)
	if err != nil {
		return all, err
	}
	releases = slices.DeleteFunc(releases, func(p planned) bool { return !chooses(o.releases, p.Key) })
	made, done, failed := eachChart(ctx, o.jobs, o.workers, o.source, releases, renderTwice)
	if ctx.Err() != nil || failed != nil && o.workers == nil {
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
			results[i], failures[i] = o.look(ctx, members[i], in)
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

// look looks at an environment, and tries the fixes of what it found.
func (o looker) look(ctx context.Context, of fleet.Member, in check.Input) ([]finding.Finding, error) {
	looked, err := lookInTime(ctx, in)
	if err != nil {
		return nil, err
	}
	return looked.Try(check.Trial{
		Least: finding.Severity(o.severity), Most: o.tries,
		Again: func(env render.Environment) (check.Looked, error) { return o.lookAgain(ctx, of, in, env) },
	})
}

func lookInTime(ctx context.Context, in check.Input) (check.Looked, error) {
	return charts.InTime(ctx, "", charts.MaxTime, func(context.Context) (check.Looked, error) { return check.Look(in) })
}

// lookAgain looks at a member whose environment has other settings, and renders the
// releases again to which they make a difference.
func (o looker) lookAgain(ctx context.Context, of fleet.Member, in check.Input, env render.Environment) (check.Looked, error) {
	plan, err := render.PlanFor(env, of.Catalog, of.Plan.Target())
	if err != nil {
		return check.Looked{}, err
	}
	lockless := plan
	lockless.Unlocked = nil // that is a finding
	rendering, err := render.Render(lockless, plan.Target())
	if err != nil {
		return check.Looked{}, refused(plan, err)
	}
	again := check.Input{Environment: env, Plan: plan, Traits: plan.Traits(), Manifests: rendering.Manifests}
	var changed []planned
	kept := 0
	for _, before := range in.Releases {
		kept += renderedTwice{before}.Size() * sizeOfTree
		for _, release := range plan.Releases() {
			switch same := before; {
			case release.Key != before.Key:
			case rendersAlike(of.Plan, plan, before.Release, release):
				same.Release = release
				again.Releases = append(again.Releases, same)
			default:
				changed = append(changed, planned{Release: release, plan: &plan})
			}
		}
	}
	made, _, err := eachChart(charts.Keeping(ctx, kept), 1, o.workers, o.source, changed, renderTwice)
	switch {
	case err != nil && (o.workers == nil || ctx.Err() != nil):
		return check.Looked{}, fmt.Errorf("try a fix: %w", err)
	case err != nil:
		return check.Looked{}, refused(plan, err)
	}
	for _, one := range made {
		again.Releases = append(again.Releases, one.Release)
	}
	place := func(r check.Release) int {
		return slices.IndexFunc(plan.Releases(), func(other render.Release) bool { return other.Key == r.Key })
	}
	slices.SortFunc(again.Releases, func(a, b check.Release) int { return cmp.Compare(place(a), place(b)) })
	return lookInTime(ctx, again)
}

// sizeOfTree estimates the memory of an object that was read, in bytes of its YAML.
const sizeOfTree = 10

// refused makes an error that of the environment, which cannot be rendered with a fix.
func refused(plan render.Plan, err error) error {
	return render.Problems{plan.Problem("metadata.name", "%s", err)}
}

// rendersAlike reports whether the chart of a release makes the same in two plans.
func rendersAlike(before, after render.Plan, was, now render.Release) bool {
	type input struct {
		name, namespace string
		chart           render.Chart
		values          render.Values
		secrets         []render.SecretInput
		kubeVersion     string
		versions        []string
		apis            []apis.API
	}
	of := func(p render.Plan, r render.Release) input {
		return input{r.Name, r.Namespace, r.Chart, r.Values, r.SecretInputs, p.KubeVersion, p.APIVersions, p.APIs}
	}
	return reflect.DeepEqual(of(before, was), of(after, now))
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
