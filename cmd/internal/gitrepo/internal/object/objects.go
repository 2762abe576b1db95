// Package object reads and makes Git's objects, packs and index, in the way that a
// commit to a large repository takes: nothing is read that is not needed, and nothing
// of others is changed. It knows no repository, and writes no file.
package object

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// Object is an object that is to be stored or sent.
type Object struct {
	Kind plumbing.ObjectType
	Hash plumbing.Hash
	Data []byte
}

// Set is a set of new objects, in the order in which they were added.
type Set struct {
	All  []Object
	seen map[plumbing.Hash]int // where it is in all
}

// Add adds an object, if it is not there yet, and returns its hash.
func (o *Set) Add(kind plumbing.ObjectType, data []byte) plumbing.Hash {
	hash := plumbing.ComputeHash(kind, data)
	if o.seen == nil {
		o.seen = map[plumbing.Hash]int{}
	}
	if _, seen := o.seen[hash]; !seen {
		o.seen[hash] = len(o.All)
		o.All = append(o.All, Object{kind, hash, data})
	}
	return hash
}

// find returns an object that was added.
func (o *Set) find(hash plumbing.Hash) (plumbing.EncodedObject, bool) {
	at, found := o.seen[hash]
	if !found {
		return nil, false
	}
	return encoded(o.All[at].Kind, o.All[at].Data), true
}

// encoded makes an object of go-git's.
func encoded(kind plumbing.ObjectType, data []byte) *plumbing.MemoryObject {
	made := &plumbing.MemoryObject{}
	made.SetType(kind)
	_, _ = made.Write(data) // never fails
	return made
}

// Store reads objects.
type Store interface {
	EncodedObject(plumbing.ObjectType, plumbing.Hash) (plumbing.EncodedObject, error)
}

var _ Store = storer.EncodedObjectStorer(nil)

// MissingError says that a repository lacks an object that it names: it is
// a partial clone, or it is damaged.
type MissingError struct{ what, hash string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("the repository lacks the %s %s: it is a partial clone (git fetch --refetch --no-filter gets all of it), or it is damaged (git fsck tells)", e.what, e.hash)
}

// maxObject bounds the size of an object that is read.
const maxObject = 1 << 28

// Read reads an object that is not too large.
func Read(from Store, kind plumbing.ObjectType, hash plumbing.Hash) ([]byte, error) {
	found, err := from.EncodedObject(kind, hash)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return nil, &MissingError{kind.String(), hash.String()}
	}
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind, hash, err)
	}
	if found.Size() > maxObject {
		return nil, fmt.Errorf("read %s %s: it is larger than %d MB", kind, hash, maxObject>>20)
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

// layered reads what was made, and else what is stored.
type layered struct {
	made *Set
	Store
}

func (l layered) EncodedObject(kind plumbing.ObjectType, hash plumbing.Hash) (plumbing.EncodedObject, error) {
	if made, found := l.made.find(hash); found {
		return made, nil
	}
	return l.Store.EncodedObject(kind, hash)
}

// WholePacks hides packs without an index, which git, too, takes no notice of: a
// killed git leaves them, and one that packs makes them for a moment. go-git
// would read nothing at all.
type WholePacks struct{ billy.Filesystem }

func (w WholePacks) ReadDir(name string) ([]fs.FileInfo, error) {
	entries, err := w.Filesystem.ReadDir(name)
	if err != nil || filepath.Base(name) != "pack" {
		return entries, err
	}
	there := map[string]bool{}
	for _, entry := range entries {
		there[entry.Name()] = true
	}
	whole := entries[:0]
	for _, entry := range entries {
		pack, is := strings.CutSuffix(entry.Name(), ".pack")
		if !is || there[pack+".idx"] {
			whole = append(whole, entry)
		}
	}
	return whole, nil
}

func (w WholePacks) Chroot(name string) (billy.Filesystem, error) {
	inner, err := w.Filesystem.Chroot(name)
	return WholePacks{inner}, err
}
