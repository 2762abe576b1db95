package cli

import (
	"context"
	"errors"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
)

// toFolder does a job in a folder, and prints what changed.
func (a app) toFolder(ctx context.Context, f publishFlags, job publish.Job) (folder.Changes, *publish.Removed, error) {
	root, err := openFolder(f.dir)
	if err != nil {
		return folder.Changes{}, nil, err
	}
	defer root.Close()
	changes, removed, err := publish.ToFolder(ctx, root, publish.FolderRequest{Job: job, Force: f.force, DryRun: f.dryRun})
	if err != nil {
		return changes, removed, hintForce(err)
	}
	return changes, removed, a.printChanges(f, changes)
}

// publish commits to a checkout or to a repository without one. Read names the
// environments that are read, of a removal none.
func (a app) publish(ctx context.Context, f publishFlags, request publish.Request, read fleet.Request) error {
	if f.repo != "" {
		return a.toRemote(ctx, f, request)
	}
	root, err := openFolder(f.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	sources, _ := read.Sources()
	for _, source := range sources {
		request.Files = append(request.Files, source.Name)
	}
	done, err := publish.ToCheckout(ctx, root, request)
	if done.URL != "" {
		return a.tellRemote(f, done, err)
	}
	done.Failed, err = hintRead(done.Failed), hintPublish(hintRead(err))
	a.warn(done.Warnings)
	switch {
	case err != nil && f.dryRun:
		return err
	case len(done.Drafts) == 0 && !f.dryRun:
		return errors.Join(done.Failed, err)
	}
	if told := a.tellCheckout(f, done, read); told != nil {
		return told
	}
	what := "written"
	switch {
	case done.Failed == nil:
		return err
	case f.dryRun:
		what = "looked at"
	case request.Push && !request.KeepGoing:
		what = "committed, and nothing was pushed: mend it and run the same again, or push them with --keep-going"
	}
	return errors.Join(partialError{error: done.Failed, done: what}, err)
}

// tellCheckout says what became of a checkout, and what its user should know.
func (a app) tellCheckout(f publishFlags, done publish.Outcome, read fleet.Request) error {
	if err := a.tell(f, done); err != nil {
		return err
	}
	a.warnUncommitted(done)
	if !f.quiet && !f.dryRun && f.output != "json" {
		a.remark(f.dir, leftOver(done.Drafts[0].All(), read, done.Failed))
	}
	return nil
}

// warnUncommitted names the files whose changes are in no commit.
func (a app) warnUncommitted(done publish.Outcome) {
	for _, file := range done.Uncommitted {
		a.err.Say("warning: %s is not committed as it is here: commit and push it as well, or the next render of the repository undoes this", file)
	}
}

// toRemote commits to a repository that has no checkout here.
func (a app) toRemote(ctx context.Context, f publishFlags, request publish.Request) error {
	done, err := publish.ToRemote(ctx, f.repo, request)
	return a.tellRemote(f, done, err)
}

// tellRemote says what became of commits that were made without the checkout.
func (a app) tellRemote(f publishFlags, done publish.Outcome, err error) error {
	a.warn(done.Warnings)
	if err != nil {
		return hintPublish(hintRead(err))
	}
	told := a.tell(f, done)
	a.warnUncommitted(done)
	if told != nil || done.Failed == nil {
		return told
	}
	what := "written"
	if f.dryRun {
		what = "looked at"
	}
	return partialError{error: hintRead(done.Failed), done: what}
}

// hintPublish adds to an error of publishing what to do next.
func hintPublish(err error) error {
	hints := map[publish.Stage]string{
		publish.Written:   "The files are written, and not committed: mend it and run the same again.",
		publish.Committed: "The commit is in the repository: run the same again to push it.",
		publish.Waiting:   "Nothing was committed; the commits before wait to be pushed.",
		publish.Raced:     "Our commit stays here: run git pull --rebase, then the same again. If files conflict, git rebase --skip leaves our commit out, and the next run makes it anew.",
	}
	var staged *publish.StageError
	switch {
	case errors.As(err, &staged):
		return hinted{err, hints[staged.Stage]}
	case errors.Is(err, gitrepo.ErrNoBranch):
		return hinted{err, "Say --branch NAME: HEAD is detached, as jobs of continuous integration often have it."}
	}
	return hintForce(err)
}
