package pullrequest

import (
	"context"
	"errors"
)

// Find asks for the pull requests of a branch: at most two requests, and none where the run
// asked before. Errors are those of the forge.
func (k *Keeper) Find(ctx context.Context, branch string) (State, error) {
	return State{}, errors.ErrUnsupported
}

// Declined reports whether a person closed the pull request of a target: it is not to be
// opened again. The pull request says where that was.
func (s State) Declined(target string) bool { return false }

// Keep opens or refreshes the pull request of a proposal, or leaves it, as the package's rules
// say. Errors are those of the forge, of the Git repository and of the proposal's functions.
// After an error, or a process that was killed, running it again finishes the job.
func (k *Keeper) Keep(ctx context.Context, p Proposal) (Outcome, error) {
	return Outcome{}, errors.ErrUnsupported
}

// Supersede closes the open pull request of ours of a branch, after a comment with why, a
// sentence without markup. One that is frozen is left alone, and so is a branch without one:
// the result says which.
func (k *Keeper) Supersede(ctx context.Context, branch, why string) (Outcome, error) {
	return Outcome{}, errors.ErrUnsupported
}
