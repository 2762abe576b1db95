package gitrepo

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
)

// The system's own login comes before the token of a variable, for git's pushes as for ours,
// and where there is none the others count.
func TestOwnLoginsComeFirst(t *testing.T) {
	for name, c := range map[string]struct {
		variable string
		own      *Login
		fails    error
		want     string // in the error; empty: it works
	}{
		"own":     {"wrong", &Login{User: "x-access-token", Password: canary, From: "the GitHub App 1"}, nil, ""},
		"none":    {canary, nil, nil, ""},
		"refused": {canary, &Login{User: "x", Password: "expired-token", From: "the GitHub App 1"}, nil, "does not take the credentials from the GitHub App 1: are they wrong, or expired?"},
		"failed":  {canary, nil, errors.New("log in as the GitHub App 1: it is not installed"), "log in as the GitHub App 1: it is not installed"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.origin("origin", base)
			url := w.serveHTTPS().URL + "/origin"
			w.env["GITEA_TOKEN"] = c.variable
			sys := w.sys()
			sys.Login = func(_ context.Context, asked string) (*Login, error) {
				if asked != url {
					t.Errorf("asked for %s, want %s", asked, url)
				}
				return c.own, c.fails
			}
			check := func(err error) {
				t.Helper()
				var said *RemoteError
				if (err == nil) != (c.want == "") || err != nil && (!errors.As(err, &said) || said.Kind != transport.BadLogin || !strings.HasSuffix(err.Error(), c.want)) {
					t.Errorf("error %v, want %q", err, c.want)
				}
				if err != nil && (strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "expired-token")) {
					t.Errorf("a secret in %v", err)
				}
			}
			remote, err := OpenRemote(t.Context(), sys, url, RemoteOptions{})
			if err == nil {
				_, err = remote.Commit(t.Context(), always(ours), said("ours"))
			}
			check(err)
			w.git(".", "clone", "-q", "origin", "r")
			w.git("r", "remote", "set-url", "origin", url)
			w.commit("r", w.put("r", map[string]string{"more": "x\n"}))
			local, err := Open(sys, filepath.Join(w.home, "r"))
			if err == nil {
				_, err = local.Push(t.Context(), PushOptions{})
			}
			check(err)
		})
	}
	w := newWorld(t)
	sys := w.sys()
	sys.Login = func(context.Context, string) (*Login, error) { t.Error("asked without TLS"); return nil, nil }
	if _, err := OpenRemote(t.Context(), sys, "http://127.0.0.1/x", RemoteOptions{}); err != nil {
		t.Error(err)
	}
}

// Requests that are not Git's have git's proxies and headers, without those that log in.
func TestAccessReachesServersAsGitDoes(t *testing.T) {
	got := http.Header{}
	asked := ""
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, in *http.Request) { got, asked = in.Header, in.URL.String() }))
	t.Cleanup(proxy.Close)
	w := newWorld(t)
	w.write(".gitconfig", "[http]\n\textraHeader = X-Gate: open\n\textraHeader = Authorization: "+canary+"\n\tproxy = http://nowhere.invalid:1\n"+
		"[http \"http://git.invalid/\"]\n\tproxy = "+proxy.URL+"\n\textraHeader = X-Other: "+canary+"\n[url \"http://elsewhere.invalid/\"]\n\tinsteadOf = http://git.invalid/\n")
	access, err := ReadAccess(w.sys())
	if err != nil {
		t.Fatal(err)
	}
	over, err := access.Transport("http://git.invalid/api/v1/")
	if err != nil {
		t.Fatal(err)
	}
	get := func(url string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := over.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	get("http://git.invalid/api/v1/user")
	if asked != "http://git.invalid/api/v1/user" || got.Get("X-Gate") != "open" || got.Get("Authorization") != "" {
		t.Errorf("the proxy was asked for %s with %v", asked, got)
	}
	get("http://other.invalid/")
	if asked != "http://other.invalid/" || got.Get("X-Gate") != "" {
		t.Errorf("another origin got %v", got)
	}
	if _, err := access.Transport("http://x:" + canary + "@git.invalid/"); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("Transport = %v", err)
	}
}

// A remote's URL is the one that git would push to.
func TestPushURLIsThatOfGit(t *testing.T) {
	w := newWorld(t)
	w.write(".gitconfig", "[url \"git@work:\"]\n\tpushInsteadOf = https://github.com/\n[url \"https://mirror.corp/\"]\n\tinsteadOf = https://github.com/\n[url \"https://git.corp/\"]\n\tinsteadOf = corp:\n")
	w.write(".ssh/config", "Host work\n  HostName github.com\nHost here\n  HostName %h.corp\n  Port 2222\n")
	access, err := ReadAccess(w.sys())
	if err != nil {
		t.Fatal(err)
	}
	for remote, want := range map[string]string{
		"https://github.com/o/r.git":  "ssh://git@github.com/o/r.git",
		"corp:o/r":                    "https://git.corp/o/r",
		"git@here:o/r":                "ssh://git@here.corp/o/r",
		"ssh://git@git.corp:2222/o/r": "ssh://git@git.corp:2222/o/r",
		"https://git.corp/o/r.git":    "https://git.corp/o/r.git",
	} {
		if got, err := access.PushURL(remote); err != nil || got != want {
			t.Errorf("PushURL(%s) = %s, %v, want %s", remote, got, err, want)
		}
	}
	if _, err := access.PushURL("https://x:" + canary + "@github.com/o/r"); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("PushURL = %v", err)
	}
}
