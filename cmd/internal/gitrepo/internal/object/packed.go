package object

import (
	"bufio"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// Packs reads the objects of a repository, several at a time. go-git reads the
// indexes of all packs in whole before it gives the first object, which takes
// longer than a commit. What is in no pack, or in one of an unusual kind, is left
// to it. go-git v6.0.0 ends the need for this: its idxfile.LazyIndex, in the alphas
// since v6.0.0-alpha.1, reads an index where it looks into it.
type Packs struct {
	packs []*packReader // the newest first, as git looks for objects
	rest  *filesystem.Storage
	one   sync.Mutex // rest does one thing at a time
}

// OpenPacks opens the packs of a folder. What is not in them is read from the rest.
func OpenPacks(dir string, rest *filesystem.Storage) *Packs {
	p, bases := &Packs{rest: rest}, cache.NewBufferLRU(32*cache.MiByte)
	entries, _ := os.ReadDir(dir)
	for i, entry := range entries[:min(len(entries), maxPacks)] {
		name, is := strings.CutSuffix(filepath.Join(dir, entry.Name()), ".idx")
		if !is {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			continue
		}
		if index, err := openPackIndex(name + ".idx"); err == nil {
			p.packs = append(p.packs, &packReader{name: name + ".pack", number: i, written: info.ModTime(), index: index, bases: bases})
		}
	}
	slices.SortStableFunc(p.packs, func(a, b *packReader) int { return b.written.Compare(a.written) })
	return p
}

// Rest returns what is read where no pack has an object.
func (p *Packs) Rest() *filesystem.Storage { return p.rest }

// maxPacks bounds the packs that are read; others are left to go-git. Their numbers
// are a part of what their objects are called in memory.
const maxPacks = 1 << 15

// Close closes the files.
func (p *Packs) Close() error {
	for _, pack := range p.packs {
		pack.index.close()
		if pack.file != nil {
			_ = pack.file.Close()
		}
	}
	return p.rest.Close()
}

// EncodedObject reads an object. The error is [plumbing.ErrObjectNotFound] if
// there is none of this kind. It may be called several times at once.
func (p *Packs) EncodedObject(kind plumbing.ObjectType, hash plumbing.Hash) (plumbing.EncodedObject, error) {
	for _, pack := range p.packs {
		offset, found, err := pack.index.find(hash)
		if err == nil && found {
			err = pack.open()
		}
		if err != nil || !found {
			continue // git may have packed it anew meanwhile: the rest knows
		}
		is, data, err := pack.object(offset)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(pack.name), err)
		}
		if kind != plumbing.AnyObject && kind != is {
			return nil, plumbing.ErrObjectNotFound
		}
		return encoded(is, data), nil
	}
	p.one.Lock()
	defer p.one.Unlock()
	return p.rest.EncodedObject(kind, hash)
}

// packReader reads objects of a pack.
type packReader struct {
	name    string
	number  int
	written time.Time
	index   *packIndex
	opening sync.Once
	file    *os.File
	err     error
	inflate sync.Pool
	bases   *cache.BufferLRU // what deltas of all packs were made of: its kind, and its bytes
}

// baseName names the object at an offset among the bases.
func (p *packReader) baseName(offset int64) int64 { return int64(p.number)<<48 | offset }

func (p *packReader) open() error {
	p.opening.Do(func() { p.file, p.err = os.Open(p.name) })
	return p.err
}

// packEntry is an object as it is in a pack: in whole, or its differences from another
// one.
type packEntry struct {
	kind plumbing.ObjectType
	data []byte
	base int64 // of a delta: where the other one is
}

var errDamagedPack = errors.New("it is damaged (git fsck tells)")

// object reads the object at an offset, and all that it is a delta of.
func (p *packReader) object(offset int64) (plumbing.ObjectType, []byte, error) {
	const deepest = 4095 // git makes no more of them on one another
	var deltas []packEntry
	for len(deltas) <= deepest {
		if known, found := p.bases.Get(p.baseName(offset)); found {
			return p.patch(plumbing.ObjectType(known[0]), known[1:], deltas)
		}
		entry, err := p.entry(offset)
		if err != nil {
			return 0, nil, err
		}
		if !entry.kind.IsDelta() {
			return p.patch(entry.kind, entry.data, deltas)
		}
		deltas, offset = append(deltas, entry), entry.base
	}
	return 0, nil, errDamagedPack
}

// patch applies deltas, the last one first.
func (p *packReader) patch(kind plumbing.ObjectType, data []byte, deltas []packEntry) (plumbing.ObjectType, []byte, error) {
	for _, delta := range slices.Backward(deltas) {
		p.bases.Put(p.baseName(delta.base), slices.Concat([]byte{byte(kind)}, data))
		_, start := binary.Uvarint(delta.data) // how long the base is
		size, end := binary.Uvarint(delta.data[max(start, 0):])
		if start <= 0 || end <= 0 || size > maxObject {
			return kind, nil, errDamagedPack
		}
		var err error
		if data, err = packfile.PatchDelta(data, delta.data); err != nil {
			return kind, nil, errDamagedPack
		}
	}
	return kind, data, nil
}

// inflater holds the buffers that reading compressed bytes takes, to be used again.
type inflater struct {
	in  *bufio.Reader
	out io.ReadCloser
}

func (p *packReader) entry(offset int64) (packEntry, error) {
	z, _ := p.inflate.Get().(*inflater)
	if z == nil {
		z = &inflater{in: bufio.NewReader(nil)}
	}
	defer p.inflate.Put(z)
	z.in.Reset(io.NewSectionReader(p.file, offset, 1<<62))
	const longest = 64 // bytes before what is compressed
	head, err := z.in.Peek(longest)
	if err != nil && err != io.EOF {
		return packEntry{}, err
	}
	entry, size, used := p.entryHead(head, offset)
	if used == 0 {
		return packEntry{}, errDamagedPack
	}
	if size > maxObject {
		return packEntry{}, fmt.Errorf("an object is larger than %d MB", maxObject>>20)
	}
	_, _ = z.in.Discard(used)
	entry.data, err = z.read(int(size))
	return entry, err
}

// entryHead reads the kind and size of an object, and of a delta what it is to be
// applied to. It says how many bytes that took, 0 if they are damaged.
func (p *packReader) entryHead(head []byte, offset int64) (e packEntry, size uint64, used int) {
	if len(head) == 0 {
		return e, 0, 0
	}
	e.kind, size, used = plumbing.ObjectType(head[0]>>4&7), uint64(head[0]&0x0f), 1
	if head[0]&0x80 != 0 {
		more, length := binary.Uvarint(head[1:])
		if length <= 0 {
			return e, 0, 0
		}
		size, used = size|min(more, maxObject)<<4, 1+length
	}
	switch e.kind {
	case plumbing.OFSDeltaObject:
		back, length := decodeOffset(head[used:])
		if e.base = offset - int64(back); length == 0 || back == 0 || e.base <= 0 {
			return e, 0, 0
		}
		return e, size, used + length
	case plumbing.REFDeltaObject:
		var hash plumbing.Hash
		found := len(head) >= used+hashSize
		if copy(hash[:], head[used:]); found {
			e.base, found, _ = p.index.find(hash)
		}
		if !found {
			return e, 0, 0
		}
		return e, size, used + hashSize
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject:
		return e, size, used
	}
	return e, 0, 0
}

// read reads so many bytes, and that there are no more.
func (z *inflater) read(size int) ([]byte, error) {
	var err error
	if z.out == nil {
		z.out, err = zlib.NewReader(z.in)
	} else {
		err = z.out.(zlib.Resetter).Reset(z.in, nil)
	}
	if err != nil {
		return nil, errDamagedPack
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(z.out, data); err != nil {
		return nil, errDamagedPack
	}
	var more [1]byte
	if count, err := z.out.Read(more[:]); count > 0 || err != io.EOF {
		return nil, errDamagedPack
	}
	return data, nil
}
