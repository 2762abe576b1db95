package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// traffic is what a server is asked and sends.
type traffic struct {
	mu       sync.Mutex
	requests []string // the method, and what comes last in the path
	sent     int
}

// observe notes the traffic of a server that nobody uses yet.
func observe(server *httptest.Server) *traffic {
	t := &traffic{}
	inner := server.Config.Handler
	server.Config.Handler = http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		t.mu.Lock()
		t.requests = append(t.requests, in.Method+" "+in.URL.Path[strings.LastIndexByte(in.URL.Path, '/')+1:])
		t.mu.Unlock()
		inner.ServeHTTP(&countedWriter{out, t}, in)
	})
	return t
}

// since gives what there was since the last time.
func (t *traffic) since() (requests []string, sent int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	requests, sent = t.requests, t.sent
	t.requests, t.sent = nil, 0
	return requests, sent
}

type countedWriter struct {
	http.ResponseWriter
	traffic *traffic
}

func (c *countedWriter) Write(content []byte) (int, error) {
	c.traffic.mu.Lock()
	c.traffic.sent += len(content)
	c.traffic.mu.Unlock()
	return c.ResponseWriter.Write(content)
}

// past makes a repository whose newest commit has the same files however many
// commits there were before it.
func (w *world) past(dir string, commits int) {
	w.t.Helper()
	w.origin(dir, nil)
	var in strings.Builder
	for n := range commits {
		text := fmt.Sprint(n - commits)
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter Ada <ada@example.com> %d +0000\ndata 1\n.\n", 1_600_000_000+n)
		fmt.Fprintf(&in, "M 100644 inline fleet/env-%02d/values.yaml\ndata %d\n%s\n", n%20, len(text), text)
	}
	for i := range 20 {
		fmt.Fprintf(&in, "M 100644 inline fleet/env-%02d/values.yaml\ndata 1\nx\n", i)
	}
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir, cmd.Env, cmd.Stdin = filepath.Join(w.home, dir), w.environ(), strings.NewReader(in.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("git fast-import: %v\n%s", err, out)
	}
}

// What a server sends is what is kept in memory.
func TestWhatIsFetchedDoesNotGrowWithTheHistory(t *testing.T) {
	for name, settings := range map[string]string{"filters": "true", "no filters": "false"} {
		for _, few := range []int{5_000, 1} {
			t.Run(fmt.Sprintf("%s, %d at once", name, few), func(t *testing.T) {
				w := newWorld(t)
				server := w.serveHTTPS()
				seen := observe(server)
				var sent []int
				for _, commits := range []int{1, 2_000} {
					dir := fmt.Sprint("origin-", commits)
					w.past(dir, commits)
					w.git(dir, "config", "uploadpack.allowFilter", settings)
					r := w.remote(server.URL+"/"+dir, RemoteOptions{})
					r.connection.MaxFolders = few
					if _, err := r.Commit(context.Background(), always(map[string]string{"fleet/env-07/values.yaml": "y\n"}), said("ours")); err != nil {
						t.Fatal(err)
					}
					_, bytes := seen.since()
					sent = append(sent, bytes)
				}
				t.Logf("%d bytes for 1 commit, %d for 2,000", sent[0], sent[1])
				if tolerance := 300; sent[1] > sent[0]+tolerance { // the commit names its parent
					t.Errorf("the server sent %d bytes for one commit and %d for 2,000", sent[0], sent[1])
				}
			})
		}
	}
}

const (
	refs    = "GET refs"
	fetched = "POST git-upload-pack"
	pushed  = "POST git-receive-pack"
)

// Where there are many folders only those come that are needed, and each level of
// them at once.
func TestManyFoldersAreFetchedLevelByLevel(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", base)
	w.git(".", "clone", "-q", "origin", "peer")
	server := w.serveHTTPS()
	seen, ctx := observe(server), context.Background()
	r := w.remote(server.URL+"/origin", RemoteOptions{})
	r.connection.MaxFolders = 2
	requested := func(what string, want ...string) {
		t.Helper()
		got, _ := seen.since()
		got = slices.DeleteFunc(got, func(request string) bool { return request == "GET unauthorized" })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s took other requests:\n%s", what, diff)
		}
	}
	on, err := r.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	requested("Read", refs, fetched, fetched)
	trees := func() int { return len(on.storage.ObjectStorage.Trees) }
	if got := trees(); got != 0 {
		t.Errorf("%d folders came with the commit", got)
	}
	read, err := on.Files(ctx, "fleet/prod/old.yaml", "fleet/run.sh", "apps/web/none", "none/a", "README.md/a")
	if err != nil || string(read["fleet/prod/old.yaml"]) != base["fleet/prod/old.yaml"] || len(read) != 2 {
		t.Errorf("Files = %q, %v", read, err)
	}
	requested("Files", fetched, fetched, fetched, fetched) // the root, fleet and apps, prod and web, files
	if got := trees(); got != 5 {
		t.Errorf("%d folders are here, want 5", got)
	}
	listed, err := on.List(ctx, ".")
	if err != nil || strings.Join(listed, "\n")+"\n" != w.git("peer", "ls-files") {
		t.Errorf("List = %q, %v", listed, err)
	}
	requested("List") // all folders happen to be here

	if on, err = r.Read(ctx); err != nil {
		t.Fatal(err)
	}
	seen.since()
	if listed, err = on.List(ctx, "fleet"); err != nil || len(listed) != 3 {
		t.Errorf("List = %q, %v", listed, err)
	}
	requested("List", fetched, fetched) // the root, and all below fleet

	if _, err := r.Commit(ctx, always(ours, "fleet/prod/old.yaml"), said("ours")); err != nil {
		t.Fatal(err)
	}
	requested("Commit", refs, fetched, fetched, fetched, fetched, fetched, refs, pushed)
	w.put("peer", ours, "fleet/prod/old.yaml")
	w.git("peer", "add", "-A")
	w.git("peer", "commit", "-q", "-m", "ours")
	if got, want := w.git("origin", "rev-parse", "main^{tree}"), w.git("peer", "rev-parse", "HEAD^{tree}"); got != want {
		t.Errorf("tree = %s, want %s", got, want)
	}
	w.sound("origin")
	if _, err := r.Commit(ctx, always(ours, "fleet/prod/old.yaml"), said("again")); !errors.Is(err, ErrUnchanged) {
		t.Errorf("Commit = %v, want ErrUnchanged", err)
	}
}

// A server may know how to leave out files, and not how to leave out folders.
func TestManyFoldersOfAServerThatLeavesOnlyFilesOut(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", base)
	w.git("origin", "config", "uploadpackfilter.tree.allow", "false")
	server := w.serveHTTPS()
	r := w.remote(server.URL+"/origin", RemoteOptions{})
	r.connection.MaxFolders = 2
	on, err := r.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got := len(on.storage.ObjectStorage.Blobs); got != 0 {
		t.Errorf("%d files came with the folders", got)
	}
	if read, err := on.Files(context.Background(), "fleet/run.sh"); err != nil || len(read) != 1 {
		t.Errorf("Files = %q, %v", read, err)
	}
	if _, err := r.Commit(context.Background(), always(ours), said("ours")); err != nil {
		t.Fatal(err)
	}
	w.sound("origin")
}

// Few folders come all at once, and nobody asks twice where the branches are.
func TestFewRequestsForFewFolders(t *testing.T) {
	w := newWorld(t)
	files := map[string]string{".gitattributes": "*.txt text\n", "sub/.gitignore": "*.log\n"}
	w.origin("origin", files)
	server := w.serveHTTPS()
	seen := observe(server)
	if _, err := w.remote(server.URL+"/origin", RemoteOptions{}).Commit(context.Background(), always(map[string]string{"sub/a.txt": "a\n"}), said("ours")); err != nil {
		t.Fatal(err)
	}
	got, _ := seen.since()
	if diff := cmp.Diff([]string{refs, fetched, fetched, refs, pushed}, got); diff != "" {
		t.Errorf("a commit took other requests:\n%s", diff)
	}
}
