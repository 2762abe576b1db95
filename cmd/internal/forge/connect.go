package forge

import (
	"context"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
)

// System is what the package may reach outside of its arguments. Make it once, with
// [NewSystem]: it keeps the tokens of a GitHub App until they end.
type System struct {
	// Git has the variables, the clock and Git's settings. Its pushes use the same
	// GitHub App as the API.
	Git gitrepo.System
	app *apps
}

// NewSystem returns a system whose Git has the logins of the GitHub App that variables
// name (GITHUB_APP_ID), if they name one. It asks nothing yet.
func NewSystem(git gitrepo.System) System {
	return System{Git: git, app: &apps{}}
}

// apps keeps the installations of the GitHub App.
type apps struct{}

// Connect opens the forge that a Git remote is at: https, ssh or user@host:path. Product
// is delivery.git.forge, or empty where the host and variables tell. The login is the one
// that Git would take for the forge's origin: the GitHub App, a variable, a credential
// helper, GIT_ASKPASS. It asks the forge nothing. Errors are an [Error] or a
// [gitrepo.RemoteError]; one of the kind NoLogin names the variables for that host.
func Connect(ctx context.Context, remote string, product Product, sys System) (Forge, error) {
	return nil, errorf(NoLogin, "not yet")
}
