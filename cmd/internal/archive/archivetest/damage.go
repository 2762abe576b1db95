// Package archivetest damages archives for tests.
package archivetest

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// Entry is an entry of a tar.
type Entry struct {
	tar.Header
	Content []byte
}

// Unpack gives the entries of a tar.
func Unpack(t testing.TB, archive []byte) (all []Entry) {
	t.Helper()
	for reader := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := reader.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, Entry{*header, content})
	}
}

// Pack makes a tar of entries.
func Pack(t testing.TB, all []Entry) []byte {
	t.Helper()
	var out bytes.Buffer
	writer := tar.NewWriter(&out)
	for _, one := range all {
		header := one.Header
		header.Size = int64(len(one.Content))
		if err := writer.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Write(one.Content); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Compress compresses with zstd.
func Compress(t testing.TB, content []byte, options ...zstd.EOption) []byte {
	t.Helper()
	var out bytes.Buffer
	encoder, err := zstd.NewWriter(&out, append(options, zstd.WithEncoderConcurrency(1))...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := encoder.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := encoder.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := encoder.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// File makes the entry of a file.
func File(name, content string) Entry {
	return Entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}, []byte(content)}
}

// Blob makes the entry of a blob, and gives its digest.
func Blob(content string) (Entry, string) {
	sum := sha256.Sum256([]byte(content))
	name := hex.EncodeToString(sum[:])
	return File("blobs/sha256/"+name, content), "sha256:" + name
}

// Damaged gives archives by what is wrong with each, made of a whole one that is not
// compressed and that this program wrote.
func Damaged(t testing.TB, whole []byte) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for what, content := range cuts(t, whole) {
		all[what] = content
	}
	for what, content := range flips(t, whole) {
		all[what] = content
	}
	for what, change := range changes() {
		all[what] = Pack(t, change(Unpack(t, whole)))
	}
	for what, content := range foreign(t) {
		all[what] = content
	}
	for what, content := range compressed(t, whole) {
		all[what] = content
	}
	return all
}

func cuts(t testing.TB, whole []byte) map[string][]byte {
	all := map[string][]byte{}
	for _, at := range []int{0, 1, 511, 512, 600, 1024, 2000, len(whole) / 4, len(whole) / 2, len(whole) * 3 / 4, len(whole) - 2000, len(whole) - 1025, len(whole) - 1024, len(whole) - 1023, len(whole) - 512, len(whole) - 1} {
		all[fmt.Sprintf("cut at %d of %d", at, len(whole))] = whole[:at]
	}
	entries := Unpack(t, whole)
	all["the last file is gone"] = Pack(t, entries[:len(entries)-1])
	all["garbage behind the end"] = append(bytes.Clone(whole), "garbage"...)
	all["a tar behind the tar"] = append(bytes.Clone(whole), whole...)
	all["no tar"] = bytes.Repeat([]byte("no tar "), 300)
	return all
}

// flips changes a bit in each kind of file, and in the header of one.
func flips(t testing.TB, whole []byte) map[string][]byte {
	all := map[string][]byte{}
	flip := func(what, in string) {
		at := bytes.Index(whole, []byte(in))
		if at < 0 {
			t.Fatalf("the archive has no %q", in)
		}
		content := bytes.Clone(whole)
		content[at+len(in)/2] ^= 1
		all["a bit of "+what] = content
	}
	flip("a name", "index.json\x00")
	flip("oci-layout", `"imageLayoutVersion"`)
	flip("index.json", `"org.opencontainers.image.ref.name": "`)
	flip("the contents", `"environments"`)
	flip("the contents' checksum", `"checksum": "sha256:`)
	flip("a manifest", `"layers":`)
	for what, near := range map[string]int{"a blob": len(whole) - 1024 - 512, "a header": 124 + 5} {
		content := bytes.Clone(whole)
		for content[near] == 0 {
			near--
		}
		content[near] ^= 1
		all["a bit of "+what] = content
	}
	return all
}

// changes are made to the entries of an archive.
func changes() map[string]func([]Entry) []Entry {
	add := func(header tar.Header, content string) func([]Entry) []Entry {
		return func(all []Entry) []Entry { return append(all, Entry{header, []byte(content)}) }
	}
	edit := func(name, old, new string) func([]Entry) []Entry {
		return func(all []Entry) []Entry {
			for i := range all {
				if all[i].Name == name {
					all[i].Content = bytes.Replace(all[i].Content, []byte(old), []byte(new), 1)
				}
			}
			return all
		}
	}
	drop := func(drops func(Entry) bool) func([]Entry) []Entry {
		return func(all []Entry) (kept []Entry) {
			done := false
			for _, one := range all {
				if !done && drops(one) {
					done = true
					continue
				}
				kept = append(kept, one)
			}
			return kept
		}
	}
	isManifest := func(one Entry) bool { return bytes.Contains(one.Content, []byte(`"layers"`)) }
	isBlob := func(one Entry) bool { return strings.HasPrefix(one.Name, "blobs/") && !isManifest(one) }
	file := tar.Header{Typeflag: tar.TypeReg, Mode: 0o644}
	named := func(name string) tar.Header { file.Name = name; return file }
	return map[string]func([]Entry) []Entry{
		"a path with ..":            add(named("../evil"), "x"),
		"a path with .. inside":     add(named("blobs/../../evil"), "x"),
		"a path with .. that stays": add(named("blobs/../evil"), "x"),
		"an absolute path":          add(named("/etc/evil"), "x"),
		"a path of Windows":         add(named(`..\evil`), "x"),
		"a symbolic link":           add(tar.Header{Typeflag: tar.TypeSymlink, Name: "blobs/link", Linkname: "/etc/passwd"}, ""),
		"a hard link":               add(tar.Header{Typeflag: tar.TypeLink, Name: "link", Linkname: "index.json"}, ""),
		"a device":                  add(tar.Header{Typeflag: tar.TypeChar, Name: "null", Devmajor: 1, Devminor: 3}, ""),
		"a pipe":                    add(tar.Header{Typeflag: tar.TypeFifo, Name: "pipe"}, ""),
		"a file twice":              func(all []Entry) []Entry { return append(all, all[1]) },
		"a blob twice":              func(all []Entry) []Entry { return append(all, all[len(all)-1]) },
		"a file twice, with ./":     add(named("./oci-layout"), `{"imageLayoutVersion":"1.0.0"}`),
		"a file more":               add(named("more"), "x"),
		"a blob more":               func(all []Entry) []Entry { more, _ := Blob("more"); return append(all, more) },
		"a blob under another name": add(named("blobs/sha256/"+strings.Repeat("a", 64)), "x"),
		"a blob is gone":            drop(isBlob),
		"a manifest is gone":        drop(isManifest),
		"oci-layout is gone":        drop(func(one Entry) bool { return one.Name == "oci-layout" }),
		"index.json is gone":        drop(func(one Entry) bool { return one.Name == "index.json" }),
		"the contents are gone":     drop(func(one Entry) bool { return one.Name == "pm-gitops.json" }),
		"another environment":       edit("pm-gitops.json", `"environments": [`, `"environments": ["more",`),
		"another space":             edit("pm-gitops.json", `"version": 1`, `"version":  1`),
		"a newer version":           edit("pm-gitops.json", `"version": 1`, `"version": 2`),
		"a wrong size":              edit("pm-gitops.json", `"size": `, `"size": 1`),
		"another index":             edit("index.json", `"schemaVersion": 2`, `"schemaVersion":2`),
		"another layout":            edit("oci-layout", "1.0.0", "2.0.0"),
	}
}
