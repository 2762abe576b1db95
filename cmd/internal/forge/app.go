package forge

import (
	"context"
	"crypto/rsa"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v4"
	"github.com/google/go-github/v89/github"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// app is the GitHub App that variables name. Its private key makes JSON Web Tokens, these
// make tokens for single repositories, which pushes and the API take for an hour.
// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
type app struct {
	sys gitrepo.System // without this App's login

	mu            sync.Mutex
	key           *rsa.PrivateKey
	installations map[Place]installation
}

// installation is a token for a repository, and the account that it acts for.
type installation struct {
	token, account string
	ends           time.Time
}

// The variables of a GitHub App. The key's file is an alternative to the key.
const (
	appID           = "GITHUB_APP_ID"
	appKey          = "GITHUB_APP_PRIVATE_KEY"
	appKeyFile      = "GITHUB_APP_PRIVATE_KEY_FILE"
	appInstallation = "GITHUB_APP_INSTALLATION_ID"
)

// Times of GitHub's tokens: a JWT may begin in the past, and end at most ten minutes from
// now by GitHub's clock; tokens of an installation are made anew before they end.
const (
	clockSkew = time.Minute
	jwtLife   = 10*time.Minute - clockSkew
	renewal   = 5 * time.Minute
)

// from names the App in messages.
func (a *app) from() string { return "the GitHub App " + text.Clip(a.sys.Getenv(appID)) }

// covers reports whether the App is for a place: it goes where GITHUB_TOKEN does.
func (a *app) covers(at Place) bool {
	named := a.sys.Getenv(appID) + a.sys.Getenv(appKey) + a.sys.Getenv(appKeyFile)
	return named != "" && at.Product == GitHub && productOf(at.host(), a.sys.Getenv) == GitHub && strings.HasPrefix(at.Origin, "https://")
}

// login gives Git the App's token for a repository, where the App is for it.
func (a *app) login(ctx context.Context, remote string) (*gitrepo.Login, error) {
	at, err := Locate(remote, "", a.sys.Getenv)
	if err != nil || !a.covers(at) {
		return nil, nil // another kind of server, with another login
	}
	access, err := gitrepo.ReadAccess(a.sys)
	if err != nil {
		return nil, err
	}
	o, err := System{Git: a.sys}.reach(access, at)
	if err == nil {
		err = a.use(&o, at)
	}
	if err != nil {
		return nil, err
	}
	now, err := a.install(ctx, o, at, false)
	if err != nil {
		return nil, err
	}
	return &gitrepo.Login{User: "x-access-token", Password: now.token, From: o.From}, nil
}

// use gives options the App's login for a place.
func (a *app) use(o *Options, at Place) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.key == nil {
		key, err := a.readKey()
		if err != nil {
			return err
		}
		a.key = key
	}
	reach := *o
	o.From = a.from()
	o.Token = func(ctx context.Context, fresh bool) (string, error) {
		now, err := a.install(ctx, reach, at, fresh)
		return GitHub.Authorization(now.token), err
	}
	o.Account = func(ctx context.Context) (string, error) {
		now, err := a.install(ctx, reach, at, false)
		return now.account, err
	}
	return nil
}

// readKey reads the private key. As in GitHub's own action, \n may stand for the ends of
// its lines: https://github.com/actions/create-github-app-token
func (a *app) readKey() (*rsa.PrivateKey, error) {
	written, name, from := a.sys.Getenv(appKey), a.sys.Getenv(appKeyFile), appKey
	switch {
	case a.sys.Getenv(appID) == "":
		return nil, errorf(NoLogin, "there is a private key of a GitHub App, and no App: set %s to its ID or client ID", appID)
	case written == "" && name == "":
		return nil, errorf(NoLogin, "%s has no private key: set %s, or %s to its file", a.from(), appKey, appKeyFile)
	case written == "":
		content, err := os.ReadFile(a.sys.Expand(name, ""))
		if err != nil {
			return nil, errorf(NoLogin, "read the private key of %s: %s", a.from(), text.FirstLine(err.Error()))
		}
		written, from = string(content), "the file of "+appKeyFile
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(strings.ReplaceAll(written, `\n`, "\n")))
	if err != nil { // whose text may have a part of the key
		return nil, errorf(NoLogin, "%s has no RSA private key in PEM form, from -----BEGIN to -----END", from)
	}
	return key, nil
}

// install gives the token for a place that counts now, and makes one where there is none.
func (a *app) install(ctx context.Context, o Options, at Place, fresh bool) (installation, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	known, there := a.installations[at]
	if there && !fresh && o.Now().Add(renewal).Before(known.ends) {
		return known, nil
	}
	made, err := a.make(ctx, o, at)
	if err == nil {
		a.installations[at] = made
	}
	return made, err
}

// make asks for a token that is for one repository only.
// https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
func (a *app) make(ctx context.Context, o Options, at Place) (installation, error) {
	what := "log in as " + a.from()
	client, err := a.client(o, at)
	if err != nil {
		return installation{}, err
	}
	self, _, err := client.Apps.Get(ctx, "")
	if isKind(err, NoLogin) {
		return installation{}, errorf(NoLogin, "%s: %s does not take the JSON Web Token: the private key is another App's, or the clock of this machine is wrong", what, at.host())
	}
	if err != nil {
		return installation{}, said(what, err)
	}
	owner, name := at.owner()
	number, err := a.number(ctx, client, owner, name)
	if isKind(err, NotFound) {
		return installation{}, errorf(NotFound, "%s: it is not installed for %s of %s", what, at.Path, at.host())
	}
	if err != nil {
		return installation{}, said(what, err)
	}
	token, _, err := client.Apps.CreateInstallationToken(ctx, number, &github.InstallationTokenOptions{Repositories: []string{name}})
	switch {
	case isKind(err, NotFound):
		return installation{}, errorf(NotFound, "%s: it has no installation %d (%s)", what, number, appInstallation)
	case isKind(err, Refused):
		return installation{}, errorf(Forbidden, "%s: its installation %d is not for %s of %s", what, number, at.Path, at.host())
	case err != nil:
		return installation{}, said(what, err)
	}
	return installation{token.GetToken(), self.GetSlug() + "[bot]", token.GetExpiresAt().Time}, nil
}

// number gives the number of the App's installation for a repository.
func (a *app) number(ctx context.Context, client *github.Client, owner, name string) (int64, error) {
	if given := a.sys.Getenv(appInstallation); given != "" {
		number, err := strconv.ParseInt(given, 10, 64)
		if err != nil {
			return 0, errorf(NoLogin, "%s is no number", appInstallation)
		}
		return number, nil
	}
	found, _, err := client.Apps.GetRepositoryInstallation(ctx, owner, name)
	return found.GetID(), err
}

// client gives an API to which the App itself is logged in.
func (a *app) client(o Options, at Place) (*github.Client, error) {
	base, err := url.Parse(apiOf(at))
	if err != nil {
		return nil, errorf(Other, "%s is no address of a forge", at.Origin)
	}
	o.From = a.from()
	o.Token = func(context.Context, bool) (string, error) {
		now := o.Now()
		signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.RegisteredClaims{
			Issuer: a.sys.Getenv(appID), IssuedAt: jwt.NewNumericDate(now.Add(-clockSkew)), ExpiresAt: jwt.NewNumericDate(now.Add(jwtLife)),
		}).SignedString(a.key)
		if err != nil {
			return "", errors.New("sign a JSON Web Token with the key of " + a.from())
		}
		return GitHub.Authorization(signed), nil
	}
	return gitHubClient(base, &http.Client{Transport: &transport{o, base, GitHub.needs()}})
}
