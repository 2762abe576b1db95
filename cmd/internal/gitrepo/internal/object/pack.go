package object

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"iter"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"

	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
)

// Pack holds objects as they are stored and sent, each in whole.
// https://git-scm.com/docs/pack-format
type Pack struct {
	Data  []byte
	index idxfile.Writer
	Name  string
}

// NewPack packs objects to be sent. It compresses them fast, as git does with
// loose objects (core.looseCompression), for gc packs them again: side by side,
// with the same bytes in any case.
func NewPack(objects []Object) (*Pack, error) { return packAt(objects, zlib.BestSpeed) }

// NewStoredPack packs objects to be kept here. Folders stay as they are: hashes do
// not get smaller, trying it takes longer than all the rest, and gc finds what they
// have in common.
func NewStoredPack(objects []Object) (*Pack, error) { return packAt(objects, zlib.NoCompression) }

// packAt packs objects, folders at a level of compression of their own.
func packAt(objects []Object, folders int) (*Pack, error) {
	packed := make([][]byte, len(objects))
	parallel.Share(len(objects), func(mine iter.Seq[int]) {
		ofFolders, ofOthers := newCompressor(folders), newCompressor(zlib.BestSpeed)
		for i := range mine {
			c := ofOthers
			if objects[i].Kind == plumbing.TreeObject {
				c = ofFolders
			}
			packed[i] = c.pack(objects[i])
		}
	})
	return assemble(objects, packed)
}

// compressor packs one object after the other, in memory, where writing does not fail.
type compressor struct {
	out bytes.Buffer
	to  *zlib.Writer
}

func newCompressor(level int) *compressor {
	c := &compressor{}
	c.to, _ = zlib.NewWriterLevel(&c.out, level) // both levels exist
	return c
}

func (c *compressor) pack(o Object) []byte {
	c.out.Reset()
	c.out.Write(objectHeader(o.Kind, len(o.Data)))
	c.to.Reset(&c.out)
	_, _ = c.to.Write(o.Data)
	_ = c.to.Close()
	return bytes.Clone(c.out.Bytes())
}

// objectHeader encodes the kind and size of an object: three bits, and four and then
// seven bits a byte.
func objectHeader(kind plumbing.ObjectType, size int) []byte {
	first := byte(kind)<<4 | byte(size&0x0f)
	var out []byte
	for size >>= 4; size > 0; size >>= 7 {
		out = append(out, first|0x80)
		first = byte(size & 0x7f)
	}
	return append(out, first)
}

func assemble(objects []Object, packed [][]byte) (*Pack, error) {
	p := &Pack{}
	var out bytes.Buffer
	out.WriteString("PACK")
	_ = binary.Write(&out, binary.BigEndian, [2]uint32{2, uint32(len(objects))})
	if err := p.index.OnHeader(uint32(len(objects))); err != nil {
		return nil, fmt.Errorf("pack objects: %w", err)
	}
	for i, one := range objects {
		p.index.Add(one.Hash, uint64(out.Len()), crc32.ChecksumIEEE(packed[i]))
		out.Write(packed[i])
	}
	sum := plumbing.Hash(sha1.Sum(out.Bytes()))
	out.Write(sum[:])
	p.Data, p.Name = out.Bytes(), "pack-"+sum.String()
	if err := p.index.OnFooter(sum); err != nil {
		return nil, fmt.Errorf("pack objects: %w", err)
	}
	return p, nil
}

// Index returns the file with the places of the objects in the pack.
func (p *Pack) Index() ([]byte, error) {
	index, err := p.index.Index()
	if err != nil {
		return nil, fmt.Errorf("store objects: %w", err)
	}
	var encoded bytes.Buffer
	if _, err := idxfile.NewEncoder(&encoded).Encode(index); err != nil {
		return nil, fmt.Errorf("store objects: %w", err)
	}
	return encoded.Bytes(), nil
}
