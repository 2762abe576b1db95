package pullrequest

import (
	"context"
	"slices"

	"github.com/pm-gitops/pm-gitops/cmd/internal/forge"
)

// Find asks for the pull requests of a branch: at most two requests, and none where the run
// asked before and changed nothing. Errors are those of the forge.
func (k *Keeper) Find(ctx context.Context, branch string) (State, error) {
	me, err := k.whoami(ctx)
	if err != nil {
		return State{}, err
	}
	k.mu.Lock()
	all, known := k.found[branch]
	k.mu.Unlock()
	if !known {
		if all, err = k.forge.Find(ctx, branch); err != nil {
			return State{}, err
		}
		k.mu.Lock()
		k.found[branch] = all
		k.mu.Unlock()
	}
	state := State{All: slices.Clone(all), account: me}
	for _, pr := range slices.Backward(all) {
		switch {
		case pr.State != forge.Opened || pr.Author != me:
		case state.Pull == nil:
			m, _, _ := parseMarker(pr.Body)
			state.Pull, state.Target = new(pr), m.target
		default:
			state.twins = append(state.twins, pr)
		}
	}
	return state, nil
}

// whoami gives the account whose token is used. It is asked for once.
func (k *Keeper) whoami(ctx context.Context) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.account == "" {
		var err error
		if k.account, err = k.forge.Account(ctx); err != nil {
			return "", err
		}
	}
	return k.account, nil
}

// forget has the next [Keeper.Find] of a branch ask again.
func (k *Keeper) forget(branch string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.found, branch)
}

// Declined reports whether a person closed the newest pull request of a target, and gives
// that: it is not to be opened again. One that we closed, or that is merged, was not declined.
func (s State) Declined(target string) (forge.PullRequest, bool) {
	for _, pr := range s.All {
		m, _, ok := parseMarker(pr.Body)
		if ok && pr.Author == s.account && m.target == target {
			return pr, pr.State == forge.Closed && !m.closing
		}
	}
	return forge.PullRequest{}, false
}

// stranger gives an open pull request of the branch that another account opened.
func (s State) stranger() (forge.PullRequest, bool) {
	for _, pr := range s.All {
		if pr.State == forge.Opened && pr.Author != s.account {
			return pr, true
		}
	}
	return forge.PullRequest{}, false
}
