package gitrepo

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// newObject is an object that is to be stored or sent.
type newObject struct {
	kind plumbing.ObjectType
	hash plumbing.Hash
	data []byte
}

// objectsOf is a set of new objects, in the order in which they were added.
type objectsOf struct {
	all  []newObject
	seen map[plumbing.Hash]int // where it is in all
}

func (o *objectsOf) add(kind plumbing.ObjectType, data []byte) plumbing.Hash {
	hash := plumbing.ComputeHash(kind, data)
	if o.seen == nil {
		o.seen = map[plumbing.Hash]int{}
	}
	if _, seen := o.seen[hash]; !seen {
		o.seen[hash] = len(o.all)
		o.all = append(o.all, newObject{kind, hash, data})
	}
	return hash
}

// find gives an object that was added.
func (o *objectsOf) find(hash plumbing.Hash) (plumbing.EncodedObject, bool) {
	at, found := o.seen[hash]
	if !found {
		return nil, false
	}
	made := &plumbing.MemoryObject{}
	made.SetType(o.all[at].kind)
	_, err := made.Write(o.all[at].data)
	return made, err == nil
}

// store is where objects are read from.
type store interface {
	EncodedObject(plumbing.ObjectType, plumbing.Hash) (plumbing.EncodedObject, error)
}

var _ store = storer.EncodedObjectStorer(nil)

// MissingObjectError is that a repository lacks an object that it names: it is
// a partial clone, or it is damaged.
type MissingObjectError struct{ what, hash string }

func (e *MissingObjectError) Error() string {
	return fmt.Sprintf("the repository lacks the %s %s: it is a partial clone (git fetch --refetch --filter=blob:none gets all folders), or it is damaged (git fsck tells)", e.what, e.hash)
}

func readObject(from store, kind plumbing.ObjectType, hash plumbing.Hash) ([]byte, error) {
	const most = 1 << 28
	found, err := from.EncodedObject(kind, hash)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return nil, &MissingObjectError{kind.String(), hash.String()}
	}
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind, hash, err)
	}
	if found.Size() > most {
		return nil, fmt.Errorf("read %s %s: it is larger than %d MB", kind, hash, most>>20)
	}
	reader, err := found.Reader()
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind, hash, err)
	}
	defer reader.Close()
	data, err := io.ReadAll(reader)
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind, hash, err)
	}
	return data, nil
}

// readEntries reads a folder of a commit, by name.
func readEntries(from store, hash plumbing.Hash) (map[string]object.TreeEntry, error) {
	data, err := readObject(from, plumbing.TreeObject, hash)
	if err != nil {
		return nil, err
	}
	entries := map[string]object.TreeEntry{}
	for len(data) > 0 {
		mode, rest, found := bytes.Cut(data, []byte{' '})
		name, rest, ended := bytes.Cut(rest, []byte{0})
		if !found || !ended || len(rest) < len(hash) {
			return nil, fmt.Errorf("read tree %s: it is damaged", hash)
		}
		parsed, err := filemode.New(string(mode))
		if err != nil {
			return nil, fmt.Errorf("read tree %s: %w", hash, err)
		}
		entry := object.TreeEntry{Name: string(name), Mode: parsed}
		copy(entry.Hash[:], rest)
		entries[entry.Name] = entry
		data = rest[len(hash):]
	}
	return entries, nil
}

// encodeEntries is a folder as Git stores it: folders sort as if their names
// ended in a slash.
func encodeEntries(entries map[string]object.TreeEntry) []byte {
	sorted := make([]object.TreeEntry, 0, len(entries))
	for _, entry := range entries {
		sorted = append(sorted, entry)
	}
	slices.SortFunc(sorted, func(a, b object.TreeEntry) int { return cmp.Compare(sortName(a), sortName(b)) })
	var out bytes.Buffer
	for _, entry := range sorted {
		fmt.Fprintf(&out, "%o %s\x00", uint32(entry.Mode), entry.Name)
		out.Write(entry.Hash[:])
	}
	return out.Bytes()
}

func sortName(entry object.TreeEntry) string {
	if entry.Mode == filemode.Dir {
		return entry.Name + "/"
	}
	return entry.Name
}

// commitHeader is what of a commit is needed: its tree, parents and date.
type commitHeader struct {
	tree    plumbing.Hash
	parents []plumbing.Hash
	when    int64
}

func readCommit(from store, hash plumbing.Hash) (commitHeader, error) {
	var header commitHeader
	data, err := readObject(from, plumbing.CommitObject, hash)
	if err != nil {
		return header, err
	}
	text, _, _ := strings.Cut(string(data), "\n\n")
	for line := range strings.SplitSeq(text, "\n") {
		key, value, _ := strings.Cut(line, " ")
		switch key {
		case "tree":
			header.tree = plumbing.NewHash(value)
		case "parent":
			header.parents = append(header.parents, plumbing.NewHash(value))
		case "committer":
			if _, stamp, found := strings.Cut(value[strings.LastIndexByte(value, '>')+1:], " "); found {
				_, _ = fmt.Sscanf(stamp, "%d", &header.when)
			}
		}
	}
	return header, nil
}
