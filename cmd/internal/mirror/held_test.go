package mirror

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/archive"
	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
	"github.com/pm-gitops/pm-gitops/cmd/internal/verify/verifytest"
)

// writer is an archive that artifacts are copied to.
type writer struct{ *archive.Writer }

func (w writer) Begin(all []Bundle) error {
	contents := archive.Contents{}
	var manifests []archive.Manifest
	var blobs []archive.Blob
	for _, one := range all {
		for _, p := range one.Pieces {
			manifests = append(manifests, archive.Manifest{Reference: p.Reference, Digest: p.Digest, MediaType: p.MediaType, Bytes: p.Bytes})
		}
		for _, d := range one.Blobs {
			blobs = append(blobs, archive.Blob{Digest: d.Digest, Size: d.Size})
		}
		root := one.Pieces[len(one.Pieces)-1]
		contents.Artifacts = append(contents.Artifacts, archive.Artifact{Source: root.Reference, Digest: root.Digest})
	}
	return w.Writer.Begin(contents, manifests, blobs)
}

// save writes an archive of artifacts, if it can, and gives the results.
func save(t testing.TB, path string, artifacts []Artifact, platforms ...Platform) []Result {
	t.Helper()
	to := must(archive.Create(path, strings.HasSuffix(path, ".zst")))
	defer to.Abort()
	m := must(New(artifacts, Options{Client: client(t, registry.Options{}), Parallel: 3, Sink: writer{to}, Platforms: platforms}))
	m.delay = time.Millisecond
	results, err := m.Copy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if failures(results) == nil {
		if err := to.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	return results
}

// load opens an archive as a source.
func load(t testing.TB, path string) *archive.Archive {
	t.Helper()
	held := must(archive.Open(t.Context(), path, t.TempDir()))
	t.Cleanup(func() { _ = held.Close() })
	return held
}

// push copies an archive to the artifacts' targets, or checks these.
func push(t testing.TB, held Source, artifacts []Artifact, check bool, platforms ...Platform) []Result {
	t.Helper()
	m := must(New(artifacts, Options{Client: client(t, registry.Options{}), Parallel: 3, Source: held, Platforms: platforms}))
	m.delay = time.Millisecond
	work := m.Copy
	if check {
		work = m.Check
	}
	results, err := work(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// sources drops the targets.
func sources(all []Artifact) (some []Artifact) {
	for _, one := range all {
		one.Target = ""
		some = append(some, one)
	}
	return some
}

// Everything comes through an archive: from registries of all kinds to registries of all
// kinds, of which the first is gone by then, with signatures and referrers.
func TestEverythingComesThroughAnArchive(t *testing.T) {
	for source := range servers {
		for _, ending := range []string{"tar", "tar.zst"} {
			t.Run(source+" "+ending, func(t *testing.T) {
				t.Parallel()
				gone := false
				inner := servers[source](t)
				from := between(t, inner, func(w http.ResponseWriter, r *http.Request) bool {
					if gone {
						t.Errorf("asked for %s", r.URL)
					}
					return false
				})
				all := fill(t, inner)
				path := filepath.Join(t.TempDir(), "a."+ending)
				saved := save(t, path, sources(all.artifacts(from, "")))
				wantAll(t, saved, Copied)
				if server := saved[0]; server.Manifests != 3 || server.Signatures != 4 || server.Referrers != 4 || server.BytesCopied+server.BytesSkipped != server.BytesMissing {
					t.Errorf("server: %+v", server)
				}
				gone = true
				held := load(t, path)
				for target := range servers {
					to := servers[target](t)
					artifacts := all.artifacts(from, to)
					wantAll(t, push(t, held, artifacts, true), Missing)
					copied := push(t, held, artifacts, false)
					wantAll(t, copied, Copied)
					all.judge(t, to)
					if copied[0].Signatures != 4 || copied[0].Referrers != 4 {
						t.Errorf("server: %+v", copied[0])
					}
					wantAll(t, push(t, held, artifacts, true), Present)
				}
			})
		}
	}
}

// Where the mirror is on the source's registry, an archive's artifacts are not taken from
// the source all the same: its repositories are not asked, and nothing is mounted from them.
func TestArchiveAsksNoSource(t *testing.T) {
	for name, server := range servers {
		gone := false
		host := between(t, server(t), func(w http.ResponseWriter, r *http.Request) bool {
			if gone && (strings.HasPrefix(r.URL.Path, "/v2/cloud/") || strings.HasPrefix(r.URL.Query().Get("from"), "cloud/")) {
				t.Errorf("%s: %s %s", name, r.Method, r.URL)
			}
			return false
		})
		all := fill(t, host)
		path := filepath.Join(t.TempDir(), "a.tar")
		save(t, path, sources(all.artifacts(host, "")))
		gone = true
		wantAll(t, push(t, load(t, path), all.artifacts(host, host), false), Copied)
		gone = false
		all.judge(t, host)
	}
}

// An archive of some platforms has those alone, and is for those alone.
func TestArchiveOfAPlatform(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	artifacts := fill(t, from).artifacts(from, to)[:1]
	amd := Platform{OS: "linux", Architecture: "amd64"}
	path := filepath.Join(t.TempDir(), "a.tar")
	saved := save(t, path, sources(artifacts), amd)
	held := load(t, path)
	if contents, _ := held.Contents(); len(contents.LeftOut) != 1 || saved[0].Manifests != 2 {
		t.Errorf("left out %v, saved %+v", contents.LeftOut, saved[0])
	}
	// No registry of the tests takes an index without all of its manifests.
	if results := push(t, held, artifacts, true, amd); results[0].State != Missing || results[0].Manifests != 2 || results[0].Signatures != 3 {
		t.Errorf("the platform: %+v", results[0])
	}
	if results := push(t, held, artifacts, false); !strings.Contains(results[0].Error, "the archive has no sha256:") {
		t.Errorf("all platforms: %+v", results[0])
	}
}

// Whatever goes wrong on the way, an archive is whole, and a mirror is right.
func TestArchivesSurviveFaults(t *testing.T) {
	const most = 300
	whole := ""
	inner := inProcess(t, true)
	all := fill(t, inner)
	for seed := range 4 {
		source, to := newProxy(t, inner, seed, 3), inProcess(t, seed%2 == 0)
		sink := newProxy(t, to, seed+1000, 6)
		path := filepath.Join(t.TempDir(), "a.tar")
		for rounds := 1; ; rounds++ {
			failed := failures(save(t, path, sources(all.artifacts(source.host, ""))))
			if failed == nil {
				break
			}
			if _, err := os.Stat(path); err == nil || rounds == most {
				t.Fatalf("after %d runs, %v: %s", rounds, err, strings.Join(failed, "\n"))
			}
		}
		contents, _ := load(t, path).Contents()
		if got := fmt.Sprint(contents.Blobs); whole == "" {
			whole = got
		} else if got != whole {
			t.Errorf("seed %d: %s, want %s", seed, got, whole)
		}
		for rounds := 1; ; rounds++ {
			results := push(t, load(t, path), all.artifacts(source.host, sink.host), false)
			all.judge(t, to, results...)
			failed := failures(results)
			if failed == nil {
				break
			}
			if rounds == most || t.Failed() {
				t.Fatalf("after %d runs: %s", rounds, strings.Join(failed, "\n"))
			}
		}
	}
}

// full is an archive on a disk that is full.
type full struct{ asked int }

var errFull = errors.New("no space left on device")

func (*full) Begin([]Bundle) error { return nil }
func (f *full) Blob(_ string, _ int64, content io.Reader) error {
	f.asked++
	_, err := io.CopyN(io.Discard, content, 1)
	return errors.Join(err, errFull)
}

// What the archive cannot take is not fetched again.
func TestFullDiskEndsIt(t *testing.T) {
	from := inProcess(t, true)
	sink := &full{}
	m := must(New(sources(fill(t, from).artifacts(from, "")), Options{Client: client(t, registry.Options{}), Parallel: 2, Sink: sink}))
	results, err := m.Copy(t.Context())
	if failed := failures(results); err != nil || len(failed) != 1 || !strings.Contains(failed[0], errFull.Error()) || sink.asked != 1 {
		t.Errorf("Copy = %v, %v after %d blobs", failed, err, sink.asked)
	}
}

// altered changes what an archive gives after it was verified.
type altered struct{ *archive.Archive }

func (a altered) Blob(digest string) (io.ReadSeekCloser, error) {
	content, err := a.Archive.Blob(digest)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(content)
	return nopCloser{strings.NewReader(string(flipped(raw)))}, err
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

// An archive that changes after it was verified puts nothing wrong into a mirror.
func TestArchiveChangesLater(t *testing.T) {
	from, inner := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	path := filepath.Join(t.TempDir(), "a.tar")
	save(t, path, sources(all.artifacts(from, "")))
	wrote := 0
	to := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") {
			wrote++
		}
		onward(inner).ServeHTTP(w, r)
	}))
	defer to.Close()
	for _, one := range push(t, altered{load(t, path)}, all.artifacts(from, to.Listener.Addr().String()), false) {
		if !strings.Contains(one.Error, "the archive sent other bytes") {
			t.Errorf("%s: %s %s", one.Target, one.State, one.Error)
		}
	}
	if wrote > 0 {
		t.Errorf("%d manifests were written", wrote)
	}
}

// What is not signed as it has to be gets neither into an archive nor out of one.
func TestArchivesAreVerified(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from).artifacts(from, to)[2:3]
	path, other := filepath.Join(t.TempDir(), "a.tar"), filepath.Join(t.TempDir(), "b.tar")
	save(t, path, sources(all))
	all[0].Policies = policy(t, true, verifytest.New("Ed25519"))
	if saved := save(t, other, sources(all)); !strings.Contains(saved[0].Error, "verify sha256:") {
		t.Errorf("saved: %+v", saved[0])
	}
	if _, err := os.Stat(other); err == nil {
		t.Error("an archive was written")
	}
	if pushed := push(t, load(t, path), all, false); !strings.Contains(pushed[0].Error, " in the archive: ") {
		t.Errorf("pushed: %+v", pushed[0])
	}
}
