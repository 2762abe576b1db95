package gitrepo

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// finishIndex does what a commit of ours had left to do whose process died after
// it moved the branch: the index gets the entries of what HEAD's commit changed.
// Only those entries that are still as the commit before has them, and whose file
// is as HEAD has it: what somebody staged since then, or removed, stays. The index
// is locked.
func (l *Local) finishIndex(head headOf) error {
	storage := l.storage()
	defer storage.Close()
	if head.hash.IsZero() {
		return nil
	}
	commit, err := readCommit(storage, head.hash)
	if err != nil || len(commit.parents) > 1 {
		return err
	}
	var before plumbing.Hash
	if len(commit.parents) == 1 {
		// Where the clone ends there, the commit before is not ours to finish.
		if before, err = treeOf(storage, commit.parents[0]); err != nil {
			return nil
		}
	}
	found := comparison{from: storage}
	if err := found.folders(before, commit.tree, ""); err != nil {
		return nil // more than any commit of ours changes
	}
	at := filepath.Join(l.gitDir, "index")
	x, err := readIndex(at)
	if err != nil {
		return err
	}
	s := staging{local: l, index: x, gone: map[string]bool{}}
	for _, one := range found.changes {
		s.finish(one)
	}
	if !s.changes() {
		return nil
	}
	slices.SortFunc(s.news, func(a, b newEntry) int { return strings.Compare(a.name, b.name) })
	return s.write(at, s.encode())
}

// finish puts a change of HEAD on the list if the index lacks it.
func (s *staging) finish(one change) {
	at, there := s.index.find(one.path)
	switch {
	case there && !s.index.entries[at].is(one.old), !there && !one.old.none():
		return
	case !s.onDisk(one.path, one.new):
		return
	case one.new.none():
		s.gone[one.path] = true
		return
	}
	entry := newEntry{name: one.path, hash: one.new.hash}
	binary.BigEndian.PutUint32(entry.stat[statMode:], uint32(one.new.mode))
	s.news = append(s.news, entry)
}

// is reports whether an entry is what a commit has.
func (e *indexEntry) is(f leaf) bool {
	const intentToAdd = 0x2000
	return !f.none() && e.mode() == uint32(f.mode) && plumbing.Hash(e.hash()) == f.hash && e.extended()&intentToAdd == 0
}

// onDisk reports whether a plain file of the working tree has some content, or
// is not there.
func (s *staging) onDisk(name string, f leaf) bool {
	full := filepath.Join(s.local.workTree, filepath.FromSlash(name))
	info, err := os.Lstat(full)
	if f.none() || err != nil {
		return f.none() && err != nil
	}
	if !info.Mode().IsRegular() || !isFile(f.mode) {
		return false
	}
	content, err := os.ReadFile(full)
	return err == nil && (plumbing.ComputeHash(plumbing.BlobObject, content) == f.hash || s.checkedOut(content, f.hash))
}
