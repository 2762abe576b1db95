package gitrepo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// apply makes the files on the disk, and then the index, what they are to be.
// Each file is the old or the new one in whole at any time: new ones get their
// names when they are complete.
func (c *checkout) apply() error {
	for _, name := range slices.Backward(c.removes) {
		if err := c.removeFile(name); err != nil {
			return err
		}
	}
	s := c.staging()
	for i := range s.news {
		entry := &s.news[i]
		if c.there[entry.name] {
			continue // git looks into it once, and notes what it is like
		}
		if err := c.place(entry); err != nil {
			return err
		}
	}
	if !s.changes() {
		return nil
	}
	return s.write(filepath.Join(c.local.gitDir, "index"), s.encode())
}

// changed is the files of the working tree that apply changes, sorted.
func (c *checkout) changed() []string {
	names := slices.Clone(c.removes)
	for _, one := range c.writes {
		names = append(names, one.path)
	}
	names = append(names, sortedKeys(c.there)...)
	slices.Sort(names)
	return names
}

// place puts a file in its place, and what it is like into its entry.
func (c *checkout) place(entry *newEntry) error {
	one := c.changes[entry.name]
	if err := c.makeFolders(one.path); err != nil {
		return err
	}
	info, err := c.root.Lstat(one.path)
	if err == nil && info.IsDir() && one.new.mode != filemode.Submodule {
		err = c.removeEmpty(one.path)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write %s: %w", one.path, reason(err))
	}
	if one.new.mode == filemode.Submodule {
		return c.placeSubmodule(one.path, info)
	}
	content, err := readObject(c.storage, plumbing.BlobObject, one.new.hash)
	if err != nil {
		return err
	}
	// A name of its own, beside the one that it gets: that is the same file system.
	temporary := path.Join(path.Dir(one.path), fmt.Sprintf(halfFiles+"%016x.tmp", rand.Uint64()))
	written, err := c.writeTemporary(temporary, one, content)
	if err == nil {
		err = c.root.Rename(temporary, one.path)
	}
	if err != nil {
		_ = c.root.Remove(temporary)
		return fmt.Errorf("write %s: %w", one.path, reason(err))
	}
	c.statAfter(entry, written)
	return nil
}

// halfFiles is what files are called that are not complete.
const halfFiles = ".pm-gitops-"

// placeSubmodule makes the folder of a submodule, which is empty until git
// submodule update fills it.
func (c *checkout) placeSubmodule(name string, info fs.FileInfo) error {
	if info != nil && info.IsDir() {
		return nil
	}
	if info != nil {
		if err := c.root.Remove(name); err != nil {
			return fmt.Errorf("remove %s: %w", name, reason(err))
		}
	}
	if err := c.root.Mkdir(name, 0o777); err != nil {
		return fmt.Errorf("make the folder %s: %w", name, reason(err))
	}
	return nil
}

// writeTemporary writes a file or a link under another name.
func (c *checkout) writeTemporary(name string, one change, content []byte) (fs.FileInfo, error) {
	if one.new.mode == filemode.Symlink {
		if err := c.root.Symlink(string(content), name); err != nil {
			return nil, err
		}
		return c.root.Lstat(name)
	}
	mode := fs.FileMode(0o666)
	if one.new.mode == filemode.Executable {
		mode = 0o777
	}
	file, err := c.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, err
	}
	_, err = file.Write(c.shown.toDisk(one.path, content, c.local.config))
	info, statErr := file.Stat()
	return info, errors.Join(err, statErr, file.Close())
}

// statAfter notes what a file is like. If somebody has changed it since we wrote
// it, nothing is noted, and git looks for itself.
func (c *checkout) statAfter(entry *newEntry, written fs.FileInfo) {
	info, err := c.root.Lstat(entry.name)
	if err != nil || info.IsDir() || info.Size() > indexMostSize {
		return
	}
	if !os.SameFile(info, written) || !info.ModTime().Equal(written.ModTime()) || info.Size() != written.Size() {
		return
	}
	fillStat(&entry.stat, info)
	binary.BigEndian.PutUint32(entry.stat[statSize:], uint32(info.Size()))
}

// sweepHalfFiles removes what a run that was killed left in the folders that
// this one writes to.
func (c *checkout) sweepHalfFiles() {
	dirs := map[string]bool{}
	for name := range c.changes {
		dirs[path.Dir(name)] = true
	}
	for dir := range dirs {
		if _, barred, err := c.look(path.Join(dir, "x")); barred != "" || err != nil {
			continue
		}
		entries, _ := fs.ReadDir(c.root.FS(), dir)
		for _, entry := range entries {
			if ours, _ := path.Match(halfFiles+"????????????????.tmp", entry.Name()); ours && !entry.IsDir() {
				_ = c.root.Remove(path.Join(dir, entry.Name()))
			}
		}
	}
}
