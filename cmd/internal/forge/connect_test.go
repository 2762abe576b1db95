package forge

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/forge/forgetest"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
)

// surroundings are what a system of a test has: a home folder, variables, a clock.
type surroundings struct {
	home string
	env  map[string]string
	now  time.Time
}

// around gives surroundings in which the certificate of a server is trusted.
func around(t *testing.T, s *forgetest.Server, env map[string]string) *surroundings {
	t.Helper()
	e := &surroundings{t.TempDir(), map[string]string{}, time.Unix(1_800_000_000, 0)}
	e.env = map[string]string{"HOME": e.home, "PATH": os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM": "1", "GIT_SSL_CAINFO": e.write(t, "ca.pem", string(s.CA))}
	for name, value := range env {
		e.env[name] = value
	}
	return e
}

func (e *surroundings) write(t *testing.T, name, content string) string {
	t.Helper()
	at := filepath.Join(e.home, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(content), 0o700); err != nil {
		t.Fatal(err)
	}
	return at
}

func (e *surroundings) system() System {
	var environ []string
	for name, value := range e.env {
		environ = append(environ, name+"="+value)
	}
	return NewSystem(gitrepo.System{
		Getenv: func(name string) string { return e.env[name] }, Environ: environ, Now: func() time.Time { return e.now },
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }, Random: func() float64 { return 0 },
	})
}

// The login is found as Git finds it, for the forge's origin, and the forge takes it.
func TestConnectFindsLogins(t *testing.T) {
	served := map[Product]*forgetest.Server{GitHub: forgetest.GitHub(t, fakeOptions()), GitLab: forgetest.GitLab(t, fakeOptions())}
	below := forgetest.GitLab(t, forgetest.Options{Token: canary, Folder: "/gitlab"})
	paths := map[Product]string{GitHub: forgetest.GitHubRepository, GitLab: forgetest.GitLabProject}
	for name, c := range map[string]struct {
		product Product
		said    Product
		server  *forgetest.Server
		remote  string // what is behind the server's URL if empty
		env     map[string]string
		files   map[string]string
	}{
		"a variable":                           {product: GitHub, env: map[string]string{"GITHUB_TOKEN": canary, "GITHUB_SERVER_URL": "URL"}},
		"a variable of one's own server first": {product: GitHub, env: map[string]string{"GH_ENTERPRISE_TOKEN": canary, "GITHUB_TOKEN": "other", "GITHUB_SERVER_URL": "URL"}},
		"GitLab's":                             {product: GitLab, env: map[string]string{"GITLAB_TOKEN": canary, "CI_SERVER_URL": "URL"}},
		"a line behind a token":                {product: GitLab, env: map[string]string{"GITLAB_TOKEN": canary + "\n", "GITLAB_HOST": "HOST"}},
		"a credential helper": {product: GitLab, said: GitLab, files: map[string]string{
			".gitconfig": "[credential]\n\thelper = \"!f() { test $1 = get && printf 'username=ada\\\\npassword=" + canary + "\\\\n'; }; f\"\n"}},
		"GIT_ASKPASS": {product: GitHub, said: GitHub, env: map[string]string{"GIT_ASKPASS": "HOME/ask"}, files: map[string]string{"ask": "#!/bin/sh\ncase $1 in User*) echo ada;; *) echo " + canary + ";; esac\n"}},
		"SSH":         {product: GitLab, remote: "git@127.0.0.1:" + forgetest.GitLabProject + ".git", env: map[string]string{"GITLAB_TOKEN": canary, "CI_SERVER_URL": "URL"}},
		"SSH by a name of its own": {product: GitLab, remote: "git@work:" + forgetest.GitLabProject + ".git", env: map[string]string{"GITLAB_TOKEN": canary, "CI_SERVER_URL": "URL"},
			files: map[string]string{".ssh/config": "Host work\n  HostName 127.0.0.1\n"}},
		"an alias": {product: GitHub, remote: "ours:" + forgetest.GitHubRepository, env: map[string]string{"GITHUB_TOKEN": canary, "GH_HOST": "HOST"},
			files: map[string]string{".gitconfig": "[url \"URL/\"]\n\tinsteadOf = ours:\n"}},
		"an authority of Git's configuration": {product: GitHub, env: map[string]string{"GITHUB_TOKEN": canary, "GH_HOST": "HOST", "GIT_SSL_CAINFO": ""},
			files: map[string]string{".gitconfig": "[http \"URL/\"]\n\tsslCAInfo = ~/ca.pem\n"}},
		"GitLab in a folder":         {product: GitLab, server: below, env: map[string]string{"GITLAB_TOKEN": canary, "CI_SERVER_URL": "URL"}},
		"GitLab in a folder, by SSH": {product: GitLab, server: below, remote: "ssh://git@127.0.0.1:2222/" + forgetest.GitLabProject + ".git", env: map[string]string{"GITLAB_TOKEN": canary, "GITLAB_HOST": "URL"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := served[c.product]
			if c.server != nil {
				s = c.server
			}
			_, rest, _ := strings.Cut(s.URL, "://")
			host, _, _ := strings.Cut(rest, "/")
			e := around(t, s, nil)
			fill := strings.NewReplacer("URL", s.URL, "HOST", host, "HOME", e.home).Replace
			for name, value := range c.env {
				if !strings.Contains(name, "_URL") || value == "URL" {
					e.env[name] = fill(value)
				}
			}
			for name, content := range c.files {
				e.write(t, name, fill(content))
			}
			remote := c.remote
			if remote == "" {
				remote = s.URL + "/" + paths[c.product] + ".git"
			}
			f, err := Connect(t.Context(), remote, c.said, e.system())
			if err != nil {
				t.Fatal(err)
			}
			if got, err := f.Account(t.Context()); err != nil || got != forgetest.Account {
				t.Errorf("Account = %q, %v", got, err)
			}
			if found, err := f.Find(t.Context(), "b"); err != nil || len(found) > 0 {
				t.Errorf("Find = %v, %v", found, err)
			}
		})
	}
}

// Where no login is for the forge's origin, the sentence names what to set for that host, and
// the forge is not asked.
func TestConnectWithoutLogin(t *testing.T) {
	s := forgetest.GitLab(t, fakeOptions())
	rest := strings.TrimPrefix(s.URL, "https://")
	for name, c := range map[string]struct {
		remote  string
		product Product
		env     map[string]string
		want    string
	}{
		"GitHub":            {"https://github.com/o/r", "", nil, `there is no token for the API of github.com: set GH_TOKEN or GITHUB_TOKEN, or use a credential helper of Git; it needs write access to "Contents" and "Pull requests" (classic tokens: repo)`},
		"Enterprise Server": {"git@git.corp:o/r.git", "", map[string]string{"GITHUB_SERVER_URL": "https://git.corp"}, "set GH_ENTERPRISE_TOKEN or GITHUB_ENTERPRISE_TOKEN or GITHUB_TOKEN"},
		"an Enterprise Server that no variable names": {"https://git.corp/o/r", GitHub, map[string]string{"GITHUB_TOKEN": canary}, "the API of git.corp: set GH_ENTERPRISE_TOKEN, and GH_HOST to https://git.corp"},
		"GitLab":                   {"https://gitlab.com/a/b/c", "", nil, "set GITLAB_TOKEN, or use a credential helper of Git; it needs the scope api"},
		"GitLab of one's own":      {s.URL + "/a/b/c", GitLab, map[string]string{"GITLAB_TOKEN": canary}, "the API of " + rest + ": set GITLAB_TOKEN, and GITLAB_HOST to " + s.URL},
		"a job's token":            {s.URL + "/a/b/c", "", map[string]string{"CI_JOB_TOKEN": canary, "CI_SERVER_URL": s.URL}, "CI_JOB_TOKEN may push to " + rest + ", and may not open merge requests: set GITLAB_TOKEN to a token with the scope api"},
		"Gitea":                    {"https://git.corp/o/r", Gitea, nil, "set GITEA_TOKEN, and GITEA_SERVER_URL to https://git.corp, or use a credential helper of Git; it needs the scopes write:repository, write:issue and read:user"},
		"a token of another host":  {s.URL + "/a/b", GitLab, map[string]string{"GITLAB_TOKEN": canary, "GITLAB_HOST": "https://other.corp"}, "there is no token"},
		"no TLS":                   {"http://git.corp/o/r", "", map[string]string{"GITEA_TOKEN": canary, "GITEA_SERVER_URL": "http://git.corp"}, "the credentials from GITEA_TOKEN would go to git.corp in plain HTTP"},
		"no TLS by a variable":     {"git@git.corp:o/r.git", "", map[string]string{"GITEA_TOKEN": canary, "GITEA_SERVER_URL": "http://git.corp"}, "the credentials from GITEA_TOKEN would go to git.corp in plain HTTP"},
		"a token in the URL":       {"https://x:" + canary + "@github.com/o/r", "", nil, "the URL of github.com has a user or password in it"},
		"a token of several lines": {"https://github.com/o/r", "", map[string]string{"GITHUB_TOKEN": canary + "\nX: y"}, "have a line break"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Connect(t.Context(), c.remote, c.product, around(t, s, c.env).system())
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), canary) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	if asked := s.Requests(); len(asked) > 0 {
		t.Errorf("the server was asked %q", asked)
	}
}

// A certificate that is not trusted is a sentence with what to set, at once.
func TestConnectToAnUnknownAuthority(t *testing.T) {
	s := forgetest.GitLab(t, fakeOptions())
	e := around(t, s, map[string]string{"GITLAB_TOKEN": canary, "GITLAB_HOST": s.URL, "GIT_SSL_CAINFO": ""})
	sys := e.system()
	waits := 0
	sys.Git.Sleep = func(context.Context, time.Duration) error { waits++; return nil }
	f, err := Connect(t.Context(), s.URL+"/"+forgetest.GitLabProject, "", sys)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Account(t.Context()); !isKind(err, Unavailable) || !strings.Contains(err.Error(), "GIT_SSL_CAINFO") || waits > 0 {
		t.Errorf("Account = %v after %d waits", err, waits)
	}
}

// A helper that gives a new token is asked for it, and keeps what Git may still take.
func TestHelpersAreAskedAgain(t *testing.T) {
	s := forgetest.GitLab(t, fakeOptions())
	e := around(t, s, nil)
	e.write(t, ".gitconfig", "[credential]\n\thelper = \"!f() { echo $1 >> ~/asked; test $1 = get && { cat ~/token; printf 'username=a\\npassword="+canary+"\\n' > ~/token; }; }; f\"\n")
	e.write(t, "token", "username=a\npassword=old\n")
	f, err := Connect(t.Context(), s.URL+"/"+forgetest.GitLabProject, GitLab, e.system())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.Account(t.Context()); err != nil || got != forgetest.Account {
		t.Errorf("Account = %q, %v", got, err)
	}
	asked, err := os.ReadFile(filepath.Join(e.home, "asked"))
	if words := strings.Fields(string(asked)); err != nil || slices.ContainsFunc(words, func(word string) bool { return word != "get" }) || len(words) != 2 {
		t.Errorf("the helper was asked for %q, %v", words, err)
	}
}
