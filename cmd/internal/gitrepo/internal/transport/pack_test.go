package transport

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	gotransport "github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/storage/memory"
)

// entry is an object of a pack that we make: it may say that it is longer than it is.
type entry struct {
	kind    plumbing.ObjectType
	says    int
	content []byte
	base    int // how many bytes before it its base is, for a delta
}

// pack makes a pack. https://git-scm.com/docs/gitformat-pack
func pack(count uint32, entries ...entry) []byte {
	made := binary.BigEndian.AppendUint32(append([]byte("PACK"), 0, 0, 0, 2), count)
	for _, e := range entries {
		first, left := byte(e.kind)<<4|byte(e.says&15), e.says>>4
		for ; left > 0; left >>= 7 {
			made, first = append(made, first|0x80), byte(left&127)
		}
		made = append(made, first)
		if e.kind == plumbing.OFSDeltaObject {
			offset := []byte{byte(e.base & 127)}
			for rest := e.base >> 7; rest > 0; rest >>= 7 {
				rest--
				offset = append([]byte{byte(rest&127) | 0x80}, offset...)
			}
			made = append(made, offset...)
		}
		var packed bytes.Buffer
		deflater := zlib.NewWriter(&packed)
		_, _ = deflater.Write(e.content)
		deflater.Close()
		made = append(made, packed.Bytes()...)
	}
	sum := sha1.Sum(made)
	return append(made, sum[:]...)
}

// delta makes a delta that copies the start of its base often enough.
func delta(source, target int) []byte {
	made := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(source)), uint64(target))
	for left := target; left > 0; {
		size := min(left, source, 1<<24-1)
		made = append(made, 0xf0, byte(size), byte(size>>8), byte(size>>16)) // offset 0
		left -= size
	}
	return made
}

func blob(content []byte) entry { return entry{plumbing.BlobObject, len(content), content, 0} }

// packs lists packs that say, or make, more than they hold.
func packs() map[string]struct {
	pack []byte
	want string
} {
	const gigabytes = 7 << 30
	base := blob(make([]byte, 1<<16))
	baseSize := len(pack(1, base)) - 12 - sha1.Size
	on := func(says int, content []byte) []byte { // a delta on the base
		return pack(2, base, entry{plumbing.OFSDeltaObject, says, content, baseSize})
	}
	copies := delta(1<<16, 60<<20)
	second := len(pack(2, base, entry{plumbing.OFSDeltaObject, len(copies), copies, baseSize})) - 12 - sha1.Size
	lying := delta(1<<16, 1)
	makes := binary.AppendUvarint(binary.AppendUvarint(nil, 1<<16), gigabytes)
	of := binary.AppendUvarint(binary.AppendUvarint(nil, gigabytes), 1)
	return map[string]struct {
		pack []byte
		want string
	}{
		"sound":                {pack(2, base, entry{plumbing.OFSDeltaObject, len(delta(1<<16, 1<<17)), delta(1<<16, 1<<17), baseSize}), ""},
		"a blob says 7 GB":     {pack(1, entry{plumbing.BlobObject, gigabytes, []byte("x"), 0}), "sends a pack whose blob at byte 12 is, or makes, an object of 7516192768 bytes: at most 256 MB are read"},
		"a blob says 200 MB":   {pack(1, entry{plumbing.BlobObject, 200 << 20, []byte("x"), 0}), "the blob at byte 12 of the pack says that it has 209715200 bytes, and has 1"},
		"a blob says too much": {pack(1, entry{plumbing.BlobObject, 1 << 58, []byte("x"), 0}), "is, or makes, an object of"},
		"a delta says 7 GB":    {on(gigabytes, lying), "sends a pack whose ofs-delta at byte "},
		"a delta says 200 MB":  {on(200<<20, lying), "says that it has 209715200 bytes, and has "},
		"a delta makes 7 GB":   {on(len(makes), makes), "an object of 7516192768 bytes"},
		"a delta is of 7 GB":   {on(len(of), of), "an object of 7516192768 bytes"},
		"a delta has no sizes": {on(0, nil), "invalid delta"},
		"deltas make a lot":    {pack(3, base, entry{plumbing.OFSDeltaObject, len(copies), copies, baseSize}, entry{plumbing.OFSDeltaObject, len(copies), copies, second}), "or a thousand times its size"},
		"billions of objects":  {pack(1<<32-1, base), "EOF"},
		"it is cut off":        {pack(1, base)[:60], "unexpected EOF"},
		"it is empty":          {nil, "empty packfile"},
		"it is another file":   {[]byte("<!DOCTYPE html><p>Log in"), "malformed pack file signature"},
		"it was changed":       {append(pack(1, base)[:len(pack(1, base))-1], 0), "checksum mismatch"},
	}
}

func connection() *Connection {
	return &Connection{Limits: defaultLimits(), at: address{Endpoint: &gotransport.Endpoint{Protocol: "https", Host: "git.test"}, shown: "https://git.test/fleet"}}
}

// What a pack says is looked at before room is made for it.
func TestPacksTakeNoMoreRoomThanTheyHold(t *testing.T) {
	for name, c := range packs() {
		t.Run(name, func(t *testing.T) {
			conn, store := connection(), memory.NewStorage()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := conn.unpack(store, bytes.NewReader(c.pack))
			runtime.ReadMemStats(&after)
			if err != nil && c.want == "" || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("unpack = %v, want %q", err, c.want)
			}
			if c.want == "" && len(store.Objects) != 2 {
				t.Errorf("%d objects are stored, want 2", len(store.Objects))
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 8<<20 {
				t.Errorf("a pack of %d bytes took %d MB", len(c.pack), took>>20)
			}
		})
	}
}

// A pack is refused as soon as it is too much, not when all of it is here.
func TestPacksAreRefusedWhileTheyCome(t *testing.T) {
	conn := connection()
	conn.Limits.Unpacked = 1 << 20
	noise := make([]byte, 1<<18) // does not compress
	for i := range noise {
		sum := sha1.Sum(binary.AppendUvarint(nil, uint64(i)))
		noise[i] = sum[0]
	}
	come := &counted{Reader: bytes.NewReader(pack(16, slices.Repeat([]entry{blob(noise)}, 16)...))}
	var said *Error
	if err := conn.unpack(memory.NewStorage(), come); !errors.As(err, &said) || said.Kind != TooLarge {
		t.Errorf("unpack = %v, want an error of the kind TooLarge", err)
	}
	if come.bytes > 2<<20 {
		t.Errorf("%d bytes of the pack were read", come.bytes)
	}
}

// counted counts what is read.
type counted struct {
	io.Reader
	bytes int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.bytes += n
	return n, err
}

// What comes from a server ends in an error or in objects of the length that the limits
// allow, and in no panic.
func FuzzUnpack(f *testing.F) {
	for _, c := range packs() {
		f.Add(c.pack)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		conn, store := connection(), memory.NewStorage()
		conn.Limits.Object, conn.Limits.Unpacked = 1<<20, 4<<20
		if conn.unpack(store, bytes.NewReader(content)) != nil {
			return
		}
		total := int64(0)
		for _, object := range store.Objects {
			total += object.Size()
		}
		if total > conn.Limits.Unpacked {
			t.Errorf("%d bytes make objects of %d", len(content), total)
		}
	})
}
