package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/chart/keys"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// checkValues checks the values of valid environments against their charts.
// Warnings are added to those of the files, errors are the error.
func (a app) checkValues(ctx context.Context, o validateOptions, files []examined) error {
	source, err := a.openCharts(o.chartFlags)
	if err != nil {
		return err
	}
	var releases []planned
	explained := map[int]map[string]render.ExplainedRelease{} // of each file
	for i, file := range files {
		if file.Environment.IsDefaults() {
			continue
		}
		explained[file.Index] = map[string]render.ExplainedRelease{}
		for _, release := range file.Plan.Explain().Releases {
			explained[file.Index][release.Release] = release
		}
		for _, release := range file.Plan.Releases() {
			releases = append(releases, planned{Release: release, index: file.Index, plan: &files[i].Plan})
		}
	}
	workers := a.workersFor(o.jobs, len(explained))
	defer workers.Close()
	all, done, err := eachChart(ctx, o.jobs, workers, source, releases, func(ctx context.Context, p planned, own charts.Chart) ([]finding.Finding, error) {
		found, err := p.judge(ctx, own, explained[p.index][p.Key])
		if errors.Is(err, charts.ErrTooLong) {
			err = fmt.Errorf("%s: %w", p.Key, err)
		}
		return found, err
	})
	var wrong finding.Errors
	for i, found := range all {
		if !done[i] {
			continue
		}
		slices.SortStableFunc(found, finding.ComparePlaces)
		file := &files[releases[i].index]
		for _, f := range found {
			same := func(other finding.Finding) bool { return other.InFile() == f.InFile() }
			switch {
			case f.Severity == finding.Error:
				wrong = append(wrong, f)
			case !slices.ContainsFunc(file.warnings, same): // several releases of one chart
				file.warnings = append(file.warnings, f)
			}
		}
	}
	if wrong == nil {
		return err
	}
	slices.SortStableFunc(wrong, finding.ComparePlaces)
	return errors.Join(wrong, err)
}

// judge checks the values of one release against its chart.
func (p planned) judge(ctx context.Context, own charts.Chart, explained render.ExplainedRelease) ([]finding.Finding, error) {
	as, err := p.renderer(p.plan.Traits().Renderer)
	if err != nil {
		return nil, err
	}
	found := p.judgeKube(own, as)
	say := func(severity finding.Severity, problem render.Problem) {
		found = append(found, finding.FromProblem(severity, problem))
	}
	values, err := p.PlaceholderValues()
	if err != nil {
		return found, err
	}
	judgement, err := own.Judge(ctx, p.Release, values)
	switch {
	case err != nil:
		return found, err
	case judgement.Failure != nil:
		return found, fmt.Errorf("%s: %w", p.Key, judgement.Failure)
	}
	for _, u := range judgement.Unknown {
		severity := finding.Warning
		if u.Kind == keys.NotKnown && u.Doubtful == "" {
			severity = finding.Error
		}
		say(severity, p.plan.ValueProblem(explained, u.Path, "%s", describeUnknown(own, u)))
	}
	for _, url := range judgement.Unread {
		say(finding.Warning, p.plan.Problem(p.plan.ReleasePath(p.Key), "the schema of chart %s %s refers to %s, which was not read: anything is valid there", own.Name(), own.Version(), url))
	}
	for _, problem := range judgement.KnownRefused() {
		say(finding.Error, p.plan.ValueProblem(explained, problem.Path, "the schema of chart %s %s: %s: %s", own.Name(), own.Version(), problem.Path, problem.Message))
	}
	return found, nil
}

// judgeKube compares the cluster's Kubernetes with the one that a chart wants.
func (p planned) judgeKube(own charts.Chart, as chart.Renderer) []finding.Finding {
	const field = "spec.cluster.kubeVersion"
	wanted := own.KubeVersion()
	switch {
	case wanted == "":
	case p.plan.KubeVersion == "":
		return []finding.Finding{finding.FromProblem(finding.Warning, p.plan.Problem(field, "not set: chart %s %s wants Kubernetes %s", own.Name(), own.Version(), wanted))}
	case own.RunsOn(as, p.plan.KubeVersion) != nil:
		return []finding.Finding{finding.FromProblem(finding.Error, p.plan.Problem(field, "chart %s %s wants Kubernetes %s, and the cluster has %s", own.Name(), own.Version(), wanted, p.plan.KubeVersion))}
	}
	return nil
}

// describeUnknown says what is wrong with a value that does nothing, or may do
// nothing.
func describeUnknown(own charts.Chart, u keys.Unknown) string {
	of := own.Name() + " " + own.Version()
	text := fmt.Sprintf("chart %s has no value %s", of, u.Path)
	switch {
	case u.Kind == keys.Inert && u.Doubtful != "":
		text = fmt.Sprintf("perhaps no template of chart %s reads %s (%s)", of, u.Path, u.Doubtful)
	case u.Kind == keys.Inert:
		text = fmt.Sprintf("no template of chart %s reads %s, so it does nothing", of, u.Path)
	case u.Doubtful != "":
		text = fmt.Sprintf("chart %s may have no value %s (%s)", of, u.Path, u.Doubtful)
	}
	if u.Nearest != "" {
		text += fmt.Sprintf(": did you mean %q?", u.Nearest)
	}
	return text
}
