package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/reads"
)

type secretsListOptions struct {
	input
	optionalCharts
	target targetFlag
	output string
}

func (a app) secretsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secrets",
		Short: "What must be secret, and where it must be",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.secretsListCommand(), a.secretsTraceCommand())
	return cmd
}

func (a app) secretsListCommand() *cobra.Command {
	var o secretsListOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Print the Secrets that must exist before the first install",
		Long: `List prints the Secrets that an environment needs and that nothing we write
makes, as manifests to fill in. Keep the filled-in file out of Git. Comments say
who reads each Secret, and which references of the environment are only notes for
you. It never talks to a cluster, and needs no secret value.

With --charts, or with --chart-dir, it also renders the charts and lists every
Secret that their pods, hooks, Ingresses, ServiceAccounts and templates (lookup)
name and that no chart makes. A Secret, and what cert-manager, External Secrets
or Sealed Secrets make of the charts' objects, counts as made. What reads a
Secret with optional: true does without it: such Secrets are comments.
Not looked at are other fields of custom resources. A Secret that a program makes
only once it runs is listed too.

Exit code 3 says that the list is incomplete, and standard error says why: charts
that may read Secrets were not looked into, above all where the chart reads
Secrets itself (secrets.into: chart, the way of Argo CD). JSON says complete:
false.`,
		Example: `  pm-gitops secrets list > secrets.yaml      fill it in, then: kubectl apply -f secrets.yaml
  pm-gitops secrets list --charts            with what the charts in their registry read
  pm-gitops secrets list --target argo --chart-dir charts
  pm-gitops secrets list -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.secretsList(cmd.Context(), o) },
	}
	a.addInput(cmd, &o.input)
	a.addOptionalCharts(cmd, &o.optionalCharts, "list what the charts read too")
	a.addTarget(cmd, &o.target)
	addOutput(cmd, &o.output, textOrJSON)
	return cmd
}

// requiredSecrets gives the plan's Secrets, or what a target makes of them that
// needs others.
func requiredSecrets(plan render.Plan) ([]render.RequiredSecret, error) {
	if own, ok := plan.Target().(interface {
		RequiredSecrets(render.Plan) ([]render.RequiredSecret, error)
	}); ok {
		return own.RequiredSecrets(plan)
	}
	return plan.RequiredSecrets(), nil
}

// listedSecrets is the Secrets of an environment, as JSON has them.
type listedSecrets struct {
	Environment string `json:"environment"`
	// Complete: no chart that may read Secrets itself was left unread.
	Complete   bool             `json:"complete"`
	Unread     []unreadChart    `json:"unread,omitempty"`
	Secrets    []reads.Secret   `json:"secrets"`
	References []notedReference `json:"references"`
}

// unreadChart is a release whose chart may read Secrets and was not looked into.
type unreadChart struct {
	Release string `json:"release"`
	Why     string `json:"why"`
}

// notedReference is a reference of the environment with what it is for: nothing
// in the cluster reads it.
type notedReference struct {
	render.SecretReference
	Note string `json:"note"`
}

func (a app) secretsList(ctx context.Context, o secretsListOptions) error {
	if err := errors.Join(checkOutput(o.output, textOrJSON), o.checkCharts()); err != nil {
		return err
	}
	target, err := a.target(o.target)
	if err != nil {
		return err
	}
	plan, err := a.plan(ctx, o.input, target)
	if err != nil {
		return err
	}
	required, err := requiredSecrets(plan)
	if err != nil {
		return err
	}
	listed := listedSecrets{Environment: plan.Environment, References: noteReferences(plan)}
	var releases []reads.Release
	if o.asksCharts() {
		releases, err = a.readReleases(ctx, o, plan)
	} else {
		listed.Unread = findUnread(plan)
	}
	if err != nil {
		return err
	}
	if listed.Secrets, err = reads.Secrets(required, releases, plan.Traits().Title); err != nil {
		return err
	}
	listed.Complete = len(listed.Unread) == 0
	if err := a.printSecrets(o, listed); err != nil {
		return err
	}
	return listed.incomplete()
}

// readReleases renders the charts of all releases of an environment.
func (a app) readReleases(ctx context.Context, o secretsListOptions, plan render.Plan) ([]reads.Release, error) {
	source, err := a.openCharts(o.chartFlags)
	if err != nil {
		return nil, err
	}
	plans := []render.Plan{plan}
	releases, err := plannedReleases(plans, nil)
	if err != nil {
		return nil, err
	}
	made, _, err := eachChart(ctx, o.jobs, nil, source, releases, readRelease)
	if err != nil {
		return nil, hintKube(plans, err)
	}
	var notes []string
	var all []reads.Release
	for _, one := range made {
		notes, all = append(notes, one.notes...), append(all, one.Release)
	}
	for _, note := range dropRepeated(notes) {
		a.err.Say("%s", note)
	}
	return all, nil
}

// readChart is a release with what its chart makes, and what that may lack.
type readChart struct {
	reads.Release
	notes []string
}

// readRelease renders the chart of a release.
func readRelease(ctx context.Context, p planned, own charts.Chart) (readChart, error) {
	in, err := p.input(own, p.plan.Traits().Renderer)
	if err != nil {
		return readChart{}, err
	}
	all, err := own.RenderAll(ctx, in)
	if err != nil {
		return readChart{}, fmt.Errorf("%s: %w", p.Key, err)
	}
	notes := leftOut(p, all.Left)
	for _, asked := range all.Lookups {
		if asked.Kind == "Secret" && asked.Name == "" {
			notes = append(notes, fmt.Sprintf("note: %s: %s asks the cluster for all Secrets: which of them it needs is not known", p.Key, asked.Template))
		}
	}
	unanswered := p.plan.Traits().Applier == render.BySync
	return readChart{reads.Release{Release: p.Release, Objects: all.Objects, Lookups: all.Lookups, Unanswered: unanswered}, notes}, nil
}

// findUnread finds the releases whose charts may read Secrets that no plan
// knows: the vendor's get theirs as values, unless the environment says otherwise.
func findUnread(plan render.Plan) (unread []unreadChart) {
	for _, release := range plan.Releases() {
		switch {
		case plan.ReadsSecrets(release):
			unread = append(unread, unreadChart{release.Key, "its chart reads Secrets itself (secrets.into: chart)"})
		case release.Key != render.PrefectIstiod && release.Key != render.PrefectCloud:
			unread = append(unread, unreadChart{release.Key, "nothing says which Secrets its chart reads"})
		}
	}
	return unread
}

// lookInto says how the list becomes complete.
const lookInto = "Look into the charts: pm-gitops secrets list --charts, or --chart-dir FOLDER."

// incomplete gives the error that the list lacks what was not looked at.
func (l listedSecrets) incomplete() error {
	var whys []string
	for _, one := range l.Unread {
		whys = append(whys, one.Release+": "+one.Why)
	}
	if whys == nil {
		return nil
	}
	return hinted{foundError{errors.New("the list of Secrets is incomplete: " + strings.Join(whys, "; "))}, lookInto}
}
