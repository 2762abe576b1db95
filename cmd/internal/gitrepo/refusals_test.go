package gitrepo

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/render/tree"
)

// refusal is a repository that bites, and what is said of it.
type refusal struct {
	name  string
	setup func(*world)
	files map[string]string // ours; x/y.yaml if there are none
	gone  []string
	want  string // a pattern
}

func run(args ...string) func(*world) { return func(w *world) { w.git("r", args...) } }

func having(name, content string) func(*world) {
	return func(w *world) { w.write(filepath.Join("r", name), content) }
}

func link(target, name string) func(*world) {
	return func(w *world) {
		if err := os.Symlink(target, filepath.Join(w.home, "r", name)); err != nil {
			w.t.Fatal(err)
		}
	}
}

func all(steps ...func(*world)) func(*world) {
	return func(w *world) {
		for _, step := range steps {
			step(w)
		}
	}
}

func conflict(w *world) {
	w.git("r", "checkout", "-q", "-b", "other")
	w.write("r/apps-x", "theirs\n")
	w.git("r", "commit", "-qam", "theirs")
	w.git("r", "checkout", "-q", "main")
	w.write("r/apps-x", "mine\n")
	w.git("r", "commit", "-qam", "mine")
	_, _ = w.try("r", "merge", "other")
}

var refusals = []refusal{
	{name: "merge under way", setup: conflict, want: `^a merge is under way in the repository: finish it, or stop it with git merge --abort$`},
	{name: "conflict left of a merge", setup: all(conflict, func(w *world) { _ = os.Remove(filepath.Join(w.home, "r/.git/MERGE_HEAD")) }), files: map[string]string{"apps-x": "z\n"}, want: `^apps-x: it is in conflict`},
	{name: "file is a folder", files: map[string]string{"apps/web": "x\n"}, want: `^apps/web: it is a folder, and a file is to be there`},
	{name: "folder is a file", files: map[string]string{"apps-x/y": "x\n"}, want: `^apps-x: it is a file, and files are to be in it`},
	{name: "link on the way", setup: all(link("apps", "way"), run("add", "way"), run("commit", "-qm", "link")), want: `^way: it is a symbolic link, and files are to be in it$`, files: map[string]string{"way/web/n": "x\n"}},
	{name: "link on the way, on disk only", setup: link("apps", "way"), want: `^way/web/n: folder way is a symbolic link$`, files: map[string]string{"way/web/n": "x\n"}},
	{name: "link in the place of a file", setup: all(link("apps-x", "ln"), run("add", "ln"), run("commit", "-qm", "link")), want: `^ln: it is a symbolic link, and a file is to be there$`, files: map[string]string{"ln": "x\n"}},
	{name: "remove a link", setup: all(link("apps-x", "ln"), run("add", "ln"), run("commit", "-qm", "link")), gone: []string{"ln"}, want: `^ln: it is a symbolic link, and no file of ours to remove$`},
	{name: "submodule on the way", setup: all(func(w *world) { w.repo("sub", base) }, run("-c", "protocol.file.allow=always", "submodule", "add", "-q", "../sub", "sub"), run("commit", "-qm", "sub")), files: map[string]string{"sub/x": "x\n"}, want: `^sub: it is a submodule, and files are to be in it$`},
	{name: "staged as a file", setup: all(having("stg", "x\n"), run("add", "stg"), func(w *world) { _ = os.Remove(filepath.Join(w.home, "r/stg")) }), files: map[string]string{"stg/x": "x\n"}, want: `^stg/x: stg is staged as a file$`},
	{name: "staged as a folder", setup: all(having("stg/x", "x\n"), run("add", "stg"), func(w *world) { _ = os.RemoveAll(filepath.Join(w.home, "r/stg")) }), files: map[string]string{"stg": "x\n"}, want: `^stg: it is a folder in the index, with stg/x$`},
	{name: "name of Git's", files: map[string]string{"x/.GIT/config": "x\n"}, want: `^x/.GIT/config: Git keeps no files in folders called .GIT$`},
	{name: "short name of Git's", files: map[string]string{"git~1/config": "x\n"}, want: `^git~1/config: Git keeps no files in folders called git~1$`},
	{name: "ignored", setup: all(having(".gitignore", "*.log\n# no\n/x/\n"), having("x/.gitignore", "!y.yaml\n")), want: `^files that are to be committed are ignored: x/y.yaml \(.gitignore:3:/x/\)$`},
	{name: "ignored by the repository", setup: having(".git/info/exclude", "y.*\n"), want: `ignored: x/y.yaml \(.git/info/exclude:1:y\.\*\)$`},
	{name: "ignored by the user", setup: func(w *world) { w.write(".config/git/ignore", "x\n") }, want: `ignored: x/y.yaml \(.*/.config/git/ignore:1:x\)$`},
	{name: "LFS", setup: having(".gitattributes", "*.yaml filter=lfs diff=lfs merge=lfs -text\n"), want: `^x/y.yaml: .gitattributes says filter=lfs, .* x/y.yaml -filter$`},
	{name: "another encoding", setup: having("x/.gitattributes", "y.yaml text working-tree-encoding=UTF-16\n"), want: `^x/y.yaml: .gitattributes says working-tree-encoding=UTF-16`},
	{name: "case does not count", setup: run("config", "core.ignoreCase", "true"), files: map[string]string{"APPS/web/a.yaml": "x\n"}, want: `core.ignoreCase`},
	{name: "index locked", setup: having(".git/index.lock", ""), want: `/r/.git/index.lock is there: another program works with the repository, or died while it did; if none runs, delete that file$`},
	{name: "branch locked", setup: having(".git/refs/heads/main.lock", ""), want: `^move refs/heads/main: .*/refs/heads/main.lock is there`},
	{name: "index damaged", setup: having(".git/index", "DIRCnonsensenonsensenonsensenonsensenonsense"), want: `^read the index: it is damaged: `},
	{name: "split index", setup: run("update-index", "--split-index"), want: `^read the index: it is split in two \(core.splitIndex\): git update-index --no-split-index joins it$`},
	{name: "no identity", setup: func(w *world) { w.write(".gitconfig", "") }, want: `^no Git identity configured: .*git config --global user.email`},
	{name: "no date", setup: func(w *world) { w.env["GIT_AUTHOR_DATE"] = "yesterday, roughly" }, want: `^read GIT_AUTHOR_DATE: "yesterday, roughly" is no date that Git can read`},
	{name: "no epoch", setup: func(w *world) { w.env["SOURCE_DATE_EPOCH"] = "x" }, want: `^read SOURCE_DATE_EPOCH: "x" is no number`},
	{name: "X.509", setup: func(w *world) {
		w.git("r", "config", "gpg.format", "x509")
		w.git("r", "config", "commit.gpgSign", "true")
	}, want: `^sign the commit: gpg.format is "x509": want ssh or openpgp`},
	{name: "key gone", setup: all(run("config", "gpg.format", "ssh"), run("config", "commit.gpgSign", "true"), run("config", "user.signingKey", "/nowhere")), want: `^sign the commit: ssh-keygen with key /nowhere: `},
	{name: "no key", setup: all(run("config", "gpg.format", "ssh"), run("config", "commit.gpgSign", "true")), want: `^sign the commit: no key is named`},
	{name: "treeless clone", setup: func(w *world) {
		w.git("r", "config", "uploadpack.allowFilter", "true")
		_ = os.Rename(filepath.Join(w.home, "r"), filepath.Join(w.home, "origin"))
		w.git(".", "clone", "-q", "--no-checkout", "--filter=tree:0", "file://"+filepath.Join(w.home, "origin"), "r")
		_ = os.RemoveAll(filepath.Join(w.home, "origin"))
	}, want: `^fetch what this partial clone lacks: there is no repository file:///\S+/origin, or none`},
	{name: "sparse index", setup: all(run("sparse-checkout", "set", "--cone", "--sparse-index", "fleet")), files: map[string]string{"apps/web/n": "x\n"}, want: `^apps/web/n: it is outside of this sparse checkout`},
	{name: "a branch in the way", setup: all(run("branch", "start"), run("checkout", "-q", "--orphan", "x"), run("symbolic-ref", "HEAD", "refs/heads/start/end")), want: `^move refs/heads/start/end: `},
}

func TestCommitRefuses(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.repo("r", base)
			if c.setup != nil {
				c.setup(w)
			}
			if c.files == nil && c.gone == nil {
				c.files = map[string]string{"x/y.yaml": "x\n"}
			}
			tree := tree.Tree{}
			for name, content := range c.files {
				tree[name] = []byte(content)
			}
			head, _ := w.try("r", "rev-parse", "HEAD")
			index, _ := os.ReadFile(filepath.Join(w.home, "r/.git/index"))
			_, err := w.open("r").Commit(context.Background(), Changes{tree, c.gone}, said("ours"))
			if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) {
				t.Errorf("Commit = %v\nwant %s", err, c.want)
			}
			after, _ := w.try("r", "rev-parse", "HEAD")
			indexAfter, _ := os.ReadFile(filepath.Join(w.home, "r/.git/index"))
			if head != after || string(index) != string(indexAfter) {
				t.Error("something changed all the same")
			}
			if left, _ := filepath.Glob(filepath.Join(w.home, "r/.git/pm-gitops-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		setup func(*world)
		want  string
	}{
		"no repository": {func(w *world) { _ = os.RemoveAll(filepath.Join(w.home, "r/.git")) }, `no Git repository in this folder or above it: git init makes one$`},
		"bare": {func(w *world) {
			w.git(".", "clone", "-q", "--bare", "r", "b")
			_ = os.RemoveAll(filepath.Join(w.home, "r"))
			w.git(".", "clone", "-q", "--bare", "b", "r")
		}, `has no working tree: give it as a remote, file:///`},
		"says bare":  {run("config", "core.bare", "true"), `has no working tree \(core.bare\)`},
		"other tree": {run("config", "core.worktree", "/somewhere"), `says that its working tree is /somewhere \(core.worktree\)`},
		"sha256": {func(w *world) {
			_ = os.RemoveAll(filepath.Join(w.home, "r/.git"))
			w.git("r", "init", "-q", "--object-format=sha256")
		}, `has the object format sha256 \(extensions.objectFormat\): only sha1`},
		"reftable":          {all(run("config", "core.repositoryFormatVersion", "1"), run("config", "extensions.refStorage", "reftable")), `keeps its branches as reftable \(extensions.refStorage\)`},
		"unknown extension": {all(run("config", "core.repositoryFormatVersion", "1"), run("config", "extensions.fromTheFuture", "true")), `needs the extension fromthefuture`},
		"unknown version":   {run("config", "core.repositoryFormatVersion", "7"), `has format version 7`},
		"moved worktree": {func(w *world) {
			_ = os.RemoveAll(filepath.Join(w.home, "r/.git"))
			w.write("r/.git", "gitdir: ../gone\n")
		}, `leads to .*/gone, which is no Git folder`},
		"odd .git":         {func(w *world) { _ = os.RemoveAll(filepath.Join(w.home, "r/.git")); w.write("r/.git", "nonsense\n") }, `is a file, but does not name a Git folder`},
		"damaged config":   {having(".git/config", "[core\n"), `^read Git's configuration: bad config line 1 in file .*/config$`},
		"circular include": {having(".git/config", "[include]\n\tpath = config\n"), `exceeded maximum include depth`},
		"no folder":        {func(w *world) { _ = os.RemoveAll(filepath.Join(w.home, "r")) }, `no such file or directory`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.repo("r", base)
			c.setup(w)
			_, err := Open(w.sys(), filepath.Join(w.home, "r"))
			if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) {
				t.Errorf("Open = %v\nwant %s", err, c.want)
			}
		})
	}
}

// Repositories that are odd, and work.
func TestCommitIntoOddRepositories(t *testing.T) {
	for name, c := range map[string]struct {
		setup  func(*world)
		branch string
	}{
		"unborn branch": {func(w *world) {
			_ = os.RemoveAll(filepath.Join(w.home, "r/.git"))
			w.git("r", "init", "-q", "-b", "team/first")
		}, "team/first"},
		"orphan":          {all(run("checkout", "-q", "--orphan", "next"), run("rm", "-rfq", "--cached", ".")), "next"},
		"detached":        {run("checkout", "-q", "--detach"), ""},
		"packed":          {run("gc", "-q", "--aggressive"), "main"},
		"packed refs":     {run("pack-refs", "--all"), "main"},
		"symbolic branch": {all(run("branch", "real"), run("symbolic-ref", "refs/heads/alias", "refs/heads/real"), run("checkout", "-q", "alias")), "real"},
		"shallow": {func(w *world) {
			_ = os.Rename(filepath.Join(w.home, "r"), filepath.Join(w.home, "origin"))
			w.git("origin", "commit", "-q", "--allow-empty", "-m", "second")
			w.git(".", "clone", "-q", "--depth=1", "file://"+filepath.Join(w.home, "origin"), "r")
		}, "main"},
		"partial clone": {func(w *world) {
			w.git("r", "config", "uploadpack.allowFilter", "true")
			_ = os.Rename(filepath.Join(w.home, "r"), filepath.Join(w.home, "origin"))
			w.git(".", "clone", "-q", "--filter=blob:none", "file://"+filepath.Join(w.home, "origin"), "r")
		}, "main"},
		"partial clone without folders": {func(w *world) {
			w.git("r", "config", "uploadpack.allowFilter", "true")
			_ = os.Rename(filepath.Join(w.home, "r"), filepath.Join(w.home, "origin"))
			w.git(".", "clone", "-q", "--no-checkout", "--filter=tree:0", "file://"+filepath.Join(w.home, "origin"), "r")
		}, "main"},
		"alternates": {func(w *world) {
			_ = os.Rename(filepath.Join(w.home, "r"), filepath.Join(w.home, "origin"))
			w.git(".", "clone", "-q", "--shared", "origin", "r")
		}, "main"},
		"added worktree": {func(w *world) {
			_ = os.Rename(filepath.Join(w.home, "r"), filepath.Join(w.home, "first"))
			w.git("first", "worktree", "add", "-q", "-b", "side", "../r")
		}, "side"},
		"submodule": {func(w *world) {
			_ = os.Rename(filepath.Join(w.home, "r"), filepath.Join(w.home, "sub"))
			w.repo("super", base)
			w.git("super", "-c", "protocol.file.allow=always", "submodule", "add", "-q", "../sub", "r")
			if err := os.Symlink(filepath.Join(w.home, "super/r"), filepath.Join(w.home, "r")); err != nil {
				w.t.Fatal(err)
			}
		}, "main"},
		"stale lock of ours":  {having(".git/index.lock", lockMark), "main"},
		"stale branch lock":   {having(".git/refs/heads/main.lock", lockMark), "main"},
		"stale file of ours":  {having(".git/pm-gitops-0000000000000000.tmp", "half"), "main"},
		"pack without index":  {all(run("gc", "-q"), having(".git/objects/pack/pack-0123456789012345678901234567890123456789.pack", "PACK")), "main"},
		"GIT_DIR elsewhere":   {func(w *world) { w.env["GIT_DIR"] = "/nowhere" }, "main"},
		"deleted on the disk": {func(w *world) { _ = os.Remove(filepath.Join(w.home, "r/README.md")) }, "main"},
		"shared":              {run("config", "core.sharedRepository", "group"), "main"},
		"ignored but known":   {all(having(".gitignore", "fleet\n"), run("add", "-f", ".gitignore"), run("commit", "-qm", "ignore")), "main"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.repo("r", base)
			c.setup(w)
			files := map[string]string{"fleet/prod/kept.yaml": "kept: 2\n"}
			if !strings.HasPrefix(name, "ignored") {
				files["fleet/prod/new.yaml"] = "x\n"
			}
			l := w.open("r")
			result, err := l.Commit(context.Background(), w.put("r", files), said("ours"))
			if err != nil || result.Branch != c.branch {
				t.Fatalf("Commit = %+v, %v, want branch %q", result, err, c.branch)
			}
			delete(w.env, "GIT_DIR")
			if !strings.HasPrefix(name, "partial clone") { // fsck wants no blobs there, but --full does not help it
				w.sound("r")
			}
			if got := w.git("r", "status", "--porcelain", "fleet/prod/new.yaml", "fleet/prod/kept.yaml"); got != "" {
				t.Errorf("status = %s", got)
			}
			if got := w.git("r", "rev-parse", "HEAD"); got != result.Hash+"\n" {
				t.Errorf("HEAD = %s, want %s", got, result.Hash)
			}
			if got := w.git("r", "show", "HEAD:fleet/prod/kept.yaml"); got != "kept: 2\n" {
				t.Errorf("committed %q", got)
			}
			if got := w.git("r", "reflog", "-1", "--format=%gs"); !strings.HasPrefix(got, "commit") || !strings.HasSuffix(got, ": ours\n") {
				t.Errorf("reflog of HEAD = %s", got)
			}
			for _, pattern := range []string{"*.lock", "pm-gitops-*", "refs/heads/*.lock"} {
				if left, _ := filepath.Glob(filepath.Join(l.gitDir, pattern)); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			}
		})
	}
}

func TestCommitWaitsForOthers(t *testing.T) {
	w := newWorld(t)
	w.repo("r", base)
	w.write("r/.git/index.lock", "")
	sys, waits := w.sys(), 0
	sys.Sleep = func(context.Context, time.Duration) error {
		if waits++; waits == 3 {
			return os.Remove(filepath.Join(w.home, "r/.git/index.lock"))
		}
		return nil
	}
	l, err := Open(sys, filepath.Join(w.home, "r"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(context.Background(), w.put("r", ours), said("ours")); err != nil || waits != 3 {
		t.Errorf("Commit = %v after %d waits", err, waits)
	}
}

// Somebody moves the branch after HEAD was read.
func TestCommitIsOnTopOfWhatWasRead(t *testing.T) {
	w := newWorld(t)
	w.repo("r", base)
	theirs := w.git("r", "commit-tree", "-p", "HEAD", "-m", "theirs", "HEAD^{tree}")
	w.write("r/.git/refs/heads/main.lock", "")
	sys := w.sys()
	sys.Sleep = func(context.Context, time.Duration) error {
		w.write("r/.git/refs/heads/main", theirs)
		return os.Remove(filepath.Join(w.home, "r/.git/refs/heads/main.lock"))
	}
	l, err := Open(sys, filepath.Join(w.home, "r"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(context.Background(), w.put("r", ours), said("ours")); err == nil || !strings.Contains(err.Error(), "was moved by somebody else meanwhile") {
		t.Errorf("Commit = %v, want that the branch was moved", err)
	}
	if got := w.git("r", "rev-parse", "main"); got != theirs {
		t.Errorf("main is at %s, want theirs", got)
	}
}

func TestSharedRepositoryIsShared(t *testing.T) {
	w := newWorld(t)
	w.repo("r", base)
	w.git("r", "config", "core.sharedRepository", "0660")
	w.commit("r", w.put("r", ours))
	packs, _ := filepath.Glob(filepath.Join(w.home, "r/.git/objects/pack/*"))
	for name, want := range map[string]string{packs[0]: "-r--r-----", packs[1]: "-r--r-----", filepath.Join(w.home, "r/.git/index"): "-rw-rw----", filepath.Join(w.home, "r/.git/refs/heads/main"): "-rw-rw----"} {
		if info, err := os.Stat(name); err != nil || info.Mode().String() != want {
			t.Errorf("%s has %v, want %s (%v)", name, info.Mode(), want, err)
		}
	}
}

func TestHooksAreNamed(t *testing.T) {
	w := newWorld(t)
	w.repo("r", base)
	for name, mode := range map[string]os.FileMode{"pre-commit": 0o777, "commit-msg": 0o777, "pre-push": 0o666} {
		w.write("hooks/"+name, "#!/bin/sh\nexit 1\n")
		if err := os.Chmod(filepath.Join(w.home, "hooks", name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.open("r").Hooks(); len(got) > 0 {
		t.Errorf("Hooks = %v, want none: samples do not count", got)
	}
	w.git("r", "config", "core.hooksPath", "~/hooks")
	if got := strings.Join(w.open("r").Hooks(), " "); got != "commit-msg pre-commit" {
		t.Errorf("Hooks = %s", got)
	}
}
