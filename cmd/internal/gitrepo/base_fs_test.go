package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// bothBases runs a test for a commit of a clone and for that of a server.
func bothBases(t *testing.T, files map[string]string, test func(*testing.T, *world, *Base)) {
	for _, kind := range []string{"local", "remote"} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t)
			w.origin("origin", files)
			base, err := w.base(kind)
			if err != nil {
				t.Fatal(err)
			}
			defer base.Close()
			test(t, w, base)
		})
	}
}

func (w *world) base(kind string) (*Base, error) {
	if kind == "local" {
		return w.open("origin.work").At("HEAD")
	}
	remote, err := OpenRemote(context.Background(), w.sys(), filepath.Join(w.home, "origin"), RemoteOptions{})
	if err != nil {
		return nil, err
	}
	return remote.Read(context.Background())
}

func TestFS(t *testing.T) {
	files := map[string]string{"a.yaml": "a\n", "dir/b.yaml": "b\n", "dir/deep/c.yaml": "c\n", "dir.x": "x\n"}
	bothBases(t, files, func(t *testing.T, _ *world, base *Base) {
		if err := fstest.TestFS(base.FS(context.Background()), slices.Sorted(maps.Keys(files))...); err != nil {
			t.Error(err)
		}
	})
}

func TestFSKinds(t *testing.T) {
	w := newWorld(t)
	w.repo("repo", map[string]string{"plain": "text", "run.sh": "#!/bin/sh\n"})
	if err := errors.Join(os.Symlink("plain", filepath.Join(w.home, "repo/link")), os.Chmod(filepath.Join(w.home, "repo/run.sh"), 0o777)); err != nil {
		t.Fatal(err)
	}
	w.git("repo", "add", "-A")
	w.git("repo", "update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",module")
	w.git("repo", "commit", "-q", "-m", "kinds")
	base, err := w.open("repo").At("HEAD")
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	files := base.FS(context.Background())
	for name, want := range map[string]fs.FileMode{"plain": 0o644, "run.sh": 0o755, "link": fs.ModeSymlink | 0o777, "module": fs.ModeDir | 0o755} {
		if info, err := fs.Lstat(files, name); err != nil || info.Mode() != want {
			t.Errorf("Lstat(%s) = %v, %v, want %v", name, info, err, want)
		}
	}
	if _, err := fs.ReadFile(files, "link"); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("ReadFile(link): %v", err)
	}
	if target, err := fs.ReadLink(files, "link"); err != nil || target != "plain" {
		t.Errorf("ReadLink = %q, %v", target, err)
	}
	if inside, err := fs.ReadDir(files, "module"); err != nil || len(inside) > 0 {
		t.Errorf("ReadDir(module) = %v, %v", inside, err)
	}
}

// What is likely is known by its hash: the server is not asked for it.
func TestFSLikely(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", map[string]string{"same": "same", "other": "other"})
	server := w.serveHTTPS()
	remote, err := OpenRemote(context.Background(), w.sys(), server.URL+"/origin", RemoteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	base, err := remote.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	files := base.FS(context.Background(), tree.Tree{"same": []byte("same"), "other": []byte("changed")})
	server.Close()
	if content, err := fs.ReadFile(files, "same"); err != nil || string(content) != "same" {
		t.Errorf("ReadFile(same) = %q, %v", content, err)
	}
	if content, err := fs.ReadFile(files, "other"); err == nil {
		t.Errorf("ReadFile(other) = %q without a server", content)
	}
}

func TestAt(t *testing.T) {
	w := newWorld(t)
	w.repo("repo", map[string]string{"sub/file": "1"})
	w.git("repo", "tag", "-a", "v1", "-m", "one")
	w.git("repo", "branch", "feature/one")
	w.write("repo/sub/file", "2")
	w.git("repo", "commit", "-q", "-a", "-m", "two")
	w.git("repo", "update-ref", "refs/remotes/origin/main", "HEAD~1")
	first := strings.TrimSpace(w.git("repo", "rev-parse", "HEAD~1"))
	for revision, want := range map[string]string{
		"HEAD": "2", "main": "2", "HEAD~1": "1", "HEAD^": "1", "v1": "1", "feature/one": "1", "origin/main": "1",
		"refs/heads/main": "2", first: "1", first[:10]: "1",
	} {
		base, err := w.open("repo/sub").At(revision)
		if err != nil {
			t.Errorf("At(%s): %v", revision, err)
			continue
		}
		if content, err := fs.ReadFile(base.FS(context.Background()), "file"); err != nil || string(content) != want {
			t.Errorf("At(%s): file = %q, %v, want %q", revision, content, err, want)
		}
		base.Close()
	}
	for revision, want := range map[string]string{
		"man": "did you mean main?", "": `no commit ""`, "main@{upstream}": "is no name that is understood", "HEAD:sub": "is no name that is understood", "main...HEAD": "is no name that is understood", "HEAD^{tree}": "is no name that is understood", strings.Repeat("0", 40): "no commit", "HEAD~7": "no commit",
	} {
		if _, err := w.open("repo").At(revision); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("At(%s): %v, want %s", revision, err, want)
		}
	}
	w.write("repo/new/file", "1")
	base, err := w.open("repo/new").At("HEAD") // which lacks the folder
	if err != nil {
		t.Fatal(err)
	}
	if entries, err := fs.ReadDir(base.FS(context.Background()), "."); err != nil || len(entries) > 0 {
		t.Errorf("a folder that is not committed has %v, %v", entries, err)
	}
	base.Close()
	w.git(".", "init", "-q", "unborn")
	base, err = w.open("unborn").At("HEAD")
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	if entries, err := fs.ReadDir(base.FS(context.Background()), "."); err != nil || len(entries) > 0 {
		t.Errorf("an unborn branch has %v, %v", entries, err)
	}
}

// Many ask a commit's file system at once, as they read the environments of a
// fleet: the race detector watches.
func TestFSIsAskedByMany(t *testing.T) {
	files := map[string]string{}
	for i := range 40 {
		files[fmt.Sprintf("d%d/e/f.yaml", i)] = fmt.Sprint(i)
	}
	bothBases(t, files, func(t *testing.T, _ *world, base *Base) {
		tree, names := base.FS(context.Background()), slices.Sorted(maps.Keys(files))
		parallel.Share(len(names), func(mine iter.Seq[int]) {
			for i := range mine {
				if content, err := fs.ReadFile(tree, names[i]); err != nil || string(content) != files[names[i]] {
					t.Errorf("%s = %q, %v", names[i], content, err)
				}
				if entries, err := fs.ReadDir(tree, path.Dir(names[i])); err != nil || len(entries) != 1 {
					t.Errorf("folder of %s: %v, %v", names[i], entries, err)
				}
			}
		})
	})
}

// Few objects can make very many folders: who gives up is heard.
func TestWalkingEnds(t *testing.T) {
	w := newWorld(t)
	w.repo("repo", map[string]string{"file": "x"})
	tree := strings.TrimSpace(w.git("repo", "rev-parse", "HEAD^{tree}"))
	for range 12 {
		w.write("tree", strings.Repeat("040000 tree "+tree+"\tNAME\n", 10))
		listed := w.read("tree")
		for i := range 10 {
			listed = strings.Replace(listed, "NAME", fmt.Sprint(i), 1)
		}
		w.write("tree", listed)
		cmd := exec.Command("git", "mktree")
		cmd.Dir, cmd.Env, cmd.Stdin = filepath.Join(w.home, "repo"), w.environ(), strings.NewReader(listed)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		tree = strings.TrimSpace(string(out))
	}
	w.git("repo", "branch", "bomb", strings.TrimSpace(w.git("repo", "commit-tree", "-m", "bomb", tree)))
	base, err := w.open("repo").At("bomb")
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	ctx, stop := context.WithCancel(context.Background())
	seen := 0
	err = fs.WalkDir(base.FS(ctx), ".", func(_ string, _ fs.DirEntry, err error) error {
		if seen++; seen == 1000 {
			stop()
		}
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("walked through %d entries: %v", seen, err)
	}
	if _, err := base.List(ctx, "."); !errors.Is(err, context.Canceled) {
		t.Errorf("List: %v", err)
	}
}

// A branch that is new starts from the default branch: where nobody says which
// that is there is no commit without a parent.
func TestNoDefaultBranch(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", map[string]string{"file": "x"})
	w.git("origin", "branch", "-m", "main", "trunk")
	w.git("origin", "symbolic-ref", "HEAD", "refs/heads/gone")
	for _, branch := range []string{"", "feature"} {
		remote, err := OpenRemote(context.Background(), w.sys(), filepath.Join(w.home, "origin"), RemoteOptions{Branch: branch})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := remote.Read(context.Background()); err == nil || !strings.Contains(err.Error(), "does not say which branch is its default") {
			t.Errorf("Read of branch %q: %v", branch, err)
		}
	}
}

func TestFSOfNoCommitIsEmpty(t *testing.T) {
	files := new(Base).FS(context.Background())
	if entries, err := fs.ReadDir(files, "."); err != nil || len(entries) > 0 {
		t.Errorf("ReadDir = %v, %v", entries, err)
	}
	if _, err := fs.ReadFile(files, "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadFile = %v", err)
	}
}
