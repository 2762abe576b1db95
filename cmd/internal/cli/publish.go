package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// job makes what the flags ask for. Where some environments fail and the others
// may be worked on all the same, it gives both.
func (a app) job(ctx context.Context, o renderOptions) (publish.Job, error) {
	target, err := a.targets.ByName(o.target)
	if err != nil {
		return nil, usageError{err}
	}
	if o.remove != "" {
		place := "folder " + o.dir
		if o.repo != "" {
			place = "the repository"
		}
		return &publish.Removal{Environment: o.remove, Place: place, Layouts: a.targets.Layouts()}, nil
	}
	members, err := a.renderFleet(ctx, o.input, target)
	if err != nil && len(members) == 0 {
		return nil, err
	}
	return publish.Rendered{Members: members, Target: target.Name(), Layouts: a.targets.Layouts(), PerEnvironment: o.per == "environment"}, err
}

// publishing asks for commits, but not for what they are made of.
func (o renderOptions) publishing(a app) publish.Request {
	return publish.Request{
		Force: o.force, DryRun: o.dryRun, KeepGoing: o.keepGoing, Branch: o.branch,
		Message: strings.Join(o.messages, "\n\n"), Version: versions().Version, Sign: gitrepo.Signing(o.signs), System: a.git(),
	}
}

// commitHere commits to the repository that holds --dir.
func (a app) commitHere(ctx context.Context, o renderOptions) error {
	root, err := openFolder(o.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	o.input.progress = a.progress("environments rendered")
	request := o.publishing(a)
	request.Push, request.Files = o.push, o.filesRead(a)
	request.Make = func(ctx context.Context, _ fs.FS) (publish.Job, error) { return a.job(ctx, o) }
	done, err := publish.ToCheckout(ctx, root, request)
	return a.tellCheckout(o, done, hintPublish(err))
}

// tellCheckout says what became of a checkout, and gives the error of it all.
func (a app) tellCheckout(o renderOptions, done publish.Outcome, err error) error {
	a.warn(done.Warnings)
	switch {
	case err != nil && o.dryRun:
		return err
	case len(done.Drafts) == 0 && !o.dryRun:
		return errors.Join(done.Failed, err)
	}
	if told := a.tell(o, done); told != nil {
		return told
	}
	for _, file := range done.Uncommitted {
		fmt.Fprintf(a.err, "warning: %s is not committed as it is here: commit and push it as well, or the next render of the repository undoes this\n", text.Visible(file))
	}
	if !o.quiet && !o.dryRun && o.output != "json" {
		o.partial = done.Failed != nil
		a.remark(o, done.Drafts[0].All())
	}
	what := "written"
	switch {
	case done.Failed == nil:
		return err
	case o.dryRun:
		what = "looked at"
	case o.push && !o.keepGoing:
		what = "committed, and nothing was pushed: mend it and run the same again, or push them with --keep-going"
	}
	return errors.Join(partialError{done.Failed, what}, err)
}

// filesRead names the environment files that the flags lead to.
func (in input) filesRead(a app) []string {
	request, err := in.request(a)
	if err != nil {
		return nil
	}
	sources, _ := request.Sources()
	var names []string
	for _, source := range sources {
		names = append(names, source.Name)
	}
	return names
}

// commitThere commits to a repository that has no checkout here.
func (a app) commitThere(ctx context.Context, o renderOptions) error {
	o.input.progress = a.progress("environments rendered")
	request := o.publishing(a)
	var local publish.Job // with --local it does not depend on the repository
	var failed error
	request.Make = func(ctx context.Context, repository fs.FS) (publish.Job, error) {
		if local != nil {
			return local, failed
		}
		o := o
		if !o.local {
			o.tree = repository
		}
		job, err := a.job(ctx, o)
		if o.local {
			local, failed = job, err
		}
		return job, err
	}
	done, err := publish.ToRemote(ctx, o.repo, request)
	a.warn(done.Warnings)
	if err != nil {
		return hintPublish(err)
	}
	if told := a.tell(o, done); told != nil || done.Failed == nil {
		return told
	}
	if o.dryRun {
		return partialError{done.Failed, "looked at"}
	}
	return partialError{done.Failed, "written"}
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
	return forceHint(err)
}
