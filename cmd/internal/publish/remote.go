package publish

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
)

// ToRemote commits to a repository that has no checkout here, and pushes. When
// others are faster everything is done again on top of what they made. Where some
// environments failed, the outcome says so. Errors are those of Make, of the packages
// folder and gitrepo.
func ToRemote(ctx context.Context, url string, r Request) (Outcome, error) {
	remote, err := gitrepo.OpenRemote(ctx, r.System, url, gitrepo.RemoteOptions{Branch: r.Branch})
	if err != nil {
		return Outcome{}, err
	}
	return r.toRemote(ctx, remote)
}

func (r Request) toRemote(ctx context.Context, remote *gitrepo.Remote) (Outcome, error) {
	done := Outcome{URL: remote.URL()}
	if r.DryRun {
		base, err := remote.Read(ctx)
		if err != nil {
			return done, err
		}
		err = r.prepare(ctx, base, &done)
		done.Removed = nil // nothing is
		return done, err
	}
	var err error
	done.made, err = remote.CommitEach(ctx, r.Prepare(&done), r.options())
	done.said = remote.Said()
	if errors.Is(err, gitrepo.ErrUnchanged) {
		err = nil
	}
	return done, err
}

// Prepare gives the function that makes a request's commits on a base. Each call tells
// done the drafts, warnings and failures of that base.
func (r Request) Prepare(done *Outcome) gitrepo.Prepare {
	return func(ctx context.Context, base *gitrepo.Base) ([]gitrepo.Draft, error) {
		if err := r.prepare(ctx, base, done); err != nil {
			return nil, err
		}
		return r.toCommit(done.Drafts)
	}
}

// Commits gives what is to be committed on top of a base, as [ToRemote] commits it, and
// commits nothing.
func (r Request) Commits(ctx context.Context, base *gitrepo.Base) (Outcome, []gitrepo.Draft, error) {
	var done Outcome
	if err := r.prepare(ctx, base, &done); err != nil {
		return done, nil, err
	}
	drafts, err := r.toCommit(done.Drafts)
	return done, drafts, err
}

// prepare finds out what has to change on top of a base. Environments that failed
// stop everything unless told to keep going.
func (r Request) prepare(ctx context.Context, base *gitrepo.Base, done *Outcome) error {
	done.Base = base.Branch()
	done.Branch = cmp.Or(strings.TrimPrefix(r.Branch, "refs/heads/"), done.Base)
	job, failed := r.Make(ctx, base.FS(ctx))
	if job != nil {
		done.warn(job.warnings(base.FS(ctx), ""))
	}
	if job == nil || failed != nil && !r.KeepGoing {
		return failed
	}
	files, err := prefetch(ctx, base, job)
	if err != nil {
		return err
	}
	done.Drafts, err = job.drafts(files, r.Force)
	done.Failed, done.Removed = failed, job.removed()
	return err
}

// toCommit gives drafts with what the commits say.
func (r Request) toCommit(drafts []Draft) ([]gitrepo.Draft, error) {
	var all []gitrepo.Draft
	for _, d := range drafts {
		message, err := d.message(r)
		if err != nil {
			return nil, err
		}
		all = append(all, gitrepo.Draft{Changes: d.changes(), Message: message})
	}
	return all, nil
}
