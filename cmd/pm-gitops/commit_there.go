package main

import (
	"context"
	"errors"
	"io"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
)

// commitThere commits to a repository that has no checkout here. When others are
// faster everything is done again on top of what they made, reading the
// environments there included.
func (a app) commitThere(ctx context.Context, o renderOptions) error {
	remote, err := gitrepo.OpenRemote(ctx, a.git(), o.repo, gitrepo.RemoteOptions{Branch: o.branch})
	if err != nil {
		return err
	}
	there := bare{app: a, o: o}
	there.o.input.progress = a.progress("environments rendered")
	done := gitOutcome{url: remote.URL()}
	var failed error
	if o.dryRun {
		return there.dryRun(ctx, remote)
	}
	done.made, err = remote.CommitEach(ctx, func(ctx context.Context, base *gitrepo.Base) (drafts []gitrepo.Draft, err error) {
		done.drafts, failed, err = there.prepare(ctx, base)
		there.app.err = io.Discard // what was said once is enough
		if err != nil {
			return nil, err
		}
		return toCommit(done.drafts, o.text())
	}, o.options())
	if err != nil && !errors.Is(err, gitrepo.ErrUnchanged) {
		return err
	}
	done.removed = there.removed
	if told := a.tell(o, done); told != nil || failed == nil {
		return told
	}
	return partialError{failed, "written"}
}

// bare is a repository without a checkout that gets commits.
type bare struct {
	app
	o renderOptions
	// With --local the job does not depend on the repository.
	work    job
	failed  error
	removed *removal
}

// dryRun says what would be committed.
func (b *bare) dryRun(ctx context.Context, remote *gitrepo.Remote) error {
	base, err := remote.Read(ctx)
	if err != nil {
		return err
	}
	drafts, failed, err := b.prepare(ctx, base)
	if err != nil {
		return err
	}
	if told := b.tell(b.o, gitOutcome{drafts: drafts, url: remote.URL()}); told != nil || failed == nil {
		return told
	}
	return partialError{failed, "looked at"}
}

// prepare finds out what has to change on top of a base. Environments that failed
// stop everything unless told to keep going.
func (b *bare) prepare(ctx context.Context, base *gitrepo.Base) (drafts []draft, failed, err error) {
	work, failed := b.work, b.failed
	if work == nil {
		o := b.o
		if !o.local {
			o.tree = base.FS(ctx)
		}
		if work, failed = b.job(ctx, o); work == nil || failed != nil && !b.o.keepGoing {
			return nil, nil, failed
		}
		if b.o.local {
			b.work, b.failed = work, failed
		}
	}
	b.removed, _ = work.(*removal)
	files, err := prefetch(ctx, base, work)
	if err != nil {
		return nil, nil, err
	}
	drafts, err = work.draft(files, b.o.force)
	return drafts, failed, forceHint(err)
}

// toCommit is drafts with what the commits say.
func toCommit(drafts []draft, text string) ([]gitrepo.Draft, error) {
	var all []gitrepo.Draft
	for _, d := range drafts {
		message, err := d.message(text)
		if err != nil {
			return nil, err
		}
		all = append(all, gitrepo.Draft{Changes: d.changes(), Message: message})
	}
	return all, nil
}
