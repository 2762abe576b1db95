package registry

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry/registrytest"
)

// checkCache wants every blob that is there to have its name's digest.
func checkCache(t *testing.T, dir string) (blobs int) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "blobs", "sha256", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil || digestOf(content) != "sha256:"+filepath.Base(path) {
			t.Errorf("%s has digest %s, %v", path, digestOf(content), err)
		}
	}
	return len(paths)
}

func TestDamagedCacheIsFetchedAgain(t *testing.T) {
	damages := map[string]func(path string) error{
		"other bytes": func(path string) error { return os.WriteFile(path, []byte("x"), 0o600) },
		"as many other bytes": func(path string) error {
			info, err := os.Stat(path)
			return errors.Join(err, os.WriteFile(path, make([]byte, info.Size()), 0o600))
		},
		"cut off": func(path string) error { return os.Truncate(path, 10) },
		"empty":   func(path string) error { return os.Truncate(path, 0) },
		"grown":   func(path string) error { return os.Truncate(path, 1<<40) },
		"link": func(path string) error {
			return errors.Join(os.Remove(path), os.Symlink("/dev/zero", path))
		},
		"folder": func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"gone":   os.Remove,
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			ref, _, archive := f.push(t, "app", "1.0.0")
			dir := t.TempDir()
			pull := func(offline bool) error {
				c, _ := f.client(t, Options{Cache: dir, Offline: offline})
				chart, err := c.Chart(t.Context(), ref)
				if err == nil && !bytes.Equal(chart.Archive, archive) {
					t.Error("the archive is another one")
				}
				return err
			}
			if err := pull(false); err != nil {
				t.Fatal(err)
			}
			path := cache{dir: dir}.blobPath(digestOf(archive))
			if err := damage(path); err != nil {
				t.Fatal(err)
			}
			checkError(t, pull(true), NotCached, "lacks its archive "+digestOf(archive))
			if err := pull(false); err != nil {
				t.Fatal(err)
			}
			if err := pull(true); err != nil {
				t.Errorf("offline after that: %v", err)
			}
			checkCache(t, dir)
			checkFolder(t, dir)
		})
	}
}

func TestDamagedManifestIsFetchedAgain(t *testing.T) {
	f := newFake(t)
	ref, digest, _ := f.push(t, "app", "1.0.0")
	dir := t.TempDir()
	byDigest := Ref{Repository: ref.Repository, Digest: digest}
	manifest, _, _ := chartParts(t, "app", "1.0.0")
	other := strings.Replace(manifest, `{"schema`, `{"annotations":{"evil":"yes"},"schema`, 1)
	for _, offline := range []bool{false, true} {
		c, _ := f.client(t, Options{Cache: dir, Offline: offline})
		if err := (cache{dir: dir, now: time.Now}).write(digest, []byte(other)); err != nil {
			t.Fatal(err)
		}
		f.asked("")
		_, err := c.Chart(t.Context(), byDigest)
		if offline {
			checkError(t, err, NotCached, "lacks its manifest "+digest)
		} else if err != nil || f.asked("/manifests/"+digest) != 1 {
			t.Errorf("Chart = %v, without asking the registry again", err)
		}
		checkCache(t, dir)
	}
}

func TestOfflineAsksNobody(t *testing.T) {
	f := newFake(t)
	ref, digest, archive := f.push(t, "app", "1.0.0+a")
	inner, _, _ := chartParts(t, "app", "1.0.0+a")
	index := registrytest.Put(t, ref.Repository+":index", ociIndex, fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"digest":%q,"size":%d}]}`, ociIndex, ociManifest, digest, len(inner)), nil)
	byIndex := Ref{Repository: ref.Repository, Digest: index}
	dir := t.TempDir()
	online, _ := f.client(t, Options{Cache: dir})
	for _, ref := range []Ref{ref, byIndex} {
		if _, err := online.Chart(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
	}
	f.asked("")
	c, _ := f.client(t, Options{Cache: dir, Offline: true})
	for _, ref := range []Ref{ref, byIndex, {Repository: ref.Repository, Digest: digest}, {Repository: ref.Repository, Version: ref.Version, Digest: digest}} {
		if chart, err := c.Chart(t.Context(), ref); err != nil || !bytes.Equal(chart.Archive, archive) {
			t.Errorf("Chart(%v) = %d bytes, %v", ref, len(chart.Archive), err)
		}
	}
	_, err := c.Chart(t.Context(), Ref{Repository: ref.Repository, Version: "2.0.0"})
	checkError(t, err, NotCached, "app 2.0.0: offline, and the cache "+dir+" lacks the chart: run it once without --offline")
	_, err = c.Chart(t.Context(), Ref{Repository: ref.Repository, Version: "1.0.0", Digest: digest})
	checkError(t, err, Mismatch, `calls itself version "1.0.0+a", not "1.0.0"`)
	_, err = c.Tags(t.Context(), ref.Repository)
	checkError(t, err, NotCached, "offline, and the cache holds no lists of versions")
	_, err = c.Digest(t.Context(), "postgres:17")
	checkError(t, err, NotCached, "image postgres:17: offline, and the cache holds no images")
	for _, path := range []string{"blobs/sha256/" + strings.TrimPrefix(digestOf(archive), "sha256:"), "blobs/sha256/" + configOf(t, "app", "1.0.0+a")} {
		if err := os.Remove(filepath.Join(dir, path)); err != nil {
			t.Fatal(err)
		}
	}
	_, err = c.Chart(t.Context(), ref)
	checkError(t, err, NotCached, "lacks its metadata sha256:"+configOf(t, "app", "1.0.0+a")+" and its archive "+digestOf(archive))
	c, _ = f.client(t, Options{Offline: true})
	_, err = c.Chart(t.Context(), ref)
	checkError(t, err, NotCached, "offline, and there is no cache")
	if f.asked("") != 0 {
		t.Error("the registry was asked")
	}
}

func configOf(t *testing.T, chart, version string) string {
	_, config, _ := chartParts(t, chart, version)
	return strings.TrimPrefix(digestOf(config), "sha256:")
}

func TestDamagedNoteIsNoNote(t *testing.T) {
	c := cache{dir: t.TempDir(), now: time.Now}
	digest := digestOf(nil)
	if err := c.note("r/app", "1.0.0", digest); err != nil {
		t.Fatal(err)
	}
	if got := c.lookup("r/app", "1.0.0"); got != digest {
		t.Fatalf("lookup = %q, want %q", got, digest)
	}
	for _, text := range []string{"", "{", "[]", `{"repository":"r/other","version":"1.0.0","digest":"` + digest + `"}`, `{"repository":"r/app","version":"1.0.0","digest":"../x"}`} {
		if err := os.WriteFile(c.refPath("r/app", "1.0.0"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := c.lookup("r/app", "1.0.0"); got != "" {
			t.Errorf("lookup of %q = %q, want nothing", text, got)
		}
	}
}

func TestCacheThatCannotBeWrittenStopsNothing(t *testing.T) {
	f := newFake(t)
	ref, _, _ := f.push(t, "app", "1.0.0")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var warnings []string
	c, _ := f.client(t, Options{Cache: filepath.Join(file, "cache"), Warn: func(err error) { warnings = append(warnings, err.Error()) }})
	if _, err := c.Chart(t.Context(), ref); err != nil {
		t.Error(err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "keep charts in "+file) {
		t.Errorf("warnings %q, want one about %s", warnings, file)
	}
}

func TestLeftoversOfKilledProcessesGo(t *testing.T) {
	c := cache{dir: t.TempDir(), now: time.Now}
	if err := c.write(digestOf(nil), nil); err != nil {
		t.Fatal(err)
	}
	old, fresh := filepath.Join(c.dir, "new", "old"), filepath.Join(c.dir, "new", "fresh")
	for _, path := range []string{old, fresh} {
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := time.Now().Add(-2 * leftBehind)
	if err := os.Chtimes(old, before, before); err != nil {
		t.Fatal(err)
	}
	if err := c.write(digestOf([]byte("x")), []byte("x")); err != nil {
		t.Fatal(err)
	}
	_, oldErr := os.Stat(old)
	_, freshErr := os.Stat(fresh)
	if !errors.Is(oldErr, os.ErrNotExist) || freshErr != nil {
		t.Errorf("the old leftover: %v, the fresh one: %v; want only the old one gone", oldErr, freshErr)
	}
}

// TestProcessesShareACache runs many processes that pull into one cache, and
// kills some of them while they write.
func TestProcessesShareACache(t *testing.T) {
	if dir := os.Getenv("REGISTRY_TEST_CACHE"); dir != "" {
		fillCache(t, dir, os.Getenv("REGISTRY_TEST_REPOSITORY"))
		return
	}
	f := newFake(t)
	for patch := range 5 {
		f.push(t, "app", fmt.Sprintf("1.0.%d", patch))
	}
	dir := t.TempDir()
	const processes = 8
	var running []*exec.Cmd
	for i := range processes {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProcessesShareACache$", "-test.v")
		cmd.Env = append(os.Environ(), "REGISTRY_TEST_CACHE="+dir, "REGISTRY_TEST_REPOSITORY="+f.host+"/charts/app")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() && !strings.Contains(lines.Text(), "pulled") {
		}
		if i%2 == 0 { // in the middle of the next pull
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
		go func() {
			for lines.Scan() {
			}
		}()
		checkCache(t, dir)
		running = append(running, cmd)
	}
	for i, cmd := range running {
		if err := cmd.Wait(); err != nil && i%2 != 0 {
			t.Errorf("process %d: %v: %s", i, err, cmd.Stderr)
		}
	}
	if blobs := checkCache(t, dir); blobs != 15 {
		t.Errorf("%d blobs in the cache, want 15: a manifest, metadata and an archive of 5 charts", blobs)
	}
	checkFolder(t, dir)
	c, _ := f.client(t, Options{Cache: dir, Offline: true})
	for patch := range 5 {
		if _, err := c.Chart(t.Context(), Ref{Repository: f.host + "/charts/app", Version: fmt.Sprintf("1.0.%d", patch)}); err != nil {
			t.Error(err)
		}
	}
}

// fillCache damages and pulls the same charts over and over.
func fillCache(t *testing.T, dir, repository string) {
	for round := range 20 {
		for patch := range 5 {
			c, err := New(Options{Cache: dir})
			if err != nil {
				t.Fatal(err)
			}
			ref := Ref{Repository: repository, Version: fmt.Sprintf("1.0.%d", patch)}
			chart, err := c.Chart(t.Context(), ref)
			if err != nil {
				t.Fatal(err)
			}
			if round < 19 { // so that the others find it, find it gone and write it again
				if err := os.Remove(c.cache.blobPath(chart.ArchiveDigest)); err != nil && !errors.Is(err, os.ErrNotExist) {
					t.Fatal(err)
				}
			}
			c.exchange.base.(*http.Transport).CloseIdleConnections()
		}
		fmt.Println("pulled", round)
	}
}

// TestCacheOfOthers: who may write a cache may say what a version means.
func TestCacheOfOthers(t *testing.T) {
	for mode, refused := range map[os.FileMode]bool{0o700: false, 0o755: false, 0o775: false, 0o777: true, 0o777 | os.ModeSticky: true, 0o702: true} {
		dir := t.TempDir()
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		_, err := New(Options{Cache: dir})
		if (err != nil) != refused || refused && !strings.Contains(err.Error(), "other users may write into it") {
			t.Errorf("a cache with mode %v: %v, want it refused: %v", mode, err, refused)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can give folders away")
	}
	dir := t.TempDir()
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Cache: dir}); err == nil {
		t.Error("a cache of another user is used")
	}
	if err := os.Chown(dir, 0, 65534); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o770); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Cache: dir}); err == nil {
		t.Error("a cache that another group may write is used")
	}
}
