package pullrequest

import (
	"context"
	"errors"
	"slices"

	"github.com/pm-gitops/pm-gitops/cmd/internal/forge"
)

// openPull opens the pull request of a branch that is as it should be.
func (t *task) openPull(ctx context.Context) (Outcome, error) {
	base := t.p.Base
	if base == "" {
		base = t.remote.Default()
	}
	m := t.marker()
	draft := forge.Draft{Head: t.p.Branch, Base: base, Title: t.p.Title, Body: compose(t.p, base, t.keeper.forge.Limits().Body, m), Labels: m.labels, Draft: t.p.Draft}
	pr, err := t.keeper.forge.Open(ctx, draft)
	if lacks(err) && len(draft.Labels) > 0 {
		t.note("labels", err)
		if err = nil; pr.Number == 0 { // nothing was opened, for the labels' sake maybe
			draft.Labels = nil
			pr, err = t.keeper.forge.Open(ctx, draft)
		}
	}
	switch {
	case kindOf(err) == forge.Exists:
		return Outcome{Result: Outpaced, Commit: t.commit, Why: "another run opened the pull request of " + t.p.Branch + " meanwhile"}, nil
	case err != nil:
		return Outcome{}, err
	}
	t.pr, t.old = pr, m
	if title := t.title(); title != t.p.Title {
		t.note("drafts", nil)
		if t.pr, err = t.keeper.forge.Edit(ctx, t.pr, forge.Change{Title: &title}); err != nil {
			return Outcome{}, err
		}
	}
	return t.merge(ctx, Opened)
}

// marker gives the one of the proposal.
func (t *task) marker() marker {
	labels := slices.Clone(t.p.Labels)
	slices.Sort(labels)
	return marker{plan: t.p.Plan, target: t.p.Target, fingerprint: t.p.Fingerprint, commit: t.commit, labels: slices.Compact(labels)}
}

// refresh makes a pull request what it should be. Its body, and so the marker, is written
// last: killed before that, the next run does it again.
func (t *task) refresh(ctx context.Context) (Outcome, error) {
	m := t.marker()
	m.merges = t.old.merges && t.commit == t.old.commit // GitLab forgets it when a commit comes
	if t.pr.Draft != t.p.Draft {
		if err := t.edit(ctx, forge.Change{Draft: &t.p.Draft}, "drafts"); err != nil {
			return Outcome{}, err
		}
	}
	if err := t.label(ctx, m.labels); err != nil {
		return Outcome{}, err
	}
	title, body := t.title(), compose(t.p, t.pr.Base, t.keeper.forge.Limits().Body, m)
	edited, err := t.keeper.forge.Edit(ctx, t.pr, forge.Change{Title: &title, Body: &body})
	if err != nil {
		return Outcome{}, err
	}
	t.pr, t.old = edited, m
	return t.merge(ctx, Refreshed)
}

// label puts labels on, and takes off those of ours that are not wanted any more and the one
// that asked for a rebase. Others are people's.
func (t *task) label(ctx context.Context, wanted []string) error {
	stale := slices.DeleteFunc(append(slices.Clone(t.old.labels), RebaseLabel), func(label string) bool {
		return slices.Contains(wanted, label) || !slices.Contains(t.pr.Labels, label)
	})
	add := missing(t.pr.Labels, wanted)
	if len(add)+len(stale) == 0 {
		return nil
	}
	return t.edit(ctx, forge.Change{Add: add, Remove: stale}, "labels")
}

// edit changes what some forges, or tokens, cannot. It notes that.
func (t *task) edit(ctx context.Context, change forge.Change, what string) error {
	edited, err := t.keeper.forge.Edit(ctx, t.pr, change)
	switch {
	case err == nil:
		t.pr = edited
	case lacks(err):
		t.note(what, err)
	default:
		return err
	}
	return nil
}

// tend looks after a pull request whose branch and body are as they should be: a run that was
// killed may not have put on its labels, and auto-merge may be wanted now.
func (t *task) tend(ctx context.Context) (Outcome, error) {
	before := t.pr.Labels
	if err := t.label(ctx, t.old.labels); err != nil {
		return Outcome{}, err
	}
	if slices.Equal(before, t.pr.Labels) {
		return t.merge(ctx, Unchanged)
	}
	return t.merge(ctx, Refreshed)
}

// merge has the forge merge the pull request by itself where that is wanted and was not asked
// for, and ends the task with a result.
func (t *task) merge(ctx context.Context, result Result) (Outcome, error) {
	if t.p.Merge && !t.old.merges && !t.pr.Draft {
		now := t.pr
		now.Commit = t.commit
		var err error
		if !now.Merges {
			err = t.keeper.forge.Merge(ctx, now)
		}
		switch {
		case lacks(err):
			t.note("auto-merge", err)
		case err != nil:
			return Outcome{}, err
		default:
			m := t.old
			m.merges = true
			if err := t.remark(ctx, m); err != nil {
				return Outcome{}, err
			}
			if result == Unchanged {
				result = Refreshed
			}
		}
	}
	return Outcome{Result: result, Pull: t.pr, Commit: t.commit}, nil
}

// title says that the pull request is a draft where the forge has none.
func (t *task) title() string {
	if t.p.Draft && !t.pr.Draft {
		return "Draft: " + t.p.Title
	}
	return t.p.Title
}

// note keeps a sentence about what the forge lacks.
func (t *task) note(what string, err error) {
	sentence := "the repository has no " + what + ", or the token may not use them"
	if err != nil {
		sentence += ": " + err.Error()
	}
	t.notes = append(t.notes, sentence)
}

// lacks reports whether an error says that a forge, or a token, does not do a thing.
func lacks(err error) bool {
	return slices.Contains([]forge.Kind{forge.Forbidden, forge.Refused, forge.NotFound}, kindOf(err))
}

// kindOf gives the kind of an error of a forge.
func kindOf(err error) forge.Kind {
	var known *forge.Error
	if errors.As(err, &known) {
		return known.Kind
	}
	return forge.Other
}

// missing gives the labels that are wanted and not there.
func missing(there, wanted []string) []string {
	return slices.DeleteFunc(slices.Clone(wanted), func(name string) bool { return slices.Contains(there, name) })
}
