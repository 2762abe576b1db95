package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// planned is a release of an environment.
type planned struct {
	render.Release
	plan *render.Plan
	wave int // from 1
}

// releaseFlags is what a command takes that looks at releases and their charts.
type releaseFlags struct {
	input
	chartFlags
	target   string
	releases []string // keys, all releases without any
}

// addReleases adds the flags, and takes and completes releases as arguments.
func (a app) addReleases(cmd *cobra.Command, o *releaseFlags) {
	a.addInput(cmd, &o.input)
	a.addCharts(cmd, &o.chartFlags)
	a.addTarget(cmd, &o.target)
	cmd.Args = func(_ *cobra.Command, args []string) error {
		for _, name := range args {
			if isYAML(name) || strings.ContainsAny(name, `/\`) {
				return hinted{usageError{fmt.Errorf("%q is no release", name)}, "Name each file, folder or pattern with -f."}
			}
		}
		return nil
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		return a.releaseKeys(cmd.Context(), o.input, args), cobra.ShellCompDirectiveNoFileComp
	}
}

// selection is the releases that a command looks at.
type selection struct {
	charts
	plans    []render.Plan
	releases []planned
}

// fleet reports whether there are several environments.
func (s selection) fleet() bool { return len(s.plans) > 1 }

// choose plans the environments that the flags name, warns of what is
// suspicious in them, and chooses their releases.
func (a app) choose(ctx context.Context, o releaseFlags, target render.Target) (selection, error) {
	source, err := a.charts(o.chartFlags)
	if err != nil {
		return selection{}, err
	}
	plans, err := eachPlan(ctx, a, o.input, target, func(plan render.Plan) (render.Plan, error) { return plan, nil })
	if err != nil {
		return selection{}, err
	}
	releases, err := plannedReleases(plans, o.releases)
	if err != nil {
		return selection{}, err
	}
	for _, plan := range plans {
		a.warn(plan.Warnings)
	}
	return selection{source, plans, releases}, nil
}

// plannedReleases is the releases of environments that the names choose, all
// without any, in the order of the plans.
func plannedReleases(plans []render.Plan, names []string) ([]planned, error) {
	var chosen []planned
	var known []string
	for i := range plans {
		for wave, releases := range plans[i].Waves {
			for _, release := range releases {
				known = append(known, release.Key)
				if chooses(names, release.Key) {
					chosen = append(chosen, planned{release, &plans[i], wave + 1})
				}
			}
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, usageError{fmt.Errorf("no release %q in %s: want %s", name, environmentsOf(plans), text.OneOf(unique(known)))}
		}
	}
	return chosen, nil
}

// chooses reports whether names choose a release; none choose all.
func chooses(names []string, key string) bool { return len(names) == 0 || slices.Contains(names, key) }

// environmentsOf names the environments of plans, a fleet by their number.
func environmentsOf(plans []render.Plan) string {
	if len(plans) == 1 {
		return plans[0].Environment
	}
	return text.Count(len(plans), "environment")
}

// unique is texts without those that were there before, in their order.
func unique(texts []string) []string {
	var all []string
	for _, text := range texts {
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// eachChart does some work for releases and their charts, several at a time
// and in bounds, and gives the results in the order of the releases. The error
// joins everything that went wrong, what is the same for several of them once.
// The program must end then: a template that loops cannot be stopped.
func eachChart[T any](ctx context.Context, jobs int, source charts, releases []planned, work func(context.Context, planned, sourced) (T, error)) ([]T, error) {
	ctx, limits, done := bounded(ctx)
	defer done()
	results, failures := make([]T, len(releases)), make([]error, len(releases))
	parallel(jobs, len(releases), func(i int) {
		if failures[i] = ctx.Err(); failures[i] != nil {
			return
		}
		own, err := source.Chart(ctx, releases[i].Chart)
		if err != nil {
			failures[i] = fmt.Errorf("%s: %w", releases[i].Key, err)
			return
		}
		results[i], failures[i] = inTime(ctx, mostWork, func(ctx context.Context) (T, error) { return work(ctx, releases[i], own) })
		if errors.Is(failures[i], errTooLong) {
			limits.stop(context.Canceled)
		}
		if result, ok := any(results[i]).(interface{ size() int }); ok {
			limits.kept.Add(int64(result.size()))
		}
	})
	var all []error
	var said []string
	for i, failure := range failures {
		if failure == nil || errors.Is(failure, context.Canceled) {
			continue
		}
		if text := failure.Error(); !slices.Contains(said, text) {
			said = append(said, text)
			all = append(all, inEnvironment(releases, i, failure))
		}
	}
	if all == nil {
		return results, ctx.Err()
	}
	return nil, errors.Join(all...)
}

// inEnvironment names the environment of what failed, where there are several.
func inEnvironment(releases []planned, i int, failure error) error {
	if releases[0].plan == releases[len(releases)-1].plan {
		return failure
	}
	return fmt.Errorf("%s: %w", releases[i].plan.Environment, failure)
}

// input is what the chart of a release is rendered with in the way of the
// renderer as, secret values as placeholders.
func (p planned) input(own sourced, as string) (chart.Input, error) {
	renderer, err := chart.ByName(as, string(p.plan.Delivery.Flux.Version))
	if err != nil {
		return chart.Input{}, err
	}
	values, err := p.PlaceholderValues()
	if err != nil {
		return chart.Input{}, err
	}
	return chart.Input{
		As: renderer, Release: p.Name, Namespace: p.Namespace, Values: values,
		KubeVersion: p.plan.KubeVersion, APIVersions: p.plan.APIVersions, Digest: own.digest,
		OriginNamespace: p.Namespace, OriginName: p.Key,
	}, nil
}

// everything is all objects that a chart can make: for an install and for an
// upgrade, with the hooks of both and of what comes after. Most are there
// twice.
func everything(ctx context.Context, own sourced, in chart.Input) ([]chart.Object, error) {
	var objects []chart.Object
	for _, in.IsUpgrade = range []bool{false, true} {
		if in.IsUpgrade && in.As.AlwaysInstall {
			break
		}
		out, err := own.Render(ctx, in)
		if err != nil {
			return nil, err
		}
		objects = slices.Concat(objects, out.Objects, out.Left)
	}
	return objects, nil
}

// releaseKeys is the releases of the environments that the flags name, for
// completion.
func (a app) releaseKeys(ctx context.Context, in input, named []string) []string {
	var keys []string
	for _, l := range a.readable(ctx, in) {
		plan, err := l.plan(a.targets[0])
		if err != nil {
			continue
		}
		for _, release := range plan.Releases() {
			if !slices.Contains(named, release.Key) && !slices.Contains(keys, release.Key) {
				keys = append(keys, release.Key)
			}
		}
	}
	return keys
}
