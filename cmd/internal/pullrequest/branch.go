package pullrequest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/forge"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
)

// settleBranch gives the branch the commit of the proposal, unless it has that. The outcome is
// zero where the pull request is next.
func (t *task) settleBranch(ctx context.Context) (Outcome, error) {
	var err error
	if t.remote, err = t.keeper.open(ctx, t.p.Branch, t.p.Base); err != nil {
		return Outcome{}, err
	}
	if lease, likely := t.lease(); likely {
		out, err := t.push(ctx, lease)
		if err != nil || out.Result != Outpaced { // the forge may not know yet what the branch has
			return out, err
		}
	}
	tip, err := t.remote.Tip(ctx)
	if err != nil {
		return Outcome{}, err
	}
	switch whose := t.judge(tip); {
	case whose == others && !t.rebase:
		return t.freeze(ctx, tip)
	case whose == current && !t.rebase && !t.anew:
		t.commit = tip.Hash
		return Outcome{}, nil
	}
	return t.push(ctx, tip.Hash)
}

// lease gives the commit that the branch most likely has, so that it need not be asked for.
func (t *task) lease() (commit string, likely bool) {
	if t.isKnown() {
		return t.old.commit, !t.rebase
	}
	return "", len(t.state.All) == 0
}

// push makes the branch anew, if it has the commit of the lease.
func (t *task) push(ctx context.Context, lease string) (Outcome, error) {
	results, err := t.remote.Replace(ctx, lease, t.prepare, t.p.Options)
	switch {
	case errors.Is(err, gitrepo.ErrMoved):
		return Outcome{Result: Outpaced, Pull: t.pr, Why: fmt.Sprintf("the branch %s was moved meanwhile", t.p.Branch)}, nil
	case errors.Is(err, gitrepo.ErrUnchanged):
		return t.needless(ctx)
	case err != nil:
		return Outcome{}, err
	}
	t.commit = results[0].Hash
	return Outcome{}, nil
}

// prepare gives the proposal's draft with our trailer.
func (t *task) prepare(ctx context.Context, base *gitrepo.Base) ([]gitrepo.Draft, error) {
	drafts, err := t.p.Commit(ctx, base)
	if err != nil {
		return nil, err
	}
	if len(drafts) != 1 {
		return nil, fmt.Errorf("make the commit of %s: want one, got %d", t.p.Branch, len(drafts))
	}
	message := &drafts[0].Message
	message.Trailers = append(slices.Clone(message.Trailers), gitrepo.Trailer{Key: Trailer, Value: t.p.Plan})
	return drafts, nil
}

// needless ends a proposal that changes nothing.
func (t *task) needless(ctx context.Context) (Outcome, error) {
	const why = "The base branch has this change already."
	if t.pr.Number == 0 {
		return Outcome{Result: Unchanged, Why: why}, nil
	}
	return t.close(ctx, why)
}

// ownership says whose the newest commit of a branch is.
type ownership int

// The kinds of newest commits.
const (
	none    ownership = iota // there is no such branch
	others                   // another account's
	ours                     // ours, of another plan or merged
	current                  // ours, of the proposal's plan
)

// judge says whose a commit is: ours are those that a marker names, and those with our trailer,
// one parent and our committer. What is merged is to be made anew, whoever made it.
func (t *task) judge(tip gitrepo.Tip) ownership {
	if tip.Hash == "" {
		return none
	}
	plan, isOurs := planOf(tip)
	isOurs = isOurs && t.committed(tip)
	for _, pr := range t.state.All {
		if pr.State == forge.Merged && pr.Commit == tip.Hash {
			return ours
		}
		if m, _, ok := parseMarker(pr.Body); ok && pr.Author == t.state.account && m.commit == tip.Hash {
			plan, isOurs = m.plan, true
		}
	}
	switch {
	case !isOurs:
		return others
	case plan == t.p.Plan:
		return current
	}
	return ours
}

// committed reports whether the committer is the one of our commits.
func (t *task) committed(tip gitrepo.Tip) bool {
	me := t.p.Options.As
	if me == nil {
		_, configured, err := t.remote.Identity()
		if err != nil {
			return false
		}
		me = &configured
	}
	return tip.Committer.Name == me.Name && tip.Committer.Email == me.Email
}

// planOf gives the plan of a commit with one parent and our trailer in its last paragraph.
func planOf(tip gitrepo.Tip) (plan string, ok bool) {
	message := strings.TrimRight(tip.Message, "\n")
	for line := range strings.SplitSeq(message[strings.LastIndex(message, "\n\n")+1:], "\n") {
		if value, found := strings.CutPrefix(line, Trailer+": "); found {
			plan, ok = value, len(tip.Parents) == 1
		}
	}
	return plan, ok
}
