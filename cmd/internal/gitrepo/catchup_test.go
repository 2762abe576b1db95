package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

func (w *world) packs(dir string) []string {
	found, err := filepath.Glob(filepath.Join(w.home, dir, ".git/objects/pack/*.pack"))
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

func TestCatchUpRefuses(t *testing.T) {
	start := starts(t)
	for name, c := range map[string]struct {
		theirs, user func(*world)
		undo         string
		o            PushOptions
		want         string
	}{
		"edited":          {theirs: writes("others", "lib/a", "x\n"), user: writes("r", "lib/a", "mine\n"), want: `^cannot take over what others have pushed: files here are in the way: lib/a: it has changes that are not committed$`},
		"staged":          {theirs: writes("others", "lib/a", "x\n"), user: all(writes("r", "lib/a", "mine\n"), run("add", "lib/a")), want: `lib/a: a change to it is staged$`},
		"deletion staged": {theirs: writes("others", "lib/a", "x\n"), user: run("rm", "-q", "lib/a"), want: `lib/a: that it is deleted is staged$`},
		"untracked":       {theirs: writes("others", "x\x1b[31m", "x\n"), user: writes("r", "x\x1b[31m", "mine\n"), want: `x\\x1b\[31m: it is a file that Git does not know, and would be overwritten$`},
		"ignored":         {theirs: writes("others", "x.log", "x\n"), user: all(writes("r", ".git/info/exclude", "*.log\n"), writes("r", "x.log", "mine\n")), want: `x.log: it is a file that Git does not know`},
		"many": {theirs: all(writes("others", "lib/a", "x\n"), writes("others", "lib/b", "x\n"), writes("others", "same", "x\n"), removes("others", "one"), removes("others", "lib/deep")), user: func(w *world) {
			overwriteAll(w, "lib/a", "lib/b", "lib-x", "same", "one/only", "lib/deep/c", "lib/deep/d")
		}, want: `in the way: lib/a: [^;]*; lib/b: [^;]*; lib/deep/c: [^;]*; lib/deep/d: [^;]*; one/only: [^;]*; and 1 more$`},
		"link on the way": {theirs: writes("others", "lib/deep/c", "x\n"), user: all(removes("r", "lib/deep"), links("r", "../one", "lib/deep")), want: `lib/deep/c: folder lib/deep is a symbolic link$`},
		"link out":        {theirs: writes("others", "lib/deep/new", "x\n"), user: all(removes("r", "lib/deep"), links("r", "/tmp", "lib/deep")), want: `lib/deep/new: lib/deep is a symbolic link that Git does not know`},
		"other commit":    {user: run("commit", "-q", "--allow-empty", "-m", "mine"), want: `the commit [0-9a-f]{40} is not the last one of main any more$`},
		"no such commit":  {undo: "\x1b[31m", want: `the commit \\x1b\[31m is not the last`},
		"detached":        {user: run("checkout", "-q", "--detach"), o: PushOptions{Branch: "main"}, want: `HEAD is detached$`},
		"another branch":  {user: run("checkout", "-q", "-b", "other"), want: `has no branch other any more$`},
		"merge commit":    {user: all(run("checkout", "-q", "-b", "side", "HEAD^"), run("commit", "-q", "--allow-empty", "-m", "side"), run("checkout", "-q", "main"), run("merge", "-q", "--no-edit", "side")), undo: "HEAD", want: `has 2 parents$`},
		"more than ours":  {user: all(run("commit", "-q", "--allow-empty", "-m", "mine")), undo: "HEAD", want: `main there lacks the commit [0-9a-f]{40}: other commits of this branch are not pushed either`},
		"made anew":       {theirs: inOthers("checkout", "-q", "--orphan", "anew"), want: `main there lacks the commit [0-9a-f]{40}: .* or somebody made that one anew$`},
		"merge under way": {user: func(w *world) { w.write("r/.git/MERGE_HEAD", w.git("r", "rev-parse", "HEAD")) }, want: `a merge is under way`},
		"conflict":        {user: all(run("checkout", "-q", "-b", "x"), having("lib/a", "y\n"), run("commit", "-qam", "y"), having("lib/a", "z\n"), run("commit", "-qam", "z"), run("checkout", "-q", "main"), run("read-tree", "-m", "x~1", "main", "x")), want: `lib/a: it is in conflict: resolve that first`},
		"sparse":          {theirs: writes("others", "lib/a", "x\n"), user: run("sparse-checkout", "set", "--cone", "ours"), want: `the checkout is sparse \(core.sparseCheckout\)$`},
		"skip-worktree":   {theirs: writes("others", "lib/a", "x\n"), user: run("update-index", "--skip-worktree", "lib/a"), want: `lib/a: it is outside of this checkout`},
		"partial clone":   {user: run("config", "remote.origin.promisor", "true"), want: `the repository is a partial clone$`},
		"filter":          {theirs: all(writes("others", ".gitattributes", "*.txt filter=lfs\n"), writes("others", "dos.txt", "x\n")), user: run("config", "filter.lfs.smudge", "cat"), want: `dos.txt: .gitattributes says filter=lfs, and that is not done here$`},
		"filter here":     {theirs: writes("others", "dos.txt", "x\n"), user: all(writes("r", ".git/info/attributes", "*.txt filter=lfs\n"), writes("r", "dos.txt", "edited\n")), want: `dos.txt: whether it was changed takes a program: .gitattributes says filter=lfs$`},
		"encoding":        {theirs: all(writes("others", ".gitattributes", "*.u16 working-tree-encoding=UTF-16\n"), writes("others", "new.u16", "\xff\xfex\x00")), want: `new.u16: .gitattributes says working-tree-encoding=UTF-16, and`},
		"ident":           {theirs: all(writes("others", ".gitattributes", "*.txt ident\n"), writes("others", "dos.txt", "$Id$\n")), want: `dos.txt: .gitattributes says ident, and`},
		"case changed":    {theirs: inOthers("mv", "lib", "LIB"), user: run("config", "core.ignoreCase", "true"), want: `in the way: lib: it is the same as LIB here`},
		"no links":        {theirs: links("others", "x", "ln"), user: run("config", "core.symlinks", "false"), want: `ln: it is a symbolic link, which this file system does not have`},
		"case":            {theirs: writes("others", "LIB-X", "x\n"), user: run("config", "core.ignoreCase", "true"), want: `lib-x: it is the same as LIB-X here, where case does not count \(core.ignoreCase\)$`},
		"index locked":    {user: having(".git/index.lock", ""), want: `index.lock is there`},
		"branch locked":   {user: having(".git/refs/heads/main.lock", ""), want: `^move refs/heads/main: .*main.lock is there`},
		"no connection":   {user: run("remote", "set-url", "origin", "/nowhere"), want: `^there is no repository /nowhere`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			undo := w.raced(c.theirs)
			if c.user != nil {
				c.user(w)
			}
			switch c.undo {
			case "":
			case "HEAD":
				undo = strings.TrimSpace(w.git("r", "rev-parse", "HEAD"))
			default:
				undo = c.undo
			}
			head, index, disk := w.git("r", "rev-parse", "HEAD"), w.read("r/.git/index"), w.onDisk("r")
			_, err := w.open("r").CatchUp(context.Background(), undo, c.o)
			if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) {
				t.Fatalf("CatchUp = %v\nwant %s", err, c.want)
			}
			if w.git("r", "rev-parse", "HEAD") != head || w.read("r/.git/index") != index || !cmp.Equal(disk, w.onDisk("r")) {
				t.Error("something changed all the same")
			}
		})
	}
}

func overwriteAll(w *world, names ...string) {
	for _, name := range names {
		w.write(filepath.Join("r", name), "mine\n")
	}
}
