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
	// All are the environments that change: the one itself, then the others that extend a
	// file of defaults which has one of the versions, by name.
	All      []Changed
	From, To upgrade.Versions
}

// Changed is an environment before and after a change, rendered.
type Changed struct {
	Before, After fleet.Member
	Needs         Needs
	Locked        string // the path of the lock that was updated; empty for none
}

// itself gives the environment whose change it is.
func (c Change) itself() Changed { return c.All[0] }

// others gives the names of the other environments.
func (c Change) others() []string {
	var names []string
	for _, one := range c.All[1:] {
		names = append(names, one.After.Plan.Environment)
	}
	return names
}

// members gives the environments as they are after the change.
func (c Change) members() []fleet.Member {
	var all []fleet.Member
	for _, one := range c.All {
		all = append(all, one.After)
	}
	return all
}

// job gives what is to be committed.
func (c Change) job(layouts tree.Layouts) publish.Rendered {
	return publish.Rendered{Members: c.members(), Layouts: layouts, Sources: fleet.Sources(c.members())}
}

// everyone gives all environments of a repository: they are read where an edit may change
// several.
type everyone func(context.Context) ([]fleet.Member, error)

// work is a change that is being made.
type work struct {
	Maker
	request fleet.Request
	change  Change
	copies  bool
}

// Make changes the versions of an environment on top of files. With copies, mirrors get
// what they lack.
func (m Maker) Make(ctx context.Context, files fs.FS, before fleet.Member, all everyone, to upgrade.Versions, copies bool) (Change, error) {
	w := work{m, m.Request, Change{All: []Changed{{Before: before}}, From: upgrade.VersionsOf(before.Environment), To: maps.Clone(to)}, copies}
	w.request.Repository, w.request.Files, w.request.Environments = files, []string{before.File}, nil
	w.request.Instead, w.request.Progress = map[string][]byte{}, nil
	if err := w.edit(ctx); err != nil {
		return w.change, err
	}
	if err := w.findOthers(ctx, all); err != nil {
		return w.change, err
	}
	if err := w.lock(ctx); err != nil {
		return w.change, err
	}
	members, err := fleet.Render(ctx, w.request, m.Target)
	if err != nil {
		return w.change, err
	}
	for i := range members {
		one := &w.change.All[i]
		if one.After = members[i]; one.Locked != "" {
			one.After.Sources[one.Locked] = w.request.Instead[one.Locked]
		}
	}
	return w.change, nil
}

// edit writes versions where the environment has them.
func (w *work) edit(ctx context.Context) error {
	own := w.request
	own.Files, own.Instead = own.Files[:1], nil
	env, err := own.Editable(ctx)
	if err != nil {
		return err
	}
	var edits []edit.Edit
	for _, part := range w.change.From.Changed(w.change.To) {
		edits = append(edits, edit.Edit{Op: edit.Set, Path: "spec.versions." + string(part), Value: edit.Text(w.change.To[part])})
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

// findOthers finds the other environments whose versions change, because they extend a
// file that was edited.
func (w *work) findOthers(ctx context.Context, all everyone) error {
	own := w.request.Place(w.request.Files[0])
	shared := slices.DeleteFunc(slices.Collect(maps.Keys(w.request.Instead)), func(name string) bool { return name == own })
	if len(shared) == 0 {
		return nil
	}
	members, err := all(ctx)
	if err != nil {
		return err
	}
	for _, m := range members {
		extends := slices.ContainsFunc(shared, func(name string) bool { _, reads := m.Sources[name]; return reads })
		if !extends || w.request.Place(m.File) == own {
			continue
		}
		after, err := w.load(ctx, m.File)
		if err != nil {
			return err
		}
		if len(upgrade.VersionsOf(m.Environment).Changed(upgrade.VersionsOf(after.Environment))) > 0 {
			w.change.All = append(w.change.All, Changed{Before: m})
			w.request.Files = append(w.request.Files, m.File)
		}
	}
	return nil
}

// load plans an environment with the edits, without its lock.
func (w *work) load(ctx context.Context, file string) (fleet.Member, error) {
	one := w.request
	one.Files, one.Unpinned = []string{file}, true
	members, err := fleet.Load(ctx, one, w.Target)
	if err != nil {
		return fleet.Member{}, err
	}
	return members[0], nil
}

// lock finds out what environments need now, writes the next locks of those that have
// one, and the digests of charts that the file pins.
func (w *work) lock(ctx context.Context) error {
	for i := range w.change.All {
		one := &w.change.All[i]
		after, err := w.load(ctx, one.Before.File)
		if err != nil {
			return err
		}
		name := w.request.Place(after.Environment.LockFile())
		had, err := w.readLock(name)
		if err != nil {
			return err
		}
		if one.Needs, err = w.Charts.Needs(ctx, after, had, w.copies); err != nil {
			return err
		}
		if i == 0 {
			if err := w.pinCharts(ctx, after); err != nil {
				return err
			}
		}
		if had.File() == "" && !after.Environment.Spec.Versions.Pin {
			continue
		}
		if err := w.writeLock(name, had, one); err != nil {
			return fmt.Errorf("lock the new versions of %s: %w", after.Environment.Metadata.Name, err)
		}
	}
	return nil
}

// readLock reads a lock; the zero value where there is none.
func (w *work) readLock(name string) (lock.Lock, error) {
	data, err := fs.ReadFile(w.request.Repository, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return lock.Lock{}, nil
	case err != nil:
		return lock.Lock{}, fmt.Errorf("read %s of the repository: %w", name, err)
	}
	return lock.Parse(name, data)
}

// writeLock writes the next lock. A tag that means something else than before is refused:
// only a person can tell why. Where the next lock is not known, the one of an environment
// that is not pinned stays, which the pull request says.
func (w *work) writeLock(name string, had lock.Lock, one *Changed) error {
	if one.Needs.Unlocked != nil {
		if one.Before.Environment.Spec.Versions.Pin {
			return one.Needs.Unlocked
		}
		return nil
	}
	var moved []error
	for _, c := range had.Changes(one.Needs.Lock) {
		moved = append(moved, fmt.Errorf("%s is %s, and %s has %s: the tag means something else than when it was locked", c.Source, c.Now, name, c.Locked))
	}
	if moved != nil {
		return errors.Join(moved...)
	}
	content, err := one.Needs.Lock.YAML()
	if err != nil {
		return err
	}
	if _, err := lock.Parse(name, content); err != nil {
		return err
	}
	if string(content) != string(had.Data()) {
		w.request.Instead[name], one.Locked = content, name
	}
	return nil
}

// pinCharts adds the digest to the versions of charts that the file pinned by theirs.
func (w *work) pinCharts(ctx context.Context, after fleet.Member) error {
	pinned := maps.Clone(w.change.To)
	for _, part := range w.change.From.Changed(w.change.To) {
		if !part.IsChart() || !strings.Contains(w.change.From[part], "@") || strings.Contains(w.change.To[part], "@") {
			continue
		}
		digest := w.change.itself().Needs.find(after, part, w.change.To[part]).Digest
		if digest == "" {
			return fmt.Errorf("%s %s: the file pins the digest, and no registry gives that of the new version", part.Title(), w.change.To[part])
		}
		pinned[part] += "@" + digest
	}
	if len(w.change.To.Changed(pinned)) == 0 {
		return nil
	}
	w.change.To = pinned
	return w.edit(ctx)
}
