package forge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
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
	Token Token  // asked for again when the forge does not take what it gave
	From  string // where the token is from, for messages; empty if it is not known
	// Account gives the account that the token acts for; nil asks the forge. The token of
	// a GitHub App has no user that the forge would tell.
	Account func(context.Context) (string, error)
	Client  http.RoundTripper // below; it has proxies and certificates. It must follow no redirect
	Now     func() time.Time
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
	base  *url.URL // of the API
	needs string   // what a token must be allowed to do
}

// RoundTrip implements [http.RoundTripper]. An answer's body is read whole, and one that is
// neither a success nor a redirect is an [Error].
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != t.base.Scheme || req.URL.Host != t.base.Host {
		return nil, errorf(Other, "%s redirects to %s, and a token goes to no other server than that of the URL", t.base.Host, text.Clip(req.URL.Host))
	}
	content, err := body(req)
	if err != nil {
		return nil, err
	}
	var waited time.Duration
	fresh := false
	for attempt := 1; ; attempt++ {
		resp, err := t.once(req, content, fresh)
		last := attempt == attempts || req.Context().Err() != nil
		if err != nil {
			if last || !repeatable(req) || errors.As(err, new(*Error)) {
				return nil, err
			}
		} else if resp.StatusCode < 400 {
			if err := t.moved(resp); err != nil {
				return nil, err
			}
			return resp, nil
		} else if err = t.refusal(resp); last || !t.again(resp, req, attempt, err) {
			return nil, err
		}
		fresh = isKind(err, NoLogin)
		pause := t.pause(resp, attempt, err)
		if waited += pause; waited > longest {
			return nil, err
		}
		if err := t.Sleep(req.Context(), pause); err != nil {
			return nil, err
		}
	}
}

// moved refuses a redirect after which a change would be read: clients send GET there.
func (t *transport) moved(resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther:
		if resp.Request.Method != http.MethodGet {
			return errorf(Refused, "%s has the repository elsewhere: use its new URL", t.base.Host)
		}
	}
	return nil
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
func (t *transport) once(req *http.Request, content []byte, fresh bool) (*http.Response, error) {
	login, err := t.Token(req.Context(), fresh)
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
	if secret := login[strings.LastIndexByte(login, ' ')+1:]; resp.StatusCode >= 400 && secret != "" {
		read = bytes.ReplaceAll(read, []byte(secret), []byte("***")) // a server may repeat it
	}
	resp.Body, resp.Request = io.NopCloser(bytes.NewReader(read)), req
	return resp, nil
}

// broken gives a sentence about a connection. What the user ended is no error of the forge.
func (t *transport) broken(req *http.Request, err error) error {
	if req.Context().Err() != nil {
		return context.Cause(req.Context())
	}
	if said := new(gitrepo.RemoteError); errors.As(err, &said) { // it will not mend by itself
		return errorf(Unavailable, "%s", said)
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
