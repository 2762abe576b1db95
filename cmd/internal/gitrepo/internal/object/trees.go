package object

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Entry is a file, a link, a submodule or a folder in a folder of a commit.
type Entry = object.TreeEntry

// ReadTree reads a folder of a commit, in the order of Git.
func ReadTree(from Store, hash plumbing.Hash) ([]Entry, error) {
	data, err := Read(from, plumbing.TreeObject, hash)
	if err != nil {
		return nil, err
	}
	const usual = 40 // bytes an entry
	entries := make([]Entry, 0, len(data)/usual)
	for rest := string(data); rest != ""; {
		mode, after, found := strings.Cut(rest, " ")
		name, after, ended := strings.Cut(after, "\x00")
		if !found || !ended || len(after) < len(hash) {
			return nil, fmt.Errorf("read tree %s: it is damaged", hash)
		}
		parsed, err := filemode.New(mode)
		if err != nil {
			return nil, fmt.Errorf("read tree %s: %w", hash, err)
		}
		entry := Entry{Name: name, Mode: parsed}
		copy(entry.Hash[:], after)
		entries, rest = append(entries, entry), after[len(hash):]
	}
	return entries, nil
}

// encodeTree returns a folder as Git stores it.
func encodeTree(entries []Entry) []byte {
	size := 0
	for i := range entries {
		size += len("100644 \x00") + len(entries[i].Name) + hashSize
	}
	out := make([]byte, 0, size)
	for i := range entries {
		out = strconv.AppendUint(out, uint64(entries[i].Mode), 8)
		out = append(append(append(out, ' '), entries[i].Name...), 0)
		out = append(out, entries[i].Hash[:]...)
	}
	return out
}

// compareEntries orders the entries of a folder: folders sort as if their names ended
// in a slash.
func compareEntries(a, b Entry) int {
	shared := min(len(a.Name), len(b.Name))
	if order := strings.Compare(a.Name[:shared], b.Name[:shared]); order != 0 {
		return order
	}
	return strings.Compare(a.Name[shared:]+ending(a), b.Name[shared:]+ending(b))
}

func ending(entry Entry) string {
	if entry.Mode == filemode.Dir {
		return "/"
	}
	return ""
}

// ReadCommit reads a commit.
func ReadCommit(from Store, hash plumbing.Hash) (*object.Commit, error) {
	commit := &object.Commit{}
	data, err := Read(from, plumbing.CommitObject, hash)
	if err != nil {
		return commit, err
	}
	if err := commit.Decode(encoded(plumbing.CommitObject, data)); err != nil {
		return commit, fmt.Errorf("read commit %s: %w", hash, err)
	}
	return commit, nil
}

// TreeOf returns the tree of a commit, zero where it has no files. The commit may be
// zero.
func TreeOf(from Store, commit plumbing.Hash) (plumbing.Hash, error) {
	if commit.IsZero() {
		return plumbing.ZeroHash, nil
	}
	read, err := ReadCommit(from, commit)
	if read.TreeHash == plumbing.ComputeHash(plumbing.TreeObject, nil) { // it need not be stored
		return plumbing.ZeroHash, err
	}
	return read.TreeHash, err
}
