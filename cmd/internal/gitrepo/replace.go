package gitrepo

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
)

// ErrMoved says that a branch has another commit than the caller knew.
var ErrMoved = errors.New("the branch has another commit by now")

// Replace makes the branch anew: the commits that are prepared, on top of the newest one
// of what it starts from. Only a branch of the caller's own may be made anew, so lease is
// the commit that it has as far as the caller knows, empty where there is no such branch:
// if it has another one the error is [ErrMoved], and nothing is changed. The default branch
// and the one that it starts from are refused. Where nothing would be different from those
// the error is [ErrUnchanged].
//
// Other errors are those of [Remote.CommitEach].
func (r *Remote) Replace(ctx context.Context, lease string, prepare Prepare, o CommitOptions) ([]Result, error) {
	if r.branch == "" {
		return nil, errors.New("make a branch anew: it has no name")
	}
	target, err := r.read(ctx, true)
	if err != nil {
		return nil, err
	}
	if target.branch == target.head || target.branch == r.from {
		return nil, fmt.Errorf("make %s of %s anew: that is the branch to start from, which is never forced", target.branch, r.URL())
	}
	if target.at != plumbing.NewHash(lease) {
		return nil, ErrMoved
	}
	results, err := r.attempt(ctx, target, prepare, o)
	switch {
	case errors.Is(err, transport.ErrRaced):
		return nil, ErrMoved
	case r.arrived(ctx, results, err):
		err = nil
	}
	if err != nil && !errors.Is(err, ErrUnchanged) {
		return nil, err
	}
	return results, err
}
