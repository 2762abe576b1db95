package transport

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

const (
	// A pack unpacks to a thousand times its size at most, as zlib does, and to somewhat
	// more where it is small: a base and its copies. https://zlib.net/zlib_tech.html
	maxRatio, freeUnpacked = 1_000, 64 << 20
	// perObject counts for an object besides its size: what it takes in memory.
	perObject = 256
)

// unpack puts the objects of a pack into a store.
func (c *Connection) unpack(into storer.Storer, from io.Reader) error {
	pack, err := c.readPack(from)
	if err != nil {
		return err
	}
	parser, err := packfile.NewParserWithStorage(packfile.NewScanner(bytes.NewReader(pack)), into)
	if err == nil {
		_, err = parser.Parse()
	}
	return err
}

// readPack reads a pack into memory. It refuses one whose objects are not as long as they
// say, or are too much: the library makes room for what they say.
func (c *Connection) readPack(from io.Reader) ([]byte, error) {
	var pack bytes.Buffer
	scanner := packfile.NewScanner(io.TeeReader(c.packs(from), &pack))
	_, count, err := scanner.Header()
	unpacked := int64(0)
	for i := uint32(0); i < count && err == nil; i++ {
		var size int64
		if size, err = c.objectSize(scanner); err == nil {
			unpacked += size + perObject
		}
		if unpacked > min(c.Limits.Unpacked, freeUnpacked+maxRatio*int64(pack.Len())) {
			err = c.tooMuch()
		}
	}
	if err == nil {
		_, err = scanner.Checksum()
	}
	return pack.Bytes(), err
}

// packs bounds a pack as it comes, with what is around it.
func (c *Connection) packs(from io.Reader) io.Reader {
	return &atMost{from, 2 * c.Limits.Unpacked, c, c.tooMuch()}
}

func (c *Connection) tooMuch() *Error {
	return Errorf(TooLarge, "%s sends a pack whose objects have more than %d MB together, or a thousand times its size: work in a checkout, with --commit", c.at.shown, c.Limits.Unpacked>>20)
}

// objectSize reads the next object of a pack, and returns how many bytes it takes: those of
// a delta, and those that it makes. https://git-scm.com/docs/gitformat-pack
func (c *Connection) objectSize(scanner *packfile.Scanner) (int64, error) {
	header, err := scanner.NextObjectHeader()
	if err != nil {
		return 0, err
	}
	if err := c.checkSizes(header, uint64(header.Length)); err != nil {
		return 0, err
	}
	start := bounded{most: 2 * binary.MaxVarintLen64}
	read, _, err := scanner.NextObject(&start)
	if err == nil && read != header.Length {
		err = fmt.Errorf("the %s at byte %d of the pack says that it has %d bytes, and has %d", header.Type, header.Offset, header.Length, read)
	}
	if err != nil || !header.Type.IsDelta() {
		return read, err
	}
	source, n := binary.Uvarint(start.kept.Bytes())
	target, m := binary.Uvarint(start.kept.Bytes()[max(n, 0):])
	if n <= 0 || m <= 0 {
		return 0, packfile.ErrInvalidDelta
	}
	return read + int64(target), c.checkSizes(header, source, target)
}

func (c *Connection) checkSizes(header *packfile.ObjectHeader, sizes ...uint64) error {
	for _, size := range sizes {
		if size > uint64(c.Limits.Object) {
			return Errorf(TooLarge, "%s sends a pack whose %s at byte %d is, or makes, an object of %d bytes: at most %d MB are read; work in a checkout, with --commit", c.at.shown, header.Type, header.Offset, size, c.Limits.Object>>20)
		}
	}
	return nil
}
