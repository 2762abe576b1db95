package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/ref"
)

// finder finds the charts that people name.
type finder struct {
	app
	valuesOptions
}

// chartNamed finds a chart: oci://…, a path with a / in it, or a release. A
// version replaces the environment's.
func (f finder) chartNamed(ctx context.Context, name, version string) (charts.Chart, error) {
	switch {
	case strings.HasPrefix(name, "oci://"):
		wanted, err := reference(name, version)
		if err != nil {
			return charts.Chart{}, err
		}
		return f.fetch(ctx, wanted)
	case isPath(name):
		if version != "" {
			return charts.Chart{}, usageError{fmt.Errorf("chart %s is what it is: leave out --version", name)}
		}
		return charts.Named(ctx, name)
	}
	wanted, err := f.released(ctx, name)
	if err != nil {
		return charts.Chart{}, err
	}
	if version != "" {
		wanted.Version, wanted.Digest = version, ""
	}
	return f.fetch(ctx, wanted)
}

// other finds the chart that --diff names: another version of the same, or a
// chart.
func (f finder) other(ctx context.Context) (charts.Chart, error) {
	isVersion := f.diff[0] >= '0' && f.diff[0] <= '9' || len(f.diff) > 1 && f.diff[0] == 'v' && f.diff[1] >= '0' && f.diff[1] <= '9'
	switch {
	case isPath(f.diff), !isVersion:
		return f.chartNamed(ctx, f.diff, "")
	case strings.HasPrefix(f.chart, "oci://"):
		wanted, err := reference(f.chart, f.version)
		if err != nil {
			return charts.Chart{}, err
		}
		wanted.Version, wanted.Digest = f.diff, ""
		return f.fetch(ctx, wanted)
	case isPath(f.chart):
		return charts.Chart{}, usageError{fmt.Errorf("chart %s has no versions: name another chart with --diff, a path with a / in it", f.chart)}
	}
	return f.chartNamed(ctx, f.chart, f.diff)
}

func (f finder) fetch(ctx context.Context, wanted render.Chart) (charts.Chart, error) {
	source, err := f.openCharts(f.chartFlags)
	if err != nil {
		return charts.Chart{}, err
	}
	return source.Chart(ctx, wanted)
}

func isPath(name string) bool {
	return strings.ContainsAny(name, `/\`) || strings.HasSuffix(name, ".tgz") || name == "." || name == ".."
}

// reference takes oci://REPOSITORY/NAME:VERSION@DIGEST apart.
func reference(text, version string) (render.Chart, error) {
	repository, tag, digest := ref.Split(strings.TrimPrefix(text, "oci://"))
	if tag != "" {
		if version != "" && version != tag {
			return render.Chart{}, usageError{fmt.Errorf("two versions: %s in %s, and --version %s", tag, text, version)}
		}
		version = ref.VersionOf(tag)
	}
	if version == "" && digest == "" {
		return render.Chart{}, usageError{fmt.Errorf("which version of %s? Name it with --version, or behind a colon", text)}
	}
	return render.Chart{Repository: "oci://" + repository, Version: version, Digest: digest}, nil
}

// released gives the chart of a release, which all environments with it must agree on.
func (f finder) released(ctx context.Context, key string) (render.Chart, error) {
	plans, err := f.loadPlans(ctx, f.input, render.Only(f.targets[0]))
	if err != nil {
		return render.Chart{}, err
	}
	releases, err := plannedReleases(plans, []string{key})
	if err != nil {
		return render.Chart{}, hinted{err, "A path to a chart has a / in it, such as ./" + key + "; one in a registry begins with oci://."}
	}
	wanted := releases[0].Chart
	for _, release := range releases[1:] {
		if release.Chart != wanted && f.version == "" {
			return wanted, usageError{fmt.Errorf("%s is %s in %s and %s in %s: choose one with --environment or --version", key, wanted.Version, releases[0].plan.Environment, release.Chart.Version, release.plan.Environment)}
		}
	}
	return wanted, nil
}
