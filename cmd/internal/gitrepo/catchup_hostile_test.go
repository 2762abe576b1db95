package gitrepo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"
)

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
		entry = object.TreeEntry{Mode: filemode.Dir, Hash: objects.add(plumbing.TreeObject, encodeFolder([]object.TreeEntry{entry}))}
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
			return string(encodeFolder([]object.TreeEntry{{Name: name, Mode: mode, Hash: hash}}))
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
		entry = object.TreeEntry{Mode: filemode.Dir, Hash: objects.add(plumbing.TreeObject, encodeFolder(together(nil, entries)))}
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
