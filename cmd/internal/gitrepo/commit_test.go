package gitrepo

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/tree"
)

// base is the files of a repository that somebody works in.
var base = map[string]string{
	"README.md": "readme\n", "apps/web/a.yaml": "a: 1\n", "apps/web/b.yaml": "b: 1\n", "apps-x": "x\n", "apps.y": "y\n",
	"fleet/prod/old.yaml": "old: 1\n", "fleet/prod/kept.yaml": "kept: 1\n", "tool.sh": "#!/bin/sh\n", "fleet/run.sh": "#!/bin/sh\n",
}

// busy makes a repository in which somebody staged and edited files.
func busy(w *world) {
	w.repo("r", base)
	for _, name := range []string{"tool.sh", "fleet/run.sh"} {
		if err := os.Chmod(filepath.Join(w.home, "r", name), 0o777); err != nil {
			w.t.Fatal(err)
		}
	}
	w.git("r", "add", "-A")
	w.git("r", "commit", "-q", "-m", "executable")
	w.write("r/README.md", "staged\n")
	w.git("r", "add", "README.md")
	w.write("r/README.md", "edited since\n")
	w.write("r/apps/web/a.yaml", "a: edited\n")
	w.write("r/new.txt", "staged as new\n")
	w.git("r", "add", "new.txt")
	w.git("r", "rm", "-q", "--cached", "apps/web/b.yaml")
	w.write("r/notes", "untracked\n")
}

var ours = map[string]string{
	"fleet/prod/new.yaml": "new: 1\n", "fleet/prod/deep/er/x.yaml": "x: 1\n", "fleet/prod/kept.yaml": "kept: 2\n",
	"clusters/eu/p.yaml": "p\n", "apps/zzz": "z\n", "fleet/run.sh": "#!/bin/sh\ntrue\n",
}

func TestCommitLeavesTheUsersWorkAsItWas(t *testing.T) {
	w := newWorld(t)
	busy(w)
	status, cached, edits := w.git("r", "status", "--porcelain"), w.git("r", "diff", "--cached"), w.git("r", "diff")
	result := w.commit("r", w.put("r", ours, "fleet/prod/old.yaml", "fleet/never"))
	w.sound("r")
	for what, change := range map[string][2]string{
		"git status":        {status, w.git("r", "status", "--porcelain")},
		"git diff --cached": {cached, w.git("r", "diff", "--cached")},
		"git diff":          {edits, w.git("r", "diff")},
	} {
		if diff := cmp.Diff(change[0], change[1]); diff != "" {
			t.Errorf("%s changed:\n%s", what, diff)
		}
	}
	want := "A\tapps/zzz\nA\tclusters/eu/p.yaml\nA\tfleet/prod/deep/er/x.yaml\nM\tfleet/prod/kept.yaml\nA\tfleet/prod/new.yaml\nD\tfleet/prod/old.yaml\nM\tfleet/run.sh\n"
	if diff := cmp.Diff(want, w.git("r", "show", "--format=", "--name-status", "--no-renames")); diff != "" {
		t.Errorf("the commit is another:\n%s", diff)
	}
	if got := w.git("r", "rev-parse", "HEAD"); got != result.Hash+"\n" || result.Branch != "main" {
		t.Errorf("Commit = %+v, HEAD is %s", result, got)
	}
	if got := w.git("r", "ls-files", "-s", "fleet/run.sh"); !strings.HasPrefix(got, "100755") {
		t.Errorf("fleet/run.sh lost its executable bit: %s", got)
	}
	if got := w.git("r", "diff-files", "--name-only", "fleet", "clusters", "apps/zzz"); got != "" {
		t.Errorf("entries of the index do not say what the files are like: %s", got)
	}
}

func TestCommitMakesTheTreeThatGitMakes(t *testing.T) {
	w := newWorld(t)
	w.repo("r", base)
	w.git(".", "clone", "-q", "r", "peer")
	w.commit("r", w.put("r", ours, "fleet/prod/old.yaml"))
	w.put("peer", ours, "fleet/prod/old.yaml")
	w.git("peer", "add", "-A")
	w.git("peer", "commit", "-q", "-m", "ours")
	if got, want := w.git("r", "rev-parse", "HEAD^{tree}"), w.git("peer", "rev-parse", "HEAD^{tree}"); got != want {
		t.Errorf("tree = %s, want %s", got, want)
	}
	if got, want := w.git("r", "ls-files", "-s"), w.git("peer", "ls-files", "-s"); got != want {
		t.Errorf("index = %s, want %s", got, want)
	}
	if got := w.git("r", "status", "--porcelain"); got != "" {
		t.Errorf("status = %s, want it clean", got)
	}
	log := strings.Fields(w.git("r", "reflog", "show", "--format=%gs|%gn|%ge", "main"))
	if got := strings.Join(log, " "); got != "commit: ours|Ada|ada@example.com commit (initial): base|Ada|ada@example.com" {
		t.Errorf("reflog = %s", got)
	}
}

func TestCommitOfTheSameIsUnchanged(t *testing.T) {
	w := newWorld(t)
	busy(w)
	changes := w.put("r", ours, "fleet/prod/old.yaml")
	first := w.commit("r", changes)
	before := w.read("r/.git/index")
	_, err := w.open("r").Commit(context.Background(), changes, said("again"))
	if !errors.Is(err, ErrUnchanged) {
		t.Errorf("Commit = %v, want ErrUnchanged", err)
	}
	if got := w.git("r", "rev-parse", "HEAD"); got != first.Hash+"\n" || w.read("r/.git/index") != before {
		t.Error("a second commit changed something")
	}
}

func TestCommitIntoIndexesOfAllKinds(t *testing.T) {
	for name, setup := range map[string][]string{
		"version 2":         {"update-index", "--index-version=2"},
		"version 4":         {"update-index", "--index-version=4"},
		"untracked cache":   {"update-index", "--untracked-cache"},
		"skip-worktree":     {"update-index", "--skip-worktree", "apps-x"},
		"assume-unchanged":  {"update-index", "--assume-unchanged", "apps-x"},
		"intent to add":     {"add", "-N", "notes"},
		"intent, version 4": {"-c", "index.version=4", "add", "-N", "notes"},
		"fsmonitor":         {"-c", "core.fsmonitor=true", "update-index", "--fsmonitor"},
		"threads":           {"-c", "index.threads=2", "update-index", "--refresh", "-q"},
		"no checksum":       {"-c", "index.skipHash=true", "update-index", "--force-write-index"},
		"sparse checkout":   {"sparse-checkout", "set", "--cone", "fleet", "clusters", "apps"},
		"sparse index":      {"sparse-checkout", "set", "--cone", "--sparse-index", "fleet", "clusters", "apps"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			busy(w)
			if strings.HasPrefix(name, "sparse") {
				w.git("r", "reset", "-q", "--hard")
				w.write("r/lib/deep/file", "x\n")
				w.git("r", "add", "lib")
				w.git("r", "commit", "-q", "-m", "lib")
			}
			if out, err := w.try("r", setup...); err != nil && !strings.Contains(out, "needs update") {
				t.Skipf("this git cannot: %s", out)
			}
			status, flags := w.git("r", "status", "--porcelain"), w.git("r", "ls-files", "-v", "-s", "README.md", "apps-x", "notes", "new.txt", "tool.sh")
			w.commit("r", w.put("r", ours, "fleet/prod/old.yaml"))
			w.sound("r")
			if diff := cmp.Diff(status, w.git("r", "status", "--porcelain")); diff != "" {
				t.Errorf("git status changed:\n%s", diff)
			}
			if diff := cmp.Diff(flags, w.git("r", "ls-files", "-v", "-s", "README.md", "apps-x", "notes", "new.txt", "tool.sh")); diff != "" {
				t.Errorf("entries of others changed:\n%s", diff)
			}
		})
	}
}

func TestIndexKeepsEveryByteOfOthers(t *testing.T) {
	w := newWorld(t)
	busy(w)
	for _, version := range []string{"2", "4"} {
		w.git("r", "update-index", "--index-version="+version)
		before := w.read("r/.git/index")
		x, err := readIndex(filepath.Join(w.home, "r/.git/index"))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(x.Encode()); !strings.HasPrefix(before, got[:len(got)-20]) {
			t.Errorf("version %s: encoding what was decoded gives other bytes", version)
		}
	}
}

// A change in the second in which the index is written has the same time as
// before, maybe the same size: git looks into the file then, and still must.
func TestCommitKeepsWhatGitMustLookInto(t *testing.T) {
	w := newWorld(t)
	w.repo("r", base)
	index, err := os.Stat(filepath.Join(w.home, "r/.git/index"))
	if err != nil {
		t.Fatal(err)
	}
	w.write("r/README.md", "README\n")    // the same size
	at := index.ModTime().Add(-time.Hour) // or the new index would be of the same second
	if err := os.Chtimes(filepath.Join(w.home, "r/README.md"), at, at); err != nil {
		t.Fatal(err)
	}
	x, err := readIndex(filepath.Join(w.home, "r/.git/index"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Entries { // what git would have seen, had both been in the same moment
		if x.Entries[i].Name == "README.md" {
			info, _ := os.Stat(filepath.Join(w.home, "r/README.md"))
			var stat [40]byte
			copy(stat[:], x.Entries[i].Fixed)
			fillStat(&stat, info)
			x.Entries[i].Fixed = string(stat[:]) + x.Entries[i].Fixed[len(stat):]
		}
	}
	if err := os.WriteFile(filepath.Join(w.home, "r/.git/index"), x.Encode(), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(w.home, "r/.git/index"), at, at); err != nil {
		t.Fatal(err)
	}
	w.commit("r", w.put("r", map[string]string{"ours.yaml": "x\n"}))
	if got := w.git("r", "status", "--porcelain"); got != " M README.md\n" {
		t.Errorf("status = %q, want the change seen", got)
	}
}

func TestCommitBelowAFolder(t *testing.T) {
	w := newWorld(t)
	w.repo("r", base)
	w.commit("r/fleet", w.put("r/fleet", map[string]string{"prod/z.yaml": "z\n"}, "prod/old.yaml"))
	if got := w.git("r", "show", "--format=", "--name-only", "--no-renames"); got != "fleet/prod/old.yaml\nfleet/prod/z.yaml\n" {
		t.Errorf("the commit has %s", got)
	}
	if got := w.git("r", "status", "--porcelain"); got != "" {
		t.Errorf("status = %s", got)
	}
}

// What is not on disk as it is committed is committed all the same, and git
// sees the difference.
func TestCommitOfWhatIsNotOnDisk(t *testing.T) {
	w := newWorld(t)
	w.repo("r", base)
	w.write("r/edited.yaml", "a: 2\n")
	changes := Changes{Write: tree.Tree{"gone.yaml": []byte("x\n"), "edited.yaml": []byte("a: 1\n")}, Remove: []string{"apps-x"}}
	w.commit("r", changes)
	if got := w.git("r", "status", "--porcelain"); got != " M edited.yaml\n D gone.yaml\n?? apps-x\n" {
		t.Errorf("status = %q", got)
	}
}

func TestCommitSaysWhatItUnstaged(t *testing.T) {
	w := newWorld(t)
	w.repo("r", base)
	w.write("r/fleet/prod/kept.yaml", "staged: by someone\n")
	w.git("r", "add", "-A")
	result := w.commit("r", w.put("r", ours))
	if diff := cmp.Diff([]string{"fleet/prod/kept.yaml"}, result.Unstaged); diff != "" {
		t.Errorf("Unstaged: %s", diff)
	}
}
