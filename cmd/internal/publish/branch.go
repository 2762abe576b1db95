package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// toBranch commits what the files of this machine render to, and those files, to a
// branch that is not checked out, and pushes it. The checkout's branches, index and
// working tree stay as they are. The commits go on top of the branch; a new one starts
// from the branch that the environments are delivered from (delivery.git.branch), by
// default the server's default branch.
func (l local) toBranch(ctx context.Context) (Outcome, error) {
	c := checkout{local: l}
	var err error
	if c.top, err = fleet.Resolve(l.root.Name()); err != nil {
		return Outcome{}, fmt.Errorf("find %s: %w", l.root.Name(), err)
	}
	if fleet.RepositoryAbove(c.top) != c.top {
		return Outcome{}, fmt.Errorf("%s is no root of a Git repository: a branch that is not checked out gets commits of the whole repository", l.root.Name())
	}
	from, err := c.from(ctx)
	if err != nil {
		return Outcome{}, err
	}
	remote, err := l.repository.Remote(ctx, gitrepo.RemoteOptions{Branch: l.Branch, From: from})
	if err != nil {
		return Outcome{}, err
	}
	request := l.Request
	request.Make = c.make
	done, err := request.toRemote(ctx, remote)
	done.Uncommitted = c.outside
	return done, err
}

// checkout is a working tree whose files are committed to a branch that is not checked
// out.
type checkout struct {
	local
	top      string // its root, with links followed
	rendered *Rendered
	failed   error    // of rendered
	outside  []string // sources that lie outside of the repository
}

// job makes the request's job of the files of this machine: what is rendered once, with
// its sources, and anything else each time.
func (c *checkout) job(ctx context.Context) (Job, error) {
	if c.rendered != nil {
		return *c.rendered, c.failed
	}
	job, failed := c.Make(ctx, nil)
	rendered, is := job.(Rendered)
	if !is {
		return job, failed
	}
	for _, sources := range fleet.Sources(rendered.Members) {
		inside := tree.Tree{}
		for _, name := range sources.Paths() {
			if place, err := c.place(name); err == nil {
				inside[place] = sources[name]
			} else if !slices.Contains(c.outside, name) {
				c.outside = append(c.outside, name)
			}
		}
		rendered.Sources = append(rendered.Sources, inside)
	}
	c.rendered, c.failed = &rendered, failed
	return rendered, failed
}

// make makes the job on a base, as a [Make] does, unless it would undo what others
// committed.
func (c *checkout) make(ctx context.Context, base fs.FS) (Job, error) {
	job, failed := c.job(ctx)
	if rendered, is := job.(Rendered); is && !c.Force {
		if err := c.refuseStale(ctx, base, rendered.Sources); err != nil {
			return nil, err
		}
	}
	return job, failed
}

// place gives the path that a file of this machine has in the repository.
func (c *checkout) place(name string) (string, error) {
	full, err := fleet.Resolve(filepath.FromSlash(name))
	if err != nil {
		return "", err
	}
	return relative(c.top, full)
}

// refuseStale refuses sources that are as HEAD has them where the base has others: the
// commit would undo what others did.
func (c *checkout) refuseStale(ctx context.Context, base fs.FS, sources []tree.Tree) error {
	head, err := c.repository.At("HEAD")
	if err != nil {
		return err
	}
	defer head.Close()
	files := head.FS(ctx)
	var stale []string
	for _, one := range sources {
		for _, name := range one.Paths() {
			theirs, missing := fs.ReadFile(base, name)
			had, err := fs.ReadFile(files, name)
			if missing == nil && err == nil && !sameText(theirs, one[name]) && sameText(had, one[name]) {
				stale = append(stale, name)
			}
		}
	}
	if stale = slices.Compact(slices.Sorted(slices.Values(stale))); len(stale) > 0 {
		return &StaleError{stale}
	}
	return nil
}

// StaleError says which files of a checkout are older than those of the branch that they
// would be committed to.
type StaleError struct{ Files []string }

func (e *StaleError) Error() string {
	return fmt.Sprintf("%s of the checkout would undo what others committed: run git pull first", strings.Join(e.Files, ", "))
}

// from gives the branch that all environments are delivered from, empty if they do not
// say.
func (c *checkout) from(ctx context.Context) (string, error) {
	job, failed := c.job(ctx)
	rendered, is := job.(Rendered)
	if job == nil || !is {
		return "", failed
	}
	var branches []string
	for _, m := range rendered.Members {
		if git := m.Environment.Spec.Delivery.Git; git != nil && git.Branch != "" {
			branches = append(branches, string(git.Branch))
		}
	}
	branches = slices.Compact(slices.Sorted(slices.Values(branches)))
	switch len(branches) {
	case 0:
		return "", nil
	case 1:
		return branches[0], nil
	}
	return "", errors.New("the environments are delivered from different branches: choose some with --environment: " + text.OneOf(branches))
}
