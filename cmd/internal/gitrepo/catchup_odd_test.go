package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What CI systems have: one commit, and nothing of what was before.
func TestCatchUpInAShallowClone(t *testing.T) {
	transports(t, func(t *testing.T, w *world, url string) {
		w.origin("origin", theirBase)
		w.git(".", "clone", "-q", "origin", "others")
		for _, name := range []string{"second", "third"} {
			w.pushed(writes("others", name, "x\n"))
		}
		w.git("others", "checkout", "-q", "-b", "side", "HEAD~2")
		w.pushedSide("side")
		w.git("others", "checkout", "-q", "main")
		w.git(".", "clone", "-q", "--depth=1", "file://"+filepath.Join(w.home, "origin"), "r")
		w.git("r", "remote", "set-url", "origin", url)
		before := w.read("r/.git/shallow")
		undo := w.raced(all(writes("others", "lib/a", "theirs\n"), inOthers("commit", "-qam", "fourth"), writes("others", "lib/b", "theirs\n")))
		done, err := w.catchUp(undo)
		if err != nil {
			t.Fatal(err)
		}
		w.sound("r")
		if got := w.read("r/.git/shallow"); got != before {
			t.Errorf("the history ends at %s, and did at %s", got, before)
		}
		if got := w.git("r", "log", "--format=%s"); got != "theirs\nfourth\ntheirs\n" {
			t.Errorf("log = %s", got)
		}
		if got := w.git("r", "status", "-sb"); got != "## main...origin/main\n" {
			t.Errorf("status = %s", got)
		}
		// A branch from before that is merged brings its history along, as with git.
		undo = w.raced(inOthers("merge", "-q", "--no-edit", "side"))
		if done, err = w.catchUp(undo); err != nil {
			t.Fatal(err)
		}
		w.sound("r")
		if got := w.git("r", "rev-parse", "main"); got != done.Hash+"\n" {
			t.Errorf("main = %s", got)
		}
	})
}

// pushedSide commits to a branch beside main.
func (w *world) pushedSide(branch string) {
	w.t.Helper()
	w.write("others/"+branch, "x\n")
	w.git("others", "add", "-A")
	w.git("others", "commit", "-qm", branch)
	w.git("others", "push", "-q", "../origin", branch)
}

func TestCatchUpInOddRepositories(t *testing.T) {
	start := starts(t)
	for name, setup := range map[string]func(*world){
		"added worktree": func(w *world) {
			w.git(".", "clone", "-q", "origin", "first")
			w.git("first", "checkout", "-q", "--detach")
			w.git("first", "worktree", "add", "-q", "../r", "main")
		},
		"packed refs":     func(w *world) { w.git(".", "clone", "-q", "origin", "r"); w.git("r", "pack-refs", "--all") },
		"alternates":      func(w *world) { w.git(".", "clone", "-q", "--shared", "origin", "r") },
		"one branch":      func(w *world) { w.git(".", "clone", "-q", "--single-branch", "origin", "r") },
		"symbolic branch": all(func(w *world) { w.git(".", "clone", "-q", "origin", "r") }, run("branch", "-m", "main", "real"), run("symbolic-ref", "refs/heads/main", "refs/heads/real")),
		"URL only":        all(func(w *world) { w.git(".", "clone", "-q", "origin", "r") }, run("config", "branch.main.remote", "../origin")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			removes(".", "r")(w)
			setup(w)
			if name == "URL only" {
				w.git("r", "config", "branch.main.remote", filepath.Join(w.home, "origin"))
			}
			undo := w.raced(writes("others", "lib/a", "theirs\n"))
			before := objectsIn(w, "r")
			done, err := w.open("r").CatchUp(context.Background(), undo, PushOptions{Branch: "main"})
			if err != nil {
				t.Fatal(err)
			}
			if came := objectsIn(w, "r") - before; came != 4 {
				t.Errorf("%d objects came, want a commit, two folders and a file", came)
			}
			w.sound("r")
			if got := w.git("r", "rev-parse", "HEAD") + w.git("r", "status", "--porcelain") + w.git("r", "show", "HEAD:lib/a"); got != done.Hash+"\ntheirs\n" {
				t.Errorf("it is at %s", got)
			}
			if got := w.git("origin", "rev-parse", "main"); got != done.Hash+"\n" {
				t.Errorf("origin is at %s", got)
			}
		})
	}
}

// The server has the commit: somebody answered too late, or not at all.
func TestCatchUpOfWhatArrived(t *testing.T) {
	w := starts(t)(t)
	undo := w.raced(nil)
	w.git("r", "push", "-q", "-f", "origin", "main")
	w.git("others", "pull", "-q", "--rebase", "../origin", "main")
	w.pushed(writes("others", "lib/a", "on top\n"))
	if _, err := w.catchUp(undo); !errors.Is(err, ErrUnchanged) {
		t.Errorf("CatchUp = %v, want ErrUnchanged", err)
	}
	if got := w.git("r", "rev-parse", "HEAD") + w.git("r", "status", "--porcelain"); got != undo+"\n" {
		t.Errorf("something changed: %s", got)
	}
}

// One commit for each environment: all are taken back, or none.
func TestCatchUpWithSeveralCommits(t *testing.T) {
	w := starts(t)(t)
	first := w.raced(writes("others", "lib/a", "theirs\n"))
	second := w.commit("r", w.put("r", map[string]string{"ours/second.yaml": "2\n"})).Hash
	l := w.open("r")
	for name, undo := range map[string][]string{
		"the last":    {second},
		"one too few": {first},
		"turned":      {second, first},
		"none":        {},
		"twice":       {first, first, second},
	} {
		var said *CatchUpError
		if _, err := l.CatchUpAll(context.Background(), undo, PushOptions{}); !errors.As(err, &said) {
			t.Errorf("%s: CatchUpAll = %v, want a refusal", name, err)
		}
	}
	if got := w.git("r", "rev-parse", "HEAD"); got != second+"\n" {
		t.Errorf("HEAD = %s, want it where it was", got)
	}
	done, err := l.CatchUpAll(context.Background(), []string{first, second}, PushOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := w.git("r", "rev-parse", "HEAD")+w.git("r", "status", "--porcelain"), w.git("origin", "rev-parse", "main"); got != want || done.Hash+"\n" != want {
		t.Errorf("HEAD = %s, want %s", got, want)
	}
}

// A file was edited in the moment in which the index was written, and has the
// same size: its times say nothing.
func TestCatchUpLooksIntoWhatMayHaveChanged(t *testing.T) {
	w := starts(t)(t)
	undo := w.raced(writes("others", "lib/a", "theirs\n"))
	w.write("r/lib/a", "b\n")
	info, err := os.Stat(filepath.Join(w.home, "r/lib/a"))
	if err != nil {
		t.Fatal(err)
	}
	x, err := readIndex(filepath.Join(w.home, "r/.git/index"))
	if err != nil {
		t.Fatal(err)
	}
	at, _ := x.find("lib/a")
	entry := &x.entries[at]
	var now [40]byte
	copy(now[:], entry.fixed)
	fillStat(&now, info)
	entry.fixed = string(now[:]) + entry.fixed[len(now):]
	w.write("r/.git/index", string(x.encode()))
	if err := os.Chtimes(filepath.Join(w.home, "r/.git/index"), info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	var said *CatchUpError
	if _, err := w.catchUp(undo); !errors.As(err, &said) || !slices.Equal(said.Paths(), []string{"lib/a"}) {
		t.Errorf("CatchUp = %v, want lib/a in the way", err)
	}
}

// Somebody fetched before: nothing is asked for, nothing comes.
func TestCatchUpWithWhatIsHere(t *testing.T) {
	w := starts(t)(t)
	undo := w.raced(writes("others", "lib/a", "theirs\n"))
	w.git("r", "fetch", "-q")
	before := objectsIn(w, "r")
	if _, err := w.catchUp(undo); err != nil {
		t.Fatal(err)
	}
	if got := objectsIn(w, "r"); got != before {
		t.Errorf("%d objects came", got-before)
	}
}

// Somebody fetched, and a part of it was lost: what is there does not count.
func TestCatchUpGetsWhatIsMissing(t *testing.T) {
	w := starts(t)(t)
	undo := w.raced(writes("others", "lib/a", "theirs\n"))
	w.git("r", "fetch", "-q")
	blob := strings.TrimSpace(w.git("others", "hash-object", "lib/a"))
	w.git("r", "update-ref", "-d", "refs/remotes/origin/main")
	if err := os.Remove(filepath.Join(w.home, "r/.git/objects", blob[:2], blob[2:])); err != nil {
		t.Fatal(err)
	}
	if _, err := w.catchUp(undo); err != nil {
		t.Fatal(err)
	}
	w.sound("r")
}

// Folders of submodules: what is in them is not looked at, and not removed.
func TestCatchUpWithSubmodules(t *testing.T) {
	start := starts(t)
	link := "160000,%s,sub"
	one, two := strings.Repeat("1", 40), strings.Repeat("2", 40)
	for name, c := range map[string]struct {
		theirs func(*world)
		filled bool
		want   string // what git status says; an error if it starts with a ^
	}{
		"updated":                {inOthers("update-index", "--cacheinfo", fmt.Sprintf(link, two)), false, ""},
		"removed":                {inOthers("rm", "-q", "--cached", "sub"), false, ""},
		"removed, filled":        {inOthers("rm", "-q", "--cached", "sub"), true, "?? sub/\n"},
		"a file in its place":    {all(inOthers("rm", "-q", "--cached", "sub"), removes("others", "sub"), writes("others", "sub", "x\n")), false, ""},
		"a file in place of all": {all(inOthers("rm", "-q", "--cached", "sub"), removes("others", "sub"), writes("others", "sub", "x\n")), true, "^sub: it is the folder of a submodule, and has files in it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.pushed(all(folder("others", "sub"), inOthers("update-index", "--add", "--cacheinfo", fmt.Sprintf(link, one))))
			w.git("r", "pull", "-q")
			if c.filled {
				w.write("r/sub/mine", "x\n")
			}
			undo := w.raced(c.theirs)
			_, err := w.catchUp(undo)
			if want, refused := strings.CutPrefix(c.want, "^"); refused {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("CatchUp = %v, want %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := w.git("r", "status", "--porcelain"); got != c.want {
				t.Errorf("status = %s, want %s", got, c.want)
			}
		})
	}
}

// What is staged as deleted, and deleted by others, is left on the disk.
func TestCatchUpLeavesWhatWasGivenUp(t *testing.T) {
	w := starts(t)(t)
	undo := w.raced(removes("others", "lib/a"))
	w.git("r", "rm", "-q", "--cached", "lib/a")
	if _, err := w.catchUp(undo); err != nil {
		t.Fatal(err)
	}
	if got := w.git("r", "status", "--porcelain"); got != "?? lib/a\n" {
		t.Errorf("status = %s", got)
	}
}

// The folder that a command works in stays, also if others empty it.
func TestCatchUpKeepsTheFolder(t *testing.T) {
	w := starts(t)(t)
	undo := w.raced(removes("others", "lib"))
	if _, err := w.open("r/lib/deep").CatchUp(context.Background(), undo, PushOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := w.onDisk("r/lib"); !cmp.Equal(got, map[string]string{"deep": "drwxr-xr-x "}) {
		t.Errorf("lib has %v", got)
	}
}
