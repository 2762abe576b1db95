// Package upgrade changes the versions of environments in a repository without a checkout:
// it finds the versions that there are, edits environment files on top of a commit, brings
// locks along, renders, asks whether mirrors have it all, and keeps a pull request for
// each. It prints nothing: a [Result] says what became of an environment.
package upgrade

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/edit"
	"github.com/pm-gitops/pm-gitops/render/lock"
	"github.com/pm-gitops/pm-gitops/render/tree"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// Maker makes new versions of environments, and all that follows from them.
type Maker struct {
	Request fleet.Request // how files are read; files and repository are those of each change
	Target  render.Choice
	Layouts tree.Layouts
	Charts  Charts
}

// Change is new versions of an environment on top of the files of a commit.
type Change struct {
	Before fleet.Member
	// Members are rendered with the new versions: the environment itself, then the
	// others that extend a file of defaults which has one of the versions.
	Members []fleet.Member
	From    upgrade.Versions
	To      upgrade.Versions
	Needs   Needs  // of the environment itself
	Locked  string // the path of the lock that was updated; empty for none
}

// After is the environment with the new versions.
func (c Change) After() fleet.Member { return c.Members[0] }

// Job gives what is to be committed.
func (c Change) Job(layouts tree.Layouts) publish.Rendered {
	return publish.Rendered{Members: c.Members, Layouts: layouts, Sources: fleet.Sources(c.Members)}
}

// work is a change that is being made.
type work struct {
	Maker
	request fleet.Request
	before  fleet.Member
	copies  bool
}

// Make changes the versions of an environment on top of files. With copies, its mirror
// gets what it lacks.
func (m Maker) Make(ctx context.Context, files fs.FS, before fleet.Member, to upgrade.Versions, copies bool) (Change, error) {
	w := work{m, m.Request, before, copies}
	w.request.Repository, w.request.Files, w.request.Environments = files, []string{before.File}, nil
	w.request.Instead, w.request.Progress = map[string][]byte{}, nil
	change := Change{Before: before, From: upgrade.VersionsOf(before.Environment), To: maps.Clone(to)}
	if err := w.edit(ctx, change.From, to); err != nil {
		return change, err
	}
	if err := w.lock(ctx, &change); err != nil {
		return change, err
	}
	members, err := fleet.Render(ctx, w.request, m.Target)
	if err != nil {
		return change, err
	}
	change.Members = members
	if change.Locked != "" {
		change.Members[0].Sources[change.Locked] = w.request.Instead[change.Locked]
	}
	return change, nil
}

// edit writes versions where the environment has them.
func (w *work) edit(ctx context.Context, from, to upgrade.Versions) error {
	env, err := w.request.Editable(ctx)
	if err != nil {
		return err
	}
	var edits []edit.Edit
	for _, part := range from.Changed(to) {
		edits = append(edits, edit.Edit{Op: edit.Set, Path: "spec.versions." + string(part), Value: edit.Text(to[part])})
	}
	if _, err := env.Apply(edits...); err != nil {
		return err
	}
	for _, file := range env.Files() {
		if string(file.Old) != string(file.New) {
			w.request.Instead[w.request.Place(file.Name)] = file.New
		}
	}
	return nil
}

// lock finds out what the environment needs now, writes its next lock if it has one, and
// the digests of charts that its file pins.
func (w *work) lock(ctx context.Context, change *Change) error {
	unpinned := w.request
	unpinned.Unpinned = true
	members, err := fleet.Load(ctx, unpinned, w.Target)
	if err != nil {
		return err
	}
	after := members[0]
	name := w.request.Place(after.Environment.LockFile())
	had, err := w.readLock(name)
	if err != nil {
		return err
	}
	if change.Needs, err = w.Charts.Needs(ctx, after, had, w.copies); err != nil {
		return err
	}
	if err := w.pinCharts(ctx, change, after); err != nil {
		return err
	}
	if had.File() == "" && !after.Environment.Spec.Versions.Pin {
		return nil
	}
	return w.writeLock(name, had, change)
}

// readLock reads the lock of the environment; the zero value where there is none.
func (w *work) readLock(name string) (lock.Lock, error) {
	data, err := fs.ReadFile(w.request.Repository, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return lock.Lock{}, nil
	case err != nil:
		return lock.Lock{}, fmt.Errorf("read the lock of %s: %w", w.before.Environment.Metadata.Name, err)
	}
	return lock.Parse(name, data)
}

// writeLock writes the next lock. A tag that means something else than before is refused:
// only a person can tell why.
func (w *work) writeLock(name string, had lock.Lock, change *Change) error {
	if why := change.Needs.Unlocked; why != nil {
		if !w.before.Environment.IsPinned() {
			return nil // it is said in the pull request
		}
		return fmt.Errorf("lock the new versions of %s: %w", w.before.Environment.Metadata.Name, why)
	}
	var moved []error
	for _, c := range had.Changes(change.Needs.Lock) {
		moved = append(moved, fmt.Errorf("%s is %s, and %s has %s: the tag means something else than when it was locked", c.Source, c.Now, name, c.Locked))
	}
	if moved != nil {
		return errors.Join(moved...)
	}
	content, err := change.Needs.Lock.YAML()
	if err != nil {
		return err
	}
	if _, err := lock.Parse(name, content); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if string(content) != string(had.Data()) {
		w.request.Instead[name], change.Locked = content, name
	}
	return nil
}

// pinCharts adds the digest to the versions of charts that the file pinned by theirs.
func (w *work) pinCharts(ctx context.Context, change *Change, after fleet.Member) error {
	pinned := maps.Clone(change.To)
	for _, part := range change.From.Changed(change.To) {
		if !part.IsChart() || !strings.Contains(change.From[part], "@") || strings.Contains(change.To[part], "@") {
			continue
		}
		artifact := change.Needs.find(after, part, change.To[part])
		if artifact.Digest == "" {
			return fmt.Errorf("%s %s: the file pins the digest, and no registry gives that of the new version", part, change.To[part])
		}
		pinned[part] += "@" + artifact.Digest
	}
	changed := len(change.To.Changed(pinned)) > 0
	if !changed {
		return nil
	}
	for name := range w.request.Instead {
		delete(w.request.Instead, name)
	}
	change.To = pinned
	return w.edit(ctx, change.From, pinned)
}

// affects gives the environments of a change, in their order.
func (c Change) affects() []string {
	var names []string
	for _, m := range c.Members {
		names = append(names, string(m.Environment.Metadata.Name))
	}
	slices.Sort(names[1:])
	return names
}
