package gitrepo

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"iter"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
)

// pack is objects as they are stored and sent, each in whole.
// https://git-scm.com/docs/pack-format
type pack struct {
	data  []byte
	index idxfile.Writer
	name  string
}

// newPack packs objects to be sent. It compresses them fast, as git does with
// loose objects (core.looseCompression), for gc packs them again: side by side,
// with the same bytes in any case.
func newPack(objects []newObject) (*pack, error) { return packAt(objects, zlib.BestSpeed) }

// newStoredPack packs objects to be kept here. Folders stay as they are: hashes do
// not get smaller, trying it takes longer than all the rest, and gc finds what they
// have in common.
func newStoredPack(objects []newObject) (*pack, error) { return packAt(objects, zlib.NoCompression) }

// packAt packs objects, folders at a level of compression of their own.
func packAt(objects []newObject, folders int) (*pack, error) {
	packed, problems := make([][]byte, len(objects)), make([]error, len(objects))
	sideBySide(len(objects), func(mine iter.Seq[int]) {
		ofFolders, ofOthers := compressor{level: folders}, compressor{level: zlib.BestSpeed}
		for i := range mine {
			c := &ofOthers
			if objects[i].kind == plumbing.TreeObject {
				c = &ofFolders
			}
			packed[i], problems[i] = c.pack(objects[i])
		}
	})
	if err := firstError(problems...); err != nil {
		return nil, fmt.Errorf("pack objects: %w", err)
	}
	return assemble(objects, packed)
}

// compressor packs one object after the other.
type compressor struct {
	level int
	out   bytes.Buffer
	to    *zlib.Writer
}

func (c *compressor) pack(o newObject) (packed []byte, err error) {
	if c.to == nil {
		if c.to, err = zlib.NewWriterLevel(&c.out, c.level); err != nil {
			return nil, err
		}
	}
	c.out.Reset()
	c.out.Write(objectHeader(o.kind, len(o.data)))
	c.to.Reset(&c.out)
	if _, err := c.to.Write(o.data); err != nil {
		return nil, err
	}
	if err := c.to.Close(); err != nil {
		return nil, err
	}
	return bytes.Clone(c.out.Bytes()), nil
}

// objectHeader is the kind and size of an object: three bits, and four and then
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

func assemble(objects []newObject, packed [][]byte) (*pack, error) {
	p := &pack{}
	var out bytes.Buffer
	out.WriteString("PACK")
	_ = binary.Write(&out, binary.BigEndian, [2]uint32{2, uint32(len(objects))})
	if err := p.index.OnHeader(uint32(len(objects))); err != nil {
		return nil, fmt.Errorf("pack objects: %w", err)
	}
	for i, one := range objects {
		p.index.Add(one.hash, uint64(out.Len()), crc32.ChecksumIEEE(packed[i]))
		out.Write(packed[i])
	}
	sum := plumbing.Hash(sha1.Sum(out.Bytes()))
	out.Write(sum[:])
	p.data, p.name = out.Bytes(), "pack-"+sum.String()
	if err := p.index.OnFooter(sum); err != nil {
		return nil, fmt.Errorf("pack objects: %w", err)
	}
	return p, nil
}

// storePack puts a pack into the repository. The index comes last: without it
// there is no pack for anybody.
func (l *Local) storePack(p *pack) error {
	dir := filepath.Join(l.commonDir, "objects", "pack")
	if err := l.makeDirs(dir); err != nil {
		return fmt.Errorf("store objects: %w", reason(err))
	}
	if _, err := os.Stat(filepath.Join(dir, p.name+".idx")); err == nil {
		return nil // the same objects, packed by a run that was killed after it
	}
	encoded, err := encodePackIndex(&p.index)
	if err != nil {
		return err
	}
	if err := l.placePack(dir, p.name+".pack", p.data); err != nil {
		return err
	}
	return l.placePack(dir, p.name+".idx", encoded)
}

// encodePackIndex is the file that says where in a pack the objects are.
func encodePackIndex(from *idxfile.Writer) ([]byte, error) {
	index, err := from.Index()
	if err != nil {
		return nil, fmt.Errorf("store objects: %w", err)
	}
	var encoded bytes.Buffer
	if _, err := idxfile.NewEncoder(&encoded).Encode(index); err != nil {
		return nil, fmt.Errorf("store objects: %w", err)
	}
	return encoded.Bytes(), nil
}

// placePack writes a file under a name that git gc removes if we do not get to
// rename it.
func (l *Local) placePack(dir, name string, content []byte) error {
	return l.place(placed{pattern: filepath.Join(dir, "tmp_pack_%016x"), name: filepath.Join(dir, name), content: content, mode: 0o444})
}
