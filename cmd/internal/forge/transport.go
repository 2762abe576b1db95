package forge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// Bounds on what a request may take.
const (
	timeout   = 30 * time.Second
	attempts  = 4
	longest   = 2 * time.Minute // that is waited for a limit to end, all attempts together
	maxAnswer = 16 << 20        // bytes
)

// Options say how a forge is reached.
type Options struct {
	Token  Token             // asked for again when the forge does not take what it gave
	Client http.RoundTripper // below; it has proxies and certificates. It must follow no redirect
	Now    func() time.Time
	// Sleep waits, and ends with the context's error.
	Sleep     func(context.Context, time.Duration) error
	UserAgent string
}

// Token gives the value of the header Authorization. Fresh says that the one before
// was not taken.
type Token func(ctx context.Context, fresh bool) (string, error)

// transport adds the login, waits for limits and repeats. Requests to other hosts than the
// forge's API are refused, redirects included.
type transport struct {
	Options
	base *url.URL // of the API
}

// RoundTrip implements [http.RoundTripper]. An answer's body is read whole, and one that is
// neither a success nor a redirect is an [Error].
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != t.base.Scheme || req.URL.Host != t.base.Host {
		return nil, errorf(Other, "%s sends us to %s: no request goes there, and no token", t.base.Host, text.Clip(req.URL.Host))
	}
	content, err := body(req)
	if err != nil {
		return nil, err
	}
	var waited time.Duration
	for attempt := 1; ; attempt++ {
		resp, err := t.once(req, content, attempt > 1)
		last := attempt == attempts || req.Context().Err() != nil
		if err != nil {
			if last || !repeatable(req) || errors.As(err, new(*Error)) {
				return nil, err
			}
		} else if resp.StatusCode < 400 {
			return resp, nil
		} else if err = t.refusal(resp); last || !t.again(resp, req, attempt) {
			return nil, err
		}
		pause := t.pause(resp, attempt)
		if waited += pause; waited > longest {
			return nil, err
		}
		if err := t.Sleep(req.Context(), pause); err != nil {
			return nil, err
		}
	}
}

// body reads what a request sends, to send it again.
func body(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	defer req.Body.Close()
	return io.ReadAll(req.Body)
}

// once does a request once.
func (t *transport) once(req *http.Request, content []byte, again bool) (*http.Response, error) {
	login, err := t.Token(req.Context(), again)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(req.Context(), timeout)
	defer cancel()
	sent := req.Clone(ctx)
	sent.Header.Set("Authorization", login)
	sent.Header.Set("User-Agent", t.UserAgent)
	if content != nil {
		sent.Body = io.NopCloser(bytes.NewReader(content))
	}
	resp, err := t.Client.RoundTrip(sent)
	if err != nil {
		return nil, t.broken(req, err)
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, t.broken(req, err)
	case len(read) > maxAnswer:
		return nil, errorf(Other, "%s sent more than %d bytes", t.base.Host, maxAnswer)
	}
	resp.Body, resp.Request = io.NopCloser(bytes.NewReader(read)), req
	return resp, nil
}

// broken gives a sentence about a connection. What the user ended is no error of the forge.
func (t *transport) broken(req *http.Request, err error) error {
	if req.Context().Err() != nil {
		return context.Cause(req.Context())
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return brokenError{t.base.Host + " sent no whole answer within " + timeout.String()}
	}
	return brokenError{fmt.Sprintf("%s: %s", t.base.Host, text.FirstLine(err.Error()))}
}

// brokenError is no answer.
type brokenError struct{ sentence string }

func (e brokenError) Error() string { return e.sentence }

// said puts what was being done before an error of the forge, and drops what libraries
// wrote around it.
func said(what string, err error) error {
	var known *Error
	var broken brokenError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return &Error{known.Kind, what + ": " + known.sentence}
	case errors.As(err, &broken):
		return &Error{Unavailable, what + ": " + broken.sentence}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return &Error{Other, what + ": " + text.FirstLine(err.Error())}
}

// repeatable reports whether a request does the same when it is done twice.
func repeatable(req *http.Request) bool { return req.Method != http.MethodPost }

// again reports whether an answer asks for another attempt. A request that a limit
// refused was not done, whatever it is.
func (t *transport) again(resp *http.Response, req *http.Request, attempt int) bool {
	switch {
	case limited(resp):
		return true
	case resp.StatusCode == http.StatusUnauthorized:
		return attempt == 1 // the token may have expired
	}
	return resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented && repeatable(req)
}

// limited reports whether an answer says that there were too many requests: 429, or
// GitHub's 403 with one of two headers.
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
func limited(resp *http.Response) bool {
	if resp.StatusCode == http.StatusTooManyRequests {
		return true
	}
	return resp.StatusCode == http.StatusForbidden && (resp.Header.Get("Retry-After") != "" || resp.Header.Get("X-RateLimit-Remaining") == "0")
}

// pause says how long to wait: as long as the answer asks, or twice as long each time.
func (t *transport) pause(resp *http.Response, attempt int) time.Duration {
	own := time.Second << (attempt - 1)
	if resp == nil || resp.StatusCode == http.StatusUnauthorized {
		return own
	}
	after := resp.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(after); err == nil && seconds >= 0 {
		return max(time.Duration(seconds)*time.Second, own)
	}
	if at, err := http.ParseTime(after); err == nil {
		return max(at.Sub(t.Now()), own)
	}
	// GitLab's header has another name: https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/
	for _, name := range []string{"X-RateLimit-Reset", "RateLimit-Reset"} {
		if seconds, err := strconv.ParseInt(resp.Header.Get(name), 10, 64); err == nil && limited(resp) {
			return max(time.Unix(seconds, 0).Sub(t.Now()), own)
		}
	}
	return own
}

// refusal gives the error for an answer that is no success. What the forge says is cut to a line.
func (t *transport) refusal(resp *http.Response) error {
	kind, why, said := Other, "", saying(resp)
	switch code := resp.StatusCode; {
	case limited(resp):
		kind, why = Limited, "too many requests, and it asks to wait longer than "+longest.String()
	case code == http.StatusUnauthorized:
		kind, why = NoLogin, "the token is not taken: it is wrong, expired or revoked"
	case code == http.StatusForbidden:
		kind, why = Forbidden, "the token may not do that"
	case code == http.StatusNotFound:
		kind, why = NotFound, "there is no such repository or pull request, or the token may not see it"
	case code == http.StatusConflict:
		kind, why = Exists, "it is there already"
	case code == http.StatusUnprocessableEntity && strings.Contains(said, "already exists"): // GitHub's
		kind, why = Exists, "it is there already"
	case code == http.StatusBadRequest && strings.Contains(said, "already changed"): // Gitea's
		kind, why = Changed, "another request changed it at the same moment"
	case code >= 500:
		kind, why = Unavailable, resp.Status
	default:
		kind, why = Refused, resp.Status
	}
	if said != "" {
		why += ": " + said
	}
	return errorf(kind, "%s: %s", t.base.Host, why)
}

// saying gives what a forge says in an error, in one line. GitHub and Gitea have message, and
// GitHub errors with a message each; GitLab has message, which may be a list, or error.
func saying(resp *http.Response) string {
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	var said struct {
		Message json.RawMessage `json:"message"`
		Error   string          `json:"error"`
		Errors  []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(raw, &said) != nil {
		return ""
	}
	var parts []string
	var one string
	var many []string
	switch {
	case json.Unmarshal(said.Message, &one) == nil:
		parts = append(parts, one)
	case json.Unmarshal(said.Message, &many) == nil:
		parts = append(parts, many...)
	}
	parts = append(parts, said.Error)
	for _, each := range said.Errors {
		parts = append(parts, each.Message)
	}
	var kept []string
	for _, part := range parts {
		if part != "" {
			kept = append(kept, text.Clip(text.FirstLine(part)))
		}
	}
	return strings.Join(kept, "; ")
}
