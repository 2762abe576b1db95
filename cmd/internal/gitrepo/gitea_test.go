package gitrepo

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/giteatest"
)

// forge is the Gitea of this package's tests. Each test has an account of its own.
var forge giteatest.Shared

// giteaHTTPS has the world's repositories on Gitea, in a new account, and its token
// in the environment. It gives the URL that they are below.
func (w *world) giteaHTTPS(s *giteatest.Server) string {
	w.t.Helper()
	w.owner = s.NewUser(w.t)
	w.env["GIT_SSL_CAINFO"] = s.CA
	w.env["GITEA_SERVER_URL"], w.env["GITEA_TOKEN"] = s.URL, w.owner.NewToken(w.t, "write:repository").Secret
	return s.URL + "/" + w.owner.Name
}

// giteaSSH is the same by SSH: the account knows the key ~/.ssh/id_ed25519.
func (w *world) giteaSSH(s *giteatest.Server) string {
	w.t.Helper()
	w.owner = s.NewUser(w.t)
	w.owner.AddKey(w.t, w.ownKey())
	w.write(".ssh/known_hosts", s.KnownHosts)
	return s.SSH + "/" + w.owner.Name
}

// originOnGitea makes a repository there, with what NAME.work has, pushed as a
// person would: the first branch that comes is the default branch. The folder that
// Gitea keeps it in is linked to, so that git can look into it.
func (w *world) originOnGitea(name string, filled bool) {
	w.t.Helper()
	url := w.owner.NewRepository(w.t, name)
	if filled {
		w.gitOnGitea(name+".work", "push", "-q", url, "main")
	}
	if err := os.Symlink(w.owner.Folder(name), filepath.Join(w.home, name)); err != nil {
		w.t.Fatal(err)
	}
}

// gitOnGitea runs git with the login of the world's account.
func (w *world) gitOnGitea(dir string, args ...string) string {
	w.t.Helper()
	return w.git(dir, append([]string{"-c", "http.sslCAInfo=" + w.owner.CA(), "-c", "http.extraHeader=" + w.owner.Header()}, args...)...)
}

// What git gets from Gitea is what we sent.
func TestGitJudgesWhatGiteaHas(t *testing.T) {
	for name, serve := range map[string]func(*world, *giteatest.Server) string{"https": (*world).giteaHTTPS, "ssh": (*world).giteaSSH} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			url := serve(w, forge.Server(t)) + "/origin.git"
			w.origin("origin", base)
			if _, err := w.remote(url, RemoteOptions{}).Commit(context.Background(), always(ours, "fleet/prod/old.yaml"), said("a remote's")); err != nil {
				t.Fatal(err)
			}
			w.gitOnGitea(".", "clone", "-q", w.owner.URL("origin"), "r")
			w.git("r", "remote", "set-url", "origin", url)
			w.commit("r", w.put("r", map[string]string{"fleet/more": "x\n"}))
			if _, err := w.open("r").Push(context.Background(), PushOptions{}); err != nil {
				t.Fatal(err)
			}
			w.gitOnGitea(".", "clone", "-q", w.owner.URL("origin"), "clone")
			w.sound("clone")
			if got := strings.Join(strings.Fields(w.git("clone", "log", "--format=%an %s")), " "); got != "Ada ours Ada a remote's Ada base" {
				t.Errorf("log = %s", got)
			}
			for name, want := range ours {
				if got := w.read("clone/" + name); got != want {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
		})
	}
}

// An administrator may forbid that anything is left out.
func TestAGiteaThatLeavesNothingOut(t *testing.T) {
	server := giteatest.Start(t, "git.DISABLE_PARTIAL_CLONE=true")
	for name, serve := range map[string]func(*world, *giteatest.Server) string{"https": (*world).giteaHTTPS, "ssh": (*world).giteaSSH} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			url := serve(w, server) + "/origin.git"
			w.origin("origin", base)
			on, err := w.remote(url, RemoteOptions{}).Read(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			contents := map[string]bool{}
			for _, content := range base {
				contents[content] = true
			}
			if got := len(on.storage.ObjectStorage.Blobs); got != len(contents) {
				t.Errorf("%d files came with the commit, want all %d", got, len(contents))
			}
			w.commits(url)
			w.sound("origin")
		})
	}
}
