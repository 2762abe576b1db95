package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"
)

// chance makes small histories and edits, the same for the same seed.
type chance struct {
	*rand.Rand
	w *world
	n int
}

// names are few, and some are folders of others: things get in each other's way.
var names = []string{"a", "a/x", "a/y", "b", "b/x/z", "b/x", "c", "d/e/f", "d/e", "d", "g", "h-i", "h/i", "ours/new.yaml", "ours/old.yaml"}

// change does something to a path: it is made, changed or removed, a link or
// executable, a folder or a file. Who says whose content it is.
func (c *chance) change(dir, who string) {
	c.n++
	name := names[c.IntN(len(names))]
	full := filepath.Join(c.w.home, dir, name)
	switch c.IntN(8) {
	case 0, 1:
		_ = os.RemoveAll(full)
	case 2:
		c.clear(dir, name)
		_ = os.Symlink(fmt.Sprintf("%s-%d", who, c.n), full)
	case 3:
		if info, err := os.Lstat(full); err == nil && info.Mode().IsRegular() {
			_ = os.Chmod(full, info.Mode()^0o111)
		}
	default:
		c.clear(dir, name)
		c.w.write(filepath.Join(dir, name), strings.Repeat(fmt.Sprintf("%s %d\n", who, c.n), 1+c.IntN(3)))
	}
}

// clear removes what is at a path, and files where folders are to be.
func (c *chance) clear(dir, name string) {
	for _, above := range foldersAbove(name)[1:] {
		full := filepath.Join(c.w.home, dir, above)
		if info, err := os.Lstat(full); err == nil && !info.IsDir() {
			_ = os.Remove(full)
		}
	}
	_ = os.RemoveAll(filepath.Join(c.w.home, dir, name))
	_ = os.MkdirAll(filepath.Join(c.w.home, dir, filepath.Dir(name)), 0o777)
}

// edit does something that a user does: to a file, never to a folder. What git
// makes of folders that are files on the disk depends on its version.
func (c *chance) edit(dir string) {
	c.n++
	name := names[c.IntN(len(names))]
	full := filepath.Join(c.w.home, dir, name)
	info, err := os.Lstat(full)
	switch {
	case err != nil:
		if above, err := os.Lstat(filepath.Dir(full)); err == nil && above.IsDir() && c.IntN(2) == 0 {
			c.w.write(filepath.Join(dir, name), fmt.Sprintf("mine %d\n", c.n))
		}
		return
	case !info.Mode().IsRegular():
		return
	case c.IntN(3) == 0:
		_ = os.Remove(full)
	default:
		c.w.write(filepath.Join(dir, name), fmt.Sprintf("mine %d\n", c.n))
	}
	if c.IntN(2) == 0 {
		_, _ = c.w.try(dir, "add", "-A", "--", name)
	}
}

// The same as git does, whatever others and the user did.
func TestCatchUpDoesWhatGitDoesByChance(t *testing.T) {
	const seeds = 20
	var done, refused atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for seed := range seeds {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				c := &chance{rand.New(rand.NewPCG(7, uint64(seed))), w, 0}
				w.repo("others", map[string]string{"first": "x\n"})
				for range 12 {
					c.change("others", "base")
				}
				w.git("others", "add", "-A")
				w.git("others", "commit", "-q", "--allow-empty", "-m", "base")
				w.git(".", "clone", "-q", "--bare", "others", "origin")
				w.git(".", "clone", "-q", "origin", "r")
				undo := w.commit("r", w.put("r", map[string]string{"env/one.yaml": "1\n", "env/two.yaml": "2\n"})).Hash
				w.pushed(func(w *world) {
					for range 2 + c.IntN(6) {
						c.change("others", "theirs")
					}
				})
				for range c.IntN(7) {
					c.edit("r")
				}
				w.judgeCatchUp(undo, false)
				if seed%6 == 0 {
					w.sound("r")
				}
				if head := w.git("r", "rev-parse", "HEAD"); head == undo+"\n" {
					refused.Add(1)
				} else {
					done.Add(1)
				}
			})
		}
	})
	if done.Load() < seeds/3 || refused.Load() < seeds/8 {
		t.Errorf("%d were done and %d refused: the test says little", done.Load(), refused.Load())
	}
}

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
			l := w.open("r")
			done, err := l.CatchUp(context.Background(), undo, PushOptions{Branch: "main"})
			if err != nil {
				t.Fatal(err)
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
	fillStat(&x.entries[at].stat, info)
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

func TestNamesThatAreNotCheckedOut(t *testing.T) {
	for _, c := range []struct{ path, want string }{
		{"a/b.yaml", ""}, {".gitignore", ""}, {".github/x", ""}, {"git/x", ""}, {"a.git", ""}, {"ü/x y", ""}, {"a\tb", ""}, {"...", ""}, {"gitmod~", ""},
		{".git", "called .git"}, {".GIT", "called .GIT"}, {"a/.giT", "called .giT"}, {"git~1", "called git~1"}, {"GIT~1", "called GIT~1"}, {".git. .", "called .git. ."}, {".git ", "called .git "},
		{".git::$INDEX_ALLOCATION", "called .git:"}, {".git:x", "called"}, {".g\u200cit", "folders called"}, {".git\ufeff", "folders called"}, {"\u202e.GIT", "folders called"},
		{"..", "no path inside"}, {"a/..", "no path inside"}, {".", "no path inside"}, {"a/.", "no path inside"}, {"", "no path inside"}, {"/a", "no path inside"}, {"a//b", "no path inside"}, {"\xff", "no path inside"}, {strings.Repeat("deep/", 900) + "x", "no path inside"},
		{"a\\b", "backslash"}, {"..\\..\\x", "backslash"}, {"a\nb", "line break"}, {"a\x00b", "zero byte"},
	} {
		if got := checkoutName(c.path, filemode.Regular); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("checkoutName(%q) = %q, want %q", c.path, got, c.want)
		}
	}
	for _, name := range []string{".gitmodules", "x/.GITMODULES", ".gitmodules .", ".gitmodules:x", "gitmod~1", "GI7EBA~1", ".git\u200dmodules"} {
		if checkoutName(name, filemode.Symlink) == "" || checkoutName(name, filemode.Regular) != "" {
			t.Errorf("%q: want it refused as a link, and no file", name)
		}
	}
}

// hostile is an entry of a commit that git itself would not make.
type hostile struct {
	path, want string
	mode       filemode.FileMode
	content    string
}

func TestCatchUpWithHostileCommits(t *testing.T) {
	start := starts(t)
	for _, c := range []hostile{
		{path: ".git/hooks/post-checkout", want: "Git keeps no files in folders called .git"},
		{path: "lib/../../out", want: "it is no path inside the working tree"},
		{path: "a\nb", want: `a\nb: its name has a backslash, a line break`},
		{path: "\xff", want: "it is no path inside the working tree"},
		{path: ".gitmodules", want: "which .gitmodules may not be", mode: filemode.Symlink, content: "x"},
		{path: "ln", want: "it is a symbolic link that leads nowhere", mode: filemode.Symlink, content: "x\x00y"},
	} {
		t.Run(fmt.Sprintf("%q", c.path), func(t *testing.T) {
			t.Parallel()
			w := start(t)
			undo := w.raced(nil)
			c.push(w)
			before := w.onDisk(".")
			_, err := w.catchUp(undo)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\n\u200c") || !utf8.ValidString(err.Error()) {
				t.Errorf("CatchUp = %v\nwant %s", err, c.want)
			}
			if got := w.git("r", "rev-parse", "HEAD"); got != undo+"\n" {
				t.Errorf("HEAD = %s", got)
			}
			after := w.onDisk(".")
			for name := range after {
				if strings.HasPrefix(name, "origin") || strings.HasPrefix(name, "r/.git") {
					delete(after, name)
					delete(before, name)
				}
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("something was written:\n%s", diff)
			}
		})
	}
}

// push puts a commit with the entry on origin's main, by our own means.
func (h hostile) push(w *world) {
	w.t.Helper()
	if h.mode == filemode.Empty {
		h.mode = filemode.Regular
	}
	l := w.open("others")
	var objects objectsOf
	entry := object.TreeEntry{Mode: h.mode, Hash: plumbing.ComputeHash(plumbing.BlobObject, []byte(h.content))}
	objects.add(plumbing.BlobObject, []byte(h.content))
	parts := strings.Split(h.path, "/")
	for i := len(parts) - 1; i >= 0; i-- {
		entry.Name = parts[i]
		entry = object.TreeEntry{Mode: filemode.Dir, Hash: objects.add(plumbing.TreeObject, encodeEntries(map[string]object.TreeEntry{entry.Name: entry}))}
	}
	commit := fmt.Sprintf("tree %s\nparent %s\nauthor x <x> 1 +0000\ncommitter x <x> 1 +0000\n\nx\n", entry.Hash, strings.TrimSpace(w.git("origin", "rev-parse", "main")))
	hash := objects.add(plumbing.CommitObject, []byte(commit))
	packed, err := newPack(objects.all)
	if err != nil {
		w.t.Fatal(err)
	}
	l.commonDir = filepath.Join(w.home, "origin")
	if err := l.storePack(packed); err != nil {
		w.t.Fatal(err)
	}
	w.write("origin/refs/heads/main", hash.String()+"\n")
}

// What a server leaves out is missed, whatever it is.
func TestWholeMissesWhatIsMissing(t *testing.T) {
	w := starts(t)(t)
	parent := plumbing.NewHash(strings.TrimSpace(w.git("r", "rev-parse", "HEAD")))
	for _, missing := range []string{"nothing", "blob", "tree", "inner tree", "commit"} {
		var objects objectsOf
		add := func(what string, kind plumbing.ObjectType, content string) plumbing.Hash {
			content += " " // nothing that is there by chance
			if kind == plumbing.TreeObject {
				content = strings.TrimSuffix(content, " ")
			}
			if what == missing {
				return plumbing.ComputeHash(kind, []byte(content))
			}
			return objects.add(kind, []byte(content))
		}
		tree := func(name string, mode filemode.FileMode, hash plumbing.Hash) string {
			return string(encodeEntries(map[string]object.TreeEntry{name: {Name: name, Mode: mode, Hash: hash}}))
		}
		blob := add("blob", plumbing.BlobObject, missing)
		inner := add("inner tree", plumbing.TreeObject, tree(missing, filemode.Regular, blob))
		outer := add("tree", plumbing.TreeObject, tree("x", filemode.Dir, inner))
		between := add("commit", plumbing.CommitObject, fmt.Sprintf("tree %s\nparent %s\ncommitter x <x> 1 +0000\n\n%s", outer, parent, missing))
		tip := add("", plumbing.CommitObject, fmt.Sprintf("tree %s\nparent %s\ncommitter x <x> 2 +0000\n\n%s", outer, between, missing))
		packed, err := newPack(objects.all)
		if err != nil {
			t.Fatal(err)
		}
		l := w.open("r")
		if err := l.storePack(packed); err != nil {
			t.Fatal(err)
		}
		var lacks *MissingObjectError
		if err := l.whole(tip, parent); errors.As(err, &lacks) != (missing != "nothing") || err != nil && lacks == nil {
			t.Errorf("%s is missing: whole = %v", missing, err)
		}
	}
}

// A pack that is not what its checksum says gets no name.
func TestDamagedPacksAreNotKept(t *testing.T) {
	w := newWorld(t)
	w.repo("r", base)
	l := w.open("r")
	var objects objectsOf
	for i := range 3 {
		objects.add(plumbing.BlobObject, []byte(strings.Repeat(fmt.Sprint(i), 1000)))
	}
	packed, err := newPack(objects.all)
	if err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(packed.data)
	flipped[len(flipped)/2] ^= 1
	for name, data := range map[string][]byte{"nothing": nil, "cut": packed.data[:len(packed.data)-30], "without checksum": packed.data[:len(packed.data)-20], "flipped": flipped, "more": append(slices.Clone(packed.data), "more than twenty bytes behind it"...), "whole": packed.data} {
		arriving := &incoming{local: l}
		into, err := arriving.PackfileWriter()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := into.Write(data); err != nil {
			t.Fatal(err)
		}
		err = arriving.keep()
		arriving.discard()
		if (err == nil) != (name == "whole") {
			t.Errorf("%s: keep = %v", name, err)
		}
		left, _ := filepath.Glob(filepath.Join(w.home, "r/.git/objects/pack/*"))
		if whole := len(left) == 2; whole != (name == "whole") || !whole && len(left) > 0 {
			t.Errorf("%s: there is %v", name, left)
		}
		for _, file := range left {
			_ = os.Remove(file)
		}
	}
}

// Few objects that make very many paths.
func TestCatchUpIsBounded(t *testing.T) {
	w := starts(t)(t)
	undo := w.raced(nil)
	var objects objectsOf
	entry := object.TreeEntry{Mode: filemode.Regular, Hash: objects.add(plumbing.BlobObject, []byte("x"))}
	for range 12 {
		entries := map[string]object.TreeEntry{}
		for i := range 16 {
			name := fmt.Sprint(i)
			entries[name] = object.TreeEntry{Name: name, Mode: entry.Mode, Hash: entry.Hash}
		}
		entry = object.TreeEntry{Mode: filemode.Dir, Hash: objects.add(plumbing.TreeObject, encodeEntries(entries))}
	}
	packed, err := newPack(objects.all)
	if err != nil {
		t.Fatal(err)
	}
	l := w.open("others")
	if err := l.storePack(packed); err != nil {
		t.Fatal(err)
	}
	w.git("others", "update-ref", "refs/heads/main", strings.TrimSpace(w.git("others", "commit-tree", "-p", "main", "-m", "bomb", entry.Hash.String())))
	w.git("others", "push", "-q", "../origin", "main")
	if _, err := w.catchUp(undo); err == nil || !strings.Contains(err.Error(), "too much differs") {
		t.Errorf("CatchUp = %v, want that it is too much", err)
	}
}
