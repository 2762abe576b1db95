package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// maxRefusal bounds how much of an answer that refuses is read.
const maxRefusal = 64 << 10

// Refusal says in a sentence why a request was refused, and leaves the answer's
// body to be read.
func (t *Transport) Refusal(req *http.Request, resp *http.Response) *Error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
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
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		does = "write"
	}
	what := strings.TrimPrefix(req.URL.Path, "/v2/")
	if upload := strings.Index(what, "/blobs/uploads/"); upload >= 0 {
		what = what[:upload]
	}
	switch code := answer.StatusCode; {
	case code == http.StatusUnauthorized:
		return &Error{Kind: BadLogin, sentence: t.client.loginSentence(host) + says}
	case code == http.StatusForbidden && !t.client.logins.hasFor(host):
		return &Error{Kind: Forbidden, sentence: fmt.Sprintf("%s wants a login to %s %s: %s", host, does, what, t.client.howToLogin(host)) + says}
	case code == http.StatusForbidden:
		return &Error{Kind: Forbidden, sentence: fmt.Sprintf("%s does not let this login %s %s", host, does, what) + says}
	case code == http.StatusNotFound:
		return &Error{Kind: NotFound, sentence: fmt.Sprintf("%s has no %s", host, what) + says}
	case code == http.StatusTooManyRequests:
		return &Error{Kind: RateLimited, sentence: fmt.Sprintf("%s answers %s, %d times: wait, or copy less at a time with --parallel", host, status, attempts) + says}
	case code >= http.StatusInternalServerError:
		return &Error{Kind: Unavailable, sentence: fmt.Sprintf("%s is out of order: it answers %s to %s of %s, again and again", host, status, req.Method, what) + says}
	}
	return &Error{Kind: Other, sentence: fmt.Sprintf("%s answers %s to %s of %s", host, status, req.Method, what) + says}
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
