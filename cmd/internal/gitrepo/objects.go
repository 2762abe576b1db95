package gitrepo

import (
	"errors"
	"fmt"
	"io"
	"strconv"
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

// mostObject is how large an object may be that is read.
const mostObject = 1 << 28

func readObject(from store, kind plumbing.ObjectType, hash plumbing.Hash) ([]byte, error) {
	found, err := from.EncodedObject(kind, hash)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return nil, &MissingObjectError{kind.String(), hash.String()}
	}
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind, hash, err)
	}
	if found.Size() > mostObject {
		return nil, fmt.Errorf("read %s %s: it is larger than %d MB", kind, hash, mostObject>>20)
	}
	reader, err := found.Reader()
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind, hash, err)
	}
	defer reader.Close()
	data := make([]byte, found.Size())
	if _, err := io.ReadFull(reader, data); err != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind, hash, err)
	}
	return data, nil
}

// readFolder reads a folder of a commit, in the order of Git.
func readFolder(from store, hash plumbing.Hash) ([]object.TreeEntry, error) {
	data, err := readObject(from, plumbing.TreeObject, hash)
	if err != nil {
		return nil, err
	}
	const usual = 40 // bytes an entry
	entries := make([]object.TreeEntry, 0, len(data)/usual)
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
		entry := object.TreeEntry{Name: name, Mode: parsed}
		copy(entry.Hash[:], after)
		entries, rest = append(entries, entry), after[len(hash):]
	}
	return entries, nil
}

// readEntries reads a folder of a commit, by name.
func readEntries(from store, hash plumbing.Hash) (map[string]object.TreeEntry, error) {
	folder, err := readFolder(from, hash)
	if err != nil {
		return nil, err
	}
	entries := make(map[string]object.TreeEntry, len(folder))
	for _, entry := range folder {
		entries[entry.Name] = entry
	}
	return entries, nil
}

// encodeFolder is a folder as Git stores it.
func encodeFolder(entries []object.TreeEntry) []byte {
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

// compareEntries is the order of the entries of a folder: folders sort as if
// their names ended in a slash.
func compareEntries(a, b object.TreeEntry) int {
	shared := min(len(a.Name), len(b.Name))
	if order := strings.Compare(a.Name[:shared], b.Name[:shared]); order != 0 {
		return order
	}
	return strings.Compare(a.Name[shared:]+ending(a), b.Name[shared:]+ending(b))
}

func ending(entry object.TreeEntry) string {
	if entry.Mode == filemode.Dir {
		return "/"
	}
	return ""
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
