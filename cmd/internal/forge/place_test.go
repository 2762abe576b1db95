package forge

import (
	"strings"
	"testing"
)

func TestLocate(t *testing.T) {
	env := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	for name, c := range map[string]struct {
		remote  string
		product Product
		getenv  func(string) string
		want    Place
		fails   string
	}{
		"GitHub":                             {"https://github.com/o/r.git", "", env(), Place{GitHub, "https://github.com", "o/r"}, ""},
		"GitHub by SSH":                      {"git@github.com:o/r.git", "", env(), Place{GitHub, "https://github.com", "o/r"}, ""},
		"GitHub by SSH's URL":                {"ssh://git@github.com:22/o/r", "", env(), Place{GitHub, "https://github.com", "o/r"}, ""},
		"GitHub with data residency":         {"https://acme.ghe.com/o/r", "", env(), Place{GitHub, "https://acme.ghe.com", "o/r"}, ""},
		"Enterprise Server in its own jobs":  {"https://git.corp/o/r", "", env("GITHUB_SERVER_URL", "https://git.corp"), Place{GitHub, "https://git.corp", "o/r"}, ""},
		"GitLab's groups":                    {"https://gitlab.com/a/b/c/d.git", "", env(), Place{GitLab, "https://gitlab.com", "a/b/c/d"}, ""},
		"a GitLab of one's own":              {"git@git.corp:a/b.git", "", env("CI_SERVER_URL", "https://git.corp:8443"), Place{GitLab, "https://git.corp:8443", "a/b"}, ""},
		"a GitLab that glab knows":           {"git@git.corp:a/b.git", "", env("GITLAB_HOST", "git.corp"), Place{GitLab, "https://git.corp", "a/b"}, ""},
		"a job of Gitea":                     {"https://git.corp/o/r", "", env("GITHUB_SERVER_URL", "https://git.corp", "GITEA_ACTIONS", "true"), Place{Gitea, "https://git.corp", "o/r"}, ""},
		"a job of Forgejo, about GitHub":     {"https://github.com/o/r", "", env("GITHUB_SERVER_URL", "https://git.corp", "FORGEJO_ACTIONS", "true"), Place{GitHub, "https://github.com", "o/r"}, ""},
		"GitHub by SSH through port 443":     {"ssh://git@ssh.github.com:443/o/r.git", "", env(), Place{GitHub, "https://github.com", "o/r"}, ""},
		"GitLab by SSH through port 443":     {"ssh://git@altssh.gitlab.com:443/a/b.git", "", env(), Place{GitLab, "https://gitlab.com", "a/b"}, ""},
		"GitLab in a folder":                 {"https://git.corp/gitlab/a/b/c.git", "", env("CI_SERVER_URL", "https://git.corp/gitlab/"), Place{GitLab, "https://git.corp/gitlab", "a/b/c"}, ""},
		"GitLab in a folder, by SSH":         {"git@git.corp:a/b/c.git", "", env("GITLAB_HOST", "https://git.corp/gitlab"), Place{GitLab, "https://git.corp/gitlab", "a/b/c"}, ""},
		"Gitea in a folder":                  {"https://git.corp/x/git/o/r.git", "", env("GITEA_SERVER_URL", "https://git.corp/x/git"), Place{Gitea, "https://git.corp/x/git", "o/r"}, ""},
		"a group with the folder's name":     {"https://git.corp/gitlabs/a/b", GitLab, env("CI_SERVER_URL", "https://git.corp/gitlab"), Place{GitLab, "https://git.corp", "gitlabs/a/b"}, ""},
		"an https remote stays at its port":  {"https://git.corp/a/b", "", env("CI_SERVER_URL", "http://git.corp:8080"), Place{GitLab, "https://git.corp", "a/b"}, ""},
		"a host alone":                       {"git@git.corp:a/b", "", env("CI_SERVER_HOST", "git.corp"), Place{GitLab, "https://git.corp", "a/b"}, ""},
		"Gitea's jobs say both":              {"https://git.corp/o/r", "", env("GITHUB_SERVER_URL", "https://git.corp", "GITEA_SERVER_URL", "https://git.corp"), Place{Gitea, "https://git.corp", "o/r"}, ""},
		"Codeberg":                           {"https://codeberg.org/o/r", "", env(), Place{Gitea, "https://codeberg.org", "o/r"}, ""},
		"said":                               {"https://git.corp:3000/o/r", Gitea, env(), Place{Gitea, "https://git.corp:3000", "o/r"}, ""},
		"http stays as it is":                {"http://localhost:3000/o/r", Gitea, env(), Place{Gitea, "http://localhost:3000", "o/r"}, ""},
		"upper case":                         {"https://GitHub.com/O/R", "", env(), Place{GitHub, "https://github.com", "O/R"}, ""},
		"unknown":                            {"https://git.corp/o/r", "", env(), Place{}, "which forge git.corp is cannot be told: say delivery.git.forge: github, gitlab or gitea"},
		"a variable of another host":         {"https://git.corp/o/r", "", env("GITHUB_SERVER_URL", "https://github.com"), Place{}, "cannot be told"},
		"a name that only looks like GitHub": {"https://github.com.evil.example/o/r", "", env(), Place{}, "cannot be told"},
		"no owner":                           {"https://github.com/r", "", env(), Place{}, "want a URL of https or ssh with owner/name"},
		"too deep for GitHub":                {"https://github.com/a/b/c", "", env(), Place{}, "want owner/name"},
		"a folder":                           {"file:///srv/r/x", "", env(), Place{}, "a forge cannot be found"},
		"a path":                             {"/srv/r/x", "", env(), Place{}, "a forge cannot be found"},
		"a login in it":                      {"https://u:" + canary + "@git.corp/o/r", "", env(), Place{}, "which forge git.corp is"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Locate(c.remote, c.product, c.getenv)
			if got != c.want || (err == nil) != (c.fails == "") {
				t.Fatalf("Locate = %+v, %v", got, err)
			}
			if err != nil && (!strings.Contains(err.Error(), c.fails) || strings.Contains(err.Error(), canary)) {
				t.Errorf("error %v, want %q", err, c.fails)
			}
		})
	}
}

// https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency/network-details-for-ghecom and
// https://docs.github.com/en/enterprise-server@3.18/rest/quickstart
func TestAPIs(t *testing.T) {
	for want, at := range map[string]Place{
		"https://api.github.com/":       {GitHub, "https://github.com", "o/r"},
		"https://api.acme.ghe.com/":     {GitHub, "https://acme.ghe.com", "o/r"},
		"https://git.corp/api/v3/":      {GitHub, "https://git.corp", "o/r"},
		"https://git.corp:8443/api/v4/": {GitLab, "https://git.corp:8443", "o/r"},
		"https://codeberg.org/api/v1/":  {Gitea, "https://codeberg.org", "o/r"},
	} {
		if got := apiOf(at); got != want {
			t.Errorf("API of %v = %s, want %s", at, got, want)
		}
	}
}
