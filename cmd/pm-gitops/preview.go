package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/targets"
)

type previewOptions struct {
	input
	target      string
	as          string
	chartDir    string
	kubeVersion string
	isUpgrade   bool
	showSecrets bool
	output      string
	releases    []string
}

// previewFormats is what preview can print, the default first.
var previewFormats = []string{"yaml", "json"}

func (a app) previewCommand() *cobra.Command {
	var o previewOptions
	cmd := &cobra.Command{
		Use:   "preview [RELEASE ...]",
		Short: "Print the Kubernetes objects that the controller will apply",
		Long: `Preview renders the charts of an environment with its values, and prints the
objects wave by wave in the order in which they are applied, hooks marked. It
never talks to a cluster.

--as says whose way: helm is what helm template --include-crds prints with the
same values, byte for byte; flux puts the chart's digest behind .Chart.Version,
labels every object with the HelmRelease it is from, and leaves test hooks out;
argo renders every sync as a first install and turns hooks into its phases.

What only a cluster knows is not there: lookup finds nothing, and API versions
are those of Kubernetes as Helm knows it and cluster.apiVersions. Values that
come from Secrets are placeholders, so checksums over them differ. Where the
digest of a chart is not pinned, Flux's .Chart.Version lacks it.`,
		Example: `  pm-gitops preview --chart-dir charts             every release, as the target does it
  pm-gitops preview prefect-cloud --chart-dir charts --is-upgrade
  pm-gitops preview --chart-dir charts --as helm --show-secrets
  pm-gitops preview --chart-dir charts -o json | jq '.[].object.kind'`,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return a.releaseKeys(cmd.Context(), o.input, args), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.releases = args
			return a.preview(cmd.Context(), o)
		},
	}
	a.addInput(cmd, &o.input)
	addTarget(cmd, &o.target)
	flags := cmd.Flags()
	flags.StringVar(&o.as, "as", "", "render as "+render.OneOf(chart.Names())+" does (default: the target)")
	flags.StringVar(&o.chartDir, "chart-dir", "", "take charts from this `folder`: archives NAME-VERSION.tgz, or folders NAME-VERSION or NAME")
	flags.StringVar(&o.kubeVersion, "kube-version", "", "the cluster's Kubernetes `version`, instead of cluster.kubeVersion")
	flags.BoolVar(&o.isUpgrade, "is-upgrade", false, "an upgrade instead of a first install")
	flags.BoolVar(&o.showSecrets, "show-secrets", false, "print what Secrets hold, as far as it is known")
	flags.StringVarP(&o.output, "output", "o", previewFormats[0], "format: "+render.OneOf(previewFormats))
	_ = cmd.MarkFlagDirname("chart-dir")
	_ = cmd.RegisterFlagCompletionFunc("as", cobra.FixedCompletions(chart.Names(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(previewFormats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// previewed is a release with the objects that its chart makes.
type previewed struct {
	render.Release
	wave   int
	output chart.Output
}

// check refuses what makes no sense, and fills in what follows from the target.
func (o *previewOptions) check() (render.Target, error) {
	target, err := targets.ByName(o.target)
	if err != nil {
		return nil, usageError{err}
	}
	if o.as == "" {
		o.as = target.Name()
	}
	switch {
	case !slices.Contains(previewFormats, o.output):
		err = fmt.Errorf("unknown format %q: want %s", o.output, render.OneOf(previewFormats))
	case !slices.Contains(chart.Names(), o.as):
		err = fmt.Errorf("unknown way %q: want %s", o.as, render.OneOf(chart.Names()))
	case o.as == "argo" && o.isUpgrade:
		err = errors.New("to Argo CD every sync is a first install: no --is-upgrade with it")
	case o.jobs < 1:
		err = fmt.Errorf("want at least one job at a time, got --jobs %d", o.jobs)
	default:
		return target, nil
	}
	return nil, usageError{err}
}

func (a app) preview(ctx context.Context, o previewOptions) error {
	target, err := o.check()
	if err != nil {
		return err
	}
	plan, err := a.plan(ctx, o.input, target)
	if err != nil {
		return err
	}
	if o.kubeVersion == "" {
		o.kubeVersion = plan.KubeVersion
	}
	releases, err := o.choose(plan)
	if err != nil {
		return err
	}
	log.SetFlags(0) // Helm warns there
	log.SetOutput(printable{a.err})
	done, err := a.previewAll(ctx, o, plan, releases)
	if err != nil {
		return err
	}
	a.noteUnknown(o, done)
	if !o.showSecrets {
		for i := range done {
			if done[i].output, err = done[i].output.Redacted(); err != nil {
				return err
			}
		}
	}
	return a.printPreview(o, done)
}

// choose is the releases that the arguments name, all without any, in the
// order of the plan.
func (o previewOptions) choose(plan render.Plan) ([]previewed, error) {
	var chosen []previewed
	var known []string
	for i, wave := range plan.Waves {
		for _, release := range wave {
			known = append(known, release.Key)
			if len(o.releases) == 0 || slices.Contains(o.releases, release.Key) {
				chosen = append(chosen, previewed{Release: release, wave: i + 1})
			}
		}
	}
	for _, name := range o.releases {
		if !slices.Contains(known, name) {
			return nil, usageError{fmt.Errorf("%s has no release %q: want %s", plan.Environment, name, render.OneOf(known))}
		}
	}
	return chosen, nil
}

// previewAll renders the charts of releases, several at a time.
func (a app) previewAll(ctx context.Context, o previewOptions, plan render.Plan, releases []previewed) ([]previewed, error) {
	source, err := o.charts()
	if err != nil {
		return nil, err
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	failures := make([]error, len(releases))
	parallel(o.jobs, len(releases), func(i int) {
		if failures[i] = ctx.Err(); failures[i] == nil {
			releases[i].output, failures[i] = o.render(ctx, source, plan, releases[i].Release)
		}
	})
	var all []error
	for _, failure := range failures {
		if failure != nil && !errors.Is(failure, context.Canceled) {
			all = append(all, failure)
		}
	}
	if all == nil {
		return releases, ctx.Err()
	}
	return nil, kubeHint(o, errors.Join(all...))
}

// render renders the chart of one release.
func (o previewOptions) render(ctx context.Context, source charts, plan render.Plan, release render.Release) (chart.Output, error) {
	own, err := source.Chart(ctx, release.Chart)
	if err != nil {
		return chart.Output{}, fmt.Errorf("%s: %w", release.Key, err)
	}
	values, err := release.PlaceholderValues()
	if err != nil {
		return chart.Output{}, err
	}
	out, err := own.Render(ctx, chart.Input{
		As: o.renderer(plan), Release: release.Name, Namespace: release.Namespace, Values: values,
		KubeVersion: o.kubeVersion, APIVersions: plan.APIVersions, IsUpgrade: o.isUpgrade, Digest: release.Chart.Digest,
		OriginNamespace: release.Namespace, OriginName: release.Key,
	})
	if err != nil {
		return chart.Output{}, fmt.Errorf("%s: %w", release.Key, err)
	}
	return out, nil
}

func (o previewOptions) renderer(plan render.Plan) chart.Renderer {
	switch o.as {
	case "flux":
		return chart.Flux(string(plan.Delivery.Flux.Version))
	case "argo":
		return chart.Argo()
	default:
		return chart.Helm()
	}
}

// kubeHint says what to do about a chart that wants another Kubernetes.
func kubeHint(o previewOptions, err error) error {
	var wrong chart.KubeVersionError
	if errors.As(err, &wrong) && o.kubeVersion == "" {
		return hinted{err, "Without one, Helm takes an old version: say the cluster's in spec.cluster.kubeVersion or with --kube-version."}
	}
	return err
}

// releaseKeys is the releases of the environments that the flags name, for
// completion.
func (a app) releaseKeys(ctx context.Context, in input, named []string) []string {
	var keys []string
	for _, l := range a.readable(ctx, in) {
		plan, err := l.plan(targets.Flux{})
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
