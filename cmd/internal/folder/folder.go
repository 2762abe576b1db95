// Package folder writes the tree of an environment into a folder: the one
// place that knows which files there are ours.
//
// Nothing is written unless everything may be. Each file is replaced whole,
// so that after a crash every file is the old or the new one, and running
// again finishes the job. Files that a person changed, or put where ours
// belong, are never overwritten or deleted unless forced. Nothing outside the
// folder is touched, symbolic links included.
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

// ConflictError is files that are not as we left them.
type ConflictError struct {
	Paths []string // each with the reason behind it
}

func (e ConflictError) Error() string {
	return "these files are not as they were written; nothing was changed:\n  " + strings.Join(e.Paths, "\n  ")
}

// MoveError is a release that would be installed a second time.
type MoveError struct {
	Release  string
	Old, New render.InstalledAt
}

func (e MoveError) Error() string {
	return fmt.Sprintf("%s moves from Helm release %s in namespace %s to %s in %s: the old installation would stay, and a second one be made; nothing was changed",
		e.Release, e.Old.Name, e.Old.Namespace, e.New.Name, e.New.Namespace)
}

// TargetError is an environment that was rendered for another target.
type TargetError struct {
	Environment, Old, New string
}

func (e TargetError) Error() string {
	return fmt.Sprintf("environment %s is rendered for %s here: rendering it for %s replaces that; nothing was changed", e.Environment, e.Old, e.New)
}

// Write brings the folder to a tree that render.Render made, inventory
// included: it writes what is new or different and removes what an earlier
// tree of the same environment had. Errors are a [ConflictError], [MoveError]
// or [TargetError], unless force is set, or say what could not be read or
// written.
func Write(root *os.Root, tree render.Tree, force bool) (Changes, error) {
	inventoryPath, next, err := inventoryOf(tree)
	if err != nil {
		return Changes{}, err
	}
	known, err := readInventories(root, path.Dir(inventoryPath))
	if err != nil {
		return Changes{}, err
	}
	if err := known.allows(next, force); err != nil {
		return Changes{}, err
	}
	s := step{root: root, known: known, force: force}
	s.compare(tree, inventoryPath)
	s.stale(next.Environment, next.Files)
	if err := s.err(); err != nil {
		return Changes{}, err
	}
	return s.changes, s.apply(tree, inventoryPath)
}

// Remove takes an environment's files out of the folder, but for those that
// another environment shares. Errors are as in [Write].
func Remove(root *os.Root, inventoryPath string, force bool) (Changes, error) {
	known, err := readInventories(root, path.Dir(inventoryPath))
	if err != nil {
		return Changes{}, err
	}
	s := step{root: root, known: known, force: force}
	s.stale(strings.TrimSuffix(path.Base(inventoryPath), ".json"), nil)
	if err := s.err(); err != nil {
		return Changes{}, err
	}
	if err := s.removeAll(append(s.changes.Removed, inventoryPath, pendingOf(inventoryPath))); err != nil {
		return Changes{}, err
	}
	return s.changes, nil
}

// Find is the inventories of an environment anywhere below the folder.
func Find(root *os.Root, environment string) ([]string, error) {
	var found []string
	err := fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == ".git":
			return fs.SkipDir
		case entry.Name() == environment+".json" && path.Base(path.Dir(name)) == render.InventoryFolder:
			found = append(found, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for environment %s: %w", environment, err)
	}
	return found, nil
}

// inventoryOf finds the inventory in a tree.
func inventoryOf(tree render.Tree) (string, render.Inventory, error) {
	for _, name := range tree.Paths() {
		if path.Base(path.Dir(name)) == render.InventoryFolder {
			inventory, err := render.ParseInventory(tree[name])
			return name, inventory, err
		}
	}
	return "", render.Inventory{}, errors.New("the tree has no inventory")
}

// step is one write: what is to be done, found out before anything is done.
type step struct {
	root      *os.Root
	known     inventories
	force     bool
	changes   Changes
	conflicts []string
	failures  []error
}

func (s *step) err() error {
	if err := errors.Join(s.failures...); err != nil {
		return err
	}
	if len(s.conflicts) > 0 {
		return ConflictError{s.conflicts}
	}
	return nil
}

// compare finds out which files of the tree are to be written.
func (s *step) compare(tree render.Tree, inventoryPath string) {
	for _, name := range tree.Paths() {
		content, found, err := s.read(name)
		switch {
		case err != nil:
			s.failures = append(s.failures, err)
		case !found:
			s.changes.Created = append(s.changes.Created, name)
		case bytes.Equal(content, tree[name]):
			s.changes.Unchanged++
		default:
			s.mine(name, content, name == inventoryPath)
			s.changes.Updated = append(s.changes.Updated, name)
		}
	}
}

// stale finds out which files of an environment are no longer wanted.
func (s *step) stale(environment string, wanted map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(s.known.filesOf(environment))) {
		if _, keep := wanted[name]; keep || s.known.sharedBeyond(environment, name) {
			continue
		}
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
// file is an error: a symbolic link is not followed.
func (s *step) read(name string) (content []byte, found bool, err error) {
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

// apply does what was found out. The new inventory is written beside the old
// one first, so that a run after a crash knows the files of both.
func (s *step) apply(tree render.Tree, inventoryPath string) error {
	if s.changes.Empty() {
		return nil
	}
	pending, growing := pendingOf(inventoryPath), inventoryPath+".new"
	if err := s.replace(pending, growing, tree[inventoryPath]); err != nil {
		return err
	}
	for _, name := range slices.Concat(s.changes.Created, s.changes.Updated) {
		if name == inventoryPath {
			continue
		}
		if err := s.replace(name, growing, tree[name]); err != nil {
			return err
		}
	}
	if err := s.removeAll(s.changes.Removed); err != nil {
		return err
	}
	if err := s.root.Rename(pending, inventoryPath); err != nil {
		return fmt.Errorf("write %s: %w", inventoryPath, reason(err))
	}
	return nil
}

// replace puts a whole new file in the place of the old one. The new file
// grows at growing, beside the inventory, where no controller looks.
func (s *step) replace(name, growing string, content []byte) error {
	for _, folder := range []string{path.Dir(name), path.Dir(growing)} {
		if err := s.root.MkdirAll(folder, 0o777); err != nil {
			return fmt.Errorf("make folder %s: %w", folder, reason(err))
		}
	}
	err := s.root.WriteFile(growing, content, 0o666)
	if err == nil {
		err = s.root.Rename(growing, name)
	}
	if err != nil {
		_ = s.root.Remove(growing)
		return fmt.Errorf("write %s: %w", name, reason(err))
	}
	return nil
}

// removeAll removes files, and the folders that are empty then.
func (s *step) removeAll(names []string) error {
	for _, name := range names {
		if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %s: %w", name, reason(err))
		}
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if s.root.Remove(dir) != nil { // not empty: the rest is in use
				break
			}
		}
	}
	return nil
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
