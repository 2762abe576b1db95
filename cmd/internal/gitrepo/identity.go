package gitrepo

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ErrNoIdentity is that nothing says who commits.
var ErrNoIdentity = errors.New("nobody is known to commit as: set git config --global user.name and git config --global user.email (or GIT_AUTHOR_NAME, GIT_AUTHOR_EMAIL, GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL)")

// identity is who commits, as git var GIT_AUTHOR_IDENT and GIT_COMMITTER_IDENT
// have it: environment, then author.* or committer.*, then user.*, for the
// address EMAIL last. When is GIT_AUTHOR_DATE or GIT_COMMITTER_DATE, then
// SOURCE_DATE_EPOCH, in UTC, then now. https://git-scm.com/docs/git-commit-tree
func identity(sys System, c configuration, role string) (Signature, error) {
	upper := "GIT_" + strings.ToUpper(role) + "_"
	s := Signature{
		Name:  clean(firstOf(sys.Getenv(upper+"NAME"), c.get(role+".name"), c.get("user.name"))),
		Email: clean(firstOf(sys.Getenv(upper+"EMAIL"), c.get(role+".email"), c.get("user.email"), sys.Getenv("EMAIL"))),
	}
	if s.Name == "" || s.Email == "" {
		return s, ErrNoIdentity
	}
	var err error
	s.When, err = date(sys, upper+"DATE")
	return s, err
}

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

// clean leaves out what cannot be in a name, as git's ident.c does.
func clean(text string) string {
	text = strings.TrimFunc(text, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`.,:;<>"\'`, r) })
	return strings.NewReplacer("<", "", ">", "", "\n", "").Replace(text)
}

func date(sys System, variable string) (time.Time, error) {
	if text := sys.Getenv(variable); text != "" {
		when, err := parseDate(text)
		if err != nil {
			return when, fmt.Errorf("read %s: %w", variable, err)
		}
		return when, nil
	}
	if text := sys.Getenv("SOURCE_DATE_EPOCH"); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds < 0 {
			return time.Time{}, fmt.Errorf("read SOURCE_DATE_EPOCH: %q is no number of seconds since 1970", text)
		}
		return time.Unix(seconds, 0).UTC(), nil
	}
	return sys.Now(), nil
}

// parseDate reads the formats that git documents: seconds with an offset, RFC
// 2822 and ISO 8601. https://git-scm.com/docs/git-commit#_date_formats
func parseDate(text string) (time.Time, error) {
	if stamp, zone, found := strings.Cut(strings.TrimPrefix(text, "@"), " "); found {
		seconds, err := strconv.ParseInt(stamp, 10, 64)
		offset, zoneErr := time.Parse("-0700", zone)
		if err == nil && zoneErr == nil {
			return time.Unix(seconds, 0).In(offset.Location()), nil
		}
	} else if seconds, err := strconv.ParseInt(stamp, 10, 64); err == nil && (text[0] == '@' || len(stamp) > 8) {
		return time.Unix(seconds, 0).UTC(), nil
	}
	for _, layout := range []string{time.RFC1123Z, "Mon, 2 Jan 2006 15:04:05 -0700", time.RFC3339, "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05-07", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 -07:00"} {
		if when, err := time.Parse(layout, text); err == nil {
			return when, nil
		}
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if when, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return when, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no date that can be read: want 2006-01-02T15:04:05+02:00, or seconds since 1970 with an offset", text)
}

// line is a signature as commits and reflogs have it.
func (s Signature) line() string {
	return fmt.Sprintf("%s <%s> %d %s", s.Name, s.Email, s.When.Unix(), s.When.Format("-0700"))
}
