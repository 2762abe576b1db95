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
	shown, user, has := text.Clip(text.Address(repository)), "", ""
	if strings.HasPrefix(repository, "-") || isBroken(repository) {
		return address{}, Errorf(BadURL, "%q is no URL of a repository", shown)
	}
	given := repository
	if parsed, err := url.Parse(repository); err == nil && parsed.Scheme != "" {
		_, password := parsed.User.Password()
		overHTTP := parsed.Scheme == "https" || parsed.Scheme == "http"
		switch {
		case overHTTP && (parsed.RawQuery != "" || parsed.Fragment != ""):
			has = "a query in it, which may hold a credential: leave it out"
		case password, overHTTP && parsed.User != nil && !namesUsers(parsed.Hostname()):
			has = "a user or password in it: leave them out"
		case overHTTP && parsed.User != nil:
			user, parsed.User = parsed.User.Username(), nil
			repository = parsed.String()
		}
		if has != "" {
			return address{}, Errorf(BadURL, "the URL of %s has %s, and use a credential helper, GIT_ASKPASS%s", parsed.Host, has, tokenHint(parsed.Hostname()))
		}
	}
	endpoint, err := gotransport.NewEndpoint(repository)
	if err != nil || strings.Contains(endpoint.User, ":") || isBroken(user, endpoint.User, endpoint.Host, endpoint.Path) {
		return address{}, Errorf(BadURL, "%q is no URL of a repository", shown)
	}
	short := endpoint.Protocol == "ssh" && !strings.Contains(repository, "://")
	if short {
		endpoint.Port = 0 // the short form has none: ~/.ssh/config may
	}
	switch endpoint.Protocol {
	case "https", "http", "ssh":
		if endpoint.Host == "" || strings.HasPrefix(endpoint.Host, "-") {
			return address{}, Errorf(BadURL, "%q names no host", shown)
		}
	case "file":
		if !strings.HasPrefix(repository, "file://") && !filepath.IsAbs(repository) {
			return address{}, Errorf(BadURL, "%q is no URL of a repository: want https://…, ssh://…, user@host:path or file://…", shown)
		}
	default:
		return address{}, Errorf(BadURL, "unsupported protocol %q: want https, ssh or file", text.Clip(endpoint.Protocol))
	}
	if !short || !strings.Contains(endpoint.Path, "@") { // user:password@host/path is host:path, too
		shown = text.Clip(repository)
	}
	return address{endpoint, given, shown, user}, nil
}

// isBroken reports whether a field has a control character, which would make another
// field of it for a credential helper (CVE-2020-5260).
func isBroken(fields ...string) bool {
	return strings.ContainsFunc(strings.Join(fields, ""), func(r rune) bool { return r < ' ' || r == 127 })
}

// namesUsers reports whether a host offers URLs with a user in them to clone
// from. Elsewhere it may be a token: GitHub takes one there.
func namesUsers(host string) bool {
	host = strings.ToLower(host)
	return host == "dev.azure.com" || host == "bitbucket.org" || strings.HasSuffix(host, ".visualstudio.com")
}

// insteadOf rewrites a URL by url.BASE.insteadOf: the longest one counts, of several
// the first.
// For a push, url.BASE.pushInsteadOf comes first.
func insteadOf(url string, c settings.Config, pushes bool) string {
	names := []string{"insteadof"}
	if pushes {
		names = []string{"pushinsteadof", "insteadof"}
	}
	for _, name := range names {
		longest, base := -1, ""
		for _, alias := range c.Sub("url", name) {
			if strings.HasPrefix(url, alias.Value) && len(alias.Value) > longest {
				longest, base = len(alias.Value), alias.Key
			}
		}
		if longest >= 0 {
			return base + url[longest:]
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
func originOf(url string) string {
	endpoint, err := gotransport.NewEndpoint(url)
	if err != nil {
		return ""
	}
	return strings.ToLower(address{Endpoint: endpoint}.origin())
}
