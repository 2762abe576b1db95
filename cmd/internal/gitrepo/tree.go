package gitrepo

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
)

// PathError is that a file cannot be where it is to be.
type PathError struct{ Path, sentence string }

func (e *PathError) Error() string { return e.Path + ": " + e.sentence }

// edit is the changes of a folder of a commit.
type edit struct {
	files   map[string][]byte // nil removes
	folders map[string]*edit
}

// newEdit sorts changes into folders. Paths are those of the repository.
func newEdit(changes Changes, inTree func(string) string) (*edit, error) {
	root := &edit{}
	var problems []error
	put := func(name string, content []byte) {
		if err := checkPath(inTree(name), name); err != nil {
			problems = append(problems, err)
			return
		}
		root.put(strings.Split(inTree(name), "/"), content)
	}
	for _, name := range changes.Remove {
		if _, both := changes.Write[name]; !both {
			put(name, nil)
		}
	}
	for _, name := range changes.Write.Paths() {
		put(name, slices.Concat([]byte{}, changes.Write[name])) // never nil
	}
	return root, errors.Join(problems...)
}

// checkPath refuses what git would not add: https://git-scm.com/docs/git-config
// (core.protectNTFS, core.protectHFS) says why names that look like .git are out.
func checkPath(full, name string) error {
	if !fs.ValidPath(name) || name == "." {
		return &PathError{name, "it is no path inside the folder"}
	}
	for part := range strings.SplitSeq(full, "/") {
		plain := strings.ToLower(strings.TrimRight(part, " ."))
		plain, _, _ = strings.Cut(plain, ":")
		if plain == ".git" || plain == "git~1" {
			return &PathError{name, "Git keeps no files in folders called " + part}
		}
		if strings.ContainsAny(part, "\\\x00\n") {
			return &PathError{name, "its name has a backslash, a line break or a zero byte"}
		}
	}
	return nil
}

func (e *edit) put(parts []string, content []byte) {
	if len(parts) == 1 {
		if e.files == nil {
			e.files = map[string][]byte{}
		}
		e.files[parts[0]] = content
		return
	}
	if e.folders == nil {
		e.folders = map[string]*edit{}
	}
	if e.folders[parts[0]] == nil {
		e.folders[parts[0]] = &edit{}
	}
	e.folders[parts[0]].put(parts[1:], content)
}

// builder makes the trees of a commit.
type builder struct {
	from       object.Store
	folders    map[plumbing.Hash][]object.Entry // of the base, as far as the changes go
	objects    object.Set
	ignoreCase bool
	modes      map[string]filemode.FileMode // what became of each file that is there
	blobs      map[string]plumbing.Hash
	before     map[string]plumbing.Hash // what the base has of our files
	convert    converter
	written    []string
	removed    []string
	problems   []error
}

func newBuilder(from object.Store, convert converter, ignoreCase bool) *builder {
	return &builder{
		from: from, convert: convert, ignoreCase: ignoreCase, folders: map[plumbing.Hash][]object.Entry{},
		modes: map[string]filemode.FileMode{}, blobs: map[string]plumbing.Hash{}, before: map[string]plumbing.Hash{},
	}
}

// commit applies an edit to the tree of a base, zero for none, and gives the new
// tree, zero for an empty one.
func (b *builder) commit(base plumbing.Hash, root *edit) (plumbing.Hash, error) {
	err := root.levels(base, func(hashes []plumbing.Hash) ([][]object.Entry, error) {
		folders, err := readFolders(b.from, hashes)
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
// there, and gives the new folder, zero for an empty one.
func (b *builder) build(base plumbing.Hash, e *edit, dir string) (plumbing.Hash, error) {
	kept, entries := e.apart(b.folders[base])
	before := len(b.written) + len(b.removed)
	b.remove(entries, e, dir)
	for _, name := range sortedKeys(e.folders) {
		if err := b.folder(entries, name, e.folders[name], dir+name); err != nil {
			return base, err
		}
	}
	b.write(entries, e, dir)
	if b.ignoreCase {
		b.twins(kept, entries, e, dir)
	}
	if len(kept)+len(entries) == 0 {
		return plumbing.ZeroHash, nil
	}
	if len(b.written)+len(b.removed) == before && !base.IsZero() {
		return base, nil
	}
	return b.objects.Add(plumbing.TreeObject, object.EncodeTree(together(kept, entries))), nil
}

// folder brings a folder in a folder to what it is to be.
func (b *builder) folder(entries map[string]object.Entry, name string, e *edit, full string) error {
	entry, found := entries[name]
	if found && entry.Mode != filemode.Dir {
		if e.writes() {
			b.problem(full, "it is %s, and files are to be in it", describeMode(entry.Mode))
		}
		return nil
	}
	hash, err := b.build(entry.Hash, e, full+"/")
	if err != nil {
		return err
	}
	delete(entries, name)
	if !hash.IsZero() {
		entries[name] = object.Entry{Name: name, Mode: filemode.Dir, Hash: hash}
	}
	return nil
}

// writes reports whether an edit leaves any file.
func (e *edit) writes() bool {
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

func (b *builder) remove(entries map[string]object.Entry, e *edit, dir string) {
	for _, name := range sortedKeys(e.files) {
		entry, found := entries[name]
		if e.files[name] != nil || !found {
			continue
		}
		if !isFile(entry.Mode) {
			b.problem(dir+name, "it is %s, and no file of ours to remove", describeMode(entry.Mode))
			continue
		}
		delete(entries, name)
		b.before[dir+name] = entry.Hash
		b.removed = append(b.removed, dir+name)
	}
}

func (b *builder) write(entries map[string]object.Entry, e *edit, dir string) {
	for _, name := range sortedKeys(e.files) {
		content := e.files[name]
		if content == nil {
			continue
		}
		entry, found := entries[name]
		if found && !isFile(entry.Mode) {
			b.problem(dir+name, "it is %s, and a file is to be there", describeMode(entry.Mode))
			continue
		}
		mode := filemode.Regular
		if found {
			mode = entry.Mode // an executable bit that somebody set stays
			b.before[dir+name] = entry.Hash
		}
		content, err := b.convert.toGit(dir+name, content, b.earlier(entry.Hash))
		if err != nil {
			b.problems = append(b.problems, err)
			continue
		}
		hash := plumbing.ComputeHash(plumbing.BlobObject, content)
		if !found || entry.Hash != hash {
			b.objects.Add(plumbing.BlobObject, content)
			b.written = append(b.written, dir+name)
		}
		entries[name] = object.Entry{Name: name, Mode: mode, Hash: hash}
		b.modes[dir+name], b.blobs[dir+name] = mode, hash
	}
}

// earlier reads what a file was, if it was there.
func (b *builder) earlier(hash plumbing.Hash) func() ([]byte, error) {
	return func() ([]byte, error) {
		if hash.IsZero() {
			return nil, nil
		}
		return object.Read(b.from, plumbing.BlobObject, hash)
	}
}

// twins refuses names that are one file where case does not count.
func (b *builder) twins(kept []object.Entry, entries map[string]object.Entry, e *edit, dir string) {
	names := sortedKeys(entries)
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

func (b *builder) problem(name, format string, args ...any) {
	b.problems = append(b.problems, &PathError{name, fmt.Sprintf(format, args...)})
}

func isFile(mode filemode.FileMode) bool {
	return mode == filemode.Regular || mode == filemode.Executable || mode == filemode.Deprecated
}

func describeMode(mode filemode.FileMode) string {
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
