package gitrepo

import (
	"context"
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestPushSendsWhatIsNewThere(t *testing.T) {
	transports(t, func(t *testing.T, w *world, url string) {
		w.origin("origin", base)
		w.git(".", "clone", "-q", "origin", "r")
		w.git("r", "remote", "set-url", "origin", url)
		// What a person did: two branches that are merged, one of them pushed.
		w.git("r", "checkout", "-q", "-b", "side")
		w.write("r/side", "x\n")
		w.git("r", "add", "-A")
		w.git("r", "commit", "-q", "-m", "side")
		w.git("r", "push", "-q", "../origin", "side")
		w.git("r", "checkout", "-q", "main")
		w.write("r/theirs", "theirs\n")
		w.git("r", "add", "-A")
		w.git("r", "commit", "-q", "-m", "theirs")
		w.git("r", "merge", "-q", "--no-edit", "side")
		w.commit("r", w.put("r", ours, "fleet/prod/old.yaml"))
		before := strings.Count(w.git("origin", "cat-file", "--batch-all-objects", "--batch-check"), "\n")
		pushed, err := w.open("r").Push(context.Background(), PushOptions{})
		if err != nil || pushed.Branch != "main" {
			t.Fatalf("Push = %+v, %v, want main", pushed, err)
		}
		w.sound("origin")
		if got, want := w.git("origin", "rev-parse", "main"), w.git("r", "rev-parse", "HEAD"); got != want {
			t.Errorf("main is at %s, want %s", got, want)
		}
		// Exactly the new ones: git says how many that are.
		want := strings.Count(w.git("r", "rev-list", "--objects", "main", "--not", "side", "origin/main@{1}", "--"), "\n")
		if got := strings.Count(w.git("origin", "cat-file", "--batch-all-objects", "--batch-check"), "\n") - before; got != want {
			t.Errorf("%d objects came, want %d", got, want)
		}
		if got := w.git("r", "status", "-sb"); got != "## main...origin/main\n" {
			t.Errorf("status = %s: git does not know of the push", got)
		}
		if got := w.git("r", "reflog", "-1", "--format=%gs", "origin/main"); got != "update by push\n" {
			t.Errorf("reflog = %s", got)
		}
		if _, err := w.open("r").Push(context.Background(), PushOptions{}); !errors.Is(err, ErrUnchanged) {
			t.Errorf("Push = %v, want ErrUnchanged", err)
		}
	})
}

func TestPushOfOddRepositories(t *testing.T) {
	for name, c := range map[string]struct {
		setup func(*world)
		o     PushOptions
		want  string // an error; empty for none
	}{
		"new branch":      {setup: func(w *world) { w.git("r", "checkout", "-q", "-b", "team/next") }},
		"other name":      {o: PushOptions{Branch: "pm-gitops/prod"}},
		"detached":        {setup: func(w *world) { w.git("r", "checkout", "-q", "--detach") }, want: `^no branch with a commit is checked out`},
		"detached, named": {setup: func(w *world) { w.git("r", "checkout", "-q", "--detach") }, o: PushOptions{Branch: "main"}},
		"no remote": {setup: func(w *world) {
			w.git("r", "remote", "rename", "origin", "upstream")
			w.git("r", "config", "--unset", "branch.main.remote")
			w.git("r", "remote", "add", "other", "/nowhere")
		}, want: `^there is no remote "origin": there are other, upstream$`},
		"the only remote": {setup: func(w *world) {
			w.git("r", "remote", "rename", "origin", "upstream")
			w.git("r", "config", "--unset", "branch.main.remote")
		}},
		"full name":     {o: PushOptions{Branch: "refs/heads/feature"}},
		"not there yet": {o: PushOptions{Branch: "origin/main"}, want: `^"origin/main" is no name of a branch on the server: did you mean main\?$`},
		"HEAD":          {o: PushOptions{Branch: "HEAD"}, want: `^"HEAD" is no name of a branch$`},
		"push remote": {setup: func(w *world) {
			w.git("r", "remote", "rename", "origin", "upstream")
			w.git("r", "remote", "add", "other", "/nowhere")
			w.git("r", "config", "branch.main.remote", "other")
			w.git("r", "config", "branch.main.pushRemote", "upstream")
		}},
		"remote is a URL": {setup: func(w *world) {
			w.git("r", "config", "branch.main.remote", "file://"+filepath.Join(w.home, "origin"))
		}},
		"push default": {setup: func(w *world) {
			w.git("r", "remote", "add", "other", "/nowhere")
			w.git("r", "config", "remote.pushDefault", "other")
		}, want: `^there is no repository /nowhere`},
		"push URL":      {setup: func(w *world) { w.git("r", "remote", "set-url", "--push", "origin", "/nowhere") }, want: `^there is no repository /nowhere`},
		"relative path": {setup: func(w *world) { w.git("r", "remote", "set-url", "origin", "../origin") }},
		"others were here": {setup: func(w *world) {
			w.git("origin", "update-ref", "refs/heads/main", strings.TrimSpace(w.git("origin", "commit-tree", "-p", "main", "-m", "theirs", "main^{tree}")))
		}, want: `has commits that are not here: git pull --rebase`},
		"amended": {setup: func(w *world) { w.git("r", "commit", "-q", "--amend", "-m", "amended") }, want: `has commits that are not here`},
		"shallow": {setup: func(w *world) {
			w.git("origin.work", "commit", "-q", "--allow-empty", "-m", "second")
			w.git("origin.work", "push", "-q", "../origin", "main")
			w.git(".", "clone", "-q", "--depth=1", "file://"+filepath.Join(w.home, "origin"), "shallow")
			w.git(".", "clone", "-q", "--depth=1", "file://"+filepath.Join(w.home, "origin"), "r2")
		}},
		"unrelated history": {setup: func(w *world) {
			w.git("r", "checkout", "-q", "--orphan", "island")
			w.git("r", "commit", "-qm", "island")
		}},
		"clock is wrong": {setup: func(w *world) {
			w.env["GIT_COMMITTER_DATE"] = "@100 +0000"
			w.write("r/early", "x\n")
			w.git("r", "add", "-A")
			w.git("r", "commit", "-q", "-m", "early")
			delete(w.env, "GIT_COMMITTER_DATE")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.origin("origin", base)
			w.git(".", "clone", "-q", "origin", "r")
			if c.setup != nil {
				c.setup(w)
			}
			dir := "r"
			if name == "shallow" {
				dir = "r2"
			}
			result := w.commit(dir, w.put(dir, ours))
			pushed, err := w.open(dir).Push(context.Background(), c.o)
			if c.want != "" {
				if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) {
					t.Errorf("Push = %v, want %s", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := w.git("origin", "rev-parse", pushed.Branch); got != result.Hash+"\n" {
				t.Errorf("%s is at %s", pushed.Branch, got)
			}
			w.sound("origin")
		})
	}
}
