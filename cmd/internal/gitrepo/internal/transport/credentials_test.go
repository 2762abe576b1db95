package transport

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
)

func TestTokensGoToTheirHostsOnly(t *testing.T) {
	all := map[string]string{"GH_TOKEN": "1", "GITHUB_TOKEN": "2", "GITLAB_TOKEN": "3", "CI_JOB_TOKEN": "4", "GITEA_TOKEN": "5", "BITBUCKET_TOKEN": "6", "AZURE_DEVOPS_EXT_PAT": "7", "SYSTEM_ACCESSTOKEN": "8"}
	for _, c := range []struct {
		host   string
		env    string // more variables, NAME=value
		remove string
		want   string // of the token, with its user
	}{
		{"github.com", "", "", "x-access-token 1"},
		{"github.com", "", "GH_TOKEN", "x-access-token 2"},
		{"GitHub.com", "", "", "x-access-token 1"},
		{"company.ghe.com", "", "", "x-access-token 1"},
		{"github.com.evil.example", "", "", ""},
		{"notgithub.com", "", "", ""},
		{"git.company.com", "GITHUB_SERVER_URL=https://git.company.com", "", "x-access-token 2"},
		{"git.company.com", "GH_HOST=git.company.com", "", "x-access-token 1"},
		{"gitlab.com", "", "", "oauth2 3"},
		{"gitlab.com", "", "GITLAB_TOKEN", ""},
		{"git.company.com", "CI_SERVER_HOST=git.company.com", "GITLAB_TOKEN", "gitlab-ci-token 4"},
		{"git.company.com", "GITLAB_HOST=https://git.company.com/gitlab", "", "oauth2 3"},
		{"git.company.com:8443", "CI_SERVER_URL=https://git.company.com:8443", "GITLAB_TOKEN", "gitlab-ci-token 4"},
		{"git.company.com:8443", "CI_SERVER_URL=https://git.company.com", "", ""},
		{"git.company.com", "GITEA_SERVER_URL=https://git.company.com", "", "oauth2 5"},
		{"bitbucket.org", "", "", "x-token-auth 6"},
		{"dev.azure.com", "", "", "pat 7"},
		{"company.visualstudio.com", "", "AZURE_DEVOPS_EXT_PAT", "pat 8"},
		{"tfs.company.com", "SYSTEM_COLLECTIONURI=https://tfs.company.com/collection/", "", "pat 7"},
		{"git.company.com", "", "", ""},
	} {
		env := map[string]string{}
		for name, value := range all {
			if name != c.remove {
				env[name] = value
			}
		}
		if name, value, found := strings.Cut(c.env, "="); found {
			env[name] = value
		}
		at, err := newAddress("https://"+c.host+"/x", nil, false)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		found, err := findLogin(context.Background(), settings.System{Getenv: func(name string) string { return env[name] }}, nil, at)
		if found != nil {
			got = found.User + " " + found.Password
		}
		if err != nil || got != c.want {
			t.Errorf("%s with %s, without %s: %q, %v, want %q", c.host, c.env, c.remove, got, err, c.want)
		}
	}
}

// docs/git.md names every variable with a token, and those that say where it goes.
func TestTokensAreDocumented(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "..", "docs", "git.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, variable := range tokenVariables() {
		for _, name := range append(variable.from, variable.name) {
			if !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("docs/git.md does not name %s", name)
			}
		}
	}
}
