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
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"

	"github.com/pm-gitops/pm-gitops/render/tree"
)

// Changes names the files that a write changed, or would change, each list sorted.
type Changes struct {
	Created, Updated, Removed []string
	Unchanged                 int
	// Others is the environments beside those that were written, for the same targets.
	Others []string
}

// Empty reports whether nothing changed.
func (c Changes) Empty() bool { return len(c.Created)+len(c.Updated)+len(c.Removed) == 0 }

// Summary counts the changes, for a message.
func (c Changes) Summary() string {
	return fmt.Sprintf("%d created, %d updated, %d removed", len(c.Created), len(c.Updated), len(c.Removed))
}

// Write brings the folder to trees that render.Render made, inventories
// included, each of another environment: it writes what is new or different
// and removes what earlier trees of the same environments had. Either all of
// it may be done or nothing is. The error joins every reason not to: a
// [ConflictError], [MoveError], [TargetError] or [DuplicateReleaseError], unless force is
// set, a [PathError] or [UnknownTargetError] in any case; or it says what could
// not be read or written. The layouts are those of the targets that are known.
//
// One process writes into a folder at a time: the next waits, until the context ends
// or, with [ErrBusy], for half a minute. A write that has begun is finished. What other programs change meanwhile is not overwritten: the error is
// [ErrMeanwhile], and running again finishes the job.
func Write(ctx context.Context, root *os.Root, layouts tree.Layouts, trees []tree.Tree, force bool) (changes Changes, err error) {
	err = locked(ctx, root, patience, func() error {
		s, writes, err := compare(root.FS(), layouts, trees, force)
		if err != nil {
			return err
		}
		changes = s.changes
		return hand{step: s, root: root, made: map[string]bool{}}.apply(writes)
	})
	return changes, err
}

// Remove takes an environment's files out of the folder, but for those that
// another environment shares, and gives the inventory that it had. Errors are
// as in [Write].
func Remove(ctx context.Context, root *os.Root, layouts tree.Layouts, inventoryPath string, force bool) (changes Changes, had tree.Inventory, err error) {
	err = locked(ctx, root, patience, func() error {
		var s step
		if s, had, err = compareRemoval(root.FS(), layouts, inventoryPath, force); err != nil {
			return err
		}
		changes = s.changes
		return hand{step: s, root: root}.takeOut(inventoryPath)
	})
	return changes, had, err
}

// PutLock writes the lock of an environment, whole, in the place of what was read there
// before: nil for none. One that holds the content already is not touched. If the file
// changed since it was read, the error is [ErrMeanwhile]. Folders are made and locked as
// in [Write].
func PutLock(ctx context.Context, root *os.Root, name string, before, content []byte) error {
	return locked(ctx, root, patience, func() error {
		s := newStep(root.FS(), inventories{}, false)
		now, found, err := s.read(name)
		switch {
		case err != nil:
			return err
		case found && bytes.Equal(asWritten(now), content):
			return nil
		case digestOf(now, found) != digestOf(before, before != nil):
			return fmt.Errorf("write %s: %w", name, ErrMeanwhile)
		}
		beside := write{inventoryPath: tree.InventoryOf(name)}
		return hand{step: s, root: root, made: map[string]bool{}}.replace(name, beside.growing(), content)
	})
}

// write is one environment that is to be written.
type write struct {
	inventoryPath string
	next          tree.Inventory
	tree          tree.Tree
}

// step is a change of a folder, found out before a file is touched.
type step struct {
	files     fs.FS
	known     inventories
	force     bool
	changes   Changes
	unwanted  []string // the files that are to be gone, there or not
	conflicts []string
	refusals  []error // what force would overrule, but for conflicts
	failures  []error
	plain     map[string]bool   // folders that are no symbolic links, nor is one above them
	seen      map[string]string // digests of the files that were read; empty for none
}

func newStep(files fs.FS, known inventories, force bool) step {
	return step{files: files, known: known, force: force, plain: map[string]bool{}, seen: map[string]string{}}
}

// err says why nothing may be done: all of it, so that --force takes
// no more than was shown.
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
func (s *step) compare(trees []tree.Tree, writes []write) {
	all, inventories := tree.Tree{}, map[string]bool{}
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
		case bytes.Equal(content, all[name]), bytes.Equal(asWritten(content), all[name]):
			s.changes.Unchanged++
		default:
			s.noteConflict(name, content, inventories[name] || tree.IsLock(name))
			s.changes.Updated = append(s.changes.Updated, name)
		}
	}
}

// findStale finds out which files the environments no longer want, nor any other.
func (s *step) findStale(writes []write) {
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
			s.noteConflict(name, content, false)
			s.changes.Removed = append(s.changes.Removed, name)
		}
	}
}

// noteConflict notes a conflict unless a file is as we wrote it. Inventories and locks
// are always ours.
func (s *step) noteConflict(name string, content []byte, ours bool) {
	switch {
	case s.force || ours || s.known.wrote(name, tree.Digest(content)), s.known.wrote(name, tree.Digest(asWritten(content))):
	case s.known.lists(name):
		s.conflicts = append(s.conflicts, name+" (changed by someone)")
	default:
		s.conflicts = append(s.conflicts, name+" (put there by someone)")
	}
}

// asWritten undoes what Git does to the line ends of a checkout on Windows
// (core.autocrlf): no person changed such a file, and what is committed is ours.
func asWritten(content []byte) []byte { return bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n")) }

// read gives a file, and whether there is one, and remembers it. What is there and is
// no plain file is an error: a symbolic link is not followed, nor one on the way.
func (s *step) read(name string) (content []byte, found bool, err error) {
	content, found, err = s.look(name)
	if err == nil {
		s.seen[name] = digestOf(content, found)
	}
	return content, found, err
}

// digestOf gives an empty text for a file that is not there.
func digestOf(content []byte, found bool) string {
	if !found {
		return ""
	}
	return tree.Digest(content)
}

func (s *step) look(name string) (content []byte, found bool, err error) {
	if !fs.ValidPath(name) { // an inventory may say anything
		return nil, false, fmt.Errorf("read %s: it is no path inside the folder", name)
	}
	if link := s.linkAbove(name); link != "" {
		return nil, false, fmt.Errorf("read %s: folder %s is a symbolic link", name, link)
	}
	info, err := fs.Lstat(s.files, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("read %s: %w", name, reason(err))
	}
	content, err = readPlain(s.files, name, info)
	return content, err == nil, err
}

// maxFile is more than any file of ours has.
const maxFile = 64 << 20

// readPlain reads a file of which Lstat says that it is a plain one, and not too big:
// a pipe or a device has no end.
func readPlain(files fs.FS, name string, info fs.FileInfo) ([]byte, error) {
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("read %s: it is no plain file", name)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("read %s: it has %d MiB, more than any file of ours", name, info.Size()>>20)
	}
	content, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, reason(err))
	}
	return content, nil
}

// linkAbove finds the closest folder above a file that is a symbolic link, or
// empty. What is no link is looked at once: nothing is written meanwhile.
func (s *step) linkAbove(name string) string {
	var seen []string
	for dir := path.Dir(name); dir != "." && !s.plain[dir]; dir = path.Dir(dir) {
		if info, err := fs.Lstat(s.files, dir); err == nil && info.Mode().Type() == fs.ModeSymlink {
			return dir
		}
		seen = append(seen, dir)
	}
	for _, dir := range seen {
		s.plain[dir] = true
	}
	return ""
}

// reason takes the cause from an error of the operating system, without the operation and the
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
