package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// toBranch commits to a branch that is not checked out, as a [Checkout] has it, and pushes
// it: on top of the branch, or of where a new one starts.
func (l local) toBranch(ctx context.Context) (Outcome, error) {
	c, err := l.elsewhere(ctx)
	if err != nil {
		return Outcome{}, err
	}
	remote, err := c.Open(ctx, l.Branch, c.From)
	if err != nil {
		return Outcome{}, err
	}
	request := l.Request
	request.Make = c.Make
	done, err := request.toRemote(ctx, remote)
	done.Uncommitted = c.Outside
	return done, err
}

// Checkout is a working tree whose files are committed to a branch that is not checked
// out: what they render to, and those files. Its branches, index and working tree stay as
// they are.
type Checkout struct {
	// From is the branch that the environments are delivered from (delivery.git.branch),
	// empty if they do not say.
	From string
	// URL names where HEAD's branch is pushed to. It may hold credentials.
	URL string
	// Outside are the files that lie outside of the repository, and are in no commit.
	Outside []string

	local
	top      string // its root, with links followed
	rendered *Rendered
	failed   error // of rendered
}

// OpenCheckout opens the working tree of a folder, its root, for a request.
func OpenCheckout(ctx context.Context, root *os.Root, r Request) (*Checkout, error) {
	repository, err := gitrepo.Open(r.System, root.Name())
	if err != nil {
		return nil, err
	}
	return local{r, repository, root}.elsewhere(ctx)
}

func (l local) elsewhere(ctx context.Context) (*Checkout, error) {
	c := &Checkout{local: l}
	var err error
	if c.top, err = fleet.Resolve(l.root.Name()); err != nil {
		return nil, fmt.Errorf("find %s: %w", l.root.Name(), err)
	}
	if fleet.RepositoryAbove(c.top) != c.top {
		return nil, fmt.Errorf("%s is no root of a Git repository: a branch that is not checked out gets commits of the whole repository", l.root.Name())
	}
	if c.URL, err = l.repository.PushURL(); err != nil {
		return nil, err
	}
	c.From, err = c.from(ctx)
	return c, err
}

// Open opens a branch of the repository that HEAD's branch is pushed to.
func (c *Checkout) Open(ctx context.Context, branch, from string) (*gitrepo.Remote, error) {
	return c.repository.Remote(ctx, gitrepo.RemoteOptions{Branch: branch, From: from})
}

// job makes the request's job of the files of this machine: what is rendered once, with
// its sources, and anything else each time.
func (c *Checkout) job(ctx context.Context) (Job, error) {
	if c.rendered != nil {
		return *c.rendered, c.failed
	}
	job, failed := c.Request.Make(ctx, nil)
	rendered, is := job.(Rendered)
	if !is {
		return job, failed
	}
	for _, sources := range fleet.Sources(rendered.Members) {
		inside := tree.Tree{}
		for _, name := range sources.Paths() {
			if place, err := c.place(name); err == nil {
				inside[place] = sources[name]
			} else if !slices.Contains(c.Outside, name) {
				c.Outside = append(c.Outside, name)
			}
		}
		rendered.Sources = append(rendered.Sources, inside)
	}
	c.rendered, c.failed = &rendered, failed
	return rendered, failed
}

// Make makes the job on a base, as a [Make] does, unless it would undo what others
// committed.
func (c *Checkout) Make(ctx context.Context, base fs.FS) (Job, error) {
	job, failed := c.job(ctx)
	if rendered, is := job.(Rendered); is && !c.Force {
		if err := c.refuseStale(ctx, base, rendered.Sources); err != nil {
			return nil, err
		}
	}
	return job, failed
}

// place gives the path that a file of this machine has in the repository.
func (c *Checkout) place(name string) (string, error) {
	full, err := fleet.Resolve(filepath.FromSlash(name))
	if err != nil {
		return "", err
	}
	return relative(c.top, full)
}

// refuseStale refuses sources that are as HEAD has them where the base has others: the
// commit would undo what others did.
func (c *Checkout) refuseStale(ctx context.Context, base fs.FS, sources []tree.Tree) error {
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
func (c *Checkout) from(ctx context.Context) (string, error) {
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
