package gitrepo

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// theirBase is the files that are there before anybody does anything.
var theirBase = map[string]string{
	"README.md": "readme\n", "lib/a": "a\n", "lib/b": "b\n", "lib/deep/c": "c\n", "lib/deep/d": "d\n", "one/only": "only\n",
	"run.sh": "#!/bin/sh\n", "same": "same\n", "dos.txt": "one\ntwo\n", "lib-x": "x\n", "ours/old.yaml": "old: 1\n",
}

// starts makes worlds in which there is a bare origin, and r and others, which
// are clones of it. They are copies of one: that is faster.
func starts(t *testing.T) func(*testing.T) *world {
	first := newWorld(t)
	first.origin("origin", theirBase)
	first.git(".", "clone", "-q", "origin", "r")
	first.git(".", "clone", "-q", "origin", "others")
	for _, dir := range []string{"origin.work/.git", "origin", "r/.git", "others/.git"} {
		removes(dir, "hooks")(first) // samples
	}
	return func(t *testing.T) *world {
		w := newWorld(t)
		if out, err := exec.Command("cp", "-a", first.home+"/.", w.home).CombinedOutput(); err != nil {
			t.Fatalf("cp: %v: %s", err, out)
		}
		w.git("r", "config", "remote.origin.url", filepath.Join(w.home, "origin"))
		return w
	}
}

// raced is a race in a clone r that is there already.
func (w *world) raced(theirs func(*world)) string {
	w.t.Helper()
	ours := w.commit("r", w.put("r", map[string]string{"ours/new.yaml": "new: 1\n", "ours/deep/er.yaml": "x\n"}, "ours/old.yaml"))
	w.pushed(theirs)
	return ours.Hash
}

// pushed lets others commit and push.
func (w *world) pushed(theirs func(*world)) {
	w.t.Helper()
	if theirs != nil {
		theirs(w)
	}
	w.git("others", "add", "-A", "-f")
	w.git("others", "commit", "-q", "--allow-empty", "-m", "theirs")
	w.git("others", "push", "-q", "../origin", "+HEAD:main")
}

// onDisk is the files below a folder, with what they are and hold.
func (w *world) onDisk(dir string) map[string]string {
	w.t.Helper()
	found := map[string]string{}
	root := filepath.Join(w.home, dir)
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == root {
			return err
		}
		if entry.Name() == ".git" {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content := ""
		switch {
		case info.Mode().Type() == fs.ModeSymlink:
			content, err = os.Readlink(name)
		case info.Mode().IsRegular():
			var data []byte
			data, err = os.ReadFile(name)
			content = string(data)
		}
		found[strings.TrimPrefix(name, root+"/")] = info.Mode().String() + " " + content
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// state is what git and the disk say of a repository.
func (w *world) state(dir string) map[string]string {
	w.t.Helper()
	state := w.onDisk(dir)
	state["git status"] = w.git(dir, "status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--ignored")
	state["git ls-files"] = w.git(dir, "ls-files", "-s", "-v")
	return state
}

// copy copies a folder to one that is not there.
func (w *world) copy(from, to string) {
	w.t.Helper()
	if out, err := exec.Command("cp", "-a", filepath.Join(w.home, from), filepath.Join(w.home, to)).CombinedOutput(); err != nil {
		w.t.Fatalf("cp: %v: %s", err, out)
	}
}

// twin makes a copy of r and lets git do there what CatchUp is to do: git reset
// --keep or, as that unstages what is staged, its first half.
func (w *world) twin(reset bool) error {
	w.t.Helper()
	w.copy("r", "twin")
	_, _ = w.try("twin", "update-index", "-q", "--really-refresh") // the copies are other files
	w.git("twin", "fetch", "-q", "../origin", "main:refs/remotes/origin/main")
	tip := strings.TrimSpace(w.git("twin", "rev-parse", "origin/main"))
	if reset {
		out, err := w.try("twin", "reset", "-q", "--keep", tip)
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		return err
	}
	if out, err := w.try("twin", "read-tree", "-m", "-u", "HEAD", tip); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	w.git("twin", "update-ref", "-m", "reset: moving to "+tip, "HEAD", tip)
	return nil
}

// catchUp catches up, and fails if files are left that nobody asked for.
func (w *world) catchUp(undo string) (CaughtUp, error) {
	w.t.Helper()
	l := w.open("r")
	done, err := l.CatchUp(context.Background(), undo, PushOptions{})
	for _, pattern := range []string{"*.lock", "pm-gitops-*", "refs/heads/*.lock", "objects/pack/tmp_*"} {
		for _, dir := range []string{l.gitDir, l.commonDir} {
			if left, _ := filepath.Glob(filepath.Join(dir, pattern)); len(left) > 0 {
				w.t.Errorf("left behind: %v", left)
			}
		}
	}
	return done, err
}

func inOthers(args ...string) func(*world) { return func(w *world) { w.git("others", args...) } }

func writes(dir, name, content string) func(*world) {
	return func(w *world) { w.write(filepath.Join(dir, name), content) }
}

func removes(dir, name string) func(*world) {
	return func(w *world) {
		if err := os.RemoveAll(filepath.Join(w.home, dir, name)); err != nil {
			w.t.Fatal(err)
		}
	}
}

func links(dir, target, name string) func(*world) {
	return func(w *world) {
		if err := os.Symlink(target, filepath.Join(w.home, dir, name)); err != nil {
			w.t.Fatal(err)
		}
	}
}

func folder(dir, name string) func(*world) {
	return func(w *world) {
		if err := os.MkdirAll(filepath.Join(w.home, dir, name), 0o777); err != nil {
			w.t.Fatal(err)
		}
	}
}

func executable(dir, name string) func(*world) {
	return func(w *world) {
		if err := os.Chmod(filepath.Join(w.home, dir, name), 0o777); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) packs(dir string) []string {
	found, err := filepath.Glob(filepath.Join(w.home, dir, ".git/objects/pack/*.pack"))
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

func overwriteAll(w *world, names ...string) {
	for _, name := range names {
		w.write(filepath.Join("r", name), "mine\n")
	}
}
