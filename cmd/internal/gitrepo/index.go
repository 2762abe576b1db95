package gitrepo

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
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

// indexEntry is a file in the index.
type indexEntry struct {
	stat     [40]byte // ctime, mtime, dev, ino, mode, uid, gid, size
	hash     [20]byte
	flags    uint16 // without the name's length
	extended uint16
	name     string
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
	indexMostSize = 1 << 30
)

func (e *indexEntry) stage() int       { return int(e.flags&stageMask) >> 12 }
func (e *indexEntry) mode() uint32     { return binary.BigEndian.Uint32(e.stat[statMode:]) }
func (e *indexEntry) modified() uint32 { return binary.BigEndian.Uint32(e.stat[statMtime:]) }

// IndexError is that the index holds something that we would not keep right.
type IndexError struct{ sentence string }

func (e *IndexError) Error() string { return "read the index: " + e.sentence }

// readIndex reads an index file; one that is not there is empty.
func readIndex(name string) (*index, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &index{version: 2, sum: true}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the index: %w", reason(err))
	}
	if info.Size() > indexMostSize {
		return nil, &IndexError{"it is larger than 1 GB"}
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the index: %w", reason(err))
	}
	x, err := decodeIndex(data)
	if err != nil {
		return nil, err
	}
	x.written = info.ModTime()
	return x, nil
}

var errDamaged = &IndexError{"it is damaged: rm .git/index && git reset makes it anew, and unstages what is staged"}

func decodeIndex(data []byte) (*index, error) {
	if len(data) < 12+sha1.Size || string(data[:4]) != "DIRC" {
		return nil, errDamaged
	}
	body, sum := data[:len(data)-sha1.Size], data[len(data)-sha1.Size:]
	x := &index{version: binary.BigEndian.Uint32(data[4:]), sum: true}
	if bytes.Equal(sum, make([]byte, sha1.Size)) {
		x.sum = false
	} else if want := sha1.Sum(body); !bytes.Equal(sum, want[:]) {
		return nil, errDamaged
	}
	if x.version < 2 || x.version > 4 {
		return nil, &IndexError{fmt.Sprintf("it has version %d: 2 to 4 are known", x.version)}
	}
	rest, count := body[12:], binary.BigEndian.Uint32(data[8:])
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

// decodeEntry reads an entry, and says how many bytes it has, 0 if it is damaged.
func decodeEntry(data []byte, version uint32, previous string) (e indexEntry, size int) {
	if len(data) < entryFixed {
		return e, 0
	}
	copy(e.stat[:], data)
	copy(e.hash[:], data[40:])
	flags := binary.BigEndian.Uint16(data[60:])
	e.flags, size = flags&^nameMask, entryFixed
	if flags&flagExtended != 0 {
		if version < 3 || len(data) < size+2 {
			return e, 0
		}
		e.extended, size = binary.BigEndian.Uint16(data[size:]), size+2
	}
	prefix := ""
	if version == 4 {
		cut, used := decodeOffset(data[size:])
		if used == 0 || cut > len(previous) {
			return e, 0
		}
		prefix, size = previous[:len(previous)-cut], size+used
	}
	end := bytes.IndexByte(data[size:], 0)
	if end < 0 {
		return e, 0
	}
	e.name = prefix + string(data[size:size+end])
	if size += end + 1; version < 4 {
		size = (size + 7) &^ 7
	}
	if size > len(data) {
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
func (x *index) readExtensions(data []byte) error {
	for len(data) > 0 {
		if len(data) < 8 {
			return errDamaged
		}
		name, size := string(data[:4]), int(binary.BigEndian.Uint32(data[4:]))
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
	if version == 2 && slices.ContainsFunc(x.entries, func(e indexEntry) bool { return e.extended != 0 }) {
		version = 3
	}
	out := make([]byte, 0, 12+len(x.entries)*128+len(x.extensions)+sha1.Size)
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
	out = append(out, e.stat[:]...)
	out = append(out, e.hash[:]...)
	flags := e.flags&^flagExtended | uint16(min(len(e.name), nameMask))
	if e.extended != 0 {
		flags |= flagExtended
	}
	out = binary.BigEndian.AppendUint16(out, flags)
	if e.extended != 0 {
		out = binary.BigEndian.AppendUint16(out, e.extended)
	}
	if version == 4 {
		common := commonPrefix(previous, e.name)
		out = append(out, encodeOffset(len(previous)-common)...)
		return append(append(out, e.name[common:]...), 0)
	}
	out = append(out, e.name...)
	for size := len(out) - start; ; size++ { // one zero at least
		if out = append(out, 0); (size+1)%8 == 0 {
			return out
		}
	}
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
