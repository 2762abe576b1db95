package gitrepo

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/pm-gitops/pm-gitops/cmd/internal/giteatest"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
)

// giteaRefusal is what Gitea does not let us do. The setup makes it so, after the
// repository is there, and gives its URL.
type giteaRefusal struct {
	setup func(w *world, s *giteatest.Server, url string) string
	kind  transport.Kind
	want  string
}

// newcomer is somebody else, with a token or key of theirs in place of the owner's.
func (w *world) newcomer(s *giteatest.Server) *giteatest.User {
	w.t.Helper()
	other := s.NewUser(w.t)
	if _, https := w.env["GITEA_TOKEN"]; https {
		w.env["GITEA_TOKEN"] = other.NewToken(w.t, "write:repository").Secret
	} else {
		other.AddKey(w.t, w.ownKey())
	}
	return other
}

// refusalsOfBoth is what Gitea refuses by HTTPS and by SSH.
var refusalsOfBoth = map[string]giteaRefusal{
	"no repository": {func(_ *world, _ *giteatest.Server, url string) string {
		return strings.Replace(url, "origin", "nothing", 1)
	}, transport.NoRepository, `^there is no repository \S+/nothing.git, or none that these credentials may see$`},
	"no user": {func(w *world, _ *giteatest.Server, url string) string {
		return strings.Replace(url, w.owner.Name, "nobody", 1)
	}, transport.NoRepository, `^there is no repository \S+/nobody/origin.git, or none that these credentials may see$`},
	"no write permission": {func(w *world, s *giteatest.Server, url string) string {
		w.owner.Share(w.t, "origin", w.newcomer(s), "read")
		return url
	}, transport.Forbidden, `knows the credentials, but they do not suffice for \S+/origin.git: may they write there\? \(it says: User permission denied for writing\.\)$`},
	"protected branch": {func(w *world, _ *giteatest.Server, url string) string {
		w.owner.Protect(w.t, "origin", "main")
		return url
	}, transport.Rejected, `does not take the commit \(pre-receive hook declined\): Not allowed to push to protected branch main; the branch is protected: propose the change as a pull request`},
	"archived": {func(w *world, _ *giteatest.Server, url string) string {
		w.owner.Archive(w.t, "origin")
		return url
	}, transport.Rejected, `^\S+/origin.git is archived: it takes no commits$`},
}

func TestGiteaRefusesByHTTPS(t *testing.T) {
	cases := map[string]giteaRefusal{
		"repository of others": {func(w *world, s *giteatest.Server, url string) string {
			w.newcomer(s)
			return url
		}, transport.NoRepository, `^there is no repository \S+/origin.git, or none that these credentials may see$`},
		"no login": {func(w *world, _ *giteatest.Server, url string) string {
			delete(w.env, "GITEA_TOKEN")
			return url
		}, transport.NoLogin, `^127.0.0.1:\d+ wants credentials, and there are none: set a credential helper`},
		"no login, but everybody reads": {func(w *world, _ *giteatest.Server, url string) string {
			delete(w.env, "GITEA_TOKEN")
			w.owner.Publish(w.t, "origin")
			return url
		}, transport.NoLogin, `^127.0.0.1:\d+ wants credentials, and there are none: set a credential helper`},
		"bad token": {func(w *world, _ *giteatest.Server, url string) string {
			w.env["GITEA_TOKEN"] = strings.Repeat("0123456789", 4)
			return url
		}, transport.BadLogin, `^127.0.0.1:\d+ does not take the credentials from GITEA_TOKEN: are they wrong, or expired\?$`},
		"revoked token": {func(w *world, _ *giteatest.Server, url string) string {
			token := w.owner.NewToken(w.t, "write:repository")
			w.env["GITEA_TOKEN"] = token.Secret
			w.commits(url)
			w.owner.Revoke(w.t, token)
			return url
		}, transport.BadLogin, `^127.0.0.1:\d+ does not take the credentials from GITEA_TOKEN: are they wrong, or expired\?$`},
		"token that only reads": {func(w *world, _ *giteatest.Server, url string) string {
			w.env["GITEA_TOKEN"] = w.owner.NewToken(w.t, "read:repository").Secret
			return url
		}, transport.Forbidden, `^127.0.0.1:\d+ knows the credentials, but they do not suffice for \S+/origin.git: may they write there\?$`},
		"token for other things": {func(w *world, _ *giteatest.Server, url string) string {
			w.env["GITEA_TOKEN"] = w.owner.NewToken(w.t, "write:issue").Secret
			return url
		}, transport.Forbidden, `^127.0.0.1:\d+ knows the credentials, but they do not suffice for \S+/origin.git: may they write there\?$`},
		"disabled account": {func(w *world, _ *giteatest.Server, url string) string {
			w.owner.Disable(w.t)
			return url
		}, transport.NotGit, `^\S+/origin.git answers with something else than Git`}, // a page for browsers
	}
	refuse(t, cases, (*world).giteaHTTPS)
}

func TestGiteaRefusesBySSH(t *testing.T) {
	cases := map[string]giteaRefusal{
		"repository of others": {func(w *world, s *giteatest.Server, url string) string {
			w.newcomer(s)
			return url
		}, transport.Forbidden, `^127.0.0.1:\d+ knows the credentials, but they do not suffice for \S+/origin.git: may they write there\? \(it says: User: \S+ with Key: \S+ is not authorized to`},
		"unknown host key": {func(w *world, _ *giteatest.Server, url string) string {
			w.write(".ssh/known_hosts", "")
			return url
		}, transport.UnknownHostKey, `^the key of 127.0.0.1:\d+ is in no known_hosts: compare what ssh-keyscan -p \d+ 127.0.0.1 prints`},
		"changed host key": {func(w *world, _ *giteatest.Server, url string) string {
			other, _ := w.key()
			w.write(".ssh/known_hosts", knownhosts.Line([]string{strings.Fields(w.read(".ssh/known_hosts"))[0]}, other)+"\n")
			return url
		}, transport.ChangedHostKey, `^the key of 127.0.0.1:\d+ is another than the one in known_hosts`},
		"unknown key": {func(w *world, _ *giteatest.Server, url string) string {
			w.ownKey()
			return url
		}, transport.BadLogin, `^127.0.0.1:\d+ takes none of the SSH keys`},
		"no key": {func(w *world, _ *giteatest.Server, url string) string {
			if err := os.Remove(filepath.Join(w.home, ".ssh/id_ed25519")); err != nil {
				w.t.Fatal(err)
			}
			return url
		}, transport.NoKey, `^there is no SSH key for 127.0.0.1`}, // a push does not know: ssh has its own ways to find one
		"disabled account": {func(w *world, _ *giteatest.Server, url string) string {
			w.owner.Disable(w.t)
			return url
		}, transport.Forbidden, `\(it says: Your account is disabled\.\)$`},
		"deploy key that only reads": {func(w *world, _ *giteatest.Server, url string) string {
			w.owner.AddDeployKey(w.t, "origin", w.ownKey())
			return url
		}, transport.Forbidden, `^127.0.0.1:\d+ knows the credentials, but they do not suffice for \S+/origin.git: may they write there\? \(it says: Deploy Key: \S+ is not authorized to write to`},
	}
	refuse(t, cases, (*world).giteaSSH)
}

// refuse runs cases: a commit to a remote, and the push of a commit of a clone. Both
// are refused with the same sentence, which has no secret in it, and nothing changes.
func refuse(t *testing.T, cases map[string]giteaRefusal, serve func(*world, *giteatest.Server) string) {
	for name, c := range refusalsOfBoth {
		cases[name] = c
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s := newWorld(t), forge.Server(t)
			url := serve(w, s) + "/origin.git"
			w.quickOrigin()
			url = c.setup(w, s, url)
			before := w.git("origin", "rev-parse", "main")
			ctx := context.Background()
			r, err := OpenRemote(ctx, w.sys(), url, RemoteOptions{})
			if err == nil {
				_, err = r.Commit(ctx, always(map[string]string{"more": "x\n"}), said("ours"))
			}
			w.refused("Commit", err, c)
			w.git("r", "remote", "set-url", "origin", url)
			w.commit("r", w.put("r", ours))
			_, err = w.open("r").Push(ctx, PushOptions{})
			if c.kind == transport.NoKey {
				c.kind, c.want = transport.BadLogin, `^127.0.0.1:\d+ takes none of the SSH keys`
			}
			w.refused("Push", err, c)
			if after := w.git("origin", "rev-parse", "main"); after != before {
				t.Errorf("main is at %s now", after)
			}
		})
	}
}

// quickOrigin makes the repository origin, and its clone r. It is filled behind
// Gitea's back, for the hooks of a push take half a second: good enough to be refused.
func (w *world) quickOrigin() {
	w.t.Helper()
	w.repo("r", base)
	w.owner.NewRepository(w.t, "origin")
	w.linkToGitea("origin")
	w.git("r", "push", "-q", "--receive-pack=git -c core.hooksPath=/dev/null receive-pack", "../origin", "main")
	w.git("r", "remote", "add", "origin", "../origin")
}

func (w *world) refused(what string, err error, c giteaRefusal) {
	w.t.Helper()
	var got *transport.Error
	if !errors.As(err, &got) || got.Kind != c.kind || !regexp.MustCompile(c.want).MatchString(err.Error()) {
		w.t.Errorf("%s = %v (%T)\nwant %s, kind %d", what, err, err, c.want, c.kind)
		return
	}
	secrets := []string{w.owner.Password}
	if token := w.env["GITEA_TOKEN"]; token != "" {
		secrets = append(secrets, token)
	}
	for _, secret := range secrets {
		if strings.Contains(err.Error(), secret) {
			w.t.Errorf("%s: a credential in: %s", what, err)
		}
	}
	if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
		w.t.Errorf("%s: a control character in: %q", what, err)
	}
}
