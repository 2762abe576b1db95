package gitrepo

import (
	"errors"
	"maps"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// leaf is what is at a path of a commit: a file, a symbolic link or a submodule.
// It is empty where there is nothing, or a folder.
type leaf struct {
	mode filemode.FileMode
	hash plumbing.Hash
}

func (f leaf) none() bool { return f.mode == filemode.Empty }

// leafOf is an entry of a folder, or nothing if it is a folder itself.
func leafOf(entry object.TreeEntry) leaf {
	switch entry.Mode {
	case filemode.Dir, filemode.Empty:
		return leaf{}
	case filemode.Deprecated: // git checks it out as a plain file
		return leaf{filemode.Regular, entry.Hash}
	}
	return leaf{entry.Mode, entry.Hash}
}

// change is a path that two commits have differently.
type change struct {
	path     string
	old, new leaf
}

// comparison finds the changes between two commits. What of it is malicious is
// bounded: few objects can make very many paths.
type comparison struct {
	from    store
	changes []change
	steps   int
}

// mostSteps is how many entries of folders are compared at most.
const mostSteps = 1 << 20

// folders compares two folders, zero for one that is not there.
func (c *comparison) folders(old, new plumbing.Hash, dir string) error {
	olds, err := c.entries(old)
	if err != nil {
		return err
	}
	news, err := c.entries(new)
	if err != nil {
		return err
	}
	if c.steps += len(olds) + len(news) + 1; c.steps > mostSteps {
		return errors.New("too much differs")
	}
	all := maps.Clone(olds)
	maps.Copy(all, news)
	for _, name := range sortedKeys(all) {
		if olds[name] == news[name] {
			continue
		}
		if err := c.entry(olds[name], news[name], dir+name); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) entries(hash plumbing.Hash) (map[string]object.TreeEntry, error) {
	if hash.IsZero() || hash.String() == emptyTree {
		return map[string]object.TreeEntry{}, nil
	}
	return readEntries(c.from, hash)
}

// entry compares what is at a path.
func (c *comparison) entry(old, new object.TreeEntry, full string) error {
	if checkPath(full, full) != nil {
		return nil // none of ours is there
	}
	if one := (change{full, leafOf(old), leafOf(new)}); one.old != one.new {
		c.changes = append(c.changes, one)
	}
	var folders [2]plumbing.Hash
	for i, entry := range []object.TreeEntry{old, new} {
		if entry.Mode == filemode.Dir {
			folders[i] = entry.Hash
		}
	}
	if folders[0] == folders[1] {
		return nil
	}
	return c.folders(folders[0], folders[1], full+"/")
}
