package settings

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"
)

// ForURL returns the values of section.name and of section.URL.name that count for a
// URL, in the order of reading, as git collects them: one of a URL that fits worse than
// an earlier one is left out. The last one counts, or all of them.
// https://git-scm.com/docs/git-config#Documentation/git-config.txt-httplturlgt and
// urlmatch.c of git
func (c Config) ForURL(section, name, of string) (values []string) {
	wanted, _ := parseURL(of)
	var best urlMatch
	for _, setting := range c {
		rest, in := strings.CutPrefix(setting.Key, section+".")
		pattern, named := strings.CutSuffix(rest, "."+name)
		var match urlMatch
		switch {
		case !in || !named && rest != name:
			continue
		case named:
			parsed, valid := parseURL(pattern)
			fits := false
			if match, fits = parsed.match(wanted); !fits || !valid {
				continue
			}
		}
		if match.compare(best) >= 0 {
			best, values = match, append(values, setting.Value)
		}
	}
	return values
}

// urlParts is a URL with each part in the one way of writing it.
type urlParts struct {
	scheme, user string
	host         []string // labels
	port, path   string   // the path ends with a slash
}

// parseURL reads a URL; the host may have a * in place of a label.
func parseURL(text string) (urlParts, bool) {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Scheme == "" || parsed.Host == "" {
		return urlParts{}, false
	}
	parsed = parsed.ResolveReference(parsed) // without . and ..
	p := urlParts{scheme: parsed.Scheme, user: parsed.User.Username(), port: parsed.Port(), path: strings.TrimSuffix(parsed.Path, "/") + "/"}
	p.host = strings.Split(strings.TrimSuffix(strings.ToLower(parsed.Hostname()), "."), ".")
	if port, err := strconv.Atoi(p.port); err == nil {
		p.port = strconv.Itoa(port)
	}
	if p.port == map[string]string{"http": "80", "https": "443"}[p.scheme] {
		p.port = ""
	}
	return p, true
}

// urlMatch says how well a URL fits: the host counts first.
type urlMatch struct {
	host, path int
	user       bool
}

func (m urlMatch) compare(other urlMatch) int {
	users := map[bool]int{true: 1}
	return cmp.Or(cmp.Compare(m.host, other.host), cmp.Compare(m.path, other.path), cmp.Compare(users[m.user], users[other.user]))
}

// match reports whether a URL begins with this one, and how well that fits.
func (p urlParts) match(of urlParts) (urlMatch, bool) {
	fits := p.scheme == of.scheme && p.port == of.port && len(p.host) == len(of.host) &&
		strings.HasPrefix(of.path, p.path) && (p.user == "" || p.user == of.user)
	for i, label := range p.host {
		fits = fits && (label == "*" || label == of.host[i])
	}
	return urlMatch{len(strings.Join(p.host, ".")), len(p.path), p.user != ""}, fits
}
