package gitrepo

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/giteatest"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gittest"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

var noon = time.Date(2025, 11, 3, 12, 0, 0, 0, time.UTC)

// world is a [gittest.World], and the owner of the repositories that are served, where
// Gitea serves them.
type world struct {
	made  *gittest.World
	t     testing.TB
	home  string
	env   map[string]string
	owner *giteatest.User
}

func newWorld(t testing.TB) *world {
	t.Helper()
	made := gittest.New(t)
	return &world{made: made, t: t, home: made.Home, env: made.Env}
}

func (w *world) environ() []string                              { return w.made.Environ() }
func (w *world) write(name, content string)                     { w.made.Write(name, content) }
func (w *world) read(name string) string                        { return w.made.Read(name) }
func (w *world) repo(dir string, files map[string]string)       { w.made.Repo(dir, files) }
func (w *world) try(dir string, args ...string) (string, error) { return w.made.Try(dir, args...) }

func (w *world) git(dir string, args ...string) string {
	w.t.Helper()
	return w.made.Git(dir, args...)
}

// sys is the system of the world: its clock stands, and nobody sleeps.
func (w *world) sys() System {
	return System{
		Getenv:  func(name string) string { return w.env[name] },
		Environ: w.environ(),
		Now:     func() time.Time { return noon },
		Sleep:   func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Random:  func() float64 { return 0.5 },
	}
}

func (w *world) open(dir string) *Local {
	w.t.Helper()
	l, err := Open(w.sys(), filepath.Join(w.home, dir))
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

// put writes files to the working tree and gives them as changes.
func (w *world) put(dir string, files map[string]string, remove ...string) Changes {
	w.t.Helper()
	changes := Changes{Write: tree.Tree{}, Remove: remove}
	for name, content := range files {
		w.write(filepath.Join(dir, name), content)
		changes.Write[name] = []byte(content)
	}
	for _, name := range remove {
		if err := os.RemoveAll(filepath.Join(w.home, dir, name)); err != nil {
			w.t.Fatal(err)
		}
	}
	return changes
}

// said is the message of most tests.
func said(text string) CommitOptions { return CommitOptions{Message: Message{Text: text}} }

// commit commits to the repository of a folder.
func (w *world) commit(dir string, changes Changes) Result {
	w.t.Helper()
	result, err := w.open(dir).Commit(context.Background(), changes, said("ours"))
	if err != nil {
		w.t.Fatalf("Commit: %v", err)
	}
	return result
}

// sound fails unless git finds the repository to be whole.
func (w *world) sound(dir string) {
	w.t.Helper()
	if out, err := w.try(dir, "fsck", "--strict", "--full", "--no-dangling"); err != nil || strings.Contains(out, "error") || strings.Contains(out, "warning") {
		w.t.Errorf("git fsck: %v\n%s", err, out)
	}
}

// prepare says what is to become of a base, in one commit.
type prepare func(context.Context, *Base) (Changes, error)

// Commit makes one commit.
func (r *Remote) Commit(ctx context.Context, prepare prepare, o CommitOptions) (Result, error) {
	results, err := r.CommitEach(ctx, func(ctx context.Context, base *Base) ([]Draft, error) {
		changes, err := prepare(ctx, base)
		return []Draft{{changes, o.Message}}, err
	}, o)
	return append(results, Result{})[0], err
}
