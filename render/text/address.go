package text

import (
	"regexp"
	"strings"
)

var query = regexp.MustCompile(`[?#][^\s"']*`)

// Address takes out of an address, or of a text that repeats one, what may be a
// login: everything from the scheme (or from the beginning) to the last @, and
// queries. It does not parse: an address that does not parse has its password too.
func Address(text string) string {
	scheme := 0
	if i := strings.Index(text, "://"); i >= 0 {
		scheme = i + len("://")
	}
	if at := strings.LastIndex(text, "@"); at >= scheme {
		text = text[:scheme] + text[at+1:]
	}
	return query.ReplaceAllString(text, "")
}
