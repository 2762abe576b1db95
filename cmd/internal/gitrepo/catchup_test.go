package gitrepo

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A scenario is what others pushed, and what the user did. Git is asked to do
// the same in a copy, and where it refuses we must, too.
type scenario struct {
	name         string
	theirs, user func(*world)
	staged       bool // the user staged something: git reset --keep would unstage it
}

var scenarios = []scenario{
	{name: "nothing but a commit"},
	{name: "files", theirs: all(writes("others", "lib/a", "a: theirs\n"), writes("others", "new/deep/n", "n\n"), removes("others", "one"), removes("others", "lib/deep/c"))},
	{name: "same file", theirs: all(writes("others", "ours/new.yaml", "theirs\n"), writes("others", "ours/old.yaml", "old: theirs\n"))},
	{name: "same content", theirs: all(writes("others", "ours/new.yaml", "new: 1\n"), removes("others", "ours/old.yaml"))},
	{name: "modes", theirs: executable("others", "run.sh")},
	{name: "file to link", theirs: all(removes("others", "lib/a"), links("others", "b", "lib/a"), links("others", "/nowhere", "out"))},
	{name: "file to folder", theirs: all(removes("others", "same"), writes("others", "same/x", "x\n"))},
	{name: "folder to file", theirs: all(removes("others", "lib"), writes("others", "lib", "lib\n"))},
	{name: "folder to link", theirs: all(removes("others", "lib"), links("others", "one", "lib"))},
	{name: "link to folder", theirs: all(links("others", "lib", "ln"), inOthers("add", "-A"), inOthers("commit", "-qm", "link"), removes("others", "ln"), writes("others", "ln/x", "x\n"))},
	{name: "submodule", theirs: all(folder("others", "sub"), inOthers("update-index", "--add", "--cacheinfo", "160000,1111111111111111111111111111111111111111,sub"))},
	{name: "edits elsewhere", theirs: writes("others", "lib/a", "a: theirs\n"), user: all(writes("r", "lib/b", "mine\n"), writes("r", "notes", "mine\n"), removes("r", "same"), executable("r", "README.md"))},
	{name: "staged elsewhere", staged: true, theirs: writes("others", "lib/a", "a: theirs\n"), user: all(writes("r", "lib/b", "staged\n"), writes("r", "fresh", "x\n"), run("add", "-A"), writes("r", "lib/b", "edited since\n"), run("rm", "-q", "--cached", "same"), writes("r", "notes", "x\n"), run("add", "-N", "notes"), removes("r", "one"))},
	{name: "untracked in a folder that goes", theirs: removes("others", "one"), user: writes("r", "one/mine", "mine\n")},
	{name: "deleted here, changed there", theirs: writes("others", "lib/a", "a: theirs\n"), user: removes("r", "lib/a")},
	{name: "deleted here and there", theirs: removes("others", "lib/a"), user: removes("r", "lib/a")},
	{name: "deleted staged, and there", staged: true, theirs: removes("others", "lib/a"), user: run("rm", "-q", "lib/a")},
	{name: "staged what they did", staged: true, theirs: writes("others", "lib/a", "a: theirs\n"), user: all(writes("r", "lib/a", "a: theirs\n"), run("add", "lib/a"), writes("r", "lib/a", "edited since\n"))},
	{name: "touched", theirs: writes("others", "lib/a", "a: theirs\n"), user: all(writes("r", "lib/a", "x\n"), writes("r", "lib/a", "a\n"))},
	{name: "edited", theirs: writes("others", "lib/a", "a: theirs\n"), user: writes("r", "lib/a", "a: mine\n")},
	{name: "edited, same size", theirs: writes("others", "lib/a", "a: theirs\n"), user: writes("r", "lib/a", "b\n")},
	{name: "edited, deleted there", theirs: removes("others", "lib/a"), user: writes("r", "lib/a", "a: mine\n")},
	{name: "made executable", theirs: writes("others", "lib/a", "a: theirs\n"), user: executable("r", "lib/a")},
	{name: "without modes", theirs: all(writes("others", "lib/a", "a: theirs\n"), executable("others", "run.sh")), user: all(run("config", "core.fileMode", "false"), executable("r", "lib/a"))},
	{name: "our file edited", theirs: writes("others", "lib/a", "a: theirs\n"), user: writes("r", "ours/new.yaml", "edited\n")},
	{name: "staged", staged: true, theirs: writes("others", "lib/a", "a: theirs\n"), user: all(writes("r", "lib/a", "a: mine\n"), run("add", "lib/a"))},
	{name: "staged, file as it was", staged: true, theirs: writes("others", "lib/a", "a: theirs\n"), user: all(writes("r", "lib/a", "a: mine\n"), run("add", "lib/a"), writes("r", "lib/a", "a\n"))},
	{name: "deletion staged", staged: true, theirs: writes("others", "lib/a", "a: theirs\n"), user: run("rm", "-q", "--cached", "lib/a")},
	{name: "staged as new", staged: true, theirs: writes("others", "fresh", "theirs\n"), user: all(writes("r", "fresh", "mine\n"), run("add", "fresh"))},
	{name: "intent to add", staged: true, theirs: writes("others", "fresh", "theirs\n"), user: all(writes("r", "fresh", "mine\n"), run("add", "-N", "fresh"))},
	{name: "untracked", theirs: writes("others", "fresh", "theirs\n"), user: writes("r", "fresh", "mine\n")},
	{name: "untracked folder", theirs: writes("others", "fresh", "theirs\n"), user: writes("r", "fresh/x", "mine\n")},
	{name: "empty folder", theirs: writes("others", "fresh", "theirs\n"), user: folder("r", "fresh/er")},
	{name: "untracked file where a folder is to be", theirs: writes("others", "fresh/x", "theirs\n"), user: writes("r", "fresh", "mine\n")},
	{name: "untracked link where a folder is to be", theirs: writes("others", "fresh/x", "theirs\n"), user: links("r", "lib", "fresh")},
	{name: "untracked in a folder that is to be a file", theirs: all(removes("others", "lib"), writes("others", "lib", "lib\n")), user: writes("r", "lib/deep/mine", "mine\n")},
	{name: "staged as a file where a folder is to be", staged: true, theirs: writes("others", "fresh/x", "theirs\n"), user: all(writes("r", "fresh", "mine\n"), run("add", "fresh"))},
	{name: "assumed unchanged", theirs: writes("others", "lib/a", "a: theirs\n"), user: run("update-index", "--assume-unchanged", "lib/a", "lib/b")},
	{name: "assumed unchanged, edited", theirs: writes("others", "lib/a", "a: theirs\n"), user: all(run("update-index", "--assume-unchanged", "lib/a"), writes("r", "lib/a", "mine\n"))},
	{name: "index version 4", theirs: all(writes("others", "lib/a", "a: theirs\n"), writes("others", "lib/aa", "n\n")), user: run("update-index", "--index-version=4")},
	{name: "CR LF asked for", theirs: all(writes("others", ".gitattributes", "*.txt text eol=crlf\n*.auto text=auto eol=crlf\n"), writes("others", "dos.txt", "one\ntwo\nthree\n"), writes("others", "a.auto", "x\ny\n"), writes("others", "b.auto", "x\x00\ny\n"))},
	{name: "CR LF by setting", theirs: all(writes("others", "dos.txt", "one\ntwo\nthree\n"), writes("others", "mixed", "one\r\ntwo\n"), writes("others", "bin", "\x00\n")), user: all(run("config", "core.autocrlf", "true"), removes("r", "dos.txt"), run("checkout", "-q", "dos.txt"))},
	{name: "CR LF on the disk, edited", theirs: writes("others", "dos.txt", "three\n"), user: all(run("config", "core.autocrlf", "true"), writes("r", "dos.txt", "one\r\n2\r\n"))},
	{name: "filter without a program", theirs: all(writes("others", ".gitattributes", "dos.txt filter=none\n"), writes("others", "dos.txt", "three\n"))},
	{name: "names with odd letters", theirs: all(writes("others", "a\tb", "x\n"), writes("others", "ü\x1b[31m", "x\n"), writes("others", "-rf", "x\n"))},
}

func TestCatchUpDoesWhatGitDoes(t *testing.T) {
	start := starts(t)
	for _, c := range scenarios {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			undo := w.raced(c.theirs)
			if c.user != nil {
				c.user(w)
			}
			w.judgeCatchUp(undo, !c.staged)
		})
	}
}

// judgeCatchUp catches up, and compares with what git does in a copy.
func (w *world) judgeCatchUp(undo string, reset bool) {
	w.t.Helper()
	refused := w.twin(reset)
	before := w.state("r")
	done, err := w.catchUp(undo)
	after := w.state("r")
	var said *CatchUpError
	switch {
	case refused != nil && !errors.As(err, &said):
		w.t.Fatalf("CatchUp = %v, but git: %v", err, refused)
	case refused != nil:
		if diff := cmp.Diff(before, after); diff != "" {
			w.t.Errorf("refused, and changed something:\n%s", diff)
		}
		return
	case err != nil:
		w.t.Fatalf("CatchUp = %v, but git does it", err)
	}
	if diff := cmp.Diff(w.state("twin"), after); diff != "" {
		w.t.Errorf("git does it otherwise (- git, + ours):\n%s", diff)
	}
	if got, want := done.Hash+"\n", w.git("origin", "rev-parse", "main"); got != want {
		w.t.Errorf("CatchUp = %s, want %s", got, want)
	}
	w.changedIs(done.Changed, before, after)
}

// changedIs compares the files that are said to be changed with those that were.
func (w *world) changedIs(said []string, before, after map[string]string) {
	w.t.Helper()
	if !slices.IsSorted(said) {
		w.t.Errorf("Changed is not sorted: %q", said)
	}
	isFile := func(text string) bool { return text != "" && text[0] != 'd' }
	for name := range before {
		if before[name] != after[name] && !strings.HasPrefix(name, "git ") && (isFile(before[name]) || isFile(after[name])) && !slices.Contains(said, name) {
			w.t.Errorf("%q was changed, and is not said to be", name)
		}
	}
	for name := range after {
		if before[name] == "" && isFile(after[name]) && !slices.Contains(said, name) {
			w.t.Errorf("%q is new, and is not said to be", name)
		}
	}
}

// After it, the next commit can be pushed.
func TestCatchUpThenPush(t *testing.T) {
	transports(t, func(t *testing.T, w *world, url string) {
		w.origin("origin", theirBase)
		w.git(".", "clone", "-q", "origin", "r")
		w.git(".", "clone", "-q", "origin", "others")
		w.git("r", "remote", "set-url", "origin", url)
		undo := w.raced(writes("others", "lib/a", "theirs\n"))
		var raced *RemoteError
		if _, err := w.open("r").Push(context.Background(), PushOptions{}); !errors.As(err, &raced) || raced.Kind != Raced {
			t.Fatalf("Push = %v, want a lost race", err)
		}
		packs := len(w.packs("r"))
		done, err := w.catchUp(undo)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.git("r", "diff-files", "--name-only"); got != "" {
			t.Errorf("entries of the index do not say what the files are like: %s", got)
		}
		if diff := cmp.Diff([]string{"lib/a", "ours/deep/er.yaml", "ours/new.yaml", "ours/old.yaml"}, done.Changed); diff != "" {
			t.Errorf("Changed: %s", diff)
		}
		w.sound("r")
		if got := len(w.packs("r")) - packs; got != 1 {
			t.Errorf("%d packs came, want one", got)
		}
		if got := w.git("r", "status", "-sb"); got != "## main...origin/main\n" {
			t.Errorf("status = %s", got)
		}
		if got := w.git("r", "reflog", "-1", "--format=%gs"); got != "reset: moving to "+done.Hash+"\n" {
			t.Errorf("reflog = %s", got)
		}
		if got := w.git("r", "rev-parse", "ORIG_HEAD", "main@{1}"); got != undo+"\n"+undo+"\n" {
			t.Errorf("ORIG_HEAD and main@{1} = %s, want %s", got, undo)
		}
		w.commit("r", w.put("r", map[string]string{"ours/new.yaml": "new: 2\n"}))
		if _, err := w.open("r").Push(context.Background(), PushOptions{}); err != nil {
			t.Errorf("Push = %v", err)
		}
		w.sound("origin")
	})
}
