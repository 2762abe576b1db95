package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// maxRefusal bounds how much of an answer that refuses is read.
const maxRefusal = 64 << 10

// Read reads an answer to its end, or as many bytes of it as most. An answer that trickles
// is given up: of manifests, lists and refusals, the whole may take as long as one request.
func (t *Transport) Read(resp *http.Response, most int64) ([]byte, error) {
	limit, late := t.client.options.Timeout, atomic.Bool{}
	defer time.AfterFunc(limit, func() {
		late.Store(true)
		_ = resp.Body.Close()
	}).Stop()
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil && late.Load() {
		err = &Error{Kind: Stalled, sentence: fmt.Sprintf("%s did not finish its answer within %s", resp.Request.URL.Host, limit)}
	}
	return body, err
}

// Refusal says in a sentence why a request was refused, and leaves the answer's
// body to be read.
func (t *Transport) Refusal(req *http.Request, resp *http.Response) *Error {
	body, _ := t.Read(resp, maxRefusal)
	resp.Body = struct {
		io.Reader
		io.Closer
	}{bytes.NewReader(body), resp.Body}
	answer := &transport.Error{StatusCode: resp.StatusCode, Request: req}
	_ = json.Unmarshal(body, answer) // whatever it is, the status counts
	answer.Request = req
	said := t.refusal(answer)
	said.Host = req.URL.Host
	said.sentence = t.client.hide(said.sentence)
	return said
}

func (t *Transport) refusal(answer *transport.Error) *Error {
	req := answer.Request
	host, status := req.URL.Host, fmt.Sprintf("%d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	says := t.client.says(answer)
	does := "read"
	if !reads(req) {
		does = "write"
	}
	what := strings.TrimPrefix(req.URL.Path, "/v2/")
	uploads := strings.Contains(what, "/blobs/uploads/")
	if uploads {
		what = repositoryOf(what)
	}
	switch code := answer.StatusCode; {
	case code == http.StatusUnauthorized:
		return &Error{Kind: BadLogin, sentence: t.client.loginSentence(host) + says}
	case code == http.StatusForbidden && !t.client.logins.hasFor(host):
		return &Error{Kind: Forbidden, sentence: fmt.Sprintf("%s wants a login to %s %s: %s", host, does, what, t.client.howToLogin(host)) + says}
	case code == http.StatusForbidden:
		return &Error{Kind: Forbidden, sentence: fmt.Sprintf("%s does not let this login %s %s", host, does, what) + says}
	case code == http.StatusNotFound && does == "write" && (req.Method == http.MethodPost || unknownName(answer)):
		return &Error{Kind: NoRepository, sentence: fmt.Sprintf("%s has no repository %s and does not make it: create it there, and run the same again", host, repositoryOf(what)) + says}
	case code == http.StatusMethodNotAllowed && does == "write":
		return &Error{Kind: Forbidden, sentence: fmt.Sprintf("%s takes no uploads for %s (%s): it may be read-only, or the cache of another registry", host, repositoryOf(what), status) + says}
	case code == http.StatusRequestEntityTooLarge:
		return &Error{Kind: TooLarge, sentence: fmt.Sprintf("%s, or a proxy before it, does not take an upload of that size for %s (%s): raise its limit", host, repositoryOf(what), status) + says}
	case code == http.StatusNotFound && uploads:
		return &Error{Kind: Unavailable, sentence: fmt.Sprintf("%s has lost an upload to %s: is its storage full, or do several servers with storage of their own answer?", host, what) + says}
	case code == http.StatusNotFound:
		return &Error{Kind: NotFound, sentence: fmt.Sprintf("%s has no %s", host, what) + says}
	case code == http.StatusTooManyRequests:
		return &Error{Kind: RateLimited, sentence: fmt.Sprintf("%s answers %s, %d times: wait, or copy less at a time with --parallel", host, status, attempts) + says}
	case code == http.StatusInsufficientStorage || code >= http.StatusInternalServerError && does == "write":
		return &Error{Kind: Unavailable, sentence: fmt.Sprintf("%s is out of order: it answers %s to %s of %s, again and again: is its storage full?", host, status, req.Method, what) + says}
	case code >= http.StatusInternalServerError:
		return &Error{Kind: Unavailable, sentence: fmt.Sprintf("%s is out of order: it answers %s to %s of %s, again and again", host, status, req.Method, what) + says}
	}
	return &Error{Kind: Other, sentence: fmt.Sprintf("%s answers %s to %s of %s", host, status, req.Method, what) + says}
}

// repositoryOf gives the repository in what was asked for.
func repositoryOf(what string) string {
	for _, part := range []string{"/blobs/", "/manifests/"} {
		if at := strings.LastIndex(what, part); at >= 0 {
			what = what[:at]
		}
	}
	return what
}

// unknownName reports whether an answer says that there is no such repository.
func unknownName(answer *transport.Error) bool {
	return slices.ContainsFunc(answer.Errors, func(one transport.Diagnostic) bool { return one.Code == transport.NameUnknownErrorCode })
}

// sentence says why a request has no answer.
func (t *Transport) sentence(req *http.Request, err error) error {
	if ended(err) {
		return err
	}
	var ours *Error
	var answer *transport.Error
	switch {
	case errors.As(err, &ours):
	case errors.As(err, &answer) && answer.StatusCode == http.StatusUnauthorized:
		ours = &Error{Kind: BadLogin, sentence: t.client.loginSentence(req.URL.Host) + t.client.says(answer)}
	case errors.As(err, &answer):
		ours = t.refusal(answer)
	default:
		if ours = certificateError(err); ours == nil {
			ours = t.client.connectionError(hostOf(err, req.URL.Host), err)
		}
	}
	said := *ours
	said.Host = req.URL.Host
	said.sentence = t.client.hide(said.sentence)
	return &said
}
