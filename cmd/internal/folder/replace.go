package folder

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/pm-gitops/pm-gitops/render/tree"
)

// Replacement is a file of a user's and the content that takes the place of its own.
type Replacement struct {
	Name     string // as the user names it
	Old, New []byte
}

// CheckReplace refuses what [Replace] would not replace: what is no plain file, a
// symbolic link too, a file that is read-only or has several names, and one that does
// not hold the old content.
func CheckReplace(files []Replacement) error {
	var refusals []error
	for _, f := range files {
		root, err := os.OpenRoot(filepath.Dir(f.Name))
		if err == nil {
			_, err = f.look(root)
			_ = root.Close()
		}
		if err != nil {
			refusals = append(refusals, fmt.Errorf("replace %s: %w", f.Name, reason(err)))
		}
	}
	return errors.Join(refusals...)
}

// Replace puts new content in the place of files, each whole and with the mode and the
// owner that it has. The new files are written beside the old ones, which are looked at once more
// before the first is replaced: if one changed meanwhile, none is. Only a failure
// between two renames leaves some replaced; the error names the first that is not.
//
// One process replaces files of a folder at a time, as in [Write].
func Replace(ctx context.Context, files []Replacement) error {
	folders := map[string]os.FileInfo{} // each once: a lock is not taken twice
	for _, f := range files {
		name := filepath.Dir(f.Name)
		info, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("replace %s: %w", f.Name, reason(err))
		}
		if !slices.ContainsFunc(slices.Collect(maps.Values(folders)), func(other os.FileInfo) bool { return os.SameFile(info, other) }) {
			folders[name] = info
		}
	}
	return lockAll(ctx, slices.Sorted(maps.Keys(folders)), func() error { return replaceAll(files, func() {}) })
}

// lockAll calls do while no other process writes into the folders.
func lockAll(ctx context.Context, folders []string, do func() error) error {
	if len(folders) == 0 {
		return do()
	}
	root, err := os.OpenRoot(folders[0])
	if err != nil {
		return fmt.Errorf("lock the folder: %w", reason(err))
	}
	defer root.Close()
	return locked(ctx, root, patience, func() error { return lockAll(ctx, folders[1:], do) })
}

// grown is a replacement with its folder, which stays the same one whatever takes its
// name, and with the name there of the file that has the new content.
type grown struct {
	Replacement
	root *os.Root
	name string
}

// replaceAll replaces files, and calls ready when the new ones are complete.
func replaceAll(files []Replacement, ready func()) error {
	var all []grown
	defer func() {
		for _, g := range all {
			if g.name != "" {
				_ = g.root.Remove(g.name)
			}
			_ = g.root.Close()
		}
	}()
	for _, f := range files {
		root, err := os.OpenRoot(filepath.Dir(f.Name))
		if err == nil {
			all = append(all, grown{Replacement: f, root: root})
			all[len(all)-1].name, err = f.grow(root)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", f.Name, reason(err))
		}
	}
	ready()
	for _, g := range all {
		if _, err := g.look(g.root); err != nil {
			return fmt.Errorf("replace %s: %w", g.Name, reason(err))
		}
	}
	for i, g := range all {
		if err := g.root.Rename(g.name, filepath.Base(g.Name)); err != nil {
			return fmt.Errorf("replace %s: %w", g.Name, reason(err))
		}
		all[i].name = ""
	}
	return nil
}

// look gives the file in its folder, if it is as it was judged.
func (f Replacement) look(root *os.Root) (os.FileInfo, error) {
	name := filepath.Base(f.Name)
	info, err := root.Lstat(name)
	switch {
	case err != nil:
		return nil, err
	case info.Mode().Type() == os.ModeSymlink:
		return nil, errors.New("it is a symbolic link: name the file that it leads to")
	}
	content, err := readPlain(root.FS(), name, info)
	switch {
	case err != nil:
		return nil, errors.New("it is no plain file, or cannot be read")
	case tree.Digest(content) != tree.Digest(f.Old):
		return nil, errors.New("it changed while this was working: look at it, then run again")
	case info.Mode().Perm()&0o222 == 0:
		return nil, errors.New("it is read-only: make it writable first")
	case countNames(info) > 1:
		return nil, errors.New("it has several names (hard links), and the others would keep the old content: copy it to a file of its own first")
	}
	return info, nil
}

// grow writes the new content into a file of its own, in the same folder, whose name
// no command takes for an environment.
func (f Replacement) grow(root *os.Root) (name string, err error) {
	old, err := f.look(root)
	if err != nil {
		return "", err
	}
	mode := old.Mode().Perm()
	name = fmt.Sprintf(".%s.%016x%s", filepath.Base(f.Name), rand.Uint64(), growingSuffix)
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return "", err
	}
	_, err = file.Write(f.New)
	if err = errors.Join(err, keepOwner(file, old), file.Chmod(mode), file.Sync(), file.Close()); err != nil {
		_ = root.Remove(name)
		return "", err
	}
	return name, nil
}
