package archive_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/archive"
	"github.com/pm-gitops/pm-gitops/cmd/internal/archive/archivetest"
)

// open opens bytes as an archive.
func open(t testing.TB, content []byte) (*archive.Archive, error) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.tar")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	held, err := archive.Open(t.Context(), path, dir)
	if held != nil {
		t.Cleanup(func() { _ = held.Close() })
	}
	left, _ := filepath.Glob(filepath.Join(dir, "pm-gitops-*"))
	if len(left) > 0 {
		t.Errorf("%v is there", left)
	}
	return held, err
}

// Every damaged archive is refused, in a sentence with its path.
func TestDamagedArchivesAreRefused(t *testing.T) {
	whole := write(t, "a.tar")
	if _, err := open(t, whole); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, archivetest.Layout(t, nil)); err != nil {
		t.Fatal(err)
	}
	all := archivetest.Damaged(t, whole)
	if len(all) < 40 {
		t.Errorf("%d archives, want at least 40", len(all))
	}
	for _, what := range slices.Sorted(maps.Keys(all)) {
		_, err := open(t, all[what])
		if err == nil {
			t.Errorf("%s: it is taken", what)
			continue
		}
		if !strings.HasPrefix(err.Error(), "read archive ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
		t.Logf("%s: %s", what, err.Error()[strings.Index(err.Error(), "a.tar")+5:])
	}
}

// No bit of an archive can be changed so that something else is read from it.
func TestEveryBitCounts(t *testing.T) {
	whole := write(t, "a.tar")
	want := read(t, whole)
	changed := 0
	for at := 0; at < len(whole); at += 41 { // a prime, so that it comes to all kinds of places
		content := bytes.Clone(whole)
		content[at] ^= 1 << (at % 8)
		held, err := open(t, content)
		if err != nil {
			continue
		}
		_ = held.Close()
		changed++
		if got := read(t, content); got != want {
			t.Fatalf("a bit of byte %d: read\n%s\nwant\n%s", at, got, want)
		}
	}
	if changed == 0 || changed == len(whole)/41+1 {
		t.Errorf("%d archives are taken", changed)
	}
}

// A manifest is read once, however often it is named: an archive of some kilobytes can
// name one of megabytes thousands of times.
func TestManifestsAreReadOnce(t *testing.T) {
	content := archivetest.Layout(t, func(all []archivetest.Entry, index string) ([]archivetest.Entry, string) {
		large := `{"schemaVersion":2,"annotations":{"a":"` + strings.Repeat("a", 3<<20) + `"}}`
		manifest, digest := archivetest.Blob(large)
		entry := archivetest.Describe(manifestType, digest, len(large), "")
		inner := archivetest.Index(slices.Repeat([]string{entry}, 5000)...)
		outer, outerDigest := archivetest.Blob(inner)
		twice := archivetest.Describe(indexType, outerDigest, len(inner), `"org.opencontainers.image.ref.name":"quay.io/acme/large:1"`)
		return append(all, manifest, outer), archivetest.Index(append(slices.Repeat([]string{twice}, 5000), twice)...)
	})
	start := time.Now()
	held, err := open(t, content)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("an archive of %d bytes took %s", len(content), took)
	}
	if all := held.References(); len(all) == 0 || all[0].Name != "quay.io/acme/large:1" {
		t.Errorf("%d references", len(all))
	}
}
