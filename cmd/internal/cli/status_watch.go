package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/cluster"
	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
	"github.com/pm-gitops/pm-gitops/render/rollout"
)

// watcher looks at environments in their clusters.
type watcher struct {
	rollouts  []rollout.Rollout
	home      *cluster.Client // that the delivery system is in
	elsewhere *cluster.Client // that Argo CD installs in; nil if no flag names it
	jobs      int
	logs      int
}

// open opens the clusters that the flags name.
func (w *watcher) open(o statusOptions) error {
	used := slices.ContainsFunc(w.rollouts, func(r rollout.Rollout) bool { _, elsewhere := r.Elsewhere(); return elsewhere })
	if o.workloadContext != "" && !used {
		return usageError{errors.New("--workload-context is for releases in another cluster than Argo CD's (delivery.argo.destination)")}
	}
	var err error
	if w.home, err = cluster.Open(o.Options); err != nil || o.workloadContext == "" {
		return err
	}
	w.elsewhere, err = cluster.Open(cluster.Options{Kubeconfig: o.Kubeconfig, Context: o.workloadContext})
	return err
}

// look reads the clusters once.
func (w watcher) look(ctx context.Context) (rollout.Report, error) {
	environments, failures := make([]rollout.Environment, len(w.rollouts)), make([]error, len(w.rollouts))
	parallel.Each(w.jobs, len(w.rollouts), func(i int) { environments[i], failures[i] = w.environment(ctx, w.rollouts[i]) })
	for _, err := range failures {
		if err != nil { // the others mostly say the same
			return rollout.Report{}, err
		}
	}
	return rollout.NewReport(environments), nil
}

// environment reads what is there of one environment.
func (w watcher) environment(ctx context.Context, r rollout.Rollout) (rollout.Environment, error) {
	var delivery, workloads []rollout.Query
	for _, query := range r.Queries() {
		if query.Workloads {
			workloads = append(workloads, query)
		} else {
			delivery = append(delivery, query)
		}
	}
	seen, err := w.home.Read(ctx, delivery)
	if err != nil {
		return rollout.Environment{}, err
	}
	there, client := "", w.home
	if name, elsewhere := r.Elsewhere(); elsewhere {
		there, client = name, w.elsewhere
	}
	if client == nil {
		e := r.Report(seen)
		e.Notes = append(e.Notes, fmt.Sprintf("workloads are in %s, and not looked at: name its context with --workload-context", there))
		return e, nil
	}
	more, err := client.Read(ctx, workloads)
	if err != nil {
		return rollout.Environment{}, err
	}
	e := r.Report(rollout.Seen{Objects: append(seen.Objects, more.Objects...), Unread: append(seen.Unread, more.Unread...)})
	w.addLogs(ctx, client, &e)
	return e, nil
}

// addLogs adds the ends of logs. One that cannot be had is only missing: its
// container may not have begun. A log that may not be read is worth a note.
func (w watcher) addLogs(ctx context.Context, client *cluster.Client, e *rollout.Environment) {
	for _, job := range e.Logs() {
		if w.logs == 0 {
			return
		}
		text, err := client.Log(ctx, job.Namespace, job.Pod, job.Container, w.logs)
		var failure *cluster.Error
		if errors.As(err, &failure) && failure.Kind == cluster.Forbidden {
			e.Notes = append(e.Notes, failure.Error())
			return
		}
		job.Log = rollout.LogLines(text, w.logs)
	}
}

// follow looks again and again, and shows what changes, until everything is
// ready or something failed for good. A cluster that answered once may be out
// of reach for a while.
func (a app) follow(ctx context.Context, o statusOptions, w watcher) error {
	if o.timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, o.timeout)
		defer stop()
	}
	s := a.screen(o)
	for {
		report, err := w.look(ctx)
		switch {
		case ctx.Err() != nil:
			return s.giveUp(ctx, o)
		case err != nil && (!s.any || !cluster.Passing(err)):
			return err
		case err != nil:
			s.interrupted(err)
		default:
			if err := s.show(report); err != nil {
				return err
			}
			if report.State == rollout.Ready || report.State == rollout.Failed {
				return s.end(unreadyError(report))
			}
		}
		select {
		case <-ctx.Done():
			return s.giveUp(ctx, o)
		case <-time.After(o.interval):
		}
	}
}

// screen shows one report after another.
type screen struct {
	app
	json, draws bool
	any         bool // something was shown
	last        rollout.Report
	said        string // of a cluster that does not answer
}

func (a app) screen(o statusOptions) *screen {
	return &screen{app: a, json: o.output == "json", draws: a.out.IsTerminal() && a.getenv("TERM") != "dumb"}
}

// show shows a report, as far as it says anything new.
func (s *screen) show(report rollout.Report) error {
	changes := rollout.Changes(s.last, report)
	first := !s.any
	s.last, s.any, s.said = report, true, ""
	switch {
	case s.json && (first || len(changes) > 0):
		data, err := encodeJSON(report, "")
		return cmp.Or(err, s.out.Raw(data))
	case s.json:
		return nil
	case s.draws:
		return s.out.Redraw(rollout.Text(report, s.now(), s.colour().rollout()), first)
	}
	for _, change := range changes {
		s.out.Say("%s", change)
	}
	return s.out.Err()
}

// interrupted says once that a cluster does not answer.
func (s *screen) interrupted(err error) {
	if message := err.Error(); message != s.said {
		s.said = message
		s.err.Say("%s; looking again", message)
	}
}

// end shows what holds a rollout up that is over, where only changes were
// shown before, and gives its verdict.
func (s *screen) end(outcome error) error {
	if outcome == nil || s.json || s.draws || !s.any {
		return outcome
	}
	return errors.Join(s.out.Text("\n"+rollout.Text(s.last, s.now(), nil)), outcome)
}

// giveUp ends the wait for a rollout.
func (s *screen) giveUp(ctx context.Context, o statusOptions) error {
	why := "interrupted"
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		why = fmt.Sprintf("not ready after %s", o.timeout)
	}
	return s.end(foundError{errors.New(why)})
}

// rollout paints a report.
func (p painter) rollout() rollout.Paint {
	codes := map[rollout.Style]string{rollout.Title: "1", rollout.Good: "32", rollout.Busy: "33", rollout.Bad: "31", rollout.Faint: "2"}
	if p == nil {
		return nil
	}
	return func(style rollout.Style, text string) string { return p(codes[style], text) }
}
