package object

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// Convert returns what Git stores for the bytes of a file; earlier reads what it stores
// now, nil for nothing.
type Convert func(name string, content []byte, earlier func() ([]byte, error)) ([]byte, error)

// Builder makes the trees of a commit.
type Builder struct {
	Objects  Set                          // the new objects
	Modes    map[string]filemode.FileMode // of each file that is written, or was there as it is
	Blobs    map[string]plumbing.Hash     // of the same files
	Before   map[string]plumbing.Hash     // the files of the edit, as the base has them
	Written  []string                     // the files that differ from the base, sorted
	Removed  []string                     // the files that are gone, sorted
	Problems []error                      // about files, each of which refuses the commit

	from       Store
	folders    map[plumbing.Hash][]Entry // of the base, as far as the changes go
	ignoreCase bool
	convert    Convert
}

// NewBuilder makes a builder that reads what is not new from a store. IgnoreCase
// refuses names that differ only in their case.
func NewBuilder(from Store, convert Convert, ignoreCase bool) *Builder {
	b := &Builder{
		convert: convert, ignoreCase: ignoreCase, folders: map[plumbing.Hash][]Entry{},
		Modes: map[string]filemode.FileMode{}, Blobs: map[string]plumbing.Hash{}, Before: map[string]plumbing.Hash{},
	}
	b.from = layered{&b.Objects, from}
	return b
}

// Apply applies an edit to the tree of a base, zero for none, and returns the new tree,
// zero for an empty one.
func (b *Builder) Apply(base plumbing.Hash, root *Edit) (plumbing.Hash, error) {
	err := root.Levels(base, func(hashes []plumbing.Hash) ([][]Entry, error) {
		folders, err := ReadFolders(b.from, hashes)
		for i, hash := range hashes {
			b.folders[hash] = folders[i]
		}
		return folders, err
	})
	if err != nil {
		return base, err
	}
	return b.build(base, root, "")
}

// build applies an edit to a folder that was read, zero for one that is not
// there, and returns the new folder, zero for an empty one.
func (b *Builder) build(base plumbing.Hash, e *Edit, dir string) (plumbing.Hash, error) {
	kept, entries := e.split(b.folders[base])
	before := len(b.Written) + len(b.Removed)
	b.remove(entries, e, dir)
	for _, name := range slices.Sorted(maps.Keys(e.folders)) {
		if err := b.folder(entries, name, e.folders[name], dir+name); err != nil {
			return base, err
		}
	}
	b.write(entries, e, dir)
	if b.ignoreCase {
		b.refuseSameNames(kept, entries, e, dir)
	}
	if len(kept)+len(entries) == 0 {
		return plumbing.ZeroHash, nil
	}
	if len(b.Written)+len(b.Removed) == before && !base.IsZero() {
		return base, nil
	}
	return b.Objects.Add(plumbing.TreeObject, encodeTree(mergeEntries(kept, entries))), nil
}

// folder brings a folder in a folder to what it is to be.
func (b *Builder) folder(entries map[string]Entry, name string, e *Edit, full string) error {
	entry, found := entries[name]
	if found && entry.Mode != filemode.Dir {
		if e.writes() {
			b.problem(full, "it is %s, and files are to be in it", DescribeMode(entry.Mode))
		}
		return nil
	}
	hash, err := b.build(entry.Hash, e, full+"/")
	if err != nil {
		return err
	}
	delete(entries, name)
	if !hash.IsZero() {
		entries[name] = Entry{Name: name, Mode: filemode.Dir, Hash: hash}
	}
	return nil
}

// writes reports whether an edit leaves any file.
func (e *Edit) writes() bool {
	for _, content := range e.files {
		if content != nil {
			return true
		}
	}
	for _, folder := range e.folders {
		if folder.writes() {
			return true
		}
	}
	return false
}

func (b *Builder) remove(entries map[string]Entry, e *Edit, dir string) {
	for _, name := range slices.Sorted(maps.Keys(e.files)) {
		entry, found := entries[name]
		if e.files[name] != nil || !found {
			continue
		}
		if !IsFile(entry.Mode) {
			b.problem(dir+name, "it is %s, and no file of ours to remove", DescribeMode(entry.Mode))
			continue
		}
		delete(entries, name)
		b.Before[dir+name] = entry.Hash
		b.Removed = append(b.Removed, dir+name)
	}
}

func (b *Builder) write(entries map[string]Entry, e *Edit, dir string) {
	for _, name := range slices.Sorted(maps.Keys(e.files)) {
		content := e.files[name]
		if content == nil {
			continue
		}
		entry, found := entries[name]
		if found && !IsFile(entry.Mode) {
			b.problem(dir+name, "it is %s, and a file is to be there", DescribeMode(entry.Mode))
			continue
		}
		mode := filemode.Regular
		if found {
			mode = entry.Mode // an executable bit stays
			b.Before[dir+name] = entry.Hash
		}
		content, err := b.convert(dir+name, content, b.readEarlier(entry.Hash))
		if err != nil {
			b.Problems = append(b.Problems, err)
			continue
		}
		hash := plumbing.ComputeHash(plumbing.BlobObject, content)
		if !found || entry.Hash != hash {
			b.Objects.Add(plumbing.BlobObject, content)
			b.Written = append(b.Written, dir+name)
		}
		entries[name] = Entry{Name: name, Mode: mode, Hash: hash}
		b.Modes[dir+name], b.Blobs[dir+name] = mode, hash
	}
}

// readEarlier reads what a file was, if it was there.
func (b *Builder) readEarlier(hash plumbing.Hash) func() ([]byte, error) {
	return func() ([]byte, error) {
		if hash.IsZero() {
			return nil, nil
		}
		return Read(b.from, plumbing.BlobObject, hash)
	}
}

// refuseSameNames refuses names that are one file where case does not count.
func (b *Builder) refuseSameNames(kept []Entry, entries map[string]Entry, e *Edit, dir string) {
	names := slices.Sorted(maps.Keys(entries))
	for _, entry := range kept {
		names = append(names, entry.Name)
	}
	slices.Sort(names)
	folded := map[string]string{}
	for _, name := range names {
		key := strings.ToLower(name)
		other, twice := folded[key]
		folded[key] = name
		_, ours := e.files[name]
		_, theirs := e.files[other]
		if twice && (ours || theirs || e.folders[name] != nil || e.folders[other] != nil) {
			b.problem(dir+name, "it is the same as %s here, where case does not count (core.ignoreCase)", dir+other)
		}
	}
}

func (b *Builder) problem(name, format string, args ...any) {
	b.Problems = append(b.Problems, errors.New(name+": "+fmt.Sprintf(format, args...)))
}

// IsFile reports whether a mode is that of a plain file.
func IsFile(mode filemode.FileMode) bool {
	return mode == filemode.Regular || mode == filemode.Executable || mode == filemode.Deprecated
}

// DescribeMode names the kind of a file.
func DescribeMode(mode filemode.FileMode) string {
	switch mode {
	case filemode.Dir:
		return "a folder"
	case filemode.Symlink:
		return "a symbolic link"
	case filemode.Submodule:
		return "a submodule"
	}
	return "a file"
}
