package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// ToCheckout writes into a folder of a checkout and commits that, and pushes it if
// the request says so. If others were faster, the commits stay. Where some environments
// failed, or an error came after commits, the outcome has what was done; a [StageError]
// says what is left. The error is [gitrepo.ErrNoBranch] if it cannot be known which branch
// is pushed.
//
// A branch to push to that is not the one checked out gets the commits as in [ToRemote],
// on top of what the server has, with the files that they are made from. Here nothing
// changes then. HEAD that is detached is pushed to any branch.
func ToCheckout(ctx context.Context, root *os.Root, r Request) (Outcome, error) {
	repository, err := gitrepo.Open(r.System, root.Name())
	if err != nil {
		return Outcome{}, err
	}
	if branch, err := repository.Branch(); r.Push && r.Branch == "" && err == nil && branch == "" {
		return Outcome{}, gitrepo.ErrNoBranch
	}
	here := local{r, repository, root}
	if r.Push {
		if same, err := repository.PushesTo(r.Branch); err != nil {
			return Outcome{}, err
		} else if !same {
			return here.toBranch(ctx)
		}
	}
	if r.DryRun {
		return here.dryRun(ctx)
	}
	done, err := here.run(ctx)
	if done.Pushed != nil {
		done.Uncommitted = here.uncommitted(ctx)
	}
	return done, err
}

// local is a request to a repository with a working tree.
type local struct {
	Request
	repository *gitrepo.Local
	root       *os.Root
}

// dryRun finds out what would be committed. That includes what run would refuse.
func (l local) dryRun(ctx context.Context) (done Outcome, err error) {
	job, failed := l.Make(ctx, nil)
	if job == nil {
		return done, failed
	}
	done.warn(job.warnings(l.root.FS(), l.root.Name()))
	drafts, err := l.drafts(ctx, job)
	if err == nil {
		_, err = job.drafts(l.root.FS(), l.Force) // what a person changed there
	}
	if err != nil && !errors.Is(err, errNoEnvironment) {
		return done, err
	}
	if err := l.repository.Check(ctx, changesOf(drafts), l.options()); err != nil {
		return done, err
	}
	done.Drafts, done.Failed = drafts, failed
	return done, nil
}

// run commits, and pushes where that is asked for.
func (l local) run(ctx context.Context) (done Outcome, err error) {
	job, failed := l.Make(ctx, nil)
	if job == nil {
		return done, failed
	}
	done, err = l.commit(ctx, job)
	done.warn(job.warnings(l.root.FS(), l.root.Name()))
	done.Failed = failed
	if err != nil {
		done.Unfinished = true
		return done, err // what was committed before it is said
	}
	if !l.Push || failed != nil && !l.KeepGoing {
		return done, nil
	}
	if done.Pushed, err = l.push(ctx); err != nil {
		return done, &StageError{stageOf(done, err), err}
	}
	done.NothingToPush = done.Pushed == nil
	return done, nil
}

// stageOf says how far it came where a push failed.
func stageOf(done Outcome, err error) Stage {
	var remote *gitrepo.RemoteError
	switch {
	case errors.As(err, &remote) && remote.Kind == gitrepo.Raced:
		return Raced
	case len(done.Commits()) == 0:
		return Waiting
	}
	return Committed
}

// commit brings the folder to what a job makes of it, and commits that.
func (l local) commit(ctx context.Context, job Job) (done Outcome, err error) {
	drafts, err := l.drafts(ctx, job)
	if err != nil {
		return done, fmt.Errorf("compare with the last commit: %w", err)
	}
	if err := l.repository.Check(ctx, changesOf(drafts), l.options()); err != nil {
		return done, err
	}
	if _, err := job.write(ctx, l.root, l.Force); err != nil {
		return done, err
	}
	for _, d := range drafts {
		made, err := l.commitDraft(ctx, d)
		if err != nil {
			return done, &StageError{Written, err}
		}
		done.Drafts, done.made = append(done.Drafts, d), append(done.made, made)
		done.Unstaged = append(done.Unstaged, made.Unstaged...)
	}
	done.Hooks = l.repository.Hooks()
	done.Removed = job.removed()
	return done, nil
}

// changesOf gives what drafts change, all of them.
func changesOf(drafts []Draft) gitrepo.Changes {
	all := gitrepo.Changes{Write: tree.Tree{}}
	for _, d := range drafts {
		changes := d.changes()
		maps.Copy(all.Write, changes.Write)
		all.Remove = append(all.Remove, changes.Remove...)
	}
	return all
}

// drafts finds out what of HEAD has to change. A person may have changed files
// since then and even before: what the folder lets us do is what counts.
func (l local) drafts(ctx context.Context, job Job) ([]Draft, error) {
	head, err := l.repository.At("HEAD")
	if err != nil {
		return nil, err
	}
	defer head.Close()
	files, err := prefetch(ctx, head, job)
	if err != nil {
		return nil, err
	}
	return job.drafts(files, true)
}

func (l local) commitDraft(ctx context.Context, d Draft) (gitrepo.Result, error) {
	options := l.options()
	var err error
	if options.Message, err = d.message(l.Request); err != nil {
		return gitrepo.Result{}, err
	}
	changes := d.changes()
	var removed []string
	for _, name := range changes.Remove {
		// What is there all the same belongs to an environment that is yet to be committed.
		if _, err := l.root.Lstat(name); err != nil {
			removed = append(removed, name)
		}
	}
	changes.Remove = removed
	result, err := l.repository.Commit(ctx, changes, options)
	if errors.Is(err, gitrepo.ErrUnchanged) {
		err = nil
	}
	return result, err
}

func (l local) push(ctx context.Context) (*Pushed, error) {
	done, err := l.repository.Push(ctx, gitrepo.PushOptions{Branch: l.Branch})
	if errors.Is(err, gitrepo.ErrUnchanged) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("push: %w", err)
	}
	return &Pushed{done.URL, done.Branch, done.Hash, done.Said}, nil
}
