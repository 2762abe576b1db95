package gitrepo

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

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

// newPack packs objects. It compresses them fast, as git does with loose
// objects (core.looseCompression), for gc packs them again: side by side, with
// the same bytes in any case.
func newPack(objects []newObject) (*pack, error) {
	packed := make([][]byte, len(objects))
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(objects)) {
		group.Go(func() {
			if err := compressAll(objects, packed, &next); err != nil {
				failed.Store(&err)
			}
		})
	}
	group.Wait()
	if err := failed.Load(); err != nil {
		return nil, fmt.Errorf("pack objects: %w", *err)
	}
	return assemble(objects, packed)
}

func compressAll(objects []newObject, packed [][]byte, next *atomic.Int64) error {
	var out bytes.Buffer
	writer, err := zlib.NewWriterLevel(&out, zlib.BestSpeed)
	if err != nil {
		return err
	}
	for {
		i := int(next.Add(1)) - 1
		if i >= len(objects) {
			return nil
		}
		out.Reset()
		out.Write(objectHeader(objects[i].kind, len(objects[i].data)))
		writer.Reset(&out)
		if _, err := writer.Write(objects[i].data); err != nil {
			return err
		}
		if err := writer.Close(); err != nil {
			return err
		}
		packed[i] = bytes.Clone(out.Bytes())
	}
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
