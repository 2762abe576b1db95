package registry

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// hubTokens is the host of the token service of Docker Hub.
// https://distribution.github.io/distribution/spec/auth/token/
const hubTokens = "auth.docker.io"

// own notes which host a login is for.
func (l *logins) own(host string, config *authn.AuthConfig) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known[host] = true
	hosts := []string{host}
	if host == name.DefaultRegistry {
		hosts = append(hosts, hubTokens)
	}
	for _, secret := range []string{config.Password, config.Auth, config.IdentityToken, config.RegistryToken} {
		if secret != "" {
			l.owners[secret] = append(l.owners[secret], hosts...)
		}
	}
}

// foreign reports whether a secret is that of a login for other hosts, and notes
// that this host does not get it.
func (l *logins) foreign(secret, host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	owners := l.owners[secret]
	if owners == nil || slices.Contains(owners, host) {
		return false
	}
	for _, owner := range owners {
		l.held[owner] = host
	}
	return true
}

// heldFrom names the host that did not get the login for a registry.
func (l *logins) heldFrom(registry string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held[registry]
}

// bind takes a login out of a request to a host that it is not for, and refuses a
// request that makes no sense without it.
func (e *exchange) bind(req *http.Request) (*http.Request, error) {
	host := req.URL.Host
	if slices.Contains(e.options.TokenServices, host) {
		return req, nil
	}
	for _, secret := range secretsOf(req.Header.Get("Authorization")) {
		if e.logins.foreign(secret, host) {
			req = req.Clone(req.Context())
			req.Header.Del("Authorization")
		}
	}
	form, err := formOf(req)
	if err != nil {
		return nil, err
	}
	for _, values := range form {
		for _, value := range values {
			if e.logins.foreign(value, host) {
				return nil, &Error{Kind: BadLogin, sentence: fmt.Sprintf("%s is asked for a token with the login of another host, and does not get it: if it is that registry's token service, allow it with --token-service %s", host, host)}
			}
		}
	}
	return req, nil
}

// secretsOf gives everything in an Authorization header that may be a secret.
func secretsOf(header string) []string {
	_, credential, found := strings.Cut(header, " ")
	if !found {
		return nil
	}
	all := []string{credential}
	if decoded, err := base64.StdEncoding.DecodeString(credential); err == nil {
		if _, password, found := strings.Cut(string(decoded), ":"); found {
			all = append(all, password)
		}
	}
	return all
}

// formOf reads the form that a request posts, if it posts one.
// https://distribution.github.io/distribution/spec/auth/oauth/
func formOf(req *http.Request) (url.Values, error) {
	if req.Method != http.MethodPost || req.GetBody == nil || !strings.HasPrefix(req.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	content, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	return url.ParseQuery(string(content))
}
