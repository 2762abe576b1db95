package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// statusError makes a sentence of an answer that is no success.
func (c *Client) statusError(ctx context.Context, q question, answer *transport.Error) *Error {
	host := q.host()
	if answer.Request != nil {
		host = answer.Request.URL.Host // a token service, or storage that we were sent to
	}
	status := fmt.Sprintf("%d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	switch code := answer.StatusCode; {
	case code == http.StatusUnauthorized && q.what == "tags" && c.logins.hasFor(q.host()):
		return tagsForbidden(q)
	case code == http.StatusUnauthorized:
		return &Error{Kind: BadLogin, sentence: c.loginSentence(q.host()) + c.says(answer)}
	case q.what == "tags" && (code == http.StatusForbidden || code == http.StatusMethodNotAllowed):
		return tagsForbidden(q)
	case code == http.StatusForbidden:
		return &Error{Kind: Forbidden, sentence: c.forbiddenSentence(q) + c.says(answer)}
	case code == http.StatusNotFound:
		return c.notFound(ctx, q, answer)
	case code == http.StatusTooManyRequests:
		return &Error{Kind: RateLimited, sentence: fmt.Sprintf("%s answers %s, %d times: wait, or log in if it lets those who are do more", host, status, attempts) + c.says(answer)}
	case code >= 500:
		return &Error{Kind: Unavailable, sentence: fmt.Sprintf("%s is out of order: it answers %s, again and again", host, status) + c.says(answer)}
	default:
		return &Error{Kind: Other, sentence: fmt.Sprintf("%s answers %s", host, status) + c.says(answer)}
	}
}

// loginSentence says how to log in.
func (c *Client) loginSentence(host string) string {
	if service := c.logins.heldFrom(host); service != "" {
		return fmt.Sprintf("%s takes logins at %s, another host, which does not get them: if that is its token service, allow it with --token-service %s", host, service, service)
	}
	if c.logins.hasFor(host) {
		return fmt.Sprintf("%s refuses the login that it was given, which may have expired: %s", host, c.howToLogin(host))
	}
	return fmt.Sprintf("%s wants a login: %s", host, c.howToLogin(host))
}

// forbiddenSentence says whose rights do not suffice. Registries forbid, too,
// what does not exist, and answer 403 where there is no login.
func (c *Client) forbiddenSentence(q question) string {
	if !c.logins.hasFor(q.host()) {
		return fmt.Sprintf("%s wants a login to read %s, if it is there: %s", q.host(), q.at.repository.RepositoryStr(), c.howToLogin(q.host()))
	}
	return fmt.Sprintf("%s does not let this login read %s, if it is there", q.host(), q.at.repository.RepositoryStr())
}

// howToLogin names the command, and the helper that is missing.
func (c *Client) howToLogin(host string) string {
	command := "docker login " + host
	if isGoogle(host) {
		command += ", or " + googleVariable + " with the file of a service account's key"
	}
	return command + c.logins.helperFor(host)
}

func tagsForbidden(q question) *Error {
	return &Error{Kind: TagsForbidden, sentence: fmt.Sprintf("%s does not let this login list the versions of %s, which says nothing about reading them: name the version", q.host(), q.at.repository.RepositoryStr())}
}

// says repeats the registry's own words, if it has any.
func (c *Client) says(answer *transport.Error) string {
	for _, one := range answer.Errors {
		if text := oneLine(c.hide(one.Message)); text != "" {
			return fmt.Sprintf(" (it says: %s)", text)
		}
	}
	return ""
}

// notFound finds out what is not there. Registries give the codes for an
// unknown repository and for an unknown manifest as they please, so the list of
// tags decides where there is one.
func (c *Client) notFound(ctx context.Context, q question, answer *transport.Error) *Error {
	host, path := q.host(), q.at.repository.RepositoryStr()
	noRepository := &Error{Kind: NoRepository, sentence: fmt.Sprintf("%s has no repository %s", host, path)}
	switch {
	case answer.Request != nil && answer.Request.URL.Path == "/v2/":
		return &Error{Kind: NotRegistry, sentence: host + " is no OCI registry: it has no /v2/"}
	case q.what == "metadata" || q.what == "archive":
		return &Error{Kind: NotFound, sentence: fmt.Sprintf("%s has the chart's manifest, but not its %s %s: it was deleted, or never copied", host, q.what, q.identifier)}
	case q.what == "tags" || unknownName(answer):
		return noRepository
	}
	tags, err := c.list(ctx, q.at.repository)
	var listing *transport.Error
	switch {
	case errors.As(err, &listing) && listing.StatusCode == http.StatusNotFound:
		return noRepository
	case err != nil:
		return &Error{Kind: NotFound, sentence: fmt.Sprintf("%s has no %s in %s, or no such repository: it does not say what it has", host, q.identifier, path)}
	case q.what == "image" || q.at.tag == "" || q.identifier != q.at.tag:
		return &Error{Kind: NoVersion, sentence: fmt.Sprintf("%s has no %s in %s", host, q.identifier, path)}
	}
	return &Error{Kind: NoVersion, sentence: fmt.Sprintf("%s has no version %s of %s%s", host, q.at.ref.Version, path, neighbours(q.at.ref.Version, versions(tags)))}
}
