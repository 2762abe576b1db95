package pullrequest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/forge"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// Supersede closes the open pull request of ours of a branch, after a comment with why, a
// sentence without markup. One that is frozen is left alone, and so is a branch without one:
// the result says which. The branch stays.
func (k *Keeper) Supersede(ctx context.Context, branch, why string) (Outcome, error) {
	state, err := k.Find(ctx, branch)
	if err != nil || state.Pull == nil {
		return Outcome{Result: Unchanged}, err
	}
	t := newTask(k, Proposal{Branch: branch}, state)
	if err := t.closeTwins(ctx); err != nil {
		return Outcome{}, err
	}
	return t.supersede(ctx, why)
}

// closeTwins closes what other runs opened of the branch at the same moment.
func (t *task) closeTwins(ctx context.Context) error {
	for _, pr := range t.state.twins {
		m, _, _ := parseMarker(pr.Body)
		twin := &task{keeper: t.keeper, p: t.p, state: t.state, pr: pr, old: m}
		if _, err := twin.close(ctx, fmt.Sprintf("Pull request %d of the same branch was opened at the same moment, and stays.", t.pr.Number)); err != nil {
			return err
		}
	}
	return nil
}

// supersede closes the pull request unless a commit of others is on the branch.
func (t *task) supersede(ctx context.Context, why string) (Outcome, error) {
	if t.isFrozen() {
		return t.frozen(), nil
	}
	if !t.isKnown() {
		var err error
		if t.remote, err = t.keeper.open(ctx, t.p.Branch, t.p.Base); err != nil {
			return Outcome{}, err
		}
		tip, err := t.remote.Tip(ctx)
		if err != nil {
			return Outcome{}, err
		}
		if t.judge(tip) == others {
			return t.freeze(ctx, tip)
		}
	}
	return t.close(ctx, why)
}

// close says why in a comment and closes the pull request. That it was us, and not a person,
// is in the marker before it is closed.
func (t *task) close(ctx context.Context, why string) (Outcome, error) {
	defer t.keeper.forget(t.p.Branch)
	if !t.old.closing {
		if err := t.say(ctx, "closing-"+t.old.plan, text.MarkdownCell(why)); err != nil {
			return Outcome{}, err
		}
		m := t.old
		m.closing = true
		if err := t.remark(ctx, m); err != nil {
			return Outcome{}, err
		}
	}
	if err := t.keeper.forge.Close(ctx, t.pr); err != nil {
		return Outcome{}, err
	}
	t.pr.State = forge.Closed
	return Outcome{Result: Superseded, Pull: t.pr, Why: why}, nil
}

// freeze leaves a branch with a commit of others alone, and says so once.
func (t *task) freeze(ctx context.Context, tip gitrepo.Tip) (Outcome, error) {
	if t.pr.Number == 0 {
		return Outcome{Result: Frozen, Why: fmt.Sprintf("the branch %s has commit %.12s, which is not pm-gitops': delete the branch, or keep its commits elsewhere first", t.p.Branch, tip.Hash)}, nil
	}
	if t.old.frozen == "" {
		err := t.say(ctx, "frozen-"+tip.Hash, fmt.Sprintf("The branch has commit %s, which pm-gitops did not make. From now on pm-gitops changes neither the branch nor this pull request. "+
			"To have the branch made anew, without that commit, add the label %s or tick the checkbox in the description.", tip.Hash, code(RebaseLabel)))
		if err != nil {
			return Outcome{}, err
		}
	}
	if t.old.frozen != tip.Hash {
		m := t.old
		m.frozen = tip.Hash
		if err := t.remark(ctx, m); err != nil {
			return Outcome{}, err
		}
		t.keeper.forget(t.p.Branch)
	}
	return t.frozen(), nil
}

// frozen describes a pull request that is left alone.
func (t *task) frozen() Outcome {
	return Outcome{Result: Frozen, Pull: t.pr, Why: fmt.Sprintf("the branch %s has commit %.12s, which pm-gitops did not make: the label %s makes the branch anew without it", t.p.Branch, t.old.frozen, RebaseLabel)}
}

// say adds a comment, unless a comment of ours says the same thing already: a run may have
// been killed behind it.
func (t *task) say(ctx context.Context, thing, sentence string) error {
	mark := "<!-- pm-gitops:said=" + escape(thing) + " -->"
	all, err := t.keeper.forge.Comments(ctx, t.pr)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(c forge.Comment) bool {
		return c.Author == t.state.account && strings.HasSuffix(strings.TrimSpace(c.Body), mark)
	}) {
		return nil
	}
	return t.keeper.forge.Comment(ctx, t.pr, sentence+"\n\n"+mark)
}
