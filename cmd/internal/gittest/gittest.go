// Package gittest makes repositories with the git program, for tests that compare with
// it.
package gittest

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// World is a home folder with Git's configuration, and an environment.
type World struct {
	T    testing.TB
	Home string
	Env  map[string]string
}

// New makes a world. It skips the test where there is no git to judge.
func New(t testing.TB) *World {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git program to compare with")
	}
	// Real paths: git itself prints them.
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &World{T: t, Home: home, Env: map[string]string{"HOME": home, "PATH": os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "TZ": "UTC"}}
	w.Write(".gitconfig", "[user]\n\tname = Ada\n\temail = ada@example.com\n[gc]\n\tauto = 0\n[init]\n\tdefaultBranch = main\n")
	return w
}

// Environ returns the environment as programs get it, sorted.
func (w *World) Environ() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(w.Env)) {
		out = append(out, name+"="+w.Env[name])
	}
	return out
}

// Write writes a file below the home folder.
func (w *World) Write(name, content string) {
	w.T.Helper()
	full := filepath.Join(w.Home, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o777); err != nil {
		w.T.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), 0o666); err != nil {
		w.T.Fatal(err)
	}
}

// Read reads a file below the home folder.
func (w *World) Read(name string) string {
	w.T.Helper()
	content, err := os.ReadFile(filepath.Join(w.Home, name))
	if err != nil {
		w.T.Fatal(err)
	}
	return string(content)
}

// Try runs git in a folder below the home folder, and returns what it prints.
func (w *World) Try(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = filepath.Join(w.Home, dir), w.Environ()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Git is Try that must not fail.
func (w *World) Git(dir string, args ...string) string {
	w.T.Helper()
	out, err := w.Try(dir, args...)
	if err != nil {
		w.T.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// Repo makes a repository with files and one commit.
func (w *World) Repo(dir string, files map[string]string) {
	w.T.Helper()
	if err := os.MkdirAll(filepath.Join(w.Home, dir), 0o777); err != nil {
		w.T.Fatal(err)
	}
	w.Git(dir, "init", "-q")
	for name, content := range files {
		w.Write(filepath.Join(dir, name), content)
	}
	w.Git(dir, "add", "-A")
	w.Git(dir, "commit", "-q", "--allow-empty", "-m", "base")
}
