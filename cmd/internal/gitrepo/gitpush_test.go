package gitrepo

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
)

// clone makes origin and a clone of it, r, in which a commit waits to be pushed to a URL.
func (w *world) clone(url string) Result {
	w.t.Helper()
	w.origin("origin", base)
	w.git(".", "clone", "-q", "origin", "r")
	w.git("r", "remote", "set-url", "origin", url)
	return w.commit("r", w.put("r", ours))
}

func (w *world) push(o PushOptions) (Pushed, error) {
	w.t.Helper()
	return w.open("r").Push(context.Background(), o)
}

// script writes a program.
func (w *world) script(name, text string) {
	w.t.Helper()
	w.write(name, "#!/bin/sh\n"+text)
	if err := os.Chmod(filepath.Join(w.home, name), 0o777); err != nil {
		w.t.Fatal(err)
	}
}

// spy has every run of git from outside of git noted in ~/runs, with its arguments.
func (w *world) spy() {
	w.t.Helper()
	real, err := exec.LookPath("git")
	if err != nil {
		w.t.Fatal(err)
	}
	w.script("bin/git", "echo \"$@\" >> "+w.home+"/runs\nexec "+real+" \"$@\"\n")
	w.env["PATH"] = filepath.Join(w.home, "bin") + ":" + w.env["PATH"]
}

func TestPushGoesToEveryURL(t *testing.T) {
	for _, setting := range []string{"pushurl", "url"} {
		w := newWorld(t)
		made := w.clone(filepath.Join(w.home, "origin"))
		w.git(".", "clone", "-q", "--bare", "origin", "two")
		w.git("r", "config", "--unset-all", "remote.origin.url")
		for _, name := range []string{"origin", "two"} {
			w.git("r", "config", "--add", "remote.origin."+setting, filepath.Join(w.home, name))
		}
		pushed, err := w.push(PushOptions{})
		if want := w.home + "/origin, " + w.home + "/two"; err != nil || pushed.URL != want {
			t.Errorf("Push = %+v, %v, want %s", pushed, err, want)
		}
		for _, name := range []string{"origin", "two"} {
			if got := w.git(name, "rev-parse", "main"); got != made.Hash+"\n" {
				t.Errorf("%s: main of %s is at %s", setting, name, got)
			}
		}
	}
	w := newWorld(t)
	w.clone(filepath.Join(w.home, "origin"))
	w.git("r", "remote", "set-url", "--add", "origin", filepath.Join(w.home, "nothing"))
	_, err := w.push(PushOptions{})
	var said *transport.Error
	if !errors.As(err, &said) || said.Kind != transport.NoRepository || !strings.Contains(err.Error(), w.home+"/nothing") {
		t.Errorf("Push = %v, want that the second is no repository", err)
	}
}

func TestPushGoesWhereTheConfigurationSays(t *testing.T) {
	for name, c := range map[string]struct {
		config []string // setting, value, …
		branch string
		there  string
		want   string // an error; empty for none
	}{
		"review":               {config: []string{"remote.origin.push", "HEAD:refs/for/main"}, there: "refs/for/main"},
		"this branch":          {config: []string{"remote.origin.push", "refs/heads/main:refs/heads/deployed"}, there: "refs/heads/deployed"},
		"short":                {config: []string{"remote.origin.push", "main:deployed"}, there: "refs/heads/deployed"},
		"only the source":      {config: []string{"remote.origin.push", "main"}, there: "refs/heads/main"},
		"a pattern":            {config: []string{"remote.origin.push", "refs/heads/*:refs/heads/team/*"}, there: "refs/heads/team/main"},
		"matching":             {config: []string{"remote.origin.push", ":"}, there: "refs/heads/main"},
		"one of several":       {config: []string{"remote.origin.push", "refs/heads/x:refs/heads/y", "remote.origin.push", "main:z"}, there: "refs/heads/z"},
		"--branch comes first": {config: []string{"remote.origin.push", "HEAD:refs/for/main"}, branch: "next", there: "refs/heads/next"},
		"others only":          {config: []string{"remote.origin.push", "refs/heads/x:refs/heads/y"}, want: `^remote.origin.push names other branches than main, and only one branch is pushed here: git config --show-origin`},
		"deletes":              {config: []string{"remote.origin.push", ":refs/heads/x"}, want: `^remote.origin.push names other branches`},
		"forces":               {config: []string{"remote.origin.push", "+refs/heads/*:refs/heads/*"}, want: `^remote.origin.push \(\+refs/heads/\*:refs/heads/\*\) would force`},
		"mirror":               {config: []string{"remote.origin.mirror", "true"}, want: `^remote.origin.mirror would make`},
		"mirror, --branch":     {config: []string{"remote.origin.mirror", "true"}, branch: "x", want: `^remote.origin.mirror would make`},
		"tags":                 {config: []string{"push.followTags", "true"}, want: `^push.followTags would push tags as well`},
		"submodules":           {config: []string{"push.recurseSubmodules", "on-demand"}, want: `^push.recurseSubmodules would push submodules as well`},
		"submodules of all":    {config: []string{"submodule.recurse", "true"}, there: "refs/heads/main"},
		"checks submodules":    {config: []string{"push.recurseSubmodules", "check"}, there: "refs/heads/main"},
		"push.default":         {config: []string{"push.default", "nothing"}, there: "refs/heads/main"},
		"another remote's":     {config: []string{"remote.other.push", "HEAD:refs/for/main", "remote.other.mirror", "true"}, there: "refs/heads/main"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			made := w.clone(filepath.Join(w.home, "origin"))
			w.git("r", "branch", "other")
			w.git("r", "tag", "-m", "x", "v1")
			for i := 0; i < len(c.config); i += 2 {
				w.git("r", "config", "--add", c.config[i], c.config[i+1])
			}
			before := w.git("origin", "for-each-ref")
			_, err := w.push(PushOptions{Branch: c.branch})
			after := w.git("origin", "for-each-ref")
			if c.want != "" {
				if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) || after != before {
					t.Errorf("Push = %v\nwant %s\n%s", err, c.want, after)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for line := range strings.Lines(before + made.Hash + " commit\t" + c.there + "\n") {
				if !strings.HasSuffix(line, "\t"+c.there+"\n") || strings.HasPrefix(line, made.Hash) {
					want = append(want, line)
				}
			}
			if got := strings.Count(after, "\n"); got != len(want) || !strings.Contains(after, want[len(want)-1]) {
				t.Errorf("the server has\n%swant\n%s", after, want)
			}
		})
	}
}

func TestPrePushHookRuns(t *testing.T) {
	w := newWorld(t)
	w.clone(filepath.Join(w.home, "origin"))
	w.script("r/.git/hooks/pre-push", "cat > ~/told\necho 'not on a Friday\x1b[31m' >&2\nexit 1\n")
	_, err := w.push(PushOptions{})
	var said *transport.Error
	if !errors.As(err, &said) || said.Kind != transport.Rejected || err.Error() != `the pre-push hook of this repository refuses the push: not on a Friday\x1b[31m` {
		t.Errorf("Push = %q", err)
	}
	if got := w.read("told"); !strings.HasPrefix(got, "refs/heads/main ") || !strings.Contains(got, " refs/heads/main ") {
		t.Errorf("the hook was told %q", got)
	}
	w.script("r/.git/hooks/pre-push", "exit 0\n")
	if _, err := w.push(PushOptions{}); err != nil {
		t.Errorf("Push = %v", err)
	}
}

// The credentials are found where git finds them, after the variable for the server.
// No token is an argument of any program, or goes to another server.
func TestPushFindsCredentials(t *testing.T) {
	asks := func(w *world) {
		w.script("ask", "case \"$1\" in Username*) echo ada;; *) echo "+canary+";; esac\n")
		w.env["GIT_ASKPASS"] = filepath.Join(w.home, "ask")
	}
	const helper = "!f() { echo \"$1\" >> ~/asked; if test $1 = get; then echo username=ada; echo password=" + canary + "; fi; }; f"
	for name, setup := range map[string]func(*world, string){
		"named variable": func(w *world, _ string) {
			w.git(".", "config", "--global", "credential.helper", "!echo password=wrong; echo username=x; touch ~/asked; true")
		},
		"helper": func(w *world, _ string) {
			delete(w.env, "GITEA_TOKEN")
			w.git(".", "config", "--global", "credential.helper", helper)
		},
		"helper of the checkout": func(w *world, _ string) {
			delete(w.env, "GITEA_TOKEN")
			w.git("r", "config", "credential.helper", helper)
		},
		"GIT_ASKPASS": func(w *world, _ string) { delete(w.env, "GITEA_TOKEN"); asks(w) },
		"extra header": func(w *world, url string) {
			delete(w.env, "GITEA_TOKEN")
			w.git("r", "config", "http."+strings.TrimSuffix(url, "origin")+".extraHeader", "AUTHORIZATION: basic YWRhOmNhbmFyeS0wMTIzNDU2Nzg5LXRva2Vu")
		},
		"URL by another name": func(w *world, url string) {
			w.git("r", "remote", "set-url", "origin", "fleet:origin")
			w.git("r", "config", "url."+strings.TrimSuffix(url, "origin")+".insteadOf", "fleet:")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			url := w.serveHTTPS().URL + "/origin"
			made := w.clone(url)
			setup(w, url)
			w.spy()
			pushed, err := w.push(PushOptions{})
			if err != nil || pushed.URL != url {
				t.Fatalf("Push = %+v, %v, want %s", pushed, err, url)
			}
			if got := w.git("origin", "rev-parse", "main"); got != made.Hash+"\n" {
				t.Errorf("main is at %s", got)
			}
			if strings.Contains(w.read("runs"), canary) {
				t.Errorf("a token is an argument: %s", w.read("runs"))
			}
			asked, _ := os.ReadFile(filepath.Join(w.home, "asked"))
			if want := map[bool]string{true: "get store", false: ""}[strings.HasPrefix(name, "helper")]; strings.Join(strings.Fields(string(asked)), " ") != want {
				t.Errorf("the helper was asked for %s, want %q", asked, want)
			}
		})
	}
}

// A server that sends us on does not get the token of another one, nor does one that
// has no TLS.
func TestPushKeepsTokensFromOtherServers(t *testing.T) {
	w := newWorld(t)
	w.clone("x")
	var mutex sync.Mutex
	passwords := ""
	seen := func() string {
		mutex.Lock()
		defer mutex.Unlock()
		return passwords
	}
	other := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		_, password, _ := in.BasicAuth()
		mutex.Lock()
		passwords += password
		mutex.Unlock()
		out.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		out.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(other.Close)
	first := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		http.Redirect(out, in, strings.Replace(other.URL, "127.0.0.1", "localhost", 1)+in.URL.String(), http.StatusFound)
	}))
	t.Cleanup(first.Close)
	w.env["GITEA_SERVER_URL"], w.env["GITEA_TOKEN"] = first.URL, canary
	w.git("r", "remote", "set-url", "origin", first.URL+"/origin")
	if _, err := w.push(PushOptions{}); err == nil || seen() != "" {
		t.Errorf("Push = %v, and the other server saw %q", err, seen())
	}
	var said *transport.Error
	w.git("r", "remote", "set-url", "origin", "http://git.example.com/x")
	w.env["GITEA_SERVER_URL"] = "http://git.example.com"
	if _, err := w.push(PushOptions{}); !errors.As(err, &said) || said.Kind != transport.PlainHTTP {
		t.Errorf("Push = %v, want that there is no TLS", err)
	}
	delete(w.env, "GITEA_TOKEN")
	w.git("r", "config", "credential.helper", "!touch ~/asked; true")
	w.git("r", "config", "http.proxy", strings.Replace(other.URL, "127.0.0.1", "localhost", 1))
	if _, err := w.push(PushOptions{}); !errors.As(err, &said) || said.Kind != transport.PlainHTTP {
		t.Errorf("Push = %v, want that there is no TLS", err)
	}
	if _, err := os.Stat(filepath.Join(w.home, "asked")); err == nil {
		t.Error("a helper was asked for a server without TLS")
	}
	if got := seen(); got != "" {
		t.Errorf("the proxy saw %q", got)
	}
}

// A lost race leaves our commit, and their branch, where they are.
func TestPushLosesARace(t *testing.T) {
	w := newWorld(t)
	made := w.clone(filepath.Join(w.home, "origin"))
	theirs := w.git("origin", "commit-tree", "-p", "main", "-m", "theirs", "main^{tree}")
	w.git("origin", "update-ref", "refs/heads/main", strings.TrimSpace(theirs))
	_, err := w.push(PushOptions{})
	var said *transport.Error
	if !errors.As(err, &said) || said.Kind != transport.Raced {
		t.Errorf("Push = %v, want a lost race", err)
	}
	if got := w.git("r", "rev-parse", "HEAD") + w.git("origin", "rev-parse", "main"); got != made.Hash+"\n"+theirs {
		t.Errorf("HEAD and main are at %s", got)
	}
	// Where the server has ours below theirs, there is nothing to push.
	w.git("r", "pull", "-q", "--rebase")
	if _, err := w.push(PushOptions{}); err != nil {
		t.Fatal(err)
	}
	w.git("origin", "update-ref", "refs/heads/main", strings.TrimSpace(w.git("origin", "commit-tree", "-p", "main", "-m", "theirs", "main^{tree}")))
	if _, err := w.push(PushOptions{}); !errors.Is(err, ErrUnchanged) {
		t.Errorf("Push = %v, want ErrUnchanged", err)
	}
}
