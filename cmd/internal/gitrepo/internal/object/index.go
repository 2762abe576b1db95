package object

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/filemode"
	gitbinary "github.com/go-git/go-git/v5/utils/binary"
)

// Index is the staging area, in a form that gives back every byte of what we do
// not change: go-git's own encoder drops extensions and the flags of version 3.
// https://git-scm.com/docs/index-format
type Index struct {
	version    uint32
	Entries    []IndexEntry // sorted by name and stage
	extensions []byte       // those that stay true
	Written    time.Time    // when the file was
	sum        bool         // ends in a checksum; index.skipHash writes zeros instead
}

// IndexEntry is a file in the index: its name, and the bytes before the name, as they are
// in the file. Both are parts of the one text that was read.
type IndexEntry struct {
	Name  string
	Fixed string // ctime, mtime, dev, ino, mode, uid, gid, size; hash; flags; extended flags, if any
}

// StagedEntry is an entry that is to be written.
type StagedEntry struct {
	Name     string
	Stat     [40]byte // up to the size
	Hash     [20]byte
	Extended uint16
}

// Entry returns the entry as the file has it.
func (n *StagedEntry) Entry() IndexEntry {
	fixed := slices.Concat(n.Stat[:], n.Hash[:])
	flags := uint16(min(len(n.Name), nameMask))
	if n.Extended != 0 {
		fixed = binary.BigEndian.AppendUint16(fixed, flags|flagExtended)
		flags = n.Extended
	}
	return IndexEntry{n.Name, string(binary.BigEndian.AppendUint16(fixed, flags))}
}

// Places and values of an entry's fields, and how large an index, or a file in it, may be.
const (
	flagExtended = 0x4000
	stageMask    = 0x3000
	FlagSkip     = 0x4000 // skip-worktree, of the extended ones
	nameMask     = 0x0fff
	entryFixed   = 62
	ModeDir      = 0o040000
	StatMtime    = 8
	StatMode     = 24
	StatSize     = 36
	entryHash    = 40
	entryFlags   = 60
	MaxIndexSize = 1 << 30
)

// Stage returns a number above 0 for a file in conflict.
func (e *IndexEntry) Stage() int { return int(e.flags()&stageMask) >> 12 }

// Mode returns the kind of file.
func (e *IndexEntry) Mode() uint32 { return number32(e.Fixed[StatMode:]) }

// Modified returns the second in which the file was changed.
func (e *IndexEntry) Modified() uint32 { return number32(e.Fixed[StatMtime:]) }

func (e *IndexEntry) flags() uint16 { return uint16(number32(e.Fixed[entryFlags-2:])) }

// Hash returns the hash of the content.
func (e *IndexEntry) Hash() (hash [20]byte) {
	copy(hash[:], e.Fixed[entryHash:])
	return hash
}

// Extended returns the flags that only some entries have.
func (e *IndexEntry) Extended() uint16 {
	if len(e.Fixed) == entryFixed {
		return 0
	}
	return uint16(number32(e.Fixed[entryFixed-2:]))
}

// Is reports whether the entry is a file of a commit, and not only announced (git add -N).
func (e *IndexEntry) Is(file Entry) bool {
	const intentToAdd = 0x2000
	return file.Mode != filemode.Empty && e.Mode() == uint32(file.Mode) && e.Hash() == file.Hash && e.Extended()&intentToAdd == 0
}

// number32 decodes the number that a text starts with.
func number32(text string) uint32 {
	return uint32(text[0])<<24 | uint32(text[1])<<16 | uint32(text[2])<<8 | uint32(text[3])
}

var errDamaged = errors.New("it is damaged: rm .git/index && git reset makes it anew, and unstages what is staged")

// NewIndex returns an empty index.
func NewIndex() *Index { return &Index{version: 2, sum: true} }

// DecodeIndex reads an index file.
func DecodeIndex(file fs.File) (*Index, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > MaxIndexSize {
		return nil, errors.New("it is larger than 1 GB")
	}
	var text strings.Builder // and no bytes, of which each name would be a copy
	text.Grow(int(info.Size()))
	if _, err := io.Copy(&text, io.LimitReader(file, MaxIndexSize)); err != nil {
		return nil, err
	}
	x, err := decodeIndex(text.String())
	if err == nil {
		x.Written = info.ModTime()
	}
	return x, err
}

func decodeIndex(text string) (*Index, error) {
	if len(text) < 12+sha1.Size || text[:4] != "DIRC" {
		return nil, errDamaged
	}
	body, sum := text[:len(text)-sha1.Size], text[len(text)-sha1.Size:]
	x := &Index{version: number32(text[4:]), sum: true}
	if sum == string(make([]byte, sha1.Size)) {
		x.sum = false
	} else if sum != sumOf(body) {
		return nil, errDamaged
	}
	if x.version < 2 || x.version > 4 {
		return nil, fmt.Errorf("it has version %d: 2 to 4 are known", x.version)
	}
	rest, count := body[12:], number32(text[8:])
	x.Entries = make([]IndexEntry, 0, min(int(count), len(body)/entryFixed))
	previous := ""
	for range count {
		entry, size := decodeEntry(rest, x.version, previous)
		if size == 0 {
			return nil, errDamaged
		}
		x.Entries, previous, rest = append(x.Entries, entry), entry.Name, rest[size:]
	}
	return x, x.readExtensions(rest)
}

// sumOf computes the SHA-1 of a text, without a copy of it.
func sumOf(text string) string {
	sum := sha1.New()
	_, _ = io.Copy(sum, struct{ io.Reader }{strings.NewReader(text)}) // its WriteTo would copy
	return string(sum.Sum(nil))
}

// decodeEntry reads an entry, and says how many bytes it has, 0 if it is damaged.
func decodeEntry(text string, version uint32, previous string) (e IndexEntry, size int) {
	if len(text) < entryFixed {
		return e, 0
	}
	size = entryFixed
	if text[entryFlags]&(flagExtended>>8) != 0 {
		if size += 2; version < 3 || len(text) < size {
			return e, 0
		}
	}
	e.Fixed = text[:size]
	prefix := ""
	if version == 4 {
		cut, used := decodeOffset([]byte(text[size:min(len(text), size+8)]))
		if used == 0 || cut > len(previous) {
			return e, 0
		}
		prefix, size = previous[:len(previous)-cut], size+used
	}
	end := strings.IndexByte(text[size:], 0)
	if end < 0 {
		return e, 0
	}
	e.Name = prefix + text[size:size+end]
	if size += end + 1; version < 4 {
		size = (size + 7) &^ 7
	}
	if size > len(text) {
		return e, 0
	}
	return e, size
}

// decodeOffset reads a number as packs have it in OFS_DELTA.
func decodeOffset(data []byte) (value, used int) {
	for i, b := range data[:min(len(data), 8)] {
		if value = value<<7 | int(b&0x7f); b&0x80 == 0 {
			return value, i + 1
		}
		value++
	}
	return 0, 0
}

// readExtensions keeps what stays true when entries change, leaves out what git
// makes anew, and refuses the rest. A name that starts with a capital letter may
// be left out.
func (x *Index) readExtensions(data string) error {
	for len(data) > 0 {
		if len(data) < 8 {
			return errDamaged
		}
		name, size := data[:4], int(number32(data[4:]))
		if size > len(data)-8 {
			return errDamaged
		}
		switch {
		case name == "REUC", name == "sdir": // resolved conflicts; folders outside of a sparse checkout
			x.extensions = append(x.extensions, data[:8+size]...)
		case name == "link":
			return errors.New("it is split in two (core.splitIndex): git update-index --no-split-index joins it")
		case name[0] < 'A' || name[0] > 'Z':
			return fmt.Errorf("it needs the extension %q, which is not known", name)
		}
		data = data[8+size:]
	}
	return nil
}

// Encode returns the index file.
func (x *Index) Encode() []byte {
	version := x.version
	if version == 2 && slices.ContainsFunc(x.Entries, func(e IndexEntry) bool { return e.Extended() != 0 }) {
		version = 3
	}
	size := 12 + len(x.extensions) + sha1.Size
	for i := range x.Entries {
		size += len(x.Entries[i].Fixed) + len(x.Entries[i].Name) + 8
	}
	out := make([]byte, 0, size)
	out = append(out, "DIRC"...)
	out = binary.BigEndian.AppendUint32(out, version)
	out = binary.BigEndian.AppendUint32(out, uint32(len(x.Entries)))
	previous := ""
	for i := range x.Entries {
		out = x.Entries[i].append(out, version, previous)
		previous = x.Entries[i].Name
	}
	out = append(out, x.extensions...)
	sum := [sha1.Size]byte{}
	if x.sum {
		sum = sha1.Sum(out)
	}
	return append(out, sum[:]...)
}

func (e *IndexEntry) append(out []byte, version uint32, previous string) []byte {
	start := len(out)
	out = append(out, e.Fixed...)
	if version == 4 {
		common := 0
		for common < min(len(previous), len(e.Name)) && previous[common] == e.Name[common] {
			common++
		}
		grown := bytes.NewBuffer(out)
		_ = gitbinary.WriteVariableWidthInt(grown, int64(len(previous)-common))
		return append(append(grown.Bytes(), e.Name[common:]...), 0)
	}
	out = append(out, e.Name...)
	var zeros [8]byte // one at least, so that the next entry starts at a multiple of 8
	return append(out, zeros[:8-(len(out)-start)%8]...)
}

// Find returns the place of a file's entries, or where it would be.
func (x *Index) Find(name string) (at int, found bool) {
	return slices.BinarySearchFunc(x.Entries, name, func(e IndexEntry, name string) int { return strings.Compare(e.Name, name) })
}
