package gitrepo

import (
	"container/heap"
	"errors"
	"fmt"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// history walks commits from the newest to the oldest.
type history struct {
	from  store
	ends  map[plumbing.Hash]bool // commits of a shallow clone whose parents are not here
	known map[plumbing.Hash]*walked
	queue walkQueue
	mine  int // of the queue, those that are not known to be theirs
}

// walked is a commit on the way.
type walked struct {
	hash   plumbing.Hash
	header commitHeader
	theirs bool // the other side has it
	queued bool
}

type walkQueue []*walked

func (q walkQueue) Len() int           { return len(q) }
func (q walkQueue) Less(i, j int) bool { return q[i].header.when > q[j].header.when }
func (q walkQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *walkQueue) Push(x any)        { *q = append(*q, x.(*walked)) }
func (q *walkQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// since gives the commits that lead to tip and that none of the commits that the
// other side has leads to, newest first. What the other side has and is not here
// is passed over. Only as much of the history is read as lies between.
func since(from store, ends map[plumbing.Hash]bool, tip plumbing.Hash, has []plumbing.Hash) ([]*walked, error) {
	h := &history{from: from, ends: ends, known: map[plumbing.Hash]*walked{}}
	for _, hash := range has {
		if _, err := from.EncodedObject(plumbing.CommitObject, hash); err == nil {
			if err := h.reach(hash, true); err != nil {
				return nil, err
			}
		}
	}
	if err := h.reach(tip, false); err != nil {
		return nil, err
	}
	var found []*walked
	for h.mine > 0 {
		next := heap.Pop(&h.queue).(*walked)
		next.queued = false
		if !next.theirs {
			h.mine--
			found = append(found, next)
		}
		if ends[next.hash] {
			continue
		}
		for _, parent := range next.header.parents {
			if err := h.reach(parent, next.theirs); err != nil {
				return nil, err
			}
		}
	}
	var ours []*walked
	for _, commit := range found {
		if !commit.theirs { // a clock that is wrong may show this late
			ours = append(ours, commit)
		}
	}
	return ours, nil
}

func (h *history) reach(hash plumbing.Hash, theirs bool) error {
	commit, seen := h.known[hash]
	if !seen {
		header, err := readCommit(h.from, hash)
		if err != nil {
			return err
		}
		commit = &walked{hash: hash, header: header, theirs: theirs}
		h.known[hash] = commit
	} else if commit.theirs || !theirs {
		return nil
	}
	if commit.queued { // it was ours so far
		h.mine--
		commit.theirs = true
		return nil
	}
	commit.theirs, commit.queued = theirs, true
	heap.Push(&h.queue, commit)
	if !theirs {
		h.mine++
	}
	return nil
}

// leadsTo reports whether a commit is among those that lead to another. Clocks
// prove nothing: commits may be dated by SOURCE_DATE_EPOCH.
func leadsTo(from store, ends map[plumbing.Hash]bool, old, tip plumbing.Hash) (bool, error) {
	const ofOld, ofTip = 1, 2
	marks := map[plumbing.Hash]int{}
	var queue walkQueue
	reach := func(hash plumbing.Hash, mark int) error {
		if marks[hash]|mark == marks[hash] {
			return nil
		}
		marks[hash] |= mark
		header, err := readCommit(from, hash)
		if err == nil {
			heap.Push(&queue, &walked{hash: hash, header: header})
		}
		return err
	}
	if _, err := from.EncodedObject(plumbing.CommitObject, old); err != nil {
		return false, nil // it is not here, so not ours
	}
	if err := errors.Join(reach(tip, ofTip), reach(old, ofOld)); err != nil {
		return false, err
	}
	for slices.ContainsFunc(queue, func(c *walked) bool { return marks[c.hash] != ofOld|ofTip }) {
		next := heap.Pop(&queue).(*walked)
		if ends[next.hash] {
			continue
		}
		for _, parent := range next.header.parents {
			if err := reach(parent, marks[next.hash]); err != nil {
				return false, err
			}
		}
	}
	return marks[old] == ofOld|ofTip, nil
}

// between collects the objects of commits that the other side lacks: what their
// folders have that those of their parents have not.
type between struct {
	from    store
	objects objectsOf
	tried   map[plumbing.Hash]bool
	visit   func(plumbing.ObjectType, plumbing.Hash) error // called for each in place of collecting it
}

func (b *between) commits(commits []*walked) error {
	for i := len(commits) - 1; i >= 0; i-- {
		commit := commits[i]
		if err := b.take(plumbing.CommitObject, commit.hash); err != nil {
			return err
		}
		var parents []plumbing.Hash
		for _, parent := range commit.header.parents {
			if header, err := readCommit(b.from, parent); err == nil { // or it is beyond a shallow clone
				parents = append(parents, header.tree)
			}
		}
		if err := b.tree(commit.header.tree, parents); err != nil {
			return err
		}
	}
	return nil
}

func (b *between) take(kind plumbing.ObjectType, hash plumbing.Hash) error {
	if b.visit != nil {
		return b.visit(kind, hash)
	}
	data, err := readObject(b.from, kind, hash)
	if err == nil && b.objects.add(kind, data) != hash {
		err = fmt.Errorf("read %s %s: it is damaged: git fsck tells more", kind, hash)
	}
	return err
}

func (b *between) tree(hash plumbing.Hash, before []plumbing.Hash) error {
	for _, other := range before {
		if other == hash {
			return nil
		}
	}
	if b.tried[hash] || hash.String() == emptyTree {
		return nil
	}
	b.tried[hash] = true
	if err := b.take(plumbing.TreeObject, hash); err != nil {
		return err
	}
	entries, err := readEntries(b.from, hash)
	if err != nil {
		return err
	}
	var olds []map[string]object.TreeEntry
	for _, other := range before {
		if old, err := readEntries(b.from, other); err == nil {
			olds = append(olds, old)
		}
	}
	for _, name := range sortedKeys(entries) {
		if err := b.entry(entries[name], olds); err != nil {
			return err
		}
	}
	return nil
}

func (b *between) entry(entry object.TreeEntry, olds []map[string]object.TreeEntry) error {
	var before []plumbing.Hash
	for _, old := range olds {
		was, found := old[entry.Name]
		if found && was.Hash == entry.Hash {
			return nil
		}
		if found && was.Mode == filemode.Dir {
			before = append(before, was.Hash)
		}
	}
	switch {
	case entry.Mode == filemode.Submodule, b.tried[entry.Hash]:
		return nil
	case entry.Mode == filemode.Dir:
		return b.tree(entry.Hash, before)
	}
	b.tried[entry.Hash] = true
	return b.take(plumbing.BlobObject, entry.Hash)
}
