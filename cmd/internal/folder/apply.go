package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
)

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
