// Package fleet takes environments from the files that a request names to
// plans and renderings. It finds the files, reads and parses them, plans and
// renders each environment, and refuses environments that cannot all be
// applied. It prints nothing and writes nothing.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// DefaultFile is the environment file where none is named.
const DefaultFile = "environment.yaml"

// Request says which environments are wanted.
type Request struct {
	Files        []string // files, folders and patterns in which ** stands for any folders; - for Stdin
	Recursive    bool     // folders are taken with the folders in them
	Environments []string // only those of these names; all of them if empty
	Catalog      string   // a file that adds to the catalog or corrects it; may be empty
	Jobs         int      // how many environments are worked on at a time; one if it is less

	// Instead has content that counts in place of what files hold, by the names that
	// [Resolve] gives or, in a repository, [Request.Place]: edits that are not written yet.
	Instead map[string][]byte

	// Repository holds all files, by paths inside it. If it is nil they are
	// those of this machine.
	Repository fs.FS
	Stdin      io.Reader

	// Defaults also gives the files of defaults that environments extend,
	// without a plan and a rendering. Otherwise one that Files names itself is an
	// error.
	Defaults bool
	// Unpinned plans environments as if none were pinned by its lock.
	Unpinned bool
	// AllowUnlocked also renders pinned environments whose lock lacks something: what
	// it lacks is not pinned.
	AllowUnlocked bool
	// AllowCollisions also gives environments that cannot all be applied.
	AllowCollisions bool

	// Progress is told how many of the files are done: none at first, then
	// each time one more. It is never called twice at once, and may be nil.
	Progress func(done, total int)
}

// Member is an environment of a fleet.
type Member struct {
	// Index is the member's place among those that came with it, from 0. It tells
	// apart what belongs to which of them.
	Index int
	File  string // as the request names it, or as it was found
	// Sources are the files that the environment was made from: its own, those that it
	// extends, its catalog, its capabilities and its lock. Their names are paths in the
	// request's repository, and on this machine as File. Standard input and the request's
	// own catalog are not among them.
	Sources     tree.Tree
	Environment render.Environment
	Catalog     catalog.Catalog // the program's own, with what the file and the request add
	Plan        render.Plan     // its Warnings are for the caller to show
	Rendering   render.Rendering
}

// Trees gives what was rendered for members, in their order.
func Trees(members []Member) []tree.Tree {
	var trees []tree.Tree
	for _, m := range members {
		trees = append(trees, m.Rendering.Tree)
	}
	return trees
}

// Sources gives the files that each member was made from, in the order of the members.
func Sources(members []Member) []tree.Tree {
	var sources []tree.Tree
	for _, m := range members {
		sources = append(sources, m.Sources)
	}
	return sources
}

// Failures are the errors of the environments that failed, in the order of their
// files. The others are given beside them: a caller may go on with those.
type Failures []error

func (f Failures) Error() string { return errors.Join(f...).Error() }

// Unwrap gives each environment's error.
func (f Failures) Unwrap() []error { return f }

// IsPartial reports whether an error says that some environments failed and that
// the others, given with it, may be worked on.
func IsPartial(err error) bool {
	var failed Failures
	return errors.As(err, &failed)
}

// Load reads and plans the environments that a request names, in the order of
// their files; those of a folder or pattern by name. If the error is [Failures],
// the environments that did not fail are given with it.
func Load(ctx context.Context, r Request, target render.Choice) ([]Member, error) {
	return each(ctx, r, target, func(*Member) error { return nil })
}

// Render loads the environments that a request names, renders them, and checks
// that they can all be applied. If the error is [Failures], the environments that
// did not fail are given with it and can all be applied. With any other error
// they are given only to be reported on.
func Render(ctx context.Context, r Request, target render.Choice) ([]Member, error) {
	members, err := each(ctx, r, target, func(m *Member) (err error) {
		plan := m.Plan
		if r.AllowUnlocked {
			plan.Unlocked = nil
		}
		m.Rendering, err = render.Render(plan, plan.Target())
		return err
	})
	if r.AllowCollisions {
		return members, err
	}
	var renderings []render.Rendering
	for _, m := range members {
		if !m.Environment.IsDefaults() {
			renderings = append(renderings, m.Rendering)
		}
	}
	if collide := render.Collisions(renderings).Err(); collide != nil {
		var failed Failures
		_ = errors.As(err, &failed)
		return members, errors.Join(append(failed, collide)...)
	}
	return members, err
}

// errSkipped marks a file that a request is not about.
var errSkipped = errors.New("skipped")

// each loads the members of a request and does some work for each, several at a
// time.
func each(ctx context.Context, r Request, target render.Choice, work func(*Member) error) ([]Member, error) {
	sources, err := r.Sources()
	if err != nil {
		return nil, err
	}
	over, err := r.ReadCatalog(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.fetch(sources); err != nil {
		return nil, err
	}
	members, outcomes := make([]Member, len(sources)), make([]error, len(sources))
	eachCounted(r.Jobs, len(sources), r.Progress, func(i int) {
		outcomes[i] = r.loadPlan(ctx, &members[i], sources[i], over, target)
		if outcomes[i] == nil && !members[i].Environment.IsDefaults() {
			outcomes[i] = work(&members[i])
		}
	})
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = string(m.Environment.Metadata.Name)
	}
	done, failed := sortOut(members, outcomes)
	switch {
	case ctx.Err() != nil: // the caller wants nothing done with the rest
		return nil, errors.Join(append(failed, ctx.Err())...)
	case len(failed) > 0:
		return done, failed
	}
	if err := r.checkKnown(names); err != nil {
		return nil, err
	}
	if len(done) == 0 {
		return nil, fmt.Errorf("%s: no environment there", text.OneOf(r.Files))
	}
	return done, nil
}

// loadPlan reads and plans an environment, unless the request is not about it.
func (r Request) loadPlan(ctx context.Context, m *Member, file Source, over catalog.Catalog, target render.Choice) (err error) {
	if *m, err = r.open(ctx, file, over); err != nil {
		return err
	}
	if len(r.Environments) > 0 && !slices.Contains(r.Environments, string(m.Environment.Metadata.Name)) {
		return errSkipped
	}
	if m.Environment.IsDefaults() {
		switch {
		case r.Defaults:
			return nil
		case file.Named:
			return fmt.Errorf("%s holds defaults that environments extend: it is no environment itself", m.File)
		}
		return errSkipped
	}
	chosen, err := target(m.Environment)
	if err != nil {
		return err
	}
	m.Plan, err = render.PlanFor(m.Environment, m.Catalog, chosen)
	return err
}

// sortOut takes the members that are done apart from the failures, and numbers
// them.
func sortOut(members []Member, outcomes []error) (done []Member, failed Failures) {
	for i, outcome := range outcomes {
		switch {
		case outcome == nil:
			members[i].Index = len(done)
			done = append(done, members[i])
		case !errors.Is(outcome, errSkipped):
			failed = append(failed, outcome)
		}
	}
	return done, failed
}

// checkKnown refuses a request for an environment that is not there.
func (r Request) checkKnown(names []string) error {
	known := slices.Compact(slices.Sorted(slices.Values(names)))
	known = slices.DeleteFunc(known, func(name string) bool { return name == "" })
	var missing []error
	for _, name := range r.Environments {
		if !slices.Contains(known, name) {
			missing = append(missing, fmt.Errorf("unknown environment %q%s", name, text.Suggest(name, known)))
		}
	}
	return errors.Join(missing...)
}
