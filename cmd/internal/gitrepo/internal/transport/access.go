package transport

import (
	"context"
	"net/http"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
)

// PushAddress returns the URL that git pushes to where it is given a remote's URL:
// url.BASE.pushInsteadOf and url.BASE.insteadOf count, and the HostName that
// ~/.ssh/config has for a host. Errors are an [Error].
func PushAddress(sys settings.System, config settings.Config, remote string) (string, error) {
	at, err := newAddress(remote, config, true)
	if err != nil || at.Protocol != "ssh" {
		return at.given, err
	}
	at.Host = readSSHConfig(sys, at.Host).hostName()
	return at.endpoint().String(), nil
}

// FindLogin looks for the login that git would send to the server of a URL of http,
// without its aliases. Nil where there is none. Errors are an [Error].
func FindLogin(ctx context.Context, sys settings.System, config settings.Config, url string) (*Login, error) {
	c, err := direct(sys, config, url)
	if err != nil {
		return nil, err
	}
	found, err := findLogin(ctx, sys, config, c.at)
	if err == nil {
		err = c.use(found)
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// direct describes the server of a URL that is meant as it is.
func direct(sys settings.System, config settings.Config, url string) (*Connection, error) {
	at, err := newAddress(url, nil, false)
	return &Connection{sys: sys, config: config, at: at}, err
}

// NewTransport returns connections to the server of a URL with the proxies, authorities
// and headers that git's settings have for it. No header that logs in is sent, and none
// goes to another origin. Where a certificate is refused the error is an [Error].
func NewTransport(sys settings.System, config settings.Config, url string) (http.RoundTripper, error) {
	c, err := direct(sys, config, url)
	if err != nil {
		return nil, err
	}
	tuned, err := c.httpTransport()
	if err != nil {
		return nil, err
	}
	headers := http.Header{}
	for _, header := range c.extraHeaders() {
		if !isLogin(header[0]) && header[1] != "" {
			headers.Add(header[0], header[1])
		}
	}
	return &plain{c, tuned, headers}, nil
}

// plain sends requests that are not Git's.
type plain struct {
	*Connection
	inner   http.RoundTripper
	headers http.Header
}

func (p *plain) RoundTrip(r *http.Request) (*http.Response, error) {
	if originOf(r.URL.String()) == originOf(p.at.origin()) {
		r = r.Clone(r.Context())
		for name, values := range p.headers {
			r.Header[name] = values
		}
	}
	response, err := p.inner.RoundTrip(r)
	if err != nil {
		if found := problemOf(err); found.kind == UnknownCA || found.kind == BadCertificate {
			return nil, p.say(found)
		}
	}
	return response, err
}
