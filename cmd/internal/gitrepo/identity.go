package gitrepo

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ErrNoIdentity is that nothing says who commits.
var ErrNoIdentity = errors.New("no Git identity configured: set git config --global user.name and git config --global user.email (or GIT_AUTHOR_NAME, GIT_AUTHOR_EMAIL, GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL)")

// identities finds out who commits, once for each role.
type identities struct {
	sys    System
	git    *gitProgram
	config configuration
	known  map[string]identity
}

// identity is a name and an address. Dated is whether the time is set as well;
// otherwise it is now, whenever that is.
type identity struct {
	Signature
	dated bool
}

// of gives the author or the committer. The time is that of GIT_AUTHOR_DATE or
// GIT_COMMITTER_DATE, then SOURCE_DATE_EPOCH, in UTC, then now.
func (i *identities) of(role string) (Signature, error) {
	found, asked := i.known[role]
	if !asked {
		var err error
		if found, err = i.find(role); err != nil {
			return found.Signature, err
		}
		if i.known == nil {
			i.known = map[string]identity{}
		}
		i.known[role] = found
	}
	if !found.dated {
		found.When = i.sys.Now()
	}
	return found.Signature, nil
}

func (i *identities) find(role string) (identity, error) {
	upper := "GIT_" + strings.ToUpper(role)
	when, dated, err := i.date(upper + "_DATE")
	if err != nil {
		return identity{}, err
	}
	if i.git == nil {
		found := i.plain(upper, role)
		if found.Name == "" || found.Email == "" {
			return identity{}, ErrNoIdentity
		}
		if text := i.sys.Getenv(upper + "_DATE"); text != "" {
			found.When, err = parseDate(text)
		} else {
			found.When = when
		}
		if err != nil {
			err = fmt.Errorf("read %s_DATE: %w", upper, err)
		}
		return identity{found, dated}, err
	}
	found, err := i.ask(upper, when)
	return identity{found, dated}, err
}

// date gives the time that git is told, unless the variable is set, and whether
// either is given.
func (i *identities) date(variable string) (when time.Time, given bool, err error) {
	text := i.sys.Getenv("SOURCE_DATE_EPOCH")
	switch {
	case i.sys.Getenv(variable) != "":
		return time.Time{}, true, nil
	case text == "":
		return i.sys.Now(), false, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 {
		return time.Time{}, false, fmt.Errorf("read SOURCE_DATE_EPOCH: %q is no number of seconds since 1970", text)
	}
	return time.Unix(seconds, 0).UTC(), true, nil
}

// ask asks git, which is to make up nothing from the names of user and host.
// user.useConfigOnly does that, but then git does not look at EMAIL.
// https://git-scm.com/docs/git-var
func (i *identities) ask(upper string, when time.Time) (Signature, error) {
	args := []string{"-c", "user.useConfigOnly=true"}
	if address := i.sys.Getenv("EMAIL"); address != "" && i.config.get("user.email") == "" {
		args = append(args, "-c", "user.email="+address)
	}
	var date []string
	if !when.IsZero() {
		date = append(date, fmt.Sprintf("%s_DATE=@%d %s", upper, when.Unix(), when.Format("-0700")))
	}
	out, err := i.git.ask("", date, append(args, "var", upper+"_IDENT")...)
	switch {
	case err != nil && strings.Contains(err.Error(), "invalid date format"):
		return Signature{}, fmt.Errorf("read %s_DATE: %q is no date that Git can read: want 2006-01-02T15:04:05+02:00, or seconds since 1970 with an offset", upper, i.sys.Getenv(upper+"_DATE"))
	case err != nil:
		return Signature{}, ErrNoIdentity
	}
	return parseIdentity(strings.TrimRight(out, "\n"))
}

// parseIdentity reads a name, an address in angle brackets, and a time.
func parseIdentity(text string) (Signature, error) {
	name, rest, _ := strings.Cut(text, " <")
	email, stamp, _ := strings.Cut(rest, "> ")
	when, err := parseDate("@" + stamp)
	if err != nil {
		err = fmt.Errorf("git var says %q: %w", oneLine(text), err)
	}
	return Signature{name, email, when}, err
}

// plain finds out who commits where there is no git program: environment, then
// author.* or committer.*, then user.*, for the address EMAIL last.
func (i *identities) plain(upper, role string) Signature {
	return Signature{
		Name:  clean(firstOf(i.sys.Getenv(upper+"_NAME"), i.config.get(role+".name"), i.config.get("user.name"))),
		Email: clean(firstOf(i.sys.Getenv(upper+"_EMAIL"), i.config.get(role+".email"), i.config.get("user.email"), i.sys.Getenv("EMAIL"))),
	}
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

// parseDate reads seconds since 1970 with an offset, as Git writes them, and ISO 8601.
func parseDate(text string) (time.Time, error) {
	stamp, zone, _ := strings.Cut(strings.TrimPrefix(text, "@"), " ")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	offset, zoneErr := time.Parse("-0700", firstOf(zone, "+0000"))
	if err == nil && zoneErr == nil {
		return time.Unix(seconds, 0).In(offset.Location()), nil
	}
	if when, err := time.Parse(time.RFC3339, text); err == nil {
		return when, nil
	}
	return time.Time{}, fmt.Errorf("%q is no date that can be read: want 2006-01-02T15:04:05+02:00, or seconds since 1970 with an offset", text)
}

// line is a signature as commits and reflogs have it.
func (s Signature) line() string {
	return fmt.Sprintf("%s <%s> %d %s", s.Name, s.Email, s.When.Unix(), s.When.Format("-0700"))
}
