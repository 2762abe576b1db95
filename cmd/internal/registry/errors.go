package registry

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Kind tells apart what went wrong, for a command that can say what to do about it.
type Kind int

// The kinds of [Error].
const (
	Other          Kind = iota
	BadRef              // the reference makes no sense
	BadLogin            // credentials are missing or refused (401)
	Forbidden           // they do not suffice (403)
	TagsForbidden       // charts may be read, but not listed
	NoRepository        // there is no such repository
	NoVersion           // there is no such version in it
	NotFound            // one of these two
	NotRegistry         // nothing there talks like a registry
	RateLimited         // too many requests (429)
	Unavailable         // the registry is out of order (5xx)
	GivenUp             // it failed so often that it is not asked again
	UnknownCA           // no authority that is trusted here signed the certificate
	BadCertificate      // it is for another host, or expired
	PlainHTTP           // there is no TLS, and that was not asked for
	NoHost              // the name does not resolve
	NoConnection        // the connection is refused
	Stalled             // an answer takes too long
	Broken              // an answer breaks off, time and again
	TooLarge            // it is larger than a chart can be
	WrongDigest         // the bytes are not those that were named
	Moved               // the version's tag means another digest than the one given
	NotChart            // there is something, but it is no Helm chart
	Mismatch            // there is a chart, but another one
	NotCached           // offline, and the cache lacks it
	Credentials         // the Docker configuration, a credential helper or a key file does not work
)

// Error says in one sentence why a registry's client has no answer, with what was
// asked for before it. It never holds a credential, nor an address with a query,
// which may be signed.
type Error struct {
	Kind     Kind
	Host     string // of the registry; empty where no registry was asked
	subject  string
	sentence string
}

func (e *Error) Error() string {
	if e.subject == "" {
		return e.sentence
	}
	return e.subject + ": " + e.sentence
}

// errWrongBytes is bytes that are not those of the digest.
var errWrongBytes = errors.New("wrong bytes")

// about says what was asked for. The error may be shared by several that asked.
func about(subject string, err error) error {
	var ours *Error
	if !errors.As(err, &ours) {
		return fmt.Errorf("%s: %w", subject, err)
	}
	said := *ours
	said.subject = subject
	return &said
}

func wrongDigest(at location, what, want, got string) *Error {
	return &Error{Kind: WrongDigest, Host: at.repository.RegistryStr(), sentence: fmt.Sprintf("%s sent another %s than %s: its digest is %s", at.repository.RegistryStr(), what, want, got)}
}

// oneLine gives the first line of a text, of bounded length.
func oneLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return clip(strings.TrimSpace(line))
}

// clip bounds a text that a server wrote.
func clip(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	end := most
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
