package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// Without a git program only what a checkout takes is refused.
func TestWithoutGit(t *testing.T) {
	w := newWorld(t)
	w.repo("r", base)
	w.env["PATH"] = "/nowhere"
	l := w.open("r")
	_, commitErr := l.Commit(context.Background(), Changes{Write: tree.Tree{"x": []byte("x\n")}}, said("ours"))
	_, pushErr := l.Push(context.Background(), PushOptions{})
	for _, err := range []error{commitErr, pushErr, l.Check(t.Context(), Changes{}, said("ours"))} {
		var got *transport.Error
		if !errors.As(err, &got) || got.Kind != transport.NoGit || !strings.Contains(err.Error(), "this takes the git program, and there is none on the PATH; --repo does without") {
			t.Errorf("error = %v, want that there is no git", err)
		}
	}
	on, err := l.At("main")
	if err != nil {
		t.Fatal(err)
	}
	defer on.Close()
	if files, err := on.Files(context.Background(), "README.md"); err != nil || string(files["README.md"]) != base["README.md"] {
		t.Errorf("Files = %s, %v", files, err)
	}
}

// What an older version left half-done is named, until the branch is another.
func TestHalfOfATakeoverIsNamed(t *testing.T) {
	w := newWorld(t)
	made := w.clone(filepath.Join(w.home, "origin"))
	theirs := strings.TrimSpace(w.git("r", "commit-tree", "-p", "HEAD~1", "-m", "theirs", "HEAD~1^{tree}"))
	w.write("r/.git/pm-gitops-catch-up", fmt.Sprintf("%s %s refs/heads/main\n", made.Hash, theirs))
	w.write("r/.git/index.lock", lockMark)
	w.write("r/.git/refs/heads/main.lock", lockMark)
	changes := Changes{Write: tree.Tree{"x": []byte("x\n")}}
	if err := w.open("r").Check(t.Context(), changes, said("ours")); err == nil || !strings.Contains(err.Error(), "git reset "+theirs[:12]+" moves the branch there") {
		t.Errorf("Check = %v", err)
	}
	if _, err := w.open("r").Commit(context.Background(), changes, said("ours")); err == nil || !strings.Contains(err.Error(), "an older version of pm-gitops was stopped while it took over the commit "+theirs[:12]) {
		t.Errorf("Commit = %v", err)
	}
	w.git("r", "reset", "-q", theirs) // no lock is in its way
	w.commit("r", changes)
	if _, err := os.Stat(filepath.Join(w.home, "r/.git/pm-gitops-catch-up")); err == nil {
		t.Error("the note is still there")
	}
}

// No program that a repository names for watching files is run.
func TestNoFileSystemMonitorRuns(t *testing.T) {
	w := newWorld(t)
	w.clone(filepath.Join(w.home, "origin"))
	w.script("monitor", "touch ~/watched\n")
	w.git("r", "config", "core.fsmonitor", filepath.Join(w.home, "monitor"))
	w.commit("r", w.put("r", map[string]string{"x": "x\n"}))
	if _, err := w.push(PushOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(w.home, "watched")); err == nil {
		t.Error("it was run")
	}
}

// A repository of somebody else is refused before git reads anything of it.
func TestForeignRepositoriesAreRefusedFirst(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	w := newWorld(t)
	w.repo("r", base)
	w.script("bin/git", "echo \"$GIT_DIR\" >> "+w.home+"/runs\nexec /usr/bin/env -S PATH="+w.env["PATH"]+" git \"$@\"\n")
	w.env["PATH"] = filepath.Join(w.home, "bin") + ":" + w.env["PATH"]
	if err := os.Chown(filepath.Join(w.home, "r"), 12345, 12345); err != nil {
		t.Skip(err)
	}
	if _, err := Open(w.sys(), filepath.Join(w.home, "r")); err == nil || !strings.Contains(err.Error(), "belongs to somebody else") {
		t.Errorf("Open = %v, want that it is somebody else's", err)
	}
	if runs := w.read("runs"); runs != os.DevNull+"\n" { // one, for safe.directory, outside of any repository
		t.Errorf("git was run with GIT_DIR = %q", runs)
	}
	w.git(".", "config", "--global", "safe.directory", filepath.Join(w.home, "r"))
	if _, err := Open(w.sys(), filepath.Join(w.home, "r")); err != nil {
		t.Errorf("Open = %v, although it is safe", err)
	}
}
