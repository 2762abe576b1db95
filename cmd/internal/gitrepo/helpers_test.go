package gitrepo

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/giteatest"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

var noon = time.Date(2025, 11, 3, 12, 0, 0, 0, time.UTC)

// world is a home folder with Git's configuration, and an environment.
type world struct {
	t     testing.TB
	home  string
	env   map[string]string
	owner *giteatest.User // of the repositories that are served, where Gitea serves them
}

// newWorld skips the test where there is no git to judge.
func newWorld(t testing.TB) *world {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git program to compare with")
	}
	// Real paths: git itself prints them.
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, home: home, env: map[string]string{"HOME": home, "PATH": os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "TZ": "UTC"}}
	w.write(".gitconfig", "[user]\n\tname = Ada\n\temail = ada@example.com\n[gc]\n\tauto = 0\n[init]\n\tdefaultBranch = main\n")
	return w
}

func (w *world) environ() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(w.env)) {
		out = append(out, name+"="+w.env[name])
	}
	return out
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

// write writes a file below the home folder.
func (w *world) write(name, content string) {
	w.t.Helper()
	full := filepath.Join(w.home, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o777); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), 0o666); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) read(name string) string {
	w.t.Helper()
	content, err := os.ReadFile(filepath.Join(w.home, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(content)
}

func (w *world) try(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = filepath.Join(w.home, dir), w.environ()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// git runs git in a folder below the home folder, and gives what it prints.
func (w *world) git(dir string, args ...string) string {
	w.t.Helper()
	out, err := w.try(dir, args...)
	if err != nil {
		w.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// repo makes a repository with files and one commit.
func (w *world) repo(dir string, files map[string]string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Join(w.home, dir), 0o777); err != nil {
		w.t.Fatal(err)
	}
	w.git(dir, "init", "-q")
	for name, content := range files {
		w.write(filepath.Join(dir, name), content)
	}
	w.git(dir, "add", "-A")
	w.git(dir, "commit", "-q", "--allow-empty", "-m", "base")
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
