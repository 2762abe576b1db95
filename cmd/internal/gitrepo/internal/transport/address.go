package transport

import (
	"net/url"
	"path/filepath"
	"strings"

	gotransport "github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// address holds the URL of a repository.
type address struct {
	*gotransport.Endpoint
	given string // as git may have it
	shown string // for messages: no credential in it
	user  string // of the URL, for credential helpers
}

// newAddress reads a URL the way git does: https, http, ssh and file, the short
// form user@host:path of ssh, and absolute paths. url.*.insteadOf is honoured.
// Credentials in a URL are refused: they end up in logs and shell histories.
func newAddress(repository string, c settings.Config, pushes bool) (address, error) {
	repository = insteadOf(repository, c, pushes)
	if strings.HasPrefix(repository, "-") || strings.ContainsFunc(repository, func(r rune) bool { return r < ' ' || r == 127 }) {
		return address{}, Errorf(BadURL, "%q is no URL of a repository", text.Visible(repository))
	}
	if parsed, err := url.Parse(repository); err == nil && (parsed.Scheme == "https" || parsed.Scheme == "http") && (parsed.RawQuery != "" || parsed.Fragment != "") {
		return address{}, &Error{BadURL, "the URL of " + parsed.Host + " has a query in it, which may hold a credential: leave it out, and use a credential helper, GIT_ASKPASS" + tokenHint(parsed.Hostname())}
	}
	given, user := repository, ""
	if parsed, err := url.Parse(repository); err == nil && parsed.Scheme != "" && parsed.User != nil {
		_, password := parsed.User.Password()
		overHTTP := parsed.Scheme == "https" || parsed.Scheme == "http"
		if password || overHTTP && !namesUsers(parsed.Hostname()) {
			return address{}, &Error{BadURL, "the URL of " + parsed.Host + " has a user or password in it: leave them out, and use a credential helper, GIT_ASKPASS" + tokenHint(parsed.Hostname())}
		}
		if overHTTP {
			user, parsed.User = parsed.User.Username(), nil
			repository = parsed.String()
		}
	}
	endpoint, err := gotransport.NewEndpoint(repository)
	if err != nil {
		return address{}, Errorf(BadURL, "%q is no URL of a repository", text.Clip(repository))
	}
	if endpoint.Protocol == "ssh" && !strings.Contains(repository, "://") {
		endpoint.Port = 0 // the short form has none: ~/.ssh/config may
	}
	switch endpoint.Protocol {
	case "https", "http", "ssh":
		if endpoint.Host == "" || strings.HasPrefix(endpoint.Host, "-") {
			return address{}, Errorf(BadURL, "%q names no host", text.Clip(repository))
		}
	case "file":
		if !strings.HasPrefix(repository, "file://") && !filepath.IsAbs(repository) {
			return address{}, Errorf(BadURL, "%q is no URL of a repository: want https://…, ssh://…, user@host:path or file://…", text.Clip(repository))
		}
	default:
		return address{}, Errorf(BadURL, "unsupported protocol %q: want https, ssh or file", text.Clip(endpoint.Protocol))
	}
	return address{endpoint, given, text.Clip(repository), user}, nil
}

// namesUsers reports whether a host offers URLs with a user in them to clone
// from. Elsewhere it may be a token: GitHub takes one there.
func namesUsers(host string) bool {
	host = strings.ToLower(host)
	return host == "dev.azure.com" || host == "bitbucket.org" || strings.HasSuffix(host, ".visualstudio.com")
}

// insteadOf rewrites a URL by url.BASE.insteadOf: the longest one counts.
// For a push, url.BASE.pushInsteadOf comes first.
func insteadOf(url string, c settings.Config, pushes bool) string {
	names := []string{"insteadof"}
	if pushes {
		names = []string{"pushinsteadof", "insteadof"}
	}
	for _, name := range names {
		longest, base := "", ""
		for at, values := range c.Sub("url", name) {
			for _, value := range values {
				if strings.HasPrefix(url, value) && len(value) > len(longest) {
					longest, base = value, at
				}
			}
		}
		if longest != "" {
			return base + url[len(longest):]
		}
	}
	return url
}

// host returns the host, with the port where that is not the usual one.
func (a address) host() string { _, host, _ := strings.Cut(a.origin(), "://"); return host }

// origin returns scheme, host and port of a URL: where credentials may go.
func (a address) origin() string {
	return (&gotransport.Endpoint{Protocol: a.Protocol, Host: a.Host, Port: a.Port}).String()
}

// endpoint returns a copy: go-git rewrites what it is given where a redirect leads.
func (a address) endpoint() *gotransport.Endpoint { copied := *a.Endpoint; return &copied }

// originOf returns the origin of a URL, for comparing; empty where it does not parse.
func originOf(text string) string {
	endpoint, err := gotransport.NewEndpoint(text)
	if err != nil {
		return ""
	}
	return strings.ToLower(address{Endpoint: endpoint}.origin())
}
