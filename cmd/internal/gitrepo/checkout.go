package gitrepo

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// checkout takes the working tree and the index from one commit to another, as
// git read-tree -m -u does: what differs between the two is brought along, what
// does not stays as the user has it. All of it is decided before anything is
// changed.
type checkout struct {
	local   *Local
	root    *os.Root // the working tree: nothing outside of it can be written
	storage *filesystem.Storage
	index   *index
	changes map[string]change
	folders map[string]bool // those in which the new commit has changed files
	stored  converter       // what Git makes of files on the disk
	shown   converter       // what files on the disk are made of
	removes []string        // files that go
	going   map[string]bool // the same
	writes  []change
	there   map[string]bool // files that are on the disk already: a run that was killed wrote them
	gone    []string        // entries of the index that go
	blocked []*PathError
}

// newCheckout finds out what is to be done. The index is locked.
func (l *Local) newCheckout(storage *filesystem.Storage, from, to plumbing.Hash) (*checkout, error) {
	c := &checkout{local: l, storage: storage, changes: map[string]change{}, folders: map[string]bool{}, there: map[string]bool{}, going: map[string]bool{}}
	var err error
	if c.index, err = readIndex(filepath.Join(l.gitDir, "index")); err != nil {
		return nil, err
	}
	if err := l.checkoutPossible(c.index); err != nil {
		return nil, err
	}
	changes, err := c.compare(from, to)
	if err != nil || len(c.blocked) > 0 {
		return c, err
	}
	c.stored, c.shown = l.converter(), l.converter()
	c.shown.attributes.read = c.readNew
	if c.root, err = os.OpenRoot(l.workTree); err != nil {
		return nil, fmt.Errorf("open the working tree %s: %w", l.workTree, reason(err))
	}
	return c, c.decideAll(changes)
}

// checkoutPossible refuses what would take more than writing files.
func (l *Local) checkoutPossible(x *index) error {
	if l.config.boolean("core.sparsecheckout", false) {
		return &CatchUpError{sentence: "the checkout is sparse (core.sparseCheckout)"}
	}
	for i := range x.entries {
		if entry := &x.entries[i]; entry.stage() > 0 {
			return &CatchUpError{sentence: "there are conflicts", files: []*PathError{{entry.name, "it is in conflict: resolve that first (git status)"}}}
		}
	}
	return nil
}

// compare gives the changes between two commits, sorted.
func (c *checkout) compare(from, to plumbing.Hash) ([]change, error) {
	old, err := treeOf(c.storage, from)
	if err != nil {
		return nil, err
	}
	new, err := treeOf(c.storage, to)
	if err != nil {
		return nil, err
	}
	found := comparison{from: c.storage, ignoreCase: c.local.config.boolean("core.ignorecase", false)}
	if err := found.folders(old, new, ""); err != nil {
		return nil, fmt.Errorf("compare %s with %s: %w", from, to, err)
	}
	slices.SortFunc(found.changes, func(a, b change) int { return cmp.Compare(a.path, b.path) })
	for _, one := range found.changes {
		c.changes[one.path] = one
		if one.new.none() {
			continue
		}
		for _, dir := range foldersAbove(one.path)[1:] {
			c.folders[dir] = true
		}
	}
	c.blocked = found.problems
	return found.changes, nil
}

// decideAll decides about files that are there before those that are not: what
// is in their way may be what goes.
func (c *checkout) decideAll(changes []change) error {
	for _, isNew := range []bool{false, true} {
		for _, one := range changes {
			if one.old.none() != isNew {
				continue
			}
			if err := c.decide(one); err != nil {
				return err
			}
		}
	}
	var clash *PathError
	if err := c.staging().folders(); errors.As(err, &clash) {
		c.blocked = append(c.blocked, clash)
	}
	return nil
}

// decide follows the table of git read-tree ("Two Tree Merge"): entries of the
// index that are the new commit's are left alone, with their files; others must
// be the old commit's, with files that are not edited. In two ways it differs:
// it looks into files whose times have changed, and what the disk has as the
// new commit has it is in nobody's way.
// https://git-scm.com/docs/git-read-tree#_two_tree_merge
func (c *checkout) decide(one change) error {
	at, found := c.index.find(one.path)
	var entry *indexEntry
	if found {
		entry = &c.index.entries[at]
	}
	switch {
	case found && entry.is(one.new), !found && one.new.none():
		return nil
	case found && entry.extended()&flagSkip != 0:
		c.block(one.path, "it is outside of this checkout (git update-index --skip-worktree)")
	case !found && !one.old.none():
		c.block(one.path, "that it is deleted is staged")
	case found && !entry.is(one.old):
		c.block(one.path, "a change to it is staged")
	case one.old.none():
		return c.add(one)
	default:
		return c.update(one, entry)
	}
	return nil
}

// is reports whether an entry is what a commit has.
func (e *indexEntry) is(f leaf) bool {
	const intentToAdd = 0x2000
	return !f.none() && e.mode() == uint32(f.mode) && plumbing.Hash(e.hash()) == f.hash && e.extended()&intentToAdd == 0
}

func (c *checkout) block(name, why string) {
	c.blocked = append(c.blocked, &PathError{name, why})
}

// update decides about a file that is there.
func (c *checkout) update(one change, entry *indexEntry) error {
	why, there, err := c.unedited(one, entry)
	if err != nil || why != "" {
		if why != "" {
			c.block(one.path, why)
		}
		return err
	}
	if one.new.none() {
		c.gone = append(c.gone, one.path)
		c.removes = append(c.removes, one.path)
		c.going[one.path] = true
		return nil
	}
	return c.write(one, there)
}

// add decides about a file that is not there.
func (c *checkout) add(one change) error {
	why, there, err := c.free(one)
	if err != nil || why != "" {
		if why != "" {
			c.block(one.path, why)
		}
		return err
	}
	return c.write(one, there)
}

// write puts a file on the list, if it can be written.
func (c *checkout) write(one change, there bool) error {
	if one.new.mode == filemode.Submodule {
		c.writes = append(c.writes, one)
		return nil
	}
	content, err := readObject(c.storage, plumbing.BlobObject, one.new.hash)
	if err != nil {
		return err
	}
	if why := c.notWritten(one, content); why != "" {
		c.block(one.path, why)
	} else if there {
		c.there[one.path] = true
	} else {
		c.writes = append(c.writes, one)
	}
	return nil
}

// notWritten says why what a file has cannot be written.
func (c *checkout) notWritten(one change, content []byte) string {
	const most = 4095 // PATH_MAX
	if one.new.mode != filemode.Symlink {
		if attribute := c.shown.notShown(one.path, content, c.local.config); attribute != "" {
			return ".gitattributes says " + attribute + ", and that is not done here"
		}
		return ""
	}
	switch {
	case !c.local.config.boolean("core.symlinks", true):
		return "it is a symbolic link, which this file system does not have (core.symlinks)"
	case len(content) == 0, len(content) > most, bytes.IndexByte(content, 0) >= 0:
		return "it is a symbolic link that leads nowhere"
	}
	return ""
}

// staging is the index as it is to be: the files' entries do not say yet what
// the files are like.
func (c *checkout) staging() *staging {
	s := &staging{local: c.local, index: c.index, gone: map[string]bool{}}
	for _, name := range c.gone {
		s.gone[name] = true
	}
	names := sortedKeys(c.there)
	for _, one := range c.writes {
		names = append(names, one.path)
	}
	slices.Sort(names)
	for _, name := range names {
		entry := newEntry{name: name, hash: c.changes[name].new.hash}
		binary.BigEndian.PutUint32(entry.stat[statMode:], uint32(c.changes[name].new.mode))
		s.news = append(s.news, entry)
	}
	return s
}

// refused is what is in the way, if anything is.
func (c *checkout) refused() error {
	if len(c.blocked) == 0 {
		return nil
	}
	slices.SortFunc(c.blocked, func(a, b *PathError) int { return cmp.Compare(a.Path, b.Path) })
	return &CatchUpError{sentence: "files here are in the way", files: c.blocked}
}

// readNew reads a file that says something of others as it is to be: from the
// new commit, from the index, and only then from the disk, as git does while it
// checks out.
func (c *checkout) readNew(name string) []byte {
	one, changed := c.changes[name]
	if at, found := c.index.find(name); found && !changed {
		one.new = leaf{filemode.FileMode(c.index.entries[at].mode()), c.index.entries[at].hash()}
	} else if !found && !changed {
		return c.local.readFile(name)
	}
	if !isFile(one.new.mode) {
		return nil
	}
	content, err := readObject(c.storage, plumbing.BlobObject, one.new.hash)
	if err != nil {
		c.block(name, text.Visible(err.Error()))
	}
	return content
}

func (c *checkout) close() {
	if c.root != nil {
		_ = c.root.Close()
	}
}
