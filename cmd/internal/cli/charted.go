package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/cmd/internal/collector"
	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// planned is a release of an environment.
type planned struct {
	render.Release
	index int // of its environment, among those that are looked at
	plan  *render.Plan
	wave  int // from 1
}

// releaseFlags are the flags of a command that looks at releases and their charts.
type releaseFlags struct {
	input
	chartFlags
	target   targetFlag
	releases []string // keys, all releases without any
}

// addReleases adds the flags, and takes and completes releases as arguments.
func (a app) addReleases(cmd *cobra.Command, o *releaseFlags) {
	a.addInput(cmd, &o.input)
	a.addCharts(cmd, &o.chartFlags)
	a.addTarget(cmd, &o.target)
	cmd.Args = func(_ *cobra.Command, args []string) error {
		for _, name := range args {
			if fleet.IsYAML(name) || strings.ContainsAny(name, `/\`) {
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
	charts.Source
	members  []fleet.Member
	plans    []render.Plan
	releases []planned
}

// fleet reports whether there are several environments.
func (s selection) fleet() bool { return len(s.plans) > 1 }

// choose plans the environments that the flags name, warns of what is
// suspicious in them, and chooses their releases.
func (a app) choose(ctx context.Context, o releaseFlags, target render.Choice) (selection, error) {
	source, err := a.openCharts(o.chartFlags)
	if err != nil {
		return selection{}, err
	}
	members, err := a.load(ctx, o.input, target)
	if err != nil {
		return selection{}, err
	}
	plans := plansOf(members)
	releases, err := plannedReleases(plans, o.releases)
	if err != nil {
		return selection{}, err
	}
	for _, plan := range plans {
		a.warn(append(slices.Clip(plan.Warnings), plan.Unlocked...))
	}
	return selection{source, members, plans, releases}, nil
}

// plannedReleases gives the releases of environments that the names choose, all
// without any, in the order of the plans.
func plannedReleases(plans []render.Plan, names []string) ([]planned, error) {
	var chosen []planned
	var known []string
	for i := range plans {
		for wave, releases := range plans[i].Waves {
			for _, release := range releases {
				known = append(known, release.Key)
				if chooses(names, release.Key) {
					chosen = append(chosen, planned{release, i, &plans[i], wave + 1})
				}
			}
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, usageError{fmt.Errorf("no release %q in %s: want %s", name, environmentsOf(plans), text.OneOf(dropRepeated(known)))}
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

// dropRepeated gives texts without those that were there before, in their order.
func dropRepeated(texts []string) []string {
	var all []string
	for _, text := range texts {
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// eachChart does some work for releases and their charts, in bounds, and gives
// the results in the order of the releases. With workers an environment that
// fails does not keep the others from being worked on: done says which releases
// are of one in which none failed.
func eachChart[T any](ctx context.Context, jobs int, workers *charts.Workers, source charts.Source, releases []planned, work func(context.Context, planned, charts.Chart) (T, error)) (results []T, done []bool, err error) {
	results, failures := eachRelease(ctx, jobs, workers, source, releases, work)
	err = cmp.Or(joinFailures(releases, workers, failures), ctx.Err())
	if err != nil && (workers == nil || ctx.Err() != nil) {
		return nil, make([]bool, len(releases)), err
	}
	failed := map[int]bool{}
	for i, failure := range failures {
		failed[releases[i].index] = failed[releases[i].index] || failure != nil
	}
	for _, p := range releases {
		done = append(done, !failed[p.index])
	}
	return results, done, err
}

// eachRelease does as eachChart, and gives the failure of each release.
func eachRelease[T any](ctx context.Context, jobs int, workers *charts.Workers, source charts.Source, releases []planned, work func(context.Context, planned, charts.Chart) (T, error)) ([]T, []error) {
	results, failures := charts.Each(ctx, jobs, workers, source, wantedCharts(releases, workers), func(ctx context.Context, i int, own charts.Chart) (T, error) { return work(ctx, releases[i], own) })
	if _, asksBoth := source.(*originals); !asksBoth {
		for i, failure := range failures {
			failures[i] = releases[i].hintMirror(failure)
		}
	}
	return results, failures
}

// joinFailures joins the failures of releases; each names its environment where there
// are several.
func joinFailures(releases []planned, workers *charts.Workers, failures []error) error {
	return charts.Join(wantedCharts(releases, workers), failures)
}

func wantedCharts(releases []planned, workers *charts.Workers) []charts.Release {
	wanted := make([]charts.Release, len(releases))
	for i, p := range releases {
		wanted[i] = charts.Release{Key: p.Key, Chart: p.Chart}
		if releases[0].index != releases[len(releases)-1].index || workers != nil {
			wanted[i].Environment = p.plan.Environment
		}
	}
	return wanted
}

// hintMirror says of a chart that a mirror lacks how it gets there.
func (p planned) hintMirror(err error) error {
	var lacks *registry.Error
	if !errors.As(err, &lacks) || !slices.Contains([]registry.Kind{registry.NoRepository, registry.NoVersion, registry.NotFound}, lacks.Kind) {
		return err
	}
	if from, known := p.plan.Original(p.Chart.Repository); !known || from == p.Chart.Repository {
		return err
	}
	return fmt.Errorf("%w: pm-gitops mirror copies it there", err)
}

// workersFor makes the workers that render the charts of a fleet; of a single
// environment this process does.
func (a app) workersFor(jobs, environments int) *charts.Workers {
	if environments < 2 {
		return nil
	}
	collector.Share()
	return charts.NewWorkers(jobs, a.environ)
}

// keepDone gives the results of releases that are done.
func keepDone[T any](all []T, done []bool) []T {
	var some []T
	for i, one := range all {
		if done[i] {
			some = append(some, one)
		}
	}
	return some
}

// markPartial gives the error of a fleet of which some environments failed: what was
// done with the others.
func markPartial(err error, done []bool, what string) error {
	if err == nil || !slices.Contains(done, true) {
		return err
	}
	return partialError{error: err, done: what}
}

// renderer finds the renderer of a name, for the release of the environment's
// delivery system.
func (p planned) renderer(as string) (chart.Renderer, error) {
	return chart.ByName(as, chart.Releases{Flux: string(p.plan.Delivery.Flux.Version), Argo: string(p.plan.Delivery.Argo.Version)})
}

// input makes the input of a chart for a release, rendered in the way of the
// renderer as, secret values as placeholders.
func (p planned) input(own charts.Chart, as string) (chart.Input, error) {
	renderer, err := p.renderer(as)
	if err != nil {
		return chart.Input{}, err
	}
	values, err := p.PlaceholderValues()
	if err != nil {
		return chart.Input{}, err
	}
	return chart.Input{
		As: renderer, Release: p.Name, Namespace: p.Namespace, Values: values,
		KubeVersion: p.plan.KubeVersion, APIVersions: p.plan.APIVersions, APIs: p.plan.APIs, Digest: own.Digest,
		OriginNamespace: p.Namespace, OriginName: p.Key,
	}, nil
}

// releaseKeys gives the releases of the environments that the flags name, for
// completion.
func (a app) releaseKeys(ctx context.Context, in input, named []string) []string {
	var keys []string
	for _, m := range a.readable(ctx, in) {
		plan, err := render.PlanFor(m.Environment, m.Catalog, a.targets[0])
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
