package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/targets"
)

// job is what the flags ask for. Where some environments fail and the others may
// be worked on all the same, it gives both.
func (a app) job(ctx context.Context, o renderOptions) (job, error) {
	target, err := targets.ByName(o.target)
	if err != nil {
		return nil, usageError{err}
	}
	if o.remove != "" {
		place := "folder " + o.dir
		if o.repo != "" {
			place = "the repository"
		}
		return &removal{environment: o.remove, place: place}, nil
	}
	fleet, err := a.renderAll(ctx, o.input, target)
	var some failures
	if err != nil && !(errors.As(err, &some) && len(fleet) > 0) {
		return nil, err
	}
	return rendered{fleet, target.Name(), o.per}, err
}

// commitHere commits to the repository that holds --dir.
func (a app) commitHere(ctx context.Context, o renderOptions) error {
	root, err := openFolder(o.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	repository, err := gitrepo.Open(a.git(), o.dir)
	if err != nil {
		return err
	}
	if branch, err := repository.Branch(); o.push && o.branch == "" && err == nil && branch == "" {
		return hinted{gitrepo.ErrNoBranch, "Say --branch NAME: HEAD is detached, as jobs of continuous integration often have it."}
	}
	o.input.progress = a.progress("environments rendered")
	here := checkout{a, o, repository, root}
	if o.dryRun {
		return here.dryRun(ctx)
	}
	done, failed, err := here.run(ctx)
	if len(done.drafts) == 0 {
		return errors.Join(failed, err)
	}
	if told := a.tell(o, done); told != nil {
		return told
	}
	if done.pushed != nil {
		here.warnUncommitted(ctx)
	}
	if !o.quiet && o.output != "json" {
		o.partial = failed != nil
		a.remark(o, done.drafts[0].all())
	}
	if failed != nil {
		what := "written"
		if o.push && !o.keepGoing {
			what = "committed, and nothing was pushed: mend it and run the same again, or push them with --keep-going"
		}
		failed = othersDone{failed, what}
	}
	return errors.Join(failed, err)
}

// checkout is a repository with a working tree that gets commits.
type checkout struct {
	app
	o          renderOptions
	repository *gitrepo.Local
	root       *os.Root
}

// dryRun says what would be committed. That includes what run would refuse.
func (c checkout) dryRun(ctx context.Context) error {
	work, failed := c.job(ctx, c.o)
	if work == nil {
		return failed
	}
	drafts, err := c.drafts(ctx, work)
	if err == nil {
		_, err = work.draft(c.root.FS(), c.o.force) // what a person changed there
	}
	if err != nil && !errors.Is(err, errNoEnvironment) {
		return forceHint(err)
	}
	if err := c.repository.Check(changesOf(drafts), c.o.options()); err != nil {
		return err
	}
	if told := c.tell(c.o, gitOutcome{drafts: drafts}); told != nil || failed == nil {
		return told
	}
	return othersDone{failed, "looked at"}
}

// commit brings the folder to what a job makes of it, and commits that.
func (c checkout) commit(ctx context.Context, work job) (done gitOutcome, err error) {
	drafts, err := c.drafts(ctx, work)
	if err != nil {
		return done, forceHint(fmt.Errorf("compare with the last commit: %w", err))
	}
	if err := c.repository.Check(changesOf(drafts), c.o.options()); err != nil {
		return done, err
	}
	if _, err := work.write(c.root, c.o.force); err != nil {
		return done, forceHint(err)
	}
	for _, d := range drafts {
		made, err := c.commitDraft(ctx, d)
		if err != nil {
			return done, hinted{err, "The files are written, and not committed: mend it and run the same again."}
		}
		done.drafts, done.made = append(done.drafts, d), append(done.made, made)
	}
	done.hooks = c.repository.Hooks()
	done.removed, _ = work.(*removal)
	return done, nil
}

// changesOf is what drafts change, all of them.
func changesOf(drafts []draft) gitrepo.Changes {
	all := gitrepo.Changes{Write: render.Tree{}}
	for _, d := range drafts {
		changes := d.changes()
		maps.Copy(all.Write, changes.Write)
		all.Remove = append(all.Remove, changes.Remove...)
	}
	return all
}

// drafts is what of HEAD has to change. A person may have changed files since
// then and even before: what the folder lets us do is what counts.
func (c checkout) drafts(ctx context.Context, work job) ([]draft, error) {
	head, err := c.repository.At("HEAD")
	if err != nil {
		return nil, err
	}
	defer head.Close()
	return work.draft(head.FS(ctx, work.likely()...), true)
}

func (c checkout) commitDraft(ctx context.Context, d draft) (gitrepo.Result, error) {
	options := c.o.options()
	var err error
	if options.Message, err = d.message(c.o.text()); err != nil {
		return gitrepo.Result{}, err
	}
	changes := d.changes()
	var removed []string
	for _, name := range changes.Remove {
		// What is there all the same belongs to an environment that is yet to be committed.
		if _, err := c.root.Lstat(name); err != nil {
			removed = append(removed, name)
		}
	}
	changes.Remove = removed
	result, err := c.repository.Commit(ctx, changes, options)
	if errors.Is(err, gitrepo.ErrUnchanged) {
		err = nil
	}
	return result, err
}

func (c checkout) push(ctx context.Context) (*pushed, error) {
	done, err := c.repository.Push(ctx, gitrepo.PushOptions{Branch: c.o.branch})
	if errors.Is(err, gitrepo.ErrUnchanged) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("push: %w", err)
	}
	return &pushed{done.URL, done.Branch, done.Hash}, nil
}

// othersDone is failures of some environments, and what was done to the others.
type othersDone struct {
	error
	what string // written, and the like
}

func (o othersDone) Unwrap() error { return o.error }
