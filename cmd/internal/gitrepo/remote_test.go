package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

func (w *world) remote(url string, o RemoteOptions) *Remote {
	w.t.Helper()
	r, err := OpenRemote(context.Background(), w.sys(), url, o)
	if err != nil {
		w.t.Fatalf("OpenRemote: %v", err)
	}
	return r
}

// always prepares the same changes on any base.
func always(files map[string]string, remove ...string) prepare {
	return func(context.Context, *Base) (Changes, error) {
		changes := Changes{Write: tree.Tree{}, Remove: remove}
		for name, content := range files {
			changes.Write[name] = []byte(content)
		}
		return changes, nil
	}
}

func TestRemoteCommitOverEveryTransport(t *testing.T) {
	transports(t, func(t *testing.T, w *world, url string) {
		w.origin("origin", base)
		w.git(".", "clone", "-q", "origin", "peer")
		ctx := context.Background()
		var read tree.Tree
		var listed []string
		result, err := w.remote(url, RemoteOptions{}).Commit(ctx, func(ctx context.Context, on *Base) (changes Changes, err error) {
			if read, err = on.Files(ctx, "fleet/prod/old.yaml", "fleet/prod/none", "fleet", "README.md"); err != nil {
				return changes, err
			}
			if listed, err = on.List(ctx, "fleet"); err != nil {
				return changes, err
			}
			return always(ours, "fleet/prod/old.yaml")(ctx, on)
		}, said("ours"))
		if err != nil {
			t.Fatal(err)
		}
		w.sound("origin")
		w.put("peer", ours, "fleet/prod/old.yaml")
		w.git("peer", "add", "-A")
		w.git("peer", "commit", "-q", "-m", "ours")
		if got, want := w.git("origin", "rev-parse", "main^{tree}"), w.git("peer", "rev-parse", "HEAD^{tree}"); got != want {
			t.Errorf("tree = %s, want %s", got, want)
		}
		if got := strings.TrimSpace(w.git("origin", "log", "--format=%H %s")); !strings.HasPrefix(got, result.Hash+" ours\n") || strings.Count(got, "\n") != 1 {
			t.Errorf("log = %s, want %s on base", got, result.Hash)
		}
		if diff := cmp.Diff(tree.Tree{"README.md": []byte("readme\n"), "fleet/prod/old.yaml": []byte("old: 1\n")}, read); diff != "" {
			t.Errorf("Files: %s", diff)
		}
		if diff := cmp.Diff([]string{"fleet/prod/kept.yaml", "fleet/prod/old.yaml", "fleet/run.sh"}, listed); diff != "" {
			t.Errorf("List: %s", diff)
		}
		if _, err := w.remote(url, RemoteOptions{Branch: "main"}).Commit(ctx, always(ours, "fleet/prod/old.yaml"), said("again")); !errors.Is(err, ErrUnchanged) {
			t.Errorf("Commit = %v, want ErrUnchanged", err)
		}
	})
}

func TestRemoteWithoutFilters(t *testing.T) {
	transports(t, func(t *testing.T, w *world, url string) {
		w.origin("origin", base)
		for _, setting := range []string{"uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"} {
			w.git("origin", "config", setting, "false")
		}
		_, err := w.remote(url, RemoteOptions{}).Commit(context.Background(), func(ctx context.Context, on *Base) (Changes, error) {
			if read, err := on.Files(ctx, "README.md"); err != nil || string(read["README.md"]) != "readme\n" {
				t.Errorf("Files = %q, %v", read, err)
			}
			return always(ours)(ctx, on)
		}, said("ours"))
		if err != nil {
			t.Fatal(err)
		}
		w.sound("origin")
	})
}

// A server may say that it sends what is asked for by hash, and then not do it.
func TestRemoteThatSendsNoFilesByHash(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", base)
	w.git("origin", "config", "uploadpack.allowAnySHA1InWant", "false")
	w.git("origin", "config", "uploadpack.allowReachableSHA1InWant", "true")
	on, err := w.remote("file://"+w.home+"/origin", RemoteOptions{}).Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if read, err := on.Files(context.Background(), "README.md"); err != nil || len(read) != 1 {
		t.Errorf("Files = %q, %v", read, err)
	}
}

// A server whose hashes are of another kind is named as such a checkout is.
func TestRemoteWithOtherHashes(t *testing.T) {
	for _, serve := range []func(*world) string{
		func(w *world) string { return w.serveHTTPS().URL }, (*world).serveSSH, func(w *world) string { return "file://" + w.home },
	} {
		w := newWorld(t)
		w.env["GIT_DEFAULT_HASH"] = "sha256"
		url := serve(w) + "/origin"
		w.git(".", "init", "-q", "r")
		w.git(".", "init", "-q", "--bare", "origin")
		_, checkout := Open(w.sys(), filepath.Join(w.home, "r"))
		want := strings.Replace(checkout.Error(), w.home+"/r", url, 1)
		for range 2 { // without a commit, and with one
			_, err := w.remote(url, RemoteOptions{}).Commit(context.Background(), always(ours), said("ours"))
			if err == nil || err.Error() != want {
				t.Errorf("Commit = %v, want %s", err, want)
			}
			w.git("r", "commit", "-q", "--allow-empty", "-m", "x")
			w.git("r", "push", "-q", "../origin", "main")
		}
	}
}

func TestRemoteBranches(t *testing.T) {
	transports(t, func(t *testing.T, w *world, url string) {
		w.origin("origin", nil)
		ctx := context.Background()
		commit := func(o RemoteOptions, name string) Result {
			result, err := w.remote(url, o).Commit(ctx, always(map[string]string{name: "x\n"}), said(name))
			if err != nil {
				t.Fatalf("%+v: %v", o, err)
			}
			return result
		}
		first := commit(RemoteOptions{}, "first")
		if first.Branch != "main" {
			t.Errorf("the first branch is %q", first.Branch)
		}
		commit(RemoteOptions{Branch: "team/next"}, "second")
		commit(RemoteOptions{Branch: "team/third", From: "team/next"}, "third")
		commit(RemoteOptions{Branch: "team/next"}, "fourth")
		for branch, want := range map[string]string{"main": "first", "team/next": "fourth second first", "team/third": "third second first"} {
			if got := strings.Join(strings.Fields(w.git("origin", "log", "--format=%s", branch)), " "); got != want {
				t.Errorf("%s has %s, want %s", branch, got, want)
			}
		}
		_, err := w.remote(url, RemoteOptions{Branch: "x", From: "team/nex"}).Commit(ctx, always(ours), said("no"))
		if err == nil || !strings.HasSuffix(err.Error(), "has no branch team/nex to start from: did you mean team/next?") {
			t.Errorf("Commit = %v", err)
		}
		w.sound("origin")
	})
}

func TestALostRaceIsRunAgainOnTheNewBase(t *testing.T) {
	transports(t, func(t *testing.T, w *world, url string) {
		w.origin("origin", base)
		var bases []string
		_, err := w.remote(url, RemoteOptions{}).Commit(context.Background(), func(ctx context.Context, on *Base) (Changes, error) {
			bases = append(bases, on.commit.String())
			if len(bases) <= 2 {
				w.git("origin.work", "pull", "-q", "--ff-only", "../origin", "main")
				w.write(fmt.Sprintf("origin.work/theirs-%d", len(bases)), "x\n")
				w.git("origin.work", "add", "-A")
				w.git("origin.work", "commit", "-q", "-m", "theirs")
				w.git("origin.work", "push", "-q", "../origin", "main")
			}
			return always(ours)(ctx, on)
		}, said("ours"))
		if err != nil || len(bases) != 3 {
			t.Fatalf("Commit = %v on %v, want the third to win", err, bases)
		}
		if got := strings.Join(strings.Fields(w.git("origin", "log", "--format=%s", "main")), " "); got != "ours theirs theirs base" {
			t.Errorf("log = %s", got)
		}
		w.sound("origin")
	})
}

func TestAnEndlessRaceIsGivenUp(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", base)
	n := 0
	_, err := w.remote("file://"+w.home+"/origin", RemoteOptions{}).Commit(context.Background(), func(ctx context.Context, on *Base) (Changes, error) {
		n++
		w.git("origin", "update-ref", "refs/heads/main", strings.TrimSpace(w.git("origin", "commit-tree", "-p", "main", "-m", fmt.Sprint(n), "main^{tree}")))
		return always(ours)(ctx, on)
	}, said("ours"))
	var raced *transport.Error
	if !errors.As(err, &raced) || raced.Kind != transport.Raced || n != tries {
		t.Errorf("Commit = %v after %d tries", err, n)
	}
}

// On a slow server a try takes long, and who comes back at once only loses again.
func TestWhoLosesWaitsLongerWhereATryTakesLonger(t *testing.T) {
	for _, c := range []struct {
		took time.Duration
		want []time.Duration
	}{
		{0, []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond}},
		{time.Second, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second}},
		{time.Hour, []time.Duration{5 * time.Second, 5 * time.Second, 5 * time.Second, 5 * time.Second}},
	} {
		w := newWorld(t)
		w.origin("origin", base)
		sys, now := w.sys(), noon
		var waits []time.Duration
		sys.Now = func() time.Time { return now }
		sys.Random = func() float64 { return 1 }
		sys.Sleep = func(_ context.Context, long time.Duration) error { waits = append(waits, long); return nil }
		r, err := OpenRemote(context.Background(), sys, "file://"+w.home+"/origin", RemoteOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Commit(context.Background(), func(ctx context.Context, on *Base) (Changes, error) {
			now = now.Add(c.took)
			if len(waits) < len(c.want) {
				w.git("origin", "update-ref", "refs/heads/main", strings.TrimSpace(w.git("origin", "commit-tree", "-p", "main", "-m", "theirs", "main^{tree}")))
			}
			return always(ours)(ctx, on)
		}, said("ours"))
		if diff := cmp.Diff(c.want, waits); err != nil || diff != "" {
			t.Errorf("a try takes %s: Commit = %v, waits: %s", c.took, err, diff)
		}
	}
}

func TestRemoteHonoursWhatTheBaseSays(t *testing.T) {
	w := newWorld(t)
	files := map[string]string{".gitattributes": "*.bin filter=lfs\n*.txt text\n", "sub/.gitignore": "*.log\n"}
	w.origin("origin", files)
	r := w.remote("file://"+w.home+"/origin", RemoteOptions{})
	for name, want := range map[string]string{"sub/x.bin": "filter=lfs", "sub/x.log": "ignored: sub/x.log (sub/.gitignore:1:*.log)"} {
		if _, err := r.Commit(context.Background(), always(map[string]string{name: "x\n"}), said("no")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Commit = %v, want %s", name, err, want)
		}
	}
	if _, err := r.Commit(context.Background(), always(map[string]string{"a.txt": "a\r\nb\r\n"}), said("ours")); err != nil {
		t.Fatal(err)
	}
	if got := w.git("origin", "show", "main:a.txt"); got != "a\nb\n" {
		t.Errorf("stored %q", got)
	}
}

// A server that did what was asked for, and closed the connection before it said so, has
// the commit: it is not made again, and is no error.
func TestLostAnswersAreAskedFor(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", base)
	server := w.serveHTTPS()
	inner := server.Config.Handler
	server.Config.Handler = http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		if strings.HasSuffix(in.URL.Path, "/git-receive-pack") {
			inner.ServeHTTP(httptest.NewRecorder(), in)
			panic(http.ErrAbortHandler)
		}
		inner.ServeHTTP(out, in)
	})
	result, err := w.remote(server.URL+"/origin", RemoteOptions{}).Commit(context.Background(), always(ours), said("ours"))
	if got := w.git("origin", "rev-parse", "main"); err != nil || got != result.Hash+"\n" {
		t.Errorf("Commit = %s, %v, the server has %s", result.Hash, err, got)
	}
}
