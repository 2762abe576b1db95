package forge

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
)

// System holds what the package may reach outside of its arguments. Make it once, with
// [NewSystem]: it keeps the tokens of a GitHub App until they end.
type System struct {
	// Git has the variables, the clock and Git's settings. Its pushes have the login of
	// the GitHub App, too.
	Git gitrepo.System
	app *app
}

// NewSystem returns a system for a GitHub App, if variables name one (GITHUB_APP_ID), and
// for the logins of Git. It asks and reads nothing yet.
func NewSystem(git gitrepo.System) System {
	one := &app{sys: git, installations: map[Place]installation{}}
	git.Login = one.login
	return System{git, one}
}

// Connect opens the forge of a Git remote: https, ssh or user@host:path. Product is
// delivery.git.forge, or empty where the host and variables tell. The login is the one
// that Git would send to the forge's origin: of the GitHub App, a variable, a credential
// helper or GIT_ASKPASS. It asks the forge nothing. Errors are an [Error] or a
// [gitrepo.RemoteError]. Where there is no login the kind is [NoLogin], and the sentence
// names the variables for that host.
func Connect(ctx context.Context, remote string, product Product, sys System) (Forge, error) {
	access, err := gitrepo.ReadAccess(sys.Git)
	if err != nil {
		return nil, err
	}
	address, err := access.PushURL(remote)
	if err != nil {
		return nil, err
	}
	at, err := Locate(address, product, sys.Git.Getenv)
	if err != nil {
		return nil, err
	}
	o, err := sys.reach(access, at)
	if err != nil {
		return nil, err
	}
	if sys.app.covers(at) {
		err = sys.app.use(&o, at)
	} else {
		err = logIn(ctx, access, at, &o)
	}
	if err != nil {
		return nil, err
	}
	return Open(at, o)
}

// reach gives the connections to a place's API.
func (s System) reach(access *gitrepo.Access, at Place) (Options, error) {
	client, err := access.Transport(apiOf(at))
	return Options{Client: client, Now: s.Git.Now, Sleep: s.Git.Sleep, UserAgent: "pm-gitops"}, err
}

// logIn takes the login that Git has for a place. A helper is asked again when the forge
// does not take its answer, and hears nothing of it: what no API takes may do for Git.
func logIn(ctx context.Context, access *gitrepo.Access, at Place, o *Options) error {
	find := func(ctx context.Context) (*gitrepo.Login, error) {
		found, err := access.FindLogin(ctx, at.Origin+"/"+at.Path+".git")
		if err == nil && found == nil {
			err = noLogin(access, at)
		} else if err == nil && found.From == jobToken {
			err = errorf(NoLogin, "%s may push to %s, and may not open merge requests: set GITLAB_TOKEN to a token with %s", jobToken, at.host(), at.Product.needs())
		}
		return found, err
	}
	found, err := find(ctx)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	o.From = found.From
	o.Token = func(ctx context.Context, fresh bool) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if fresh {
			again, err := find(ctx)
			if err != nil {
				return "", err
			}
			found = again
		}
		return at.Product.Authorization(found.Password), nil
	}
	return nil
}

// jobToken is the variable with the token of a job, which GitLab's API takes for some requests:
// https://docs.gitlab.com/ci/jobs/fine_grained_permissions/
const jobToken = "CI_JOB_TOKEN"

// noLogin names the variables that are looked at for a place.
func noLogin(access *gitrepo.Access, at Place) error {
	names := slices.DeleteFunc(access.Variables(at.Origin), func(name string) bool { return name == jobToken })
	set := strings.Join(names, " or ")
	if set == "" {
		token := map[Product][2]string{GitHub: {"GH_ENTERPRISE_TOKEN", "GH_HOST"}, GitLab: {"GITLAB_TOKEN", "GITLAB_HOST"}, Gitea: {"GITEA_TOKEN", "GITEA_SERVER_URL"}}[at.Product]
		set = fmt.Sprintf("%s, and %s to %s", token[0], token[1], at.Origin)
	}
	return errorf(NoLogin, "there is no token for the API of %s: set %s, or use a credential helper of Git; it needs %s", at.host(), set, at.Product.needs())
}
