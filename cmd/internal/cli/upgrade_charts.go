package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/mirror"
	"github.com/pm-gitops/pm-gitops/cmd/internal/upgrade"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/chart/keys"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/lock"
	"github.com/pm-gitops/pm-gitops/render/proposal"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// upgradeCharts looks into charts for upgrades, one environment at a time.
type upgradeCharts struct {
	app
	flags   upgradeOptions
	source  charts.Source
	workers *charts.Workers // nil for a single environment
	notes   *chartNotes
}

// Needs implements [upgrade.Charts].
func (c upgradeCharts) Needs(ctx context.Context, after fleet.Member, had lock.Lock, copies bool) (upgrade.Needs, error) {
	needs := upgrade.Needs{Had: had}
	plans := []render.Plan{after.Plan}
	releases, err := plannedReleases(plans, nil)
	if err != nil {
		return needs, err
	}
	found, err := c.needsBy(ctx, c.workers, selection{c.source, []fleet.Member{after}, plans, releases}, c.flags.jobs, true)
	switch {
	case ctx.Err() != nil:
		return needs, ctx.Err()
	case err != nil || found.failed != nil:
		needs.Unseen = errors.Join(err, found.failed)
		needs.Unlocked = needs.Unseen
		if refused := (refusedError{}); errors.As(needs.Unseen, &refused) {
			needs.Refused = refused
		}
		if charts.IsOverLimits(needs.Unseen) {
			needs.Problems = []string{"what a chart makes of the values of " + after.Plan.Environment + " is not known: " + oneLine(needs.Unseen)}
		}
		return needs, nil
	case after.Plan.Mirror() == "":
		needs.Notes = found.notes
		needs.Lock, needs.Unlocked = c.lockOf(ctx, after, had, found.needs)
		return needs, ctx.Err()
	}
	artifacts, problems := found.artifacts()
	needs.Problems, needs.Notes = problems, found.notes
	return needs, c.askMirror(ctx, &needs, after, found.needs, artifacts, copies)
}

// lockOf makes the next lock of what registries have.
func (c upgradeCharts) lockOf(ctx context.Context, after fleet.Member, had lock.Lock, found needs) (lock.Lock, error) {
	for _, image := range found.Images {
		if image.Problem != "" {
			return lock.Lock{}, fmt.Errorf("%s, in %s", image.Problem, listUses(image.Uses, true))
		}
	}
	options := imagesOptions{releaseFlags: releaseFlags{input: c.flags.input, chartFlags: c.flags.chartFlags}}
	options.lock = true
	if err := c.resolve(ctx, options, &found); err != nil {
		return lock.Lock{}, err
	}
	one := &lockFile{plan: &after.Plan, had: had}
	lockNeeds([]*lockFile{one}, found)
	return one.next, nil
}

// askMirror asks whether the mirror has artifacts, and copies what it lacks if that is
// wanted. The lock is that of the copies where every source answers.
func (c upgradeCharts) askMirror(ctx context.Context, needs *upgrade.Needs, after fleet.Member, found needs, artifacts []mirror.Artifact, copies bool) error {
	one := &lockFile{plan: &after.Plan, name: after.Environment.LockFile(), had: needs.Had}
	results, err := c.mirrorAll(ctx, artifacts, (*mirror.Mirror).Check)
	if err == nil && copies {
		lockCopies([]*lockFile{one}, found, results)
		if err := (lockFlags{}).compare([]*lockFile{one}, ""); err != nil {
			return err
		}
		holdTo([]*lockFile{one}, artifacts)
		if results, err = c.mirrorAll(ctx, artifacts, (*mirror.Mirror).Copy); err == nil {
			err = errors.Join(mirrorFailures(results)...)
		}
	}
	if err != nil {
		return err
	}
	client, err := c.registry(c.flags.forRegistries())
	if err != nil {
		return err
	}
	answered := true
	for _, result := range results {
		artifact := upgrade.Artifact{Result: result}
		if result.Error != "" && result.Digest == "" { // the source does not give it
			answered = false
			artifact.Mirrored, _ = client.Digest(ctx, result.Target)
		}
		needs.Artifacts = append(needs.Artifacts, artifact)
	}
	if answered {
		lockCopies([]*lockFile{one}, found, results)
		needs.Lock = one.next
	} else {
		needs.Lock, needs.Unlocked = c.lockOf(ctx, after, needs.Had, found)
	}
	return ctx.Err()
}

// mirrorAll checks or copies artifacts.
func (c upgradeCharts) mirrorAll(ctx context.Context, artifacts []mirror.Artifact, work func(*mirror.Mirror, context.Context) ([]mirror.Result, error)) ([]mirror.Result, error) {
	options, err := c.copyOptions(mirrorOptions{releaseFlags: releaseFlags{chartFlags: c.flags.forRegistries()}, parallel: mirrorsAtOnce}, nil)
	if err != nil {
		return nil, err
	}
	copier, err := mirror.New(artifacts, options)
	if err != nil {
		return nil, err
	}
	return work(copier, ctx)
}

// Compare implements [upgrade.Charts].
func (c upgradeCharts) Compare(ctx context.Context, before, after fleet.Member, had tree.Tree) (upgrade.Effects, error) {
	after.Index = 0
	both := comparison{target: after.Plan.Target(), tell: func(note string) { c.notes.add(after.Plan.Environment, note) }}
	if _, err := both.add(&after, had); err != nil {
		return upgrade.Effects{Unseen: err}, nil
	}
	source := newOriginals(c.source, both.releases)
	options := diffOptions{releaseFlags: releaseFlags{input: c.flags.input}, output: "markdown"}
	changes, _, err := c.compareCharts(ctx, options, c.workers, source, both)
	if ctx.Err() != nil || err != nil {
		return upgrade.Effects{Unseen: err}, ctx.Err()
	}
	effects := upgrade.Effects{Changes: changes}
	if effects.Findings, err = c.newFindings(ctx, before, after); err == nil {
		effects.Defaults, err = changedDefaults(ctx, source, before.Plan, after.Plan)
	}
	effects.Unseen = err
	return effects, ctx.Err()
}

// changedDefaults compares the defaults of the charts that have another version.
func changedDefaults(ctx context.Context, source charts.Source, before, after render.Plan) (all []proposal.Default, err error) {
	had := map[string]render.Chart{}
	for _, old := range before.Releases() {
		had[old.Key] = old.Chart
	}
	for _, new := range after.Releases() {
		old, found := had[new.Key]
		if !found || old.Version == new.Chart.Version {
			continue
		}
		var sides [2]chart.Chart
		for i, wanted := range []render.Chart{old, new.Chart} {
			own, err := source.Chart(ctx, wanted)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", new.Key, err)
			}
			sides[i] = own.Chart
		}
		changes, err := keys.Compare(sides[0], sides[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", new.Key, err)
		}
		for _, one := range changes.Unset(new.Values) {
			all = append(all, proposal.Default{Release: new.Key, Key: one.Path, From: defaultOf(one.Old), To: defaultOf(one.New)})
		}
	}
	return all, nil
}

// defaultOf writes a default on a line; empty where there is none.
func defaultOf(value any) string {
	if value == nil {
		return ""
	}
	data, _ := json.Marshal(value) // chart values are what JSON has
	return string(data)
}

// newFindings gives what the checks find in an environment and did not find before.
func (c upgradeCharts) newFindings(ctx context.Context, before, after fleet.Member) ([]finding.Finding, error) {
	var sides [2][]finding.Finding
	for i, m := range []fleet.Member{before, after} {
		m.Index = 0
		plan := m.Plan
		plan.Unlocked = nil
		var err error
		if m.Rendering, err = render.Render(plan, plan.Target()); err != nil {
			return nil, err
		}
		releases, err := plannedReleases([]render.Plan{m.Plan}, nil)
		if err != nil {
			return nil, err
		}
		options := checkOptions{severity: string(finding.Error)}
		options.jobs = c.flags.jobs
		looks := looker{checkOptions: options, workers: c.workers, source: newOriginals(c.source, releases)}
		looked, err := looks.findSome(ctx, []fleet.Member{m})
		if err != nil {
			return nil, err
		}
		sides[i] = looked.found
	}
	type key struct{ id, release, object, field string }
	keyOf := func(f finding.Finding) key {
		return key{f.ID, f.Release, fmt.Sprint(cmp.Or(f.Object, &finding.Object{})), f.Field}
	}
	known := map[key]bool{}
	for _, f := range sides[0] {
		known[keyOf(f)] = true
	}
	var found []finding.Finding
	for _, f := range sides[1] {
		if !known[keyOf(f)] && f.Ignored == "" {
			found = append(found, f)
		}
	}
	return found, nil
}
