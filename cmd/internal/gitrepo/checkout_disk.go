package gitrepo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// look says what the disk has at a path, nil for nothing. If a folder above it
// is something else, that is the way which is barred.
func (c *checkout) look(name string) (info fs.FileInfo, barred string, err error) {
	for _, dir := range foldersAbove(name)[1:] {
		info, err := c.root.Lstat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, "", nil
		case err != nil:
			return nil, "", fmt.Errorf("look at %s: %w", dir, reason(err))
		case !info.IsDir():
			return nil, dir, nil
		}
	}
	info, err = c.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("look at %s: %w", name, reason(err))
	}
	return info, "", nil
}

// unedited says why a file of the old commit may not be touched, or that what
// the disk has is the new commit's. A file that is not there is no edit, as for
// git.
func (c *checkout) unedited(one change, entry *indexEntry) (why string, there bool, err error) {
	info, barred, err := c.look(one.path)
	switch {
	case err != nil:
		return "", false, err
	case barred != "" && c.changes[barred].new.none():
		return fmt.Sprintf("folder %s is %s", barred, c.describe(barred)), false, nil
	case info == nil:
		return "", false, nil
	case one.old.mode == filemode.Submodule:
		why, err = c.submodule(one, info)
		return why, false, err
	case info.IsDir() && c.folders[one.path]:
		return "", false, nil // it is a folder already
	}
	if isFile(one.old.mode) && c.statOf(entry, info) {
		return "", false, nil
	}
	there, newErr := c.same(one.path, info, one.new)
	same, err := c.same(one.path, info, one.old)
	if there || same {
		return "", there && exactMode(info, one.new.mode), nil
	}
	var filtered *AttributeError
	if errors.As(errors.Join(newErr, err), &filtered) {
		return "whether it was changed takes a program: .gitattributes says " + filtered.Attribute, false, nil
	}
	return "it has changes that are not committed", false, firstError(err, newErr)
}

// submodule says why the folder of a submodule is in the way. What is in it is
// nobody's business here, as it is not git's without --recurse-submodules.
func (c *checkout) submodule(one change, info fs.FileInfo) (string, error) {
	if !info.IsDir() {
		return "it is no folder of a submodule", nil
	}
	if one.new.none() || one.new.mode == filemode.Submodule {
		return "", nil
	}
	first, err := c.firstKept(one.path)
	if first != "" {
		return "it is the folder of a submodule, and has files in it", err
	}
	return "", err
}

// free says why a new file cannot be where it is to be, or that the disk has it
// already. Files that git ignores are in the way, too: git reset would overwrite
// them.
func (c *checkout) free(one change) (why string, there bool, err error) {
	info, barred, err := c.look(one.path)
	switch {
	case err != nil:
		return "", false, err
	case barred != "" && c.going[barred], info == nil && barred == "":
		return "", false, nil
	case barred != "":
		return fmt.Sprintf("%s is %s that Git does not know", barred, c.describe(barred)), false, nil
	case info.IsDir() && one.new.mode == filemode.Submodule:
		return "", false, nil
	case info.IsDir():
		first, err := c.firstKept(one.path)
		if first != "" {
			why = "it is a folder, with " + first
		}
		return why, false, err
	}
	there, err = c.same(one.path, info, one.new)
	var filtered *AttributeError
	if !there && (err == nil || errors.As(err, &filtered)) {
		why, err = "it is a file that Git does not know, and would be overwritten", nil
	}
	return why, there && exactMode(info, one.new.mode), err
}

// exactMode reports whether a file has the executable bit that it is to have,
// also where core.fileMode says that it counts for nothing.
func exactMode(info fs.FileInfo, mode filemode.FileMode) bool {
	return !isFile(mode) || diskMode(info.Mode(), mode, true) == uint32(mode)
}

func (c *checkout) describe(name string) string {
	if info, err := c.root.Lstat(name); err == nil && info.Mode().Type() == fs.ModeSymlink {
		return "a symbolic link"
	}
	return "a file"
}

// firstKept is a file in a folder that does not go, or nothing.
func (c *checkout) firstKept(dir string) (string, error) {
	first := ""
	err := fs.WalkDir(c.root.FS(), dir, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !c.going[name] {
			first = name
			return fs.SkipAll
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("look into %s: %w", dir, reason(err))
	}
	return first, nil
}

// statOf reports whether a file is, as far as its times, size and the like
// tell, the one whose entry the index has. What is not older than the index may
// have changed in the same moment. https://git-scm.com/docs/racy-git
func (c *checkout) statOf(entry *indexEntry, info fs.FileInfo) bool {
	var now [40]byte
	if c.index.written.IsZero() || int64(entry.modified()) >= c.index.written.Unix() || !info.Mode().IsRegular() {
		return false
	}
	fillStat(&now, info)
	copy(now[statMode:statMode+4], entry.fixed[statMode:])
	binary.BigEndian.PutUint32(now[statSize:], uint32(info.Size()))
	return string(now[:]) == entry.fixed[:len(now)] && c.modeIs(info, filemode.FileMode(entry.mode()))
}

func (c *checkout) modeIs(info fs.FileInfo, mode filemode.FileMode) bool {
	return diskMode(info.Mode(), mode, c.local.config.boolean("core.filemode", true)) == uint32(mode)
}

// same reports whether the disk has at a path what a commit has.
func (c *checkout) same(name string, info fs.FileInfo, f leaf) (bool, error) {
	const most = 1 << 28
	switch {
	case f.mode == filemode.Symlink && info.Mode().Type() == fs.ModeSymlink:
		target, err := c.root.Readlink(name)
		return err == nil && plumbing.ComputeHash(plumbing.BlobObject, []byte(target)) == f.hash, nil
	case !isFile(f.mode), !info.Mode().IsRegular(), !c.modeIs(info, f.mode):
		return false, nil
	case info.Size() > most:
		return false, fmt.Errorf("read %s: it is larger than %d MB", name, most>>20)
	}
	content, err := c.root.ReadFile(name)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", name, reason(err))
	}
	if plumbing.ComputeHash(plumbing.BlobObject, content) == f.hash {
		return true, nil
	}
	stored, err := readObject(c.storage, plumbing.BlobObject, f.hash)
	if err != nil {
		return false, err
	}
	content, err = c.stored.toGit(name, content, func() ([]byte, error) { return stored, nil })
	return err == nil && bytes.Equal(content, stored), err
}

// makeFolders makes the folders above a path. Whatever became of them since
// they were looked at, nothing is written through a link.
func (c *checkout) makeFolders(name string) error {
	for _, dir := range foldersAbove(name)[1:] {
		info, err := c.root.Lstat(dir)
		if errors.Is(err, fs.ErrNotExist) {
			err = c.root.Mkdir(dir, 0o777)
		} else if err == nil && !info.IsDir() {
			err = errors.New("it is no folder any more")
		}
		if err != nil {
			return fmt.Errorf("make the folder %s: %w", dir, reason(err))
		}
	}
	return nil
}

// removeFile removes a file, and the folders above it that are empty then, but
// for the folder that was opened.
func (c *checkout) removeFile(name string) error {
	info, barred, err := c.look(name)
	if err != nil || info == nil || barred != "" {
		return err
	}
	submodule := c.changes[name].old.mode == filemode.Submodule
	if err := c.root.Remove(name); err != nil && !info.IsDir() {
		return fmt.Errorf("remove %s: %w", name, reason(err))
	} else if err != nil && submodule {
		return nil // what is in it stays, as git leaves it
	}
	for dir := path.Dir(name); dir != "." && dir != c.local.prefix && !c.folders[dir] && c.root.Remove(dir) == nil; dir = path.Dir(dir) {
	}
	return nil
}

// removeEmpty removes a folder in which there are folders only.
func (c *checkout) removeEmpty(dir string) error {
	entries, err := fs.ReadDir(c.root.FS(), dir)
	for _, entry := range entries {
		if err == nil && entry.IsDir() {
			err = c.removeEmpty(path.Join(dir, entry.Name()))
		}
	}
	if err == nil {
		err = c.root.Remove(filepath.FromSlash(dir))
	}
	return err
}
