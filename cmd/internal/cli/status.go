package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/cluster"
	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/rollout"
	"github.com/pm-gitops/pm-gitops/render/text"
)

type statusOptions struct {
	input
	cluster.Options
	target          targetFlag
	workloadContext string
	watch           bool
	interval        time.Duration
	timeout         time.Duration
	logs            int
	output          string
}

func (a app) statusCommand() *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how far environments are in a cluster",
		Long: `Status reads a cluster and shows an environment wave by wave: what is ready, what
waits for what and why, migrations with the last lines of their logs, workloads
that are not ready, and what to do next. What the environment file says must be
what the cluster has: a release that is ready with an older chart or with other
values is not ready yet, for the commit has not come there.

It only reads, and never Secrets or ConfigMaps. It finds the cluster as kubectl
does; docs/status.md has a ClusterRole that suffices.

Exit codes: 0 ready, 3 not yet, 1 failed. What failed and is tried again counts
as failed too, unless with --watch, which follows until everything is ready (0),
something failed for good (1), or --timeout is over (3). It draws anew on a
terminal, and elsewhere prints a line for each change.

In JSON, state is ready, notYet, retrying or failed, and environments is a list,
each with source, prereqs, waves of releases, and next, what to do; a part has
state (ready, progressing, waiting, suspended, retrying, failed), reason and
waitsFor. With --watch there is a document on a line for each change.`,
		Example: `  pm-gitops status                                 with the current context of kubectl
  pm-gitops status -f environments/prod.yaml --context prod --target argo
  pm-gitops status --watch --timeout 1h            wait for an upgrade
  pm-gitops status -o json | jq -r '.environments[].waves[].releases[] | .name + ": " + .state'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.status(cmd.Context(), o, cmd.Flags().Changed)
		},
	}
	a.addInput(cmd, &o.input)
	a.addTarget(cmd, &o.target)
	addOutput(cmd, &o.output, textOrJSON)
	flags := cmd.Flags()
	addCluster(cmd, &o.Options, "`context` of the kubeconfig for the cluster that Flux or Argo CD is in (default: the current one)")
	flags.StringVar(&o.workloadContext, "workload-context", "", "`context` for the cluster that Argo CD installs in, where that is another one")
	flags.BoolVarP(&o.watch, "watch", "w", false, "follow until everything is ready, or something failed for good")
	flags.DurationVar(&o.interval, "interval", 2*time.Second, "how long to wait before looking again, with --watch")
	flags.DurationVar(&o.timeout, "timeout", 0, "give up after this `time`, with --watch (default: never)")
	flags.IntVar(&o.logs, "logs", 5, "how many `lines` of the log of a job to show, 0 for none")
	completeContexts(cmd, &o.Options, "workload-context")
	return cmd
}

// maxLogs is the most lines of a log that may be asked for: a status is no
// place to read logs.
const maxLogs = 100

// check refuses what makes no sense.
func (o statusOptions) check(given func(string) bool) error {
	var err error
	switch {
	case !o.watch && (given("interval") || given("timeout")):
		err = errors.New("--interval and --timeout are for --watch")
	case o.interval < 100*time.Millisecond:
		err = fmt.Errorf("want at least 100ms between looks, got --interval %s", o.interval)
	case o.timeout < 0 || given("timeout") && o.timeout == 0:
		err = fmt.Errorf("want a time, such as 1h, got --timeout %s", o.timeout)
	case o.logs < 0 || o.logs > maxLogs:
		err = fmt.Errorf("want 0 to %d lines of a log, got --logs %d", maxLogs, o.logs)
	default:
		return checkOutput(o.output, textOrJSON)
	}
	return usageError{err}
}

func (a app) status(ctx context.Context, o statusOptions, given func(string) bool) error {
	target, err := a.target(o.target)
	if err != nil {
		return err
	}
	if err := o.check(given); err != nil {
		return err
	}
	// What is suspicious in an environment file is for those who change it.
	rollouts, first, err := a.rollouts(ctx, o.input, target)
	if err != nil {
		return err
	}
	w := watcher{rollouts: rollouts, jobs: o.jobs, logs: o.logs}
	if err := w.open(o); err != nil {
		return a.hintCluster(err, first)
	}
	if o.watch {
		return a.hintCluster(a.follow(ctx, o, w), first)
	}
	report, err := w.look(ctx)
	if err != nil {
		return a.hintCluster(err, first)
	}
	if o.output == "json" {
		err = a.printJSON(report)
	} else {
		err = a.out.Text(rollout.Text(report, a.now(), a.colour().rollout()))
	}
	if err != nil {
		return err
	}
	return unreadyError(report)
}

// rollouts renders the environments that the flags name, and gives what to look
// for in a cluster, and the target of the first. It finds fault with none that could
// not be applied with others.
func (a app) rollouts(ctx context.Context, in input, target render.Choice) ([]rollout.Rollout, render.Target, error) {
	request, err := in.request(a)
	if err != nil {
		return nil, nil, err
	}
	request.AllowCollisions = true
	members, err := fleet.Render(ctx, request, target)
	if err != nil {
		return nil, nil, hintRead(err)
	}
	for _, m := range members {
		if err := rollout.Check(m.Plan.Target()); err != nil {
			return nil, nil, usageError{err}
		}
	}
	rollouts, failures := make([]rollout.Rollout, len(members)), make([]error, len(members))
	parallel.Each(in.jobs, len(members), func(i int) {
		rollouts[i], failures[i] = rollout.New(members[i].Plan, members[i].Plan.Target(), members[i].Rendering.Manifests)
	})
	return rollouts, members[0].Plan.Target(), errors.Join(failures...)
}

// unreadyError gives the error of a report that is not ready.
func unreadyError(report rollout.Report) error {
	var failed, retrying, waiting []string
	for _, e := range report.Environments {
		switch e.State {
		case rollout.Failed:
			failed = append(failed, e.Name)
		case rollout.Retrying:
			retrying = append(retrying, e.Name)
		case rollout.NotYet:
			waiting = append(waiting, e.Name)
		}
	}
	switch {
	case failed != nil:
		return fmt.Errorf("failed: %s", strings.Join(failed, ", "))
	case retrying != nil:
		return fmt.Errorf("failed, and is tried again: %s", strings.Join(retrying, ", "))
	case waiting != nil:
		return foundError{fmt.Errorf("not ready yet: %s", strings.Join(waiting, ", "))}
	}
	return nil
}

// hintCluster adds to the error of a cluster what to do next. The target is the one
// that the cluster was asked for.
func (a app) hintCluster(err error, target render.Target) error {
	var e *cluster.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Kind {
	case cluster.Forbidden:
		return hinted{err, "docs/status.md has a ClusterRole with all that status reads: https://github.com/pm-gitops/pm-gitops/blob/main/docs/status.md."}
	case cluster.NotServed:
		return hinted{fmt.Errorf("%s is not installed in this cluster: %w", target.Traits(render.Delivery{}).Title, err), a.hintInstall(target.Name())}
	}
	return hintCluster(err)
}

// hintCluster adds to the error of a cluster what to do next, whatever was read.
func hintCluster(err error) error {
	var e *cluster.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Kind {
	case cluster.NoConfig:
		return hinted{err, "Name one with --kubeconfig FILE, or in $KUBECONFIG."}
	case cluster.BadConfig:
		return hinted{err, "Try it with `kubectl config get-contexts`, and choose one with --context."}
	case cluster.BadLogin:
		return hinted{err, "Log in to the cluster again, or choose another one with --context."}
	case cluster.Unreachable, cluster.NotServed:
		return hinted{err, "Is it the right cluster, and does `kubectl get --raw /readyz` reach it? --context chooses another one."}
	}
	return err
}

// hintInstall says what to do where a target's delivery system is not
// installed, such as to choose another target that can report status.
func (a app) hintInstall(missing string) string {
	var others []string
	for _, target := range a.targets {
		if name := target.Name(); name != missing && rollout.Check(target) == nil {
			others = append(others, name)
		}
	}
	if others == nil {
		return "Install it, or choose another cluster with --context."
	}
	return fmt.Sprintf("Install it, choose another cluster with --context, or say --target %s.", text.OneOf(others))
}
