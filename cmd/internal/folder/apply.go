package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/tree"
)

// hand does to a folder what was found out.
type hand struct {
	step
	root *os.Root
	made map[string]bool // folders that were made, or were there
}

// apply does what was found out. New inventories are written beside the old
// ones first, and those of writes that died stay until these are done, so
// that a run after a crash knows the files of all of them. Nothing is removed
// before everything new is there.
func (h hand) apply(writes []write) error {
	dirty := h.dirty(writes)
	for _, w := range dirty {
		if err := h.replace(w.pending(), w.growing(), w.tree[w.inventoryPath]); err != nil {
			return err
		}
	}
	missing := map[string]bool{}
	for _, name := range slices.Concat(h.changes.Created, h.changes.Updated) {
		missing[name] = true
	}
	for _, w := range dirty {
		if err := h.fill(w, missing); err != nil {
			return err
		}
	}
	if err := h.removeAll(h.changes.Removed); err != nil {
		return err
	}
	h.prune(h.unwanted)
	for _, w := range dirty {
		if err := h.finish(w); err != nil {
			return err
		}
	}
	return nil
}

// dirty gives the writes that have something to do.
func (h hand) dirty(writes []write) []write {
	changed := map[string]bool{}
	for _, name := range slices.Concat(h.changes.Created, h.changes.Updated, h.unwanted) {
		changed[name] = true
	}
	return slices.DeleteFunc(writes, func(w write) bool {
		if len(h.known.leftovers[w.inventoryPath]) > 0 {
			return false
		}
		for name := range w.tree {
			if changed[name] {
				return false
			}
		}
		for _, inventory := range h.known.of[w.next.Environment] {
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
func (h hand) fill(w write, missing map[string]bool) error {
	for _, name := range w.tree.Paths() {
		if name == w.inventoryPath || !missing[name] {
			continue
		}
		if err := h.replace(name, w.growing(), w.tree[name]); err != nil {
			return err
		}
		delete(missing, name)
	}
	return nil
}

// finish puts the new inventory in the place of the old one.
func (h hand) finish(w write) error {
	dead := slices.DeleteFunc(h.known.leftovers[w.inventoryPath], func(name string) bool { return name == w.pending() })
	if err := h.removeAll(dead); err != nil {
		return err
	}
	if err := h.unchanged(w.inventoryPath); err != nil {
		return fmt.Errorf("write %s: %w", w.inventoryPath, err)
	}
	if err := h.root.Rename(w.pending(), w.inventoryPath); err != nil {
		return fmt.Errorf("write %s: %w", w.inventoryPath, reason(err))
	}
	return nil
}

// pending names where the new inventory lies until the write is done. Each has
// its own place, since the writes before it may have died as well.
func (w write) pending() string {
	digest := strings.TrimPrefix(tree.Digest(w.tree[w.inventoryPath]), "sha256:")
	return w.inventoryPath + "." + digest[:12] + pendingSuffix
}

// growing names where a file that is being written lies. No other process takes the name,
// also where folders cannot be locked.
func (w write) growing() string {
	return fmt.Sprintf("%s.%016x%s", w.inventoryPath, rand.Uint64(), growingSuffix)
}

// replace puts a whole new file in the place of the old one. The new file
// grows at growing, beside the inventory, where no controller looks.
func (h hand) replace(name, growing string, content []byte) error {
	for _, folder := range []string{path.Dir(name), path.Dir(growing)} {
		if h.made[folder] {
			continue
		}
		if err := h.root.MkdirAll(folder, 0o777); err != nil {
			return fmt.Errorf("make folder %s: %w", folder, reason(err))
		}
		h.made[folder] = true
	}
	err := h.create(growing, content)
	if err == nil {
		err = h.unchanged(name)
	}
	if err == nil {
		err = h.root.Rename(growing, name)
	}
	if err != nil {
		_ = h.root.Remove(growing)
		return fmt.Errorf("write %s: %w", name, reason(err))
	}
	h.seen[name] = tree.Digest(content)
	return nil
}

// unchanged looks once more, just before a file is replaced or removed, whether it is
// what was judged. A pending inventory was not read: it is ours.
func (h hand) unchanged(name string) error {
	before, judged := h.seen[name]
	if !judged {
		return nil
	}
	clear(h.plain)
	content, found, err := h.look(name)
	if err == nil && digestOf(content, found) != before {
		err = ErrMeanwhile
	}
	return err
}

// takeOut removes an environment's files, and the inventory last: until then, running
// again finishes the job.
func (h hand) takeOut(inventoryPath string) error {
	if err := h.removeAll(slices.Concat(h.changes.Removed, h.known.leftovers[inventoryPath])); err != nil {
		return err
	}
	h.prune(h.unwanted)
	if err := h.removeAll([]string{inventoryPath}); err != nil {
		return err
	}
	h.prune([]string{inventoryPath})
	return nil
}

// create writes a file of its own: where there is one, or a link, it fails.
func (h hand) create(name string, content []byte) error {
	file, err := h.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}

// removeAll removes files.
func (h hand) removeAll(names []string) error {
	for _, name := range names {
		if err := h.unchanged(name); err != nil {
			return fmt.Errorf("remove %s: %w", name, err)
		}
		if err := h.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %s: %w", name, reason(err))
		}
	}
	return nil
}

// prune removes the folders of files that are gone, if they are empty.
func (h hand) prune(names []string) {
	for _, name := range names {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if err := h.root.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				break // not empty: the rest is in use
			}
		}
	}
}
