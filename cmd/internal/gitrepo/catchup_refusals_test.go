package gitrepo

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
