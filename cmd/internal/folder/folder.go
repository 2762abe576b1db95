// Package folder writes the tree of an environment into a folder: the one
// place that knows which files there are ours.
//
// Nothing is written unless everything may be. Each file is replaced whole,
// so that after a crash every file is the old or the new one, and running
// again finishes the job. Files that a person changed, or put where ours
// belong, are never overwritten or deleted unless forced. Nothing outside the
// folder is touched, and nothing is written or removed through a symbolic link.
package folder

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
)

// Changes is what a write did, or found to do, each list sorted.
type Changes struct {
	Created, Updated, Removed []string
	Unchanged                 int
}

// Empty reports whether nothing changed.
func (c Changes) Empty() bool { return len(c.Created)+len(c.Updated)+len(c.Removed) == 0 }

// Write brings the folder to trees that render.Render made, inventories
// included, each of another environment: it writes what is new or different
// and removes what earlier trees of the same environments had. Either all of
// it may be done or nothing is. The error joins every reason not to: a
// [ConflictError], [MoveError], [TargetError] or [TwinError], unless force is
// set, a [PathError] in any case; or it says what could not be read or written.
func Write(root *os.Root, trees []render.Tree, force bool) (Changes, error) {
	writes, err := writesOf(trees)
	if err != nil {
		return Changes{}, err
	}
	known, err := readInventories(root, writes)
	if err != nil {
		return Changes{}, err
	}
	if err := known.elsewhere(root, writes); err != nil {
		return Changes{}, err
	}
	s := step{root: root, known: known, force: force, plain: map[string]bool{}, made: map[string]bool{}}
	if !force {
		s.refusals = known.refusals(writes)
	}
	s.compare(trees, writes)
	s.stale(writes)
	if err := s.err(); err != nil {
		return Changes{}, err
	}
	return s.changes, s.apply(writes)
}

// Remove takes an environment's files out of the folder, but for those that
// another environment shares, and gives the inventory that it had. Errors are
// as in [Write].
func Remove(root *os.Root, inventoryPath string, force bool) (Changes, render.Inventory, error) {
	var had render.Inventory
	gone := []write{{inventoryPath: inventoryPath, next: render.Inventory{Environment: strings.TrimSuffix(path.Base(inventoryPath), ".json")}}}
	known, err := readInventories(root, gone)
	if err != nil {
		return Changes{}, had, err
	}
	s := step{root: root, known: known, force: force, plain: map[string]bool{}, made: map[string]bool{}}
	if _, _, err := s.read(inventoryPath); err != nil {
		return Changes{}, had, err
	}
	s.stale(gone)
	if err := s.err(); err != nil {
		return Changes{}, had, err
	}
	if err := s.removeAll(slices.Concat(s.changes.Removed, known.leftovers[inventoryPath])); err != nil {
		return Changes{}, had, err
	}
	s.prune(s.unwanted)
	// The inventory goes last: until then, running again finishes the job.
	if err := s.removeAll([]string{inventoryPath}); err != nil {
		return Changes{}, had, err
	}
	s.prune([]string{inventoryPath})
	if inventories := known.of[gone[0].next.Environment]; inventories != nil {
		had = inventories[0]
	}
	return s.changes, had, nil
}

// write is one environment that is to be written.
type write struct {
	inventoryPath string
	next          render.Inventory
	tree          render.Tree
}

// step is what is to be done, found out before anything is done.
type step struct {
	root      *os.Root
	known     inventories
	force     bool
	changes   Changes
	unwanted  []string // the files that are to be gone, there or not
	conflicts []string
	refusals  []error // what force would overrule, but for conflicts
	failures  []error
	plain     map[string]bool // folders that are no symbolic links, nor is one above them
	made      map[string]bool // folders that were made, or were there
}

// err is why nothing may be done: all of it, so that nobody forces more than
// they have seen.
func (s *step) err() error {
	if err := errors.Join(s.failures...); err != nil {
		return err
	}
	if len(s.conflicts) > 0 {
		s.refusals = append(s.refusals, ConflictError{s.conflicts})
	}
	return errors.Join(s.refusals...)
}

// compare finds out which files of the trees are to be written. Trees may
// share files: they are the same in all of them.
func (s *step) compare(trees []render.Tree, writes []write) {
	all, inventories := render.Tree{}, map[string]bool{}
	for _, tree := range trees {
		maps.Copy(all, tree)
	}
	for _, w := range writes {
		inventories[w.inventoryPath] = true
	}
	for _, name := range all.Paths() {
		content, found, err := s.read(name)
		switch {
		case err != nil:
			s.failures = append(s.failures, err)
		case !found:
			s.changes.Created = append(s.changes.Created, name)
		case bytes.Equal(content, all[name]):
			s.changes.Unchanged++
		default:
			s.mine(name, content, inventories[name])
			s.changes.Updated = append(s.changes.Updated, name)
		}
	}
}

// stale finds out which files the environments no longer want, nor any other.
func (s *step) stale(writes []write) {
	wanted, had := s.known.wanted(writes), map[string]bool{}
	for _, w := range writes {
		for _, inventory := range s.known.of[w.next.Environment] {
			for name := range inventory.Files {
				had[name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(had)) {
		if wanted[name] {
			continue
		}
		s.unwanted = append(s.unwanted, name)
		content, found, err := s.read(name)
		switch {
		case err != nil:
			s.failures = append(s.failures, err)
		case found:
			s.mine(name, content, false)
			s.changes.Removed = append(s.changes.Removed, name)
		}
	}
}

// mine notes a conflict unless a file is as we wrote it. An inventory is
// always ours.
func (s *step) mine(name string, content []byte, inventory bool) {
	switch {
	case s.force || inventory || s.known.wrote(name, render.Digest(content)):
	case s.known.lists(name):
		s.conflicts = append(s.conflicts, name+" (changed by someone)")
	default:
		s.conflicts = append(s.conflicts, name+" (put there by someone)")
	}
}

// read gives a file, and whether there is one. What is there and is no plain
// file is an error: a symbolic link is not followed, nor one on the way.
func (s *step) read(name string) (content []byte, found bool, err error) {
	if !fs.ValidPath(name) { // an inventory may say anything
		return nil, false, fmt.Errorf("read %s: it is no path inside the folder", name)
	}
	if link := s.linkAbove(name); link != "" {
		return nil, false, fmt.Errorf("read %s: folder %s is a symbolic link", name, link)
	}
	info, err := s.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("read %s: %w", name, reason(err))
	case !info.Mode().IsRegular():
		return nil, false, fmt.Errorf("read %s: it is no plain file", name)
	}
	content, err = s.root.ReadFile(name)
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", name, reason(err))
	}
	return content, true, nil
}

// linkAbove is the closest folder above a file that is a symbolic link, or
// empty. What is no link is looked at once: nothing is written meanwhile.
func (s *step) linkAbove(name string) string {
	var seen []string
	for dir := path.Dir(name); dir != "." && !s.plain[dir]; dir = path.Dir(dir) {
		if info, err := s.root.Lstat(dir); err == nil && info.Mode().Type() == fs.ModeSymlink {
			return dir
		}
		seen = append(seen, dir)
	}
	for _, dir := range seen {
		s.plain[dir] = true
	}
	return ""
}

// apply does what was found out. New inventories are written beside the old
// ones first, and those of writes that died stay until these are done, so
// that a run after a crash knows the files of all of them. Nothing is removed
// before everything new is there.
func (s *step) apply(writes []write) error {
	dirty := s.dirty(writes)
	for _, w := range dirty {
		if err := s.replace(w.pending(), w.growing(), w.tree[w.inventoryPath]); err != nil {
			return err
		}
	}
	missing := map[string]bool{}
	for _, name := range slices.Concat(s.changes.Created, s.changes.Updated) {
		missing[name] = true
	}
	for _, w := range dirty {
		if err := s.fill(w, missing); err != nil {
			return err
		}
	}
	if err := s.removeAll(s.changes.Removed); err != nil {
		return err
	}
	s.prune(s.unwanted)
	for _, w := range dirty {
		if err := s.finish(w); err != nil {
			return err
		}
	}
	return nil
}

// dirty is the writes that have something to do.
func (s *step) dirty(writes []write) []write {
	changed := map[string]bool{}
	for _, name := range slices.Concat(s.changes.Created, s.changes.Updated, s.unwanted) {
		changed[name] = true
	}
	return slices.DeleteFunc(writes, func(w write) bool {
		if len(s.known.leftovers[w.inventoryPath]) > 0 {
			return false
		}
		for name := range w.tree {
			if changed[name] {
				return false
			}
		}
		for _, inventory := range s.known.of[w.next.Environment] {
			for name := range inventory.Files {
				if changed[name] {
					return false
				}
			}
		}
		return true
	})
}

// fill writes the files of one environment that are missing, but for its
// inventory.
func (s *step) fill(w write, missing map[string]bool) error {
	for _, name := range w.tree.Paths() {
		if name == w.inventoryPath || !missing[name] {
			continue
		}
		if err := s.replace(name, w.growing(), w.tree[name]); err != nil {
			return err
		}
		delete(missing, name)
	}
	return nil
}

// finish puts the new inventory in the place of the old one.
func (s *step) finish(w write) error {
	dead := slices.DeleteFunc(s.known.leftovers[w.inventoryPath], func(name string) bool { return name == w.pending() })
	if err := s.removeAll(dead); err != nil {
		return err
	}
	if err := s.root.Rename(w.pending(), w.inventoryPath); err != nil {
		return fmt.Errorf("write %s: %w", w.inventoryPath, reason(err))
	}
	return nil
}

// pending is where the new inventory lies until the write is done. Each has
// its own place, since the writes before it may have died as well.
func (w write) pending() string {
	digest := strings.TrimPrefix(render.Digest(w.tree[w.inventoryPath]), "sha256:")
	return w.inventoryPath + "." + digest[:12] + pendingSuffix
}

// growing is where the file that is being written lies.
func (w write) growing() string { return w.inventoryPath + growingSuffix }

// replace puts a whole new file in the place of the old one. The new file
// grows at growing, beside the inventory, where no controller looks.
func (s *step) replace(name, growing string, content []byte) error {
	for _, folder := range []string{path.Dir(name), path.Dir(growing)} {
		if s.made[folder] {
			continue
		}
		if err := s.root.MkdirAll(folder, 0o777); err != nil {
			return fmt.Errorf("make folder %s: %w", folder, reason(err))
		}
		s.made[folder] = true
	}
	err := s.create(growing, content)
	if err == nil {
		err = s.root.Rename(growing, name)
	}
	if err != nil {
		_ = s.root.Remove(growing)
		return fmt.Errorf("write %s: %w", name, reason(err))
	}
	return nil
}

// create writes a file of its own, whatever a write that died, or a person,
// left in its place: a link there must not lead us into another file.
func (s *step) create(name string, content []byte) error {
	const fresh = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	file, err := s.root.OpenFile(name, fresh, 0o666)
	if errors.Is(err, fs.ErrExist) {
		if err := s.root.Remove(name); err != nil {
			return err
		}
		file, err = s.root.OpenFile(name, fresh, 0o666)
	}
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}

// removeAll removes files.
func (s *step) removeAll(names []string) error {
	for _, name := range names {
		if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %s: %w", name, reason(err))
		}
	}
	return nil
}

// prune removes the folders of files that are gone, if they are empty.
func (s *step) prune(names []string) {
	for _, name := range names {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if err := s.root.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				break // not empty: the rest is in use
			}
		}
	}
}

// reason is an error of the operating system without the operation and the
// path, which our own message has.
func reason(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		return link.Err
	}
	return err
}
