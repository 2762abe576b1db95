package gitrepo

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
)

// hook makes the server refuse what is pushed, with a text.
func (w *world) hook(text string) {
	w.t.Helper()
	w.write("origin/hooks/pre-receive", "#!/bin/sh\ncat >&2 <<'END'\n"+text+"\nEND\nexit 1\n")
	if err := os.Chmod(filepath.Join(w.home, "origin/hooks/pre-receive"), 0o777); err != nil {
		w.t.Fatal(err)
	}
}

// pushFrom commits in a clone of origin.work, and pushes to a URL.
func (w *world) pushFrom(dir, url string) (Pushed, error) {
	w.t.Helper()
	w.git(".", "clone", "-q", "origin.work", dir)
	w.git(dir, "config", "--replace-all", "remote.origin.url", url)
	w.commit(dir, w.put(dir, ours))
	return w.push(PushOptions{})
}

func TestRemoteErrorsAreSentences(t *testing.T) {
	pushed := map[string]struct { // what a push knows less, or otherwise
		kind transport.Kind
		want string
	}{
		"no key":               {transport.BadLogin, `takes none of the SSH keys`},
		"key does not suffice": {transport.Forbidden, `they do not suffice for ssh://\S+/denied: may they write there\? \(it says: Permission to a/denied.git denied to ada.\)$`},
		"no CA in the file":    {transport.UnknownCA, `is signed by an authority that is not trusted here`},
		"relative path":        {transport.NoRepository, `^there is no repository /\S+/r/some/folder`},
		"proxy is not there":   {transport.NoConnection, `^git.example.com refuses the connection: is its port right, and does it need a proxy\?$`},
	}
	https := func(w *world) string { return w.serveHTTPS().URL + "/origin" }
	ssh := func(w *world) string { return w.serveSSH() + "/origin" }
	closed := func() string {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		return listener.Addr().String()
	}
	for name, c := range map[string]struct {
		url  func(*world) string
		kind transport.Kind
		want string
	}{
		"no such repository":      {func(w *world) string { return https(w) + "-not" }, transport.NoRepository, `^there is no repository https://\S+/origin-not, or none that these credentials may see$`},
		"no such repository, ssh": {func(w *world) string { return ssh(w) + "-not" }, transport.NoRepository, `^there is no repository ssh://\S+/origin-not`},
		"no such folder":          {func(w *world) string { return "file://" + w.home + "/not" }, transport.NoRepository, `^there is no repository file://\S+/not`},
		"no credentials": {func(w *world) string {
			url := https(w)
			delete(w.env, "GITEA_TOKEN")
			return url
		}, transport.NoLogin, `^127.0.0.1:\d+ wants credentials, and there are none: set a credential helper`},
		"token is wrong, or expired": {func(w *world) string {
			url := https(w)
			w.env["GITEA_TOKEN"] = canary + "-old"
			return url
		}, transport.BadLogin, `^127.0.0.1:\d+ does not take the credentials from GITEA_TOKEN: are they wrong, or expired\?$`},
		"token does not suffice": {func(w *world) string { return strings.TrimSuffix(https(w), "/origin") + "/forbidden" }, transport.Forbidden, `knows the credentials, but they do not suffice`},
		"token is for others": {func(w *world) string {
			url := https(w)
			w.env["GITEA_SERVER_URL"], w.env["GITHUB_TOKEN"], w.env["GITLAB_TOKEN"], w.env["CI_JOB_TOKEN"] = "https://elsewhere.example.com", canary, canary, canary
			return url
		}, transport.NoLogin, `wants credentials, and there are none: .* or a token and its host: GITEA_TOKEN and GITEA_SERVER_URL, GITLAB_TOKEN and GITLAB_HOST, or GH_ENTERPRISE_TOKEN and GH_HOST$`},
		"unknown CA": {func(w *world) string {
			url := https(w)
			delete(w.env, "GIT_SSL_CAINFO")
			return url
		}, transport.UnknownCA, `^the certificate of 127.0.0.1:\d+ is signed by an authority that is not trusted here`},
		"no CA in the file": {func(w *world) string {
			url := https(w)
			w.write("ca.pem", "nothing\n")
			return url
		}, transport.UnknownCA, `^there is no CA certificate in \S+/ca.pem`},
		"other host's certificate": {func(w *world) string {
			url := strings.Replace(https(w), "127.0.0.1", "localhost", 1)
			w.env["GITEA_SERVER_URL"] = url
			return url
		}, transport.BadCertificate, `^the certificate of localhost:\d+ is for other hosts$`},
		"nobody there":      {func(*world) string { return "https://" + closed() + "/x" }, transport.NoConnection, `refuses the connection`},
		"nobody there, ssh": {func(w *world) string { ssh(w); return "ssh://git@" + closed() + "/x" }, transport.NoConnection, `refuses the connection`},
		"proxy is not there": {func(w *world) string {
			w.git(".", "config", "--global", "http.proxy", "http://"+closed())
			return "https://git.example.com/x"
		}, transport.NoConnection, `^the proxy for git.example.com does not take the connection$`},
		"no TLS there":        {func(w *world) string { return "https://" + plainServer(t) + "/x" }, transport.NoConnection, `answers without TLS`},
		"password in the URL": {func(*world) string { return "https://ada:" + canary + "@git.example.com/x" }, transport.BadURL, `^the URL of git.example.com has a user or password in it`},
		"user in a URL":       {func(*world) string { return "https://ada:" + canary + "@dev.azure.com/x" }, transport.BadURL, `has a user or password in it.* AZURE_DEVOPS_EXT_PAT$`},
		"token in the query":  {func(*world) string { return "https://git.example.com/x?private_token=" + canary }, transport.BadURL, `has a query in it`},
		"token in the URL":    {func(*world) string { return "https://" + canary + "@git.example.com/x" }, transport.BadURL, `has a user or password in it`},
		"other protocol":      {func(*world) string { return "ftp://git.example.com/x" }, transport.BadURL, `^unsupported protocol "ftp": want`},
		"git protocol":        {func(*world) string { return "git://git.example.com/x" }, transport.BadURL, `^unsupported protocol "git": want`},
		"an option":           {func(*world) string { return "--upload-pack=x" }, transport.BadURL, `is no URL of a repository`},
		"an option as host":   {func(*world) string { return "ssh://-oProxyCommand=x/y" }, transport.BadURL, `names no host|is no URL`},
		"relative path":       {func(*world) string { return "some/folder" }, transport.BadURL, `is no URL of a repository: want https://`},
		"plain HTTP":          {func(w *world) string { w.env["GITHUB_TOKEN"] = canary; return "http://github.com/x/y" }, transport.PlainHTTP, `^the credentials from GITHUB_TOKEN would go to github.com in plain HTTP: use https$`},
		"host key is unknown": {func(w *world) string { url := ssh(w); w.write(".ssh/known_hosts", ""); return url }, transport.UnknownHostKey, `^the key of 127.0.0.1:\d+ is in no known_hosts: compare what ssh-keyscan -p \d+ 127.0.0.1 prints`},
		"no known_hosts at all": {func(w *world) string {
			url := ssh(w)
			_ = os.Remove(filepath.Join(w.home, ".ssh/known_hosts"))
			return url
		}, transport.UnknownHostKey, `is in no known_hosts`},
		"host key was changed": {func(w *world) string {
			url := ssh(w)
			other, _ := w.key()
			w.write(".ssh/known_hosts", knownhosts.Line([]string{strings.Fields(w.read(".ssh/known_hosts"))[0]}, other)+"\n")
			return url
		}, transport.ChangedHostKey, `^the key of 127.0.0.1:\d+ is another than the one in known_hosts`},
		"no key": {func(w *world) string {
			url := ssh(w)
			_ = os.Remove(filepath.Join(w.home, ".ssh/id_ed25519"))
			return url
		}, transport.NoKey, `^there is no SSH key for 127.0.0.1`},
		"key is another": {func(w *world) string {
			old := w.serveSSH
			url := old()
			known := w.read(".ssh/known_hosts")
			old()
			w.write(".ssh/known_hosts", known)
			return url + "/origin"
		}, transport.BadLogin, `takes none of the SSH keys`},
		"key does not suffice": {func(w *world) string { return strings.TrimSuffix(ssh(w), "/origin") + "/denied" }, transport.Forbidden, `knows the credentials, but they do not suffice for ssh://\S+/denied: may they write there\? \(it says: Permission to a/denied.git denied to ada. fatal: Could not read from remote repository.\)$`},
		"a page":               {func(*world) string { return pageServer(t) + "/x" }, transport.NotGit, `^http://\S+/x answers with something else than Git: is the URL right`},
		"GitHub's protection": {func(w *world) string {
			url := https(w)
			w.hook("error: GH006: Protected branch update failed for refs/heads/main.\nerror: Changes must be made through a pull request.")
			return url
		}, transport.Rejected, `does not take the commit \(pre-receive hook declined\): GH006: Protected branch update failed for refs/heads/main. Changes must be made through a pull request.; the branch is protected: propose the change as a pull request`},
		"GitLab's protection": {func(w *world) string {
			url := https(w)
			w.hook("GitLab: You are not allowed to push code to protected branches on this project.")
			return url
		}, transport.Rejected, `: GitLab: You are not allowed to push code .*; the branch is protected`},
		"Gitea's protection": {func(w *world) string {
			url := ssh(w)
			w.hook("Gitea: Not allowed to push to protected branch main")
			return url
		}, transport.Rejected, `: Gitea: Not allowed to push to protected branch main; the branch is protected`},
		"a hook": {func(w *world) string {
			w.hook("commit message needs a ticket\x1b[31m " + canary)
			w.env["GITEA_TOKEN"] = canary
			return https(w)
		}, transport.Rejected, `\(pre-receive hook declined\): commit message needs a ticket\S*\[31m \*\*\*$`},
		"branch is checked out": {func(w *world) string { return "file://" + w.home + "/origin.work" }, transport.Rejected, `does not take the commit \(branch is currently checked out\)`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.origin("origin", base)
			url := c.url(w)
			ctx := context.Background()
			r, err := OpenRemote(ctx, w.sys(), url, RemoteOptions{})
			if err == nil {
				_, err = r.Commit(ctx, always(ours), said("ours"))
			}
			var got *transport.Error
			if !errors.As(err, &got) || got.Kind != c.kind || !regexp.MustCompile(c.want).MatchString(err.Error()) {
				t.Errorf("Commit = %v (%T)\nwant %s, kind %d", err, err, c.want, c.kind)
			}
			_, pushErr := w.pushFrom("r", url)
			kind, want := c.kind, c.want
			if other, differs := pushed[name]; differs {
				kind, want = other.kind, other.want
			}
			if !errors.As(pushErr, &got) || got.Kind != kind || !regexp.MustCompile(want).MatchString(pushErr.Error()) {
				t.Errorf("Push = %v (%T)\nwant %s, kind %d", pushErr, pushErr, want, kind)
			}
			for _, err := range []error{err, pushErr} {
				if err != nil && (strings.Contains(err.Error(), canary) || strings.ContainsAny(err.Error(), "\x1b\n")) {
					t.Errorf("a credential or a control character in: %q", err)
				}
			}
		})
	}
}

// pageServer shows whoever comes a page, as those do where somebody is to log in.
func pageServer(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		_, _ = out.Write([]byte("<!DOCTYPE html><p>Log in"))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// plainServer answers without TLS.
func plainServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
			conn.Close()
		}
	}()
	return listener.Addr().String()
}

func TestCredentialsAreFoundWhereGitFindsThem(t *testing.T) {
	for name, setup := range map[string]func(*world, string){
		"named variable": func(*world, string) {},
		"helper": func(w *world, _ string) {
			delete(w.env, "GITEA_TOKEN")
			w.git(".", "config", "--global", "credential.helper", "!f() { echo \"$1\" >> ~/asked; if test $1 = get; then echo username=ada; echo password="+canary+"; fi; }; f")
		},
		"GIT_ASKPASS": func(w *world, _ string) {
			delete(w.env, "GITEA_TOKEN")
			w.write("ask", "#!/bin/sh\ncase \"$1\" in Username*) echo ada;; *) echo "+canary+";; esac\n")
			_ = os.Chmod(filepath.Join(w.home, "ask"), 0o777)
			w.env["GIT_ASKPASS"] = filepath.Join(w.home, "ask")
		},
		"GIT_ASKPASS without git": func(w *world, _ string) {
			delete(w.env, "GITEA_TOKEN")
			w.write("ask", "#!/bin/sh\ncase \"$1\" in \"Username for 'https://127\"*) echo ada;; *\"ada@127\"*) echo "+canary+";; esac\n")
			_ = os.Chmod(filepath.Join(w.home, "ask"), 0o777)
			w.env["GIT_ASKPASS"], w.env["PATH"] = filepath.Join(w.home, "ask"), "/nowhere"
		},
		"extra header": func(w *world, url string) {
			delete(w.env, "GITEA_TOKEN")
			w.git(".", "config", "--global", "http."+strings.TrimSuffix(url, "origin")+".extraHeader", "AUTHORIZATION: basic YWRhOmNhbmFyeS0wMTIzNDU2Nzg5LXRva2Vu")
		},
		"URL by another name": func(w *world, url string) {
			w.git(".", "config", "--global", "url."+strings.TrimSuffix(url, "origin")+".insteadOf", "fleet:")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.origin("origin", base)
			url := w.serveHTTPS().URL + "/origin"
			setup(w, url)
			if strings.HasPrefix(name, "URL") {
				url = "fleet:origin"
			}
			if _, err := w.remote(url, RemoteOptions{}).Commit(context.Background(), always(ours), said("ours")); err != nil {
				t.Fatal(err)
			}
			if name == "helper" {
				if got := strings.Join(strings.Fields(w.read("asked")), " "); got != "get store" {
					t.Errorf("the helper was asked for %s, want get and store", got)
				}
			}
		})
	}
}
