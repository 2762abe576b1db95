package object

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
)

// Edit holds the changes of a folder of a commit.
type Edit struct {
	files   map[string][]byte // nil removes
	folders map[string]*Edit
}

// NewEdit sorts files that are to be written, with their bytes, or to be gone into
// folders. Paths are below a folder of the repository, "" for its root. The error names
// every path at which Git keeps no file.
func NewEdit(write map[string][]byte, remove []string, dir string) (*Edit, error) {
	root := &Edit{}
	var problems []error
	put := func(name string, content []byte) {
		full := path.Join(dir, name)
		if err := checkPath(full, name); err != nil {
			problems = append(problems, err)
			return
		}
		root.Put(full, content)
	}
	for _, name := range remove {
		if _, both := write[name]; !both {
			put(name, nil)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(write)) {
		put(name, slices.Concat([]byte{}, write[name])) // never nil
	}
	return root, errors.Join(problems...)
}

// checkPath refuses what git would not add: https://git-scm.com/docs/git-config
// (core.protectNTFS, core.protectHFS) says why names that look like .git are out.
func checkPath(full, name string) error {
	if !fs.ValidPath(name) || name == "." {
		return fmt.Errorf("%s: it is no path inside the folder", name)
	}
	for part := range strings.SplitSeq(full, "/") {
		plain := strings.ToLower(strings.TrimRight(part, " ."))
		plain, _, _ = strings.Cut(plain, ":")
		if plain == ".git" || plain == "git~1" {
			return fmt.Errorf("%s: Git keeps no files in folders called %s", name, part)
		}
		if strings.ContainsAny(part, "\\\x00\n") {
			return fmt.Errorf("%s: its name has a backslash, a line break or a zero byte", name)
		}
	}
	return nil
}

// Put adds a file by its path in the repository; nil removes it.
func (e *Edit) Put(name string, content []byte) {
	folder, rest, below := strings.Cut(name, "/")
	if !below {
		if e.files == nil {
			e.files = map[string][]byte{}
		}
		e.files[name] = content
		return
	}
	if e.folders == nil {
		e.folders = map[string]*Edit{}
	}
	if e.folders[folder] == nil {
		e.folders[folder] = &Edit{}
	}
	e.folders[folder].Put(rest, content)
}

// Paths returns the files that are written and those that are removed, by their paths
// in the repository, sorted.
func (e *Edit) Paths() (written, removed []string) {
	e.paths("", &written, &removed)
	slices.Sort(written)
	slices.Sort(removed)
	return written, removed
}

func (e *Edit) paths(dir string, written, removed *[]string) {
	for name, content := range e.files {
		to := written
		if content == nil {
			to = removed
		}
		*to = append(*to, dir+name)
	}
	for name, folder := range e.folders {
		folder.paths(dir+name+"/", written, removed)
	}
}

// Levels goes down the folders of a base that an edit is about. Read gets all folders
// that are equally deep at once.
func (e *Edit) Levels(base plumbing.Hash, read func([]plumbing.Hash) ([][]Entry, error)) error {
	level := map[plumbing.Hash][]*Edit{} // several places of a base may have the same folder
	if !base.IsZero() {
		level[base] = []*Edit{e}
	}
	for len(level) > 0 {
		hashes := slices.SortedFunc(maps.Keys(level), func(a, b plumbing.Hash) int { return bytes.Compare(a[:], b[:]) })
		folders, err := read(hashes)
		if err != nil {
			return err
		}
		below := map[plumbing.Hash][]*Edit{}
		for i, hash := range hashes {
			for _, edit := range level[hash] {
				edit.descend(folders[i], below)
			}
		}
		level = below
	}
	return nil
}

// descend adds the folders in a folder that the edit is about to those of a level.
func (e *Edit) descend(folder []Entry, level map[plumbing.Hash][]*Edit) {
	for _, entry := range folder {
		if inside := e.folders[entry.Name]; inside != nil && entry.Mode == filemode.Dir {
			level[entry.Hash] = append(level[entry.Hash], inside)
		}
	}
}

// ReadFolders reads folders of a commit, several at a time.
func ReadFolders(from Store, hashes []plumbing.Hash) ([][]Entry, error) {
	folders, problems := make([][]Entry, len(hashes)), make([]error, len(hashes))
	parallel.Share(len(hashes), func(mine iter.Seq[int]) {
		for i := range mine {
			folders[i], problems[i] = ReadTree(from, hashes[i])
		}
	})
	return folders, cmp.Or(problems...)
}

// split takes the entries that an edit is about out of a folder.
func (e *Edit) split(all []Entry) (kept []Entry, ours map[string]Entry) {
	kept, ours = make([]Entry, 0, len(all)), map[string]Entry{}
	for _, entry := range all {
		_, file := e.files[entry.Name]
		if file || e.folders[entry.Name] != nil {
			ours[entry.Name] = entry
		} else {
			kept = append(kept, entry)
		}
	}
	return kept, ours
}

// mergeEntries puts entries of ours among those of others.
func mergeEntries(kept []Entry, ours map[string]Entry) []Entry {
	sorted := slices.SortedFunc(maps.Values(ours), compareEntries)
	all := make([]Entry, 0, len(kept)+len(sorted))
	for _, entry := range kept {
		for len(sorted) > 0 && compareEntries(sorted[0], entry) < 0 {
			all, sorted = append(all, sorted[0]), sorted[1:]
		}
		all = append(all, entry)
	}
	return append(all, sorted...)
}
