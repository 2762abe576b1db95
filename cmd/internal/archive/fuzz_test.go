package archive_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/archive"
	"github.com/pm-gitops/pm-gitops/cmd/internal/archive/archivetest"
)

// FuzzOpen wants that of what is taken all can be read: every reference, what refers to
// it, and every blob that the contents list.
func FuzzOpen(f *testing.F) {
	f.Add(write(f, "a.tar"))
	f.Add(write(f, "a.tar.zst"))
	f.Add(archivetest.Layout(f, nil))
	for _, one := range archivetest.Damaged(f, write(f, "a.tar")) {
		if len(one) < 30_000 {
			f.Add(one)
		}
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(dir, "fuzzed")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		held, err := archive.Open(t.Context(), path, dir)
		if err != nil {
			if text := err.Error(); !strings.HasPrefix(text, "read archive ") {
				t.Errorf("%q", text)
			}
			return
		}
		defer held.Close()
		if len(held.References()) == 0 {
			t.Error("it has no references")
		}
		for _, one := range held.References() {
			if _, _, err := held.Manifest("", one.Digest); err != nil {
				t.Error(err)
			}
			for _, digest := range held.Referrers("", one.Digest) {
				if _, _, err := held.Manifest("", digest); err != nil {
					t.Error(err)
				}
			}
			if one.Name != "" && !held.Has(one.Name) {
				t.Errorf("it does not have %s", one.Name)
			}
		}
		contents, _ := held.Contents()
		for _, one := range contents.Blobs {
			blob, err := held.Blob(one.Digest)
			if err != nil {
				t.Fatal(err)
			}
			if read, err := io.Copy(io.Discard, blob); err != nil || read != one.Size {
				t.Errorf("%s has %d bytes, want %d: %v", one.Digest, read, one.Size, err)
			}
			_ = blob.Close()
		}
	})
}
