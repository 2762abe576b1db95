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

// previewFormats are the formats of preview, the default first.
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
they are from and refuses duplicates, and leaves test hooks out; argo renders
every sync as a first install and turns hooks into its phases. A note says which
objects are left out, and why.

What only a cluster knows is not there: lookup finds nothing. API versions are
those that a Kubernetes of cluster.kubeVersion serves and cluster.apiVersions,
or those of cluster.capabilities, recorded by pm-gitops capabilities. Values that
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
	addOutput(cmd, &o.output, previewFormats)
	completeWith(cmd, "as", chart.Names())
	return cmd
}

// check refuses what makes no sense.
func (o previewOptions) check() error {
	if err := checkOutput(o.output, previewFormats); err != nil || o.as == "" {
		return err
	}
	return o.checkRenderer(o.as)
}

// checkRenderer refuses unknown ways to render, and an upgrade where there is none.
func (o previewOptions) checkRenderer(name string) error {
	as, err := chart.ByName(name, chart.Releases{})
	switch {
	case err != nil:
		return usageError{fmt.Errorf("unknown way %q: want %s", name, text.OneOf(chart.Names()))}
	case as.AlwaysInstall && o.isUpgrade:
		return usageError{fmt.Errorf("to %s every sync is a first install: no --is-upgrade with it", as.Title)}
	}
	return nil
}

func (a app) preview(ctx context.Context, o previewOptions) error {
	target, err := a.target(o.target)
	if err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return err
	}
	chosen, err := a.choose(ctx, o.releaseFlags, target)
	if err != nil {
		return err
	}
	for _, plan := range chosen.plans {
		if err := o.checkRenderer(cmp.Or(o.as, plan.Traits().Renderer)); err != nil {
			return err
		}
	}
	for i := range chosen.plans {
		if o.kubeVersion != "" { // what was recorded is of another version
			chosen.plans[i].KubeVersion, chosen.plans[i].APIs = o.kubeVersion, nil
		}
	}
	workers := a.workersFor(o.jobs, len(chosen.plans))
	defer workers.Close()
	made, done, err := eachChart(ctx, o.jobs, workers, chosen, chosen.releases, func(ctx context.Context, p planned, own charts.Chart) (previewed, error) {
		return o.previewRelease(ctx, p, own, chosen.fleet())
	})
	if made = keepDone(made, done); len(made) > 0 || err == nil {
		if err := a.printPreview(o, made); err != nil {
			return err
		}
	}
	return hintKube(chosen.plans, markPartial(err, done, "printed"))
}

// previewRelease renders the chart of one release.
func (o previewOptions) previewRelease(ctx context.Context, p planned, own charts.Chart, fleet bool) (previewed, error) {
	in, err := p.input(own, cmp.Or(o.as, p.plan.Traits().Renderer))
	if err != nil {
		return previewed{}, err
	}
	in.IsUpgrade = o.isUpgrade
	out, err := own.Render(ctx, in)
	if err != nil {
		return previewed{}, fmt.Errorf("%s: %w", p.Key, err)
	}
	made := previewed{notes: noteDifferences(p, in, out)}
	if !o.showSecrets {
		if out, err = out.Redacted(); err != nil {
			return previewed{}, err
		}
	}
	made.text, err = o.format(p, in.As, out, fleet)
	return made, err
}

// hintKube says what to do about a chart that wants another Kubernetes.
func hintKube(plans []render.Plan, err error) error {
	unsaid := func(plan render.Plan) bool { return plan.KubeVersion == "" }
	var wrong chart.KubeVersionError
	if errors.As(err, &wrong) && slices.ContainsFunc(plans, unsaid) {
		return hinted{err, "Say the cluster's in spec.cluster.kubeVersion or with --kube-version."}
	}
	return err
}
