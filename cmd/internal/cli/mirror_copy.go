package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/mirror"
)

// forCharts gives the flags for charts: with a folder of charts, those about registries
// are for the copies.
func (o mirrorOptions) forCharts() releaseFlags {
	flags := o.releaseFlags
	if o.dir != "" {
		flags.chartFlags = chartFlags{dir: o.dir}
	}
	return flags
}

// copyOptions makes the options of the copies of some platforms, all without any.
func (a app) copyOptions(o mirrorOptions, platforms []mirror.Platform) (mirror.Options, error) {
	client, err := a.registry(o.chartFlags)
	return mirror.Options{Client: client, Parallel: o.parallel, Platforms: platforms, Blobs: o.blobs, UserAgent: "pm-gitops/" + a.programVersion}, err
}

// copyAll copies or checks artifacts, and prints each as soon as it is done.
func (a app) copyAll(ctx context.Context, o mirrorOptions, artifacts []mirror.Artifact, options mirror.Options) ([]mirror.Result, error) {
	shown := a.newMirrorScreen(o, len(artifacts))
	options.Progress, options.Done = shown.progress, shown.done
	copier, err := mirror.New(artifacts, options)
	if err != nil {
		return nil, err
	}
	work := copier.Copy
	if o.dryRun || o.check {
		work = copier.Check
	}
	defer shown.end()
	return work(ctx)
}

// brokenOff gives the error of a run that ended too early, and reports what it did as
// JSON where it was interrupted.
func (a app) brokenOff(ctx context.Context, o mirrorOptions, results []mirror.Result, problems []string, err error) error {
	if err = cmp.Or(ctx.Err(), err); ctx.Err() != nil && o.output == "json" {
		err = cmp.Or(a.printMirror(results, problems), err)
	}
	return err
}

// mirrorFailures gives why artifacts failed. Several that failed for one reason, such as
// a registry that does not work, are one error.
func mirrorFailures(results []mirror.Result) (all []error) {
	first, more := map[string]mirror.Result{}, map[string]int{}
	var reasons []string
	for _, result := range results {
		switch _, known := first[result.Error]; {
		case result.Error == "":
		case known:
			more[result.Error]++
		default:
			first[result.Error] = result
			reasons = append(reasons, result.Error)
		}
	}
	for _, reason := range reasons {
		which := strings.TrimSuffix(first[reason].Source+" to "+first[reason].Target, " to ") // an archive is no target
		if n := more[reason]; n > 0 {
			which += fmt.Sprintf(", and %d more", n)
		}
		all = append(all, fmt.Errorf("%s: %s", which, reason))
	}
	return all
}
