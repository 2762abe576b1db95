package main

import (
	"context"
	"errors"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
)

// run commits, and pushes where that is asked for. When others are faster the commit
// stays as it is. What failed of some environments only is given beside what became
// of the others.
func (c checkout) run(ctx context.Context) (done gitOutcome, failed, err error) {
	work, failed := c.job(ctx, c.o)
	if work == nil {
		return gitOutcome{}, failed, nil
	}
	done, err = c.commit(ctx, work)
	if err != nil {
		done.unfinished = true
		return done, failed, err // what was committed before it is said
	}
	if !c.o.push || failed != nil && !c.o.keepGoing {
		return done, failed, nil
	}
	if done.pushed, err = c.push(ctx); err != nil {
		return done, failed, hinted{err, c.unpushed(done, err)}
	}
	done.nothingToPush = done.pushed == nil
	return done, failed, nil
}

// unpushed says how it goes on where a push failed.
func (c checkout) unpushed(done gitOutcome, err error) string {
	var remote *gitrepo.RemoteError
	switch {
	case errors.As(err, &remote) && remote.Kind == gitrepo.Raced:
		return "Our commit stays here: run git pull --rebase, then the same again. If files conflict, git rebase --skip leaves our commit out, and the next run makes it anew."
	case len(done.commits()) == 0:
		return "Nothing was committed; the commits before wait to be pushed."
	}
	return "The commit is in the repository: run the same again to push it."
}
