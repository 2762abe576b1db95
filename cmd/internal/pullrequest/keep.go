package pullrequest

import (
	"context"
	"fmt"
	"slices"

	"github.com/pm-gitops/pm-gitops/cmd/internal/forge"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
)

// Keep opens or refreshes the pull request of a proposal, or leaves it, as the package's rules
// say. Errors are those of the forge, of the Git repository and of the proposal's functions.
// After an error, or in place of a process that was killed, running it again finishes the job.
func (k *Keeper) Keep(ctx context.Context, p Proposal) (Outcome, error) {
	state, err := k.Find(ctx, p.Branch)
	if err != nil {
		return Outcome{}, err
	}
	t := newTask(k, p, state)
	if err := t.closeTwins(ctx); err != nil {
		return Outcome{}, err
	}
	if t.pr.Number != 0 && p.Base != "" && t.pr.Base != p.Base {
		out, err := t.supersede(ctx, "This change is proposed for the branch "+p.Base+" now.")
		if err != nil || out.Result != Superseded {
			return out, err
		}
		t.pr, t.old, t.anew = forge.PullRequest{}, marker{}, true
	}
	if t.pr.Number == 0 {
		if pr, declined := state.Declined(p.Target); declined {
			return Outcome{Result: Declined, Pull: pr, Why: fmt.Sprintf("%s was closed: reopen it to have %s proposed again", pr.URL, p.Target)}, nil
		}
		if pr, other := state.stranger(); other {
			return Outcome{Result: Frozen, Pull: pr, Why: fmt.Sprintf("%s was opened by another account than that of the token: close it, or leave the branch %s to it", pr.URL, p.Branch)}, nil
		}
	}
	out, err := t.run(ctx)
	if kindOf(err) == forge.Changed {
		out, err = Outcome{Result: Outpaced, Pull: t.pr, Commit: t.commit, Why: "another run edits the pull request at this moment"}, nil
	}
	if out.Result == Unchanged && t.held {
		out.Result = Refreshed
	}
	if err != nil || out.Result != Unchanged {
		k.forget(p.Branch)
	}
	out.Notes = t.notes
	return out, err
}

// task is one proposal on its way. pr and old are zero where no pull request is open.
type task struct {
	keeper *Keeper
	p      Proposal
	state  State
	pr     forge.PullRequest
	old    marker // of the pull request
	rebase bool   // a person wants the branch made anew, whatever is on it
	anew   bool   // a commit of ours is not good enough: it is for another base
	held   bool   // auto-merge was taken back
	remote *gitrepo.Remote
	commit string // ours, that the branch has
	notes  []string
}

func newTask(k *Keeper, p Proposal, state State) *task {
	t := &task{keeper: k, p: p, state: state}
	if state.Pull != nil {
		t.pr = *state.Pull
		t.old, _, _ = parseMarker(t.pr.Body)
		t.rebase = slices.Contains(t.pr.Labels, RebaseLabel) || ticked(t.pr.Body)
	}
	return t
}

// run brings first the branch and then the pull request to what they should be.
func (t *task) run(ctx context.Context) (Outcome, error) {
	if t.old.merges && !t.p.Merge {
		if err := t.hold(ctx); err != nil {
			return Outcome{}, err
		}
	}
	if t.isFrozen() && !t.rebase {
		return t.frozen(), nil
	}
	t.commit = t.old.commit
	if t.rebase || !t.isKnown() || t.old.plan != t.p.Plan {
		if out, err := t.settleBranch(ctx); err != nil || out.Result != "" {
			return out, err
		}
	}
	switch {
	case t.pr.Number == 0:
		return t.openPull(ctx)
	case t.rebase || !t.old.says(t.p) || t.commit != t.old.commit || t.old.frozen != "" || t.old.closing:
		return t.refresh(ctx)
	}
	return t.tend(ctx)
}

// isKnown reports whether the branch has, as far as the forge knows, the commit of the marker.
func (t *task) isKnown() bool { return t.old.commit != "" && t.pr.Commit == t.old.commit }

// isFrozen reports whether the branch has, as far as the forge knows, the commit of
// another that was commented on.
func (t *task) isFrozen() bool { return t.old.frozen != "" && t.pr.Commit == t.old.frozen }

// remark writes another marker into the body.
func (t *task) remark(ctx context.Context, m marker) error {
	body := mark(t.pr.Body, m)
	edited, err := t.keeper.forge.Edit(ctx, t.pr, forge.Change{Body: &body})
	if err != nil {
		return err
	}
	t.pr, t.old = edited, m
	return nil
}

// Hold takes back that the forge merges the open pull request of ours of a branch by itself,
// if it was asked to. All else stays.
func (k *Keeper) Hold(ctx context.Context, branch string) error {
	state, err := k.Find(ctx, branch)
	if err != nil {
		return err
	}
	t := newTask(k, Proposal{Branch: branch}, state)
	if !t.old.merges {
		return nil
	}
	defer k.forget(branch)
	return t.hold(ctx)
}

// hold takes back that the forge merges the pull request by itself: a version that has to
// wait must not be merged because the one before did not have to.
func (t *task) hold(ctx context.Context) error {
	if err := t.keeper.forge.CancelMerge(ctx, t.pr); err != nil {
		return err
	}
	m := t.old
	m.merges, t.held = false, true
	return t.remark(ctx, m)
}
