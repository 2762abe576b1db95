package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/text"
)

type previewOptions struct {
	releaseFlags
	as          string
	kubeVersion string
	isUpgrade   bool
	showSecrets bool
	output      string
}

// previewFormats is what preview can print, the default first.
var previewFormats = []string{"yaml", "json"}

func (a app) previewCommand() *cobra.Command {
	var o previewOptions
	cmd := &cobra.Command{
		Use:   "preview [RELEASE ...]",
		Short: "Print the Kubernetes objects that the controller will apply",
		Long: `Preview renders the charts of environments with their values, and prints the
objects wave by wave in the order in which they are applied, hooks marked. It
never talks to a cluster.

Charts come from the registries that the environment names, with the logins of
Docker's configuration and credential helpers or, for Google's registries, the
key that GOOGLE_APPLICATION_CREDENTIALS names; each is fetched once and kept.

--as says whose way: helm is what helm template --include-crds prints with the
same values, byte for byte; flux puts the chart's digest behind .Chart.Version,
sends all but hooks through kustomize, which labels objects with the HelmRelease
they are from and refuses duplicates, and leaves test hooks out;
argo renders every sync as a first install and turns hooks into its phases.

What only a cluster knows is not there: lookup finds nothing, and API versions
are those of Kubernetes as Helm knows it and cluster.apiVersions. Values that
come from Secrets are placeholders, so checksums over them differ. A chart in a
folder has no digest: unless one is pinned, Flux's .Chart.Version ends in zeros.`,
		Example: `  pm-gitops preview                                every release, as the target does it
  pm-gitops preview --offline                      with the charts that were fetched before
  pm-gitops preview -f environments/ --chart-dir charts
  pm-gitops preview prefect-cloud --chart-dir charts --is-upgrade
  pm-gitops preview --chart-dir charts --as helm --show-secrets
  pm-gitops preview --chart-dir charts -o json | jq '.[].object.kind'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.releases = args
			return a.preview(cmd.Context(), o)
		},
	}
	a.addReleases(cmd, &o.releaseFlags)
	flags := cmd.Flags()
	flags.StringVar(&o.as, "as", "", "render as "+text.OneOf(chart.Names())+" does (default: the target)")
	flags.StringVar(&o.kubeVersion, "kube-version", "", "the cluster's Kubernetes `version`, instead of cluster.kubeVersion")
	flags.BoolVar(&o.isUpgrade, "is-upgrade", false, "an upgrade instead of a first install")
	flags.BoolVar(&o.showSecrets, "show-secrets", false, "print what Secrets hold, as far as it is known")
	flags.StringVarP(&o.output, "output", "o", previewFormats[0], "format: "+text.OneOf(previewFormats))
	_ = cmd.RegisterFlagCompletionFunc("as", cobra.FixedCompletions(chart.Names(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(previewFormats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// check refuses what makes no sense, and fills in what follows from the target.
func (o *previewOptions) check(targets render.Targets) (render.Target, error) {
	target, err := targets.ByName(o.target)
	if err != nil {
		return nil, usageError{err}
	}
	if o.as == "" {
		o.as = target.Traits(render.Delivery{}).Renderer
	}
	as, unknown := chart.ByName(o.as, "")
	switch {
	case !slices.Contains(previewFormats, o.output):
		err = fmt.Errorf("unknown format %q: want %s", o.output, text.OneOf(previewFormats))
	case unknown != nil:
		err = fmt.Errorf("unknown way %q: want %s", o.as, text.OneOf(chart.Names()))
	case as.AlwaysInstall && o.isUpgrade:
		err = fmt.Errorf("to %s every sync is a first install: no --is-upgrade with it", as.Title)
	default:
		return target, nil
	}
	return nil, usageError{err}
}

func (a app) preview(ctx context.Context, o previewOptions) error {
	target, err := o.check(a.targets)
	if err != nil {
		return err
	}
	chosen, err := a.choose(ctx, o.releaseFlags, target)
	if err != nil {
		return err
	}
	for i := range chosen.plans {
		chosen.plans[i].KubeVersion = cmp.Or(o.kubeVersion, chosen.plans[i].KubeVersion)
	}
	workers := a.workersFor(o.jobs, len(chosen.plans))
	defer workers.Close()
	made, done, err := eachChart(ctx, o.jobs, workers, chosen, chosen.releases, func(ctx context.Context, p planned, own charts.Chart) (previewed, error) {
		return o.previewRelease(ctx, p, own, chosen.fleet())
	})
	if made = only(made, done); len(made) > 0 || err == nil {
		if err := a.printPreview(o, made); err != nil {
			return err
		}
	}
	return kubeHint(chosen.plans, partly(err, done, "printed"))
}

// previewRelease renders the chart of one release.
func (o previewOptions) previewRelease(ctx context.Context, p planned, own charts.Chart, fleet bool) (previewed, error) {
	in, err := p.input(own, o.as)
	if err != nil {
		return previewed{}, err
	}
	in.IsUpgrade = o.isUpgrade
	out, err := own.Render(ctx, in)
	if err != nil {
		return previewed{}, fmt.Errorf("%s: %w", p.Key, err)
	}
	made := previewed{notes: unknown(p, in, out)}
	if !o.showSecrets {
		if out, err = out.Redacted(); err != nil {
			return previewed{}, err
		}
	}
	made.text, err = o.format(p, in.As, out, fleet)
	return made, err
}

// kubeHint says what to do about a chart that wants another Kubernetes.
func kubeHint(plans []render.Plan, err error) error {
	unsaid := func(plan render.Plan) bool { return plan.KubeVersion == "" }
	var wrong chart.KubeVersionError
	if errors.As(err, &wrong) && slices.ContainsFunc(plans, unsaid) {
		return hinted{err, "Say the cluster's in spec.cluster.kubeVersion or with --kube-version."}
	}
	return err
}
