package transport

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gittest"
)

// witness is a Git server, or a proxy, that keeps the headers of the request which it
// answers. It asks for a login where one is wanted.
type witness struct {
	*httptest.Server
	wantsLogin bool
	lock       sync.Mutex
	got        http.Header
}

func newWitness(t *testing.T) *witness {
	t.Helper()
	s := &witness{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		s.lock.Lock()
		defer s.lock.Unlock()
		if s.wantsLogin && in.Header.Get("Authorization") == "" {
			out.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			out.WriteHeader(http.StatusUnauthorized)
			return
		}
		s.got = http.Header{}
		for name, values := range in.Header {
			if name == "Authorization" || strings.HasPrefix(name, "X-") {
				s.got[name] = values
			}
		}
		const service = "# service=git-upload-pack\n"
		ref := strings.Repeat("1", 40) + " refs/heads/main\x00report-status\n"
		out.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		fmt.Fprintf(out, "%04x%s0000%04x%s0000", len(service)+4, service, len(ref)+4, ref)
	}))
	t.Cleanup(s.Close)
	return s
}

// heard returns what the witness got of git, and then of us.
func (s *witness) heard(w *gittest.World, at string) (git, ours http.Header) {
	_, _ = w.Try(".", "ls-remote", at)
	git = s.take()
	sys := settings.System{Getenv: func(name string) string { return w.Env[name] }, Environ: w.Environ()}
	config, err := settings.ReadConfig(sys, settings.FindGit(sys, ""), "")
	if err != nil {
		w.T.Fatal(err)
	}
	c, err := Open(context.Background(), sys, config, at)
	if err == nil {
		_, _ = c.References(context.Background())
	}
	return git, s.take()
}

func (s *witness) take() http.Header {
	s.lock.Lock()
	defer s.lock.Unlock()
	got := s.got
	s.got = nil
	return got
}

func TestHeadersAreThoseOfGit(t *testing.T) {
	server := newWitness(t)
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	for _, config := range []string{
		"[http]\nextraHeader = X-A: 1\n[http \"ORIGIN/\"]\nextraHeader = X-B: 2\n",
		"[http \"ORIGIN/\"]\nextraHeader = X-B: 2\n[http]\nextraHeader = X-A: 1\n",
		"[http]\nextraHeader = X-A: 1\nextraHeader = X-A: 2\nextraHeader = x-a: 3\n",
		"[http]\nextraHeader = X-A: 1\nextraHeader =\nextraHeader = X-B: 2\n",
		"[http]\nextraHeader = X-A: 1\n[http \"ORIGIN\"]\nextraHeader =\n",
		"[http \"ORIGIN/team\"]\nextraHeader = X-A: 1\n[http \"ORIGIN/tea\"]\nextraHeader = X-B: 1\n[http \"ORIGIN/team/fleet.git/\"]\nextraHeader = X-C: 1\n[http \"ORIGIN\"]\nextraHeader = X-D: 1\n",
		"[http \"http://LOCALHOST" + port + "\"]\nextraHeader = X-A: 1\n",
		"[http \"http://*" + port + "\"]\nextraHeader = X-A: 1\n[http \"http://local*" + port + "\"]\nextraHeader = X-B: 1\n[http \"http://*/\"]\nextraHeader = X-C: 1\n",
		"[http]\nextraHeader = X-A: a: b\nextraHeader = no header\nextraHeader = X-B:\n",
		"[http]\nextraHeader = Authorization: Basic YTpi\n",
		"[url \"ORIGIN/team/\"]\ninsteadOf = fleet:\n[http \"ORIGIN/team\"]\nextraHeader = X-A: 1\n",
	} {
		w := gittest.New(t)
		origin, at := "http://localhost"+port, "http://localhost"+port+"/team/fleet.git"
		w.Write(".gitconfig", strings.ReplaceAll(config, "ORIGIN", origin))
		if strings.Contains(config, "fleet:") {
			at = "fleet:fleet.git"
		}
		git, ours := server.heard(w, at)
		if diff := cmp.Diff(git, ours); diff != "" || git == nil {
			t.Errorf("with %s, git sends (-), we send (+):\n%s", config, diff)
		}
	}
}

func TestLoginsAreThoseOfGit(t *testing.T) {
	server := newWitness(t)
	server.wantsLogin = true
	const answers = "\"!f() { test $1 = get && echo username=%s && echo password=%s; }; f\"\n"
	one, two := "helper = "+fmt.Sprintf(answers, "one", "1"), "helper = "+fmt.Sprintf(answers, "two", "2")
	byUser := "helper = \"!f() { test $1 = get && grep -q username=ada && echo password=3; }; f\"\n"
	byPath := "helper = \"!f() { test $1 = get && grep -q path=team/fleet.git && echo username=p && echo password=4; }; f\"\n"
	for _, config := range []string{
		"[credential]\n" + one + two,
		"[credential]\n" + one + "helper =\n" + two,
		"[credential]\n" + one + "[credential \"ORIGIN\"]\nhelper =\n" + two,
		"[credential \"ORIGIN/team\"]\n" + one,
		"[credential \"ORIGIN/other\"]\n" + one + "[credential]\n" + two,
		"[credential \"ORIGIN\"]\nusername = ada\n" + byUser,
		"[credential]\n" + byPath,
		"[credential]\nuseHttpPath = true\n" + byPath,
		"[credential \"https://git.test\"]\n" + one,
		"[http]\nextraHeader = X-A: 1\n[credential]\n" + one,
	} {
		w := gittest.New(t)
		w.Write(".gitconfig", strings.ReplaceAll(config, "ORIGIN", server.URL))
		git, ours := server.heard(w, server.URL+"/team/fleet.git")
		if diff := cmp.Diff(git, ours); diff != "" {
			t.Errorf("with %s, git sends (-), we send (+):\n%s", config, diff)
		}
	}
}

func TestProxiesAreThoseOfGit(t *testing.T) {
	proxy := newWitness(t)
	host := strings.TrimPrefix(proxy.URL, "http://")
	for _, c := range []struct {
		config, env string
		used        bool
	}{
		{"", "http_proxy", true},
		{"", "HTTP_PROXY", false},
		{"", "HTTPS_PROXY", false},
		{"", "all_proxy", true},
		{"", "ALL_PROXY", true},
		{"proxy = " + host, "", true},
		{"proxy =", "http_proxy", false},
		{"proxy = " + proxy.URL + "\n[http \"http://git.invalid\"]\nproxy =", "http_proxy", false},
		{"proxy =\n[http \"http://*.invalid\"]\nproxy = " + proxy.URL, "", true},
		{"proxy = " + proxy.URL, "no_proxy=git.invalid", false},
		{"proxy = " + proxy.URL, "NO_PROXY=.invalid", false},
	} {
		w := gittest.New(t)
		w.Write(".gitconfig", "[http]\n"+c.config+"\n")
		if name, value, given := strings.Cut(c.env, "="); c.env != "" {
			w.Env[name] = map[bool]string{false: proxy.URL, true: value}[given]
		}
		git, ours := proxy.heard(w, "http://git.invalid/team/fleet.git")
		if (git != nil) != c.used || (ours != nil) != c.used {
			t.Errorf("with %q and %q the proxy is used by git: %v, by us: %v, want %v", c.config, c.env, git != nil, ours != nil, c.used)
		}
	}
}

func TestAliasesAreThoseOfGit(t *testing.T) {
	w := gittest.New(t)
	w.Repo("r", nil)
	alias := func(base string, names ...string) string {
		text := fmt.Sprintf("[url %q]\n", base)
		for _, name := range names {
			text += name + "\n"
		}
		return text
	}
	for _, config := range []string{
		alias("https://git.test/", "insteadOf = gh:", "insteadOf = gh:team/x"),
		alias("https://one.test/", "insteadOf = gh:") + alias("https://two.test/", "insteadOf = gh:"),
		alias("https://two.test/", "insteadOf = gh:") + alias("https://one.test/", "insteadOf = gh:"),
		alias("https://one.test/", "insteadOf = gh:") + alias("https://two.test/", "insteadOf = gh:team/"),
		alias("ssh://git@git.test/", "pushInsteadOf = gh:"),
		alias("https://git.test/", "insteadOf = gh:") + alias("ssh://git@git.test/", "pushInsteadOf = gh:", "pushInsteadOf = https://git.test/"),
		alias("ssh://git@git.test/", "pushInsteadOf = https://other.test/", "insteadOf = gh:"),
		alias("https://Git.Test/A", "insteadOf = GH:", "insteadOf = gh:t"),
		alias("https://git.test/", "insteadOf ="),
	} {
		w.Write(".gitconfig", config)
		w.Write("r/.git/config", "[core]\nrepositoryFormatVersion = 0\n[remote \"origin\"]\nurl = gh:team/x.git\n")
		sys := settings.System{Getenv: func(name string) string { return w.Env[name] }, Environ: w.Environ()}
		read, err := settings.ReadConfig(sys, settings.FindGit(sys, ""), "")
		want := w.Git(".", "ls-remote", "--get-url", "gh:team/x.git") + w.Git("r", "remote", "get-url", "--push", "origin")
		if got := insteadOf("gh:team/x.git", read, false) + "\n" + insteadOf("gh:team/x.git", read, true) + "\n"; err != nil || got != want {
			t.Errorf("with %s\nwe have %s, %v\ngit has %s", config, got, err, want)
		}
	}
}
