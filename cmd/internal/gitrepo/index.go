package gitrepo

import (
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// index is the staging area, in a form that gives back every byte of what we do
// not change: go-git's own encoder drops extensions and the flags of version 3.
// https://git-scm.com/docs/index-format
type index struct {
	version    uint32
	entries    []indexEntry // sorted by name and stage
	extensions []byte       // those that stay true
	written    time.Time    // when the file was
	sum        bool         // ends in a checksum; index.skipHash writes zeros instead
}

// indexEntry is a file in the index: its name, and what is before the name, byte
// by byte as it is in the file. Both are parts of the one text that was read.
type indexEntry struct {
	name  string
	fixed string // ctime, mtime, dev, ino, mode, uid, gid, size; hash; flags; extended flags, if any
}

// newEntry is an entry that is to be written.
type newEntry struct {
	name     string
	stat     [40]byte // up to the size
	hash     [20]byte
	extended uint16
}

func (n *newEntry) entry() indexEntry {
	fixed := slices.Concat(n.stat[:], n.hash[:])
	flags := uint16(min(len(n.name), nameMask))
	if n.extended != 0 {
		fixed = binary.BigEndian.AppendUint16(fixed, flags|flagExtended)
		flags = n.extended
	}
	return indexEntry{n.name, string(binary.BigEndian.AppendUint16(fixed, flags))}
}

const (
	flagExtended  = 0x4000
	stageMask     = 0x3000
	flagSkip      = 0x4000 // skip-worktree, of the extended ones
	nameMask      = 0x0fff
	entryFixed    = 62
	modeDir       = 0o040000
	statMtime     = 8
	statMode      = 24
	statSize      = 36
	entryHash     = 40
	entryFlags    = 60
	indexMostSize = 1 << 30
)

func (e *indexEntry) stage() int       { return int(e.flags()&stageMask) >> 12 }
func (e *indexEntry) mode() uint32     { return number32(e.fixed[statMode:]) }
func (e *indexEntry) modified() uint32 { return number32(e.fixed[statMtime:]) }
func (e *indexEntry) flags() uint16    { return uint16(number32(e.fixed[entryFlags-2:])) }
func (e *indexEntry) hash() (hash [20]byte) {
	copy(hash[:], e.fixed[entryHash:])
	return hash
}

func (e *indexEntry) extended() uint16 {
	if len(e.fixed) == entryFixed {
		return 0
	}
	return uint16(number32(e.fixed[entryFixed-2:]))
}

// number32 is the number that a text starts with.
func number32(text string) uint32 {
	return uint32(text[0])<<24 | uint32(text[1])<<16 | uint32(text[2])<<8 | uint32(text[3])
}

// IndexError is that the index holds something that we would not keep right.
type IndexError struct{ sentence string }

func (e *IndexError) Error() string { return "read the index: " + e.sentence }

// readIndex reads an index file; one that is not there is empty.
func readIndex(name string) (*index, error) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &index{version: 2, sum: true}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the index: %w", reason(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the index: %w", reason(err))
	}
	if info.Size() > indexMostSize {
		return nil, &IndexError{"it is larger than 1 GB"}
	}
	var text strings.Builder // and no bytes, of which each name would be a copy
	text.Grow(int(info.Size()))
	if _, err := io.Copy(&text, io.LimitReader(file, indexMostSize)); err != nil {
		return nil, fmt.Errorf("read the index: %w", reason(err))
	}
	x, err := decodeIndex(text.String())
	if err != nil {
		return nil, err
	}
	x.written = info.ModTime()
	return x, nil
}

var errDamaged = &IndexError{"it is damaged: rm .git/index && git reset makes it anew, and unstages what is staged"}

func decodeIndex(text string) (*index, error) {
	if len(text) < 12+sha1.Size || text[:4] != "DIRC" {
		return nil, errDamaged
	}
	body, sum := text[:len(text)-sha1.Size], text[len(text)-sha1.Size:]
	x := &index{version: number32(text[4:]), sum: true}
	if sum == string(make([]byte, sha1.Size)) {
		x.sum = false
	} else if sum != sumOf(body) {
		return nil, errDamaged
	}
	if x.version < 2 || x.version > 4 {
		return nil, &IndexError{fmt.Sprintf("it has version %d: 2 to 4 are known", x.version)}
	}
	rest, count := body[12:], number32(text[8:])
	x.entries = make([]indexEntry, 0, min(int(count), len(body)/entryFixed))
	previous := ""
	for range count {
		entry, size := decodeEntry(rest, x.version, previous)
		if size == 0 {
			return nil, errDamaged
		}
		x.entries, previous, rest = append(x.entries, entry), entry.name, rest[size:]
	}
	return x, x.readExtensions(rest)
}

// sumOf is the SHA-1 of a text, without a copy of it.
func sumOf(text string) string {
	sum := sha1.New()
	_, _ = io.Copy(sum, struct{ io.Reader }{strings.NewReader(text)}) // its WriteTo would copy
	return string(sum.Sum(nil))
}

// decodeEntry reads an entry, and says how many bytes it has, 0 if it is damaged.
func decodeEntry(text string, version uint32, previous string) (e indexEntry, size int) {
	if len(text) < entryFixed {
		return e, 0
	}
	size = entryFixed
	if text[entryFlags]&(flagExtended>>8) != 0 {
		if size += 2; version < 3 || len(text) < size {
			return e, 0
		}
	}
	e.fixed = text[:size]
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
	e.name = prefix + text[size:size+end]
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

func encodeOffset(value int) []byte {
	out := []byte{byte(value & 0x7f)}
	for value >>= 7; value > 0; value >>= 7 {
		value--
		out = append(out, 0x80|byte(value&0x7f))
	}
	slices.Reverse(out)
	return out
}

// readExtensions keeps what stays true when entries change, leaves out what git
// makes anew, and refuses the rest. A name that starts with a capital letter may
// be left out.
func (x *index) readExtensions(data string) error {
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
			return &IndexError{"it is split in two (core.splitIndex): git update-index --no-split-index joins it"}
		case name[0] < 'A' || name[0] > 'Z':
			return &IndexError{fmt.Sprintf("it needs the extension %q, which is not known", name)}
		}
		data = data[8+size:]
	}
	return nil
}

// encode is the index file.
func (x *index) encode() []byte {
	version := x.version
	if version == 2 && slices.ContainsFunc(x.entries, func(e indexEntry) bool { return e.extended() != 0 }) {
		version = 3
	}
	size := 12 + len(x.extensions) + sha1.Size
	for i := range x.entries {
		size += len(x.entries[i].fixed) + len(x.entries[i].name) + 8
	}
	out := make([]byte, 0, size)
	out = append(out, "DIRC"...)
	out = binary.BigEndian.AppendUint32(out, version)
	out = binary.BigEndian.AppendUint32(out, uint32(len(x.entries)))
	previous := ""
	for i := range x.entries {
		out = x.entries[i].append(out, version, previous)
		previous = x.entries[i].name
	}
	out = append(out, x.extensions...)
	sum := [sha1.Size]byte{}
	if x.sum {
		sum = sha1.Sum(out)
	}
	return append(out, sum[:]...)
}

func (e *indexEntry) append(out []byte, version uint32, previous string) []byte {
	start := len(out)
	out = append(out, e.fixed...)
	if version == 4 {
		common := commonPrefix(previous, e.name)
		out = append(out, encodeOffset(len(previous)-common)...)
		return append(append(out, e.name[common:]...), 0)
	}
	out = append(out, e.name...)
	var zeros [8]byte // one at least, so that the next entry starts at a multiple of 8
	return append(out, zeros[:8-(len(out)-start)%8]...)
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// find is where a file's entries are, or would be.
func (x *index) find(name string) (at int, found bool) {
	return slices.BinarySearchFunc(x.entries, name, func(e indexEntry, name string) int { return strings.Compare(e.name, name) })
}
