package settings

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// ErrNoIdentity says that neither configuration nor environment names who commits.
var ErrNoIdentity = errors.New("no Git identity configured: set git config --global user.name and git config --global user.email (or GIT_AUTHOR_NAME, GIT_AUTHOR_EMAIL, GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL)")

// Signature says who made a commit, and when.
type Signature struct {
	Name, Email string
	When        time.Time
}

// Identities finds out who commits, once for each role.
type Identities struct {
	Sys    System
	Git    *Program // nil where there is no git program
	Config Config
	known  map[string]Signature // without a time where that is now, whenever that is
}

// Of returns the author or the committer. The time is that of GIT_AUTHOR_DATE or
// GIT_COMMITTER_DATE, then SOURCE_DATE_EPOCH, in UTC, then now. The error is
// [ErrNoIdentity], or says which time cannot be read.
func (i *Identities) Of(role string) (Signature, error) {
	found, asked := i.known[role]
	if !asked {
		var err error
		if found, err = i.find(role); err != nil {
			return found, err
		}
		if i.known == nil {
			i.known = map[string]Signature{}
		}
		i.known[role] = found
	}
	if found.When.IsZero() {
		found.When = i.Sys.Now()
	}
	return found, nil
}

// Both returns author and committer, as Of does.
func (i *Identities) Both() (author, committer Signature, err error) {
	if author, err = i.Of("author"); err != nil {
		return author, committer, err
	}
	committer, err = i.Of("committer")
	return author, committer, err
}

func (i *Identities) find(role string) (found Signature, err error) {
	upper := "GIT_" + strings.ToUpper(role)
	date, epoch := i.Sys.Getenv(upper+"_DATE"), i.Sys.Getenv("SOURCE_DATE_EPOCH")
	var when time.Time
	if date == "" && epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil || seconds < 0 {
			return found, fmt.Errorf("read SOURCE_DATE_EPOCH: %q is no number of seconds since 1970", epoch)
		}
		when = time.Unix(seconds, 0).UTC()
	}
	if i.Git != nil {
		found, err = i.ask(upper)
	} else {
		found, err = i.plain(upper, role, date)
	}
	if date == "" {
		found.When = when
	}
	return found, err
}

// ask asks git, which is to make up nothing from the names of user and host.
// user.useConfigOnly does that, but then git does not look at EMAIL: it is handed on
// unless the user has set that.
// https://git-scm.com/docs/git-var
func (i *Identities) ask(upper string) (Signature, error) {
	args := []string{"-c", "user.useConfigOnly=true"}
	if address := i.address(); address != "" && i.Config.Get("user.email") == "" {
		args = append(args, "-c", "user.email="+address)
	}
	out, err := i.Git.Ask("", nil, append(args, "var", upper+"_IDENT")...)
	switch {
	case err != nil && strings.Contains(err.Error(), "invalid date format"):
		return Signature{}, fmt.Errorf("read %s_DATE: %q is no date that Git can read: want 2006-01-02T15:04:05+02:00, or seconds since 1970 with an offset", upper, i.Sys.Getenv(upper+"_DATE"))
	case err != nil:
		return Signature{}, ErrNoIdentity
	}
	name, rest, _ := strings.Cut(strings.TrimRight(out, "\n"), " <")
	email, stamp, _ := strings.Cut(rest, "> ")
	when, err := parseDate("@" + stamp)
	if err != nil {
		err = fmt.Errorf("git var says %q: %w", text.FirstLine(out), err)
	}
	return Signature{name, email, when}, err
}

// address returns EMAIL, unless Git's configuration alone is to say who commits.
func (i *Identities) address() string {
	if i.Config.Bool("user.useconfigonly", false) {
		return ""
	}
	return i.Sys.Getenv("EMAIL")
}

// plain finds out who commits where there is no git program: environment, then
// author.* or committer.*, then user.*, for the address EMAIL last.
func (i *Identities) plain(upper, role, date string) (found Signature, err error) {
	found.Name = clean(cmp.Or(i.Sys.Getenv(upper+"_NAME"), i.Config.Get(role+".name"), i.Config.Get("user.name")))
	found.Email = clean(cmp.Or(i.Sys.Getenv(upper+"_EMAIL"), i.Config.Get(role+".email"), i.Config.Get("user.email"), i.address()))
	if found.Name == "" || found.Email == "" {
		return Signature{}, ErrNoIdentity
	}
	if date != "" {
		if found.When, err = parseDate(date); err != nil {
			err = fmt.Errorf("read %s_DATE: %w", upper, err)
		}
	}
	return found, err
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
	offset, zoneErr := time.Parse("-0700", cmp.Or(zone, "+0000"))
	if err == nil && zoneErr == nil {
		return time.Unix(seconds, 0).In(offset.Location()), nil
	}
	if when, err := time.Parse(time.RFC3339, text); err == nil {
		return when, nil
	}
	return time.Time{}, fmt.Errorf("%q is no date that can be read: want 2006-01-02T15:04:05+02:00, or seconds since 1970 with an offset", text)
}

// Line returns a signature as commits and reflogs have it.
func (s Signature) Line() string {
	return fmt.Sprintf("%s <%s> %d %s", s.Name, s.Email, s.When.Unix(), s.When.Format("-0700"))
}
