package transport

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/url"
	"os/exec"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// Login holds a user and a password, or token, for one origin.
type Login = settings.Login

// fromHelper marks the logins of git credential, which wants to hear whether they were good.
const fromHelper = "git credential"

// tokenVariable names a variable with a token, and the hosts it is for. Hosts that
// another variable of the same product names are added: CI systems set it to their
// self-managed server. A token goes to no other host, whatever the repository's URL.
type tokenVariable struct {
	name, user string
	hosts      []string // *.x is any host below x
	from       []string // variables with a further host, or a URL
}

// tokenVariables lists every variable that is looked at, in order. The users are
// those that the products' documentation names for tokens over HTTPS.
func tokenVariables() []tokenVariable {
	azure := []string{"dev.azure.com", "*.visualstudio.com"}
	return []tokenVariable{
		{"GH_TOKEN", "x-access-token", []string{"github.com", "*.ghe.com"}, []string{"GH_HOST"}},
		{"GH_ENTERPRISE_TOKEN", "x-access-token", nil, []string{"GH_HOST", "GITHUB_SERVER_URL"}},
		{"GITHUB_ENTERPRISE_TOKEN", "x-access-token", nil, []string{"GH_HOST", "GITHUB_SERVER_URL"}},
		{"GITHUB_TOKEN", "x-access-token", []string{"github.com", "*.ghe.com"}, []string{"GITHUB_SERVER_URL", "GH_HOST"}},
		{"GITLAB_TOKEN", "oauth2", []string{"gitlab.com"}, []string{"GITLAB_HOST", "CI_SERVER_URL", "CI_SERVER_HOST"}},
		{"CI_JOB_TOKEN", "gitlab-ci-token", nil, []string{"CI_SERVER_URL", "CI_SERVER_HOST"}},
		{"GITEA_TOKEN", "oauth2", nil, []string{"GITEA_SERVER_URL"}},
		{"BITBUCKET_TOKEN", "x-token-auth", []string{"bitbucket.org"}, nil},
		{"AZURE_DEVOPS_EXT_PAT", "pat", azure, []string{"SYSTEM_COLLECTIONURI"}},
		{"SYSTEM_ACCESSTOKEN", "pat", azure, []string{"SYSTEM_COLLECTIONURI"}},
	}
}

// tokenHint names the variable for a host that is known. A token for any other host goes
// nowhere until a second variable names that host.
func tokenHint(host string) string {
	for _, variable := range tokenVariables() {
		if variable.covers(host, func(string) string { return "" }) {
			return " or " + variable.name
		}
	}
	return ", or a token and its host: GITEA_TOKEN and GITEA_SERVER_URL, GITLAB_TOKEN and GITLAB_HOST, or GH_ENTERPRISE_TOKEN and GH_HOST"
}

func (v tokenVariable) covers(host string, getenv func(string) string) bool {
	hosts := slices.Clone(v.hosts)
	for _, name := range v.from {
		if declared := hostOf(getenv(name)); declared != "" {
			hosts = append(hosts, declared)
		}
	}
	return slices.ContainsFunc(hosts, func(known string) bool {
		below, wild := strings.CutPrefix(known, "*")
		return strings.EqualFold(known, host) || wild && strings.HasSuffix(strings.ToLower(host), below)
	})
}

// hostOf returns the host of a variable that has a host or a URL, with its port
// where that is not the usual one.
func hostOf(text string) string {
	if text != "" && !strings.Contains(text, "://") {
		text = "https://" + text
	}
	_, host, _ := strings.Cut(originOf(text), "://")
	return host
}

// findLogin looks for credentials: the system's own login, a variable for the host,
// then git credential (helpers and GIT_ASKPASS), then GIT_ASKPASS itself where there is
// no git. Nil where there are none. None is sent without TLS, but to this machine.
func findLogin(ctx context.Context, sys settings.System, c settings.Config, at address) (*Login, error) {
	if found, err := ownLogin(ctx, sys, at); found != nil || err != nil {
		return found, err
	}
	if found := tokenFor(sys, at); found != nil {
		return found, nil
	}
	found, err := gitCredential(ctx, sys, at, "fill", nil)
	if errors.Is(err, exec.ErrNotFound) {
		return askpass(ctx, sys, c, at)
	}
	return found, err
}

// ownLogin returns the login of the system itself, or nil. What goes wrong is about it, not
// about the server.
func ownLogin(ctx context.Context, sys settings.System, at address) (*Login, error) {
	if sys.Login == nil || at.Protocol != "https" {
		return nil, nil
	}
	found, err := sys.Login(ctx, at.given)
	if err != nil && ctx.Err() == nil {
		err = Errorf(BadLogin, "%s", err)
	}
	return found, err
}

// Variables lists the variables that may have a token for the server of a URL, in the
// order in which they count.
func Variables(sys settings.System, url string) (names []string) {
	at, err := newAddress(url, nil, false)
	if err != nil {
		return nil
	}
	for _, variable := range tokenVariables() {
		if variable.covers(at.host(), sys.Getenv) {
			names = append(names, variable.name)
		}
	}
	return names
}

// tokenFor returns the token of a variable that is for a host, or nil.
func tokenFor(sys settings.System, at address) *Login {
	for _, variable := range tokenVariables() {
		if token := sys.Getenv(variable.name); token != "" && variable.covers(at.host(), sys.Getenv) {
			return &Login{User: variable.user, Password: strings.TrimSpace(token), From: variable.name}
		}
	}
	return nil
}

// isLogin reports whether a header logs in at a Git server: GitLab's are those of
// https://docs.gitlab.com/api/rest/authentication. Others, such as Cf-Access-Token, pass
// a gateway before it.
func isLogin(header string) bool {
	name := strings.ToLower(header)
	return slices.Contains([]string{"authorization", "proxy-authorization", "cookie", "private-token", "job-token", "deploy-token"}, name) ||
		strings.HasPrefix(name, "x-") && strings.HasSuffix(name, "-token")
}

// safeForLogin reports whether credentials may go there.
func safeForLogin(at address) bool {
	ip := net.ParseIP(strings.Trim(at.Host, "[]"))
	return at.Protocol == "https" || at.Host == "localhost" || ip != nil && ip.IsLoopback()
}

// gitCredential runs git credential. https://git-scm.com/docs/git-credential
func gitCredential(ctx context.Context, sys settings.System, at address, action string, known *Login) (*Login, error) {
	git := settings.FindGit(sys, "")
	if git == nil {
		return nil, exec.ErrNotFound
	}
	question := "protocol=" + at.Protocol + "\nhost=" + at.host() + "\npath=" + strings.TrimPrefix(at.Path, "/") + "\n"
	if known == nil && at.user != "" {
		question += "username=" + at.user + "\n"
	}
	if known != nil {
		question += "username=" + known.User + "\npassword=" + known.Password + "\n"
	}
	out, err := settings.RunGit(git.Command(ctx, "credential", action), question+"\n")
	if err != nil {
		return nil, ctx.Err() // there are none
	}
	found := Login{From: fromHelper}
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch key {
		case "protocol", "host":
			if value != map[string]string{"protocol": at.Protocol, "host": at.host()}[key] {
				return nil, Errorf(NoLogin, "a credential helper answers for %q in place of %s: its answer is not used", text.Clip(value), at.origin())
			}
		case "username":
			found.User = value
		case "password":
			found.Password = value
		}
	}
	if found.Password == "" {
		return nil, nil
	}
	return &found, nil
}

// askpass runs the program that git would ask. https://git-scm.com/docs/gitcredentials
func askpass(ctx context.Context, sys settings.System, c settings.Config, at address) (*Login, error) {
	program := cmp.Or(sys.Getenv("GIT_ASKPASS"), c.Get("core.askpass"), sys.Getenv("SSH_ASKPASS"))
	if program == "" {
		return nil, nil
	}
	ask := func(question string) (string, error) {
		cmd := exec.CommandContext(ctx, program, question)
		cmd.Env = sys.Environ
		out, err := cmd.Output()
		line, _, _ := strings.Cut(string(out), "\n")
		return strings.TrimRight(line, "\r"), err
	}
	user, err := ask("Username for '" + at.origin() + "': ")
	if err != nil {
		return nil, Errorf(NoLogin, "the program of GIT_ASKPASS gives no user for %s", at.host())
	}
	password, err := ask("Password for '" + at.Protocol + "://" + url.PathEscape(user) + "@" + at.host() + "': ")
	if err != nil {
		return nil, Errorf(NoLogin, "the program of GIT_ASKPASS gives no password for %s", at.host())
	}
	return &Login{User: user, Password: password, From: "GIT_ASKPASS"}, nil
}
