package gitrepo

import (
	"context"
	"net/http"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
)

// Access reaches Git servers as Git's settings say, for requests that are not Git's own:
// those to the API of a forge.
type Access struct {
	sys    System
	config settings.Config
}

// Login holds a user and a password, or token, and where it was found.
type Login = settings.Login

// ReadAccess reads Git's settings, as they are outside of any repository.
func ReadAccess(sys System) (*Access, error) {
	config, err := settings.ReadConfig(sys, settings.FindGit(sys, ""), "")
	return &Access{sys, config}, err
}

// PushURL returns the URL that Git pushes to where it is given a remote's URL:
// url.BASE.pushInsteadOf and url.BASE.insteadOf count, and the HostName of ~/.ssh/config. A
// URL that has a password in it, or is none, is a [RemoteError].
func (a *Access) PushURL(remote string) (string, error) {
	return transport.PushAddress(a.sys, a.config, remote)
}

// FindLogin looks for the login that Git would send to the server of a URL over HTTP: a
// variable, then Git's credential helpers and GIT_ASKPASS. Nil where there is none.
// Helpers do not hear whether it was good. Errors are a [RemoteError].
func (a *Access) FindLogin(ctx context.Context, url string) (*Login, error) {
	return transport.FindLogin(ctx, a.sys, a.config, url)
}

// Variables lists the variables that may have a token for the server of a URL, in the
// order in which they count.
func (a *Access) Variables(url string) []string { return transport.Variables(a.sys, url) }

// Transport returns connections with the proxies, the authorities and the headers that Git's
// settings have for a URL. Headers go to the URL's own origin only, and none that logs
// in is sent. Errors are a [RemoteError].
func (a *Access) Transport(url string) (http.RoundTripper, error) {
	return transport.NewTransport(a.sys, a.config, url)
}
