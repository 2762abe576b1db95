package registry

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// inChallenge finds the address of the token service in a challenge.
var inChallenge = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)\bbearer\b.*?\brealm="([^"]*)"`) })

// alias names a token service that the user allowed, by its number. The library asks no
// private address for a token unless it is the registry's own; a name it does ask.
func alias(i int) string { return fmt.Sprintf("token-service-%d.invalid", i) }

// mendRealm puts aliases into challenges, and refuses those that name a private address
// which the user did not allow.
func (e *exchange) mendRealm(req *http.Request, resp *http.Response) error {
	challenges := resp.Header["Www-Authenticate"]
	for i, challenge := range challenges {
		found := inChallenge().FindStringSubmatch(challenge)
		if found == nil {
			continue
		}
		realm, err := url.Parse(found[1])
		if err != nil || realm.Host == req.URL.Host || !isPrivate(realm.Hostname()) {
			continue
		}
		at := slices.Index(e.options.TokenServices, realm.Host)
		if at < 0 {
			return &Error{Kind: BadLogin, sentence: fmt.Sprintf("%s takes logins at %s, a private address, which is not asked: if that is its token service, allow it with --token-service %s", req.URL.Host, realm.Host, realm.Host)}
		}
		realm.Host = alias(at)
		challenges[i] = strings.Replace(challenge, found[1], realm.String(), 1)
	}
	return nil
}

// unalias sends a request to the token service that an alias stands for.
func (e *exchange) unalias(req *http.Request) *http.Request {
	for i, host := range e.options.TokenServices {
		if req.URL.Host == alias(i) {
			req = req.Clone(req.Context())
			req.URL.Host, req.Host = host, ""
			return req
		}
	}
	return req
}

// unaliased names in a text the token services that aliases stand for.
func (o Options) unaliased(text string) string {
	for i, host := range o.TokenServices {
		text = strings.ReplaceAll(text, alias(i), host)
	}
	return text
}

// isPrivate reports whether a host is an address of this machine or of a private network.
func isPrivate(host string) bool {
	address, err := netip.ParseAddr(host)
	address = address.Unmap()
	return err == nil && (address.IsLoopback() || address.IsPrivate() || address.IsLinkLocalUnicast() || address.IsUnspecified())
}
