package object

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"sort"

	"github.com/go-git/go-git/v5/plumbing"
)

// packIndex says where in a pack an object is. It is read where it is looked
// into, and not in whole: there may be millions of objects.
// https://git-scm.com/docs/pack-format
type packIndex struct {
	in     io.ReaderAt
	file   *os.File    // open, but for a small one, which is read
	counts [256]uint32 // how many objects have hashes that start with this byte, or a lower one
}

const (
	packIndexHead  = 8 + 256*4
	packIndexSmall = 1 << 16
	hashSize       = len(plumbing.ZeroHash)
)

var errOtherPackIndex = errors.New("it is no index of a pack in version 2")

func openPackIndex(name string) (*packIndex, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	x := &packIndex{in: file, file: file}
	size := int64(0)
	if info, statErr := file.Stat(); statErr == nil {
		size = info.Size()
	}
	if size <= packIndexSmall {
		content := make([]byte, size)
		_, err = io.ReadFull(file, content)
		x.in = bytes.NewReader(content)
		x.close()
	}
	if err == nil {
		err = x.readHead(size)
	}
	if err != nil {
		x.close()
		return nil, err
	}
	return x, nil
}

func (x *packIndex) close() {
	if x.file != nil {
		_ = x.file.Close()
		x.file = nil
	}
}

func (x *packIndex) readHead(size int64) error {
	var head [packIndexHead]byte
	if _, err := x.in.ReadAt(head[:], 0); err != nil {
		return err
	}
	for i := range x.counts {
		x.counts[i] = binary.BigEndian.Uint32(head[8+4*i:])
	}
	const each, sums = int64(hashSize + 4 + 4), int64(2 * hashSize)
	if string(head[:8]) != "\xfftOc\x00\x00\x00\x02" || !slices.IsSorted(x.counts[:]) || size < packIndexHead+sums+each*int64(x.counts[255]) {
		return errOtherPackIndex
	}
	return nil
}

// find says where in the pack an object starts.
func (x *packIndex) find(hash plumbing.Hash) (offset int64, found bool, err error) {
	low, high := uint32(0), x.counts[hash[0]]
	if hash[0] > 0 {
		low = x.counts[hash[0]-1]
	}
	const few = 32 // that are read at once
	var names [few * hashSize]byte
	for high-low > few {
		middle := low + (high-low)/2
		if _, err := x.in.ReadAt(names[:hashSize], x.nameAt(middle)); err != nil {
			return 0, false, err
		}
		if bytes.Compare(names[:hashSize], hash[:]) <= 0 {
			low = middle
		} else {
			high = middle
		}
	}
	count := int(high - low)
	if _, err := x.in.ReadAt(names[:count*hashSize], x.nameAt(low)); err != nil || count == 0 {
		return 0, false, err
	}
	at, found := sort.Find(count, func(i int) int { return bytes.Compare(hash[:], names[i*hashSize:(i+1)*hashSize]) })
	if !found {
		return 0, false, nil
	}
	offset, err = x.offset(int64(low) + int64(at))
	return offset, err == nil, err
}

func (x *packIndex) nameAt(i uint32) int64 { return packIndexHead + int64(i)*int64(hashSize) }

// offset finds the start of the object with a number. Behind the names and the
// checksums are 32 bits for each; the first one says that there are 64 elsewhere.
func (x *packIndex) offset(i int64) (int64, error) {
	count := int64(x.counts[255])
	behind := packIndexHead + count*int64(hashSize+4)
	var number [8]byte
	if _, err := x.in.ReadAt(number[:4], behind+4*i); err != nil {
		return 0, err
	}
	short := binary.BigEndian.Uint32(number[:])
	if short>>31 == 0 {
		return int64(short), nil
	}
	if _, err := x.in.ReadAt(number[:], behind+4*count+8*int64(short&^(1<<31))); err != nil {
		return 0, err
	}
	if number[0]|number[1] != 0 { // no pack is that large
		return 0, errOtherPackIndex
	}
	return int64(binary.BigEndian.Uint64(number[:])), nil
}
