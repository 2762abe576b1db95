package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
)

const (
	attempts    = 4
	firstWait   = 500 * time.Millisecond
	longestWait = 30 * time.Second // of what a registry may ask for
	maxHops     = 10
)

// exchange is one request with its whole answer. An answer is read to its end
// before anyone sees it, so that one that breaks off, or that stops coming, is
// tried again or refused like one that never came. It is what every request
// goes through, those to token services and to storage behind a redirect too.
type exchange struct {
	base    http.RoundTripper
	options Options
	logins  *logins
	secrets secrets
}

// plainError is a request that would have gone out without TLS.
type plainError struct{ host string }

func (e plainError) Error() string { return "plain HTTP to " + e.host }

// brokenError is an answer that came in part.
type brokenError struct {
	host      string
	got, want int64 // want is -1 where the server did not say
	cause     error
}

func (e brokenError) Error() string { return "the answer of " + e.host + " broke off" }
func (e brokenError) Unwrap() error { return e.cause }

type limitKey struct{}

// withLimit lets answers be as big as size, where that is more than a manifest
// may be.
func withLimit(ctx context.Context, size int64) context.Context {
	return context.WithValue(ctx, limitKey{}, max(size, maxManifest))
}

func limitOf(ctx context.Context) int64 {
	if limit, ok := ctx.Value(limitKey{}).(int64); ok {
		return limit
	}
	return maxManifest
}

// RoundTrip implements [http.RoundTripper].
func (e *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	return e.send(req, e.once)
}

// send does a request with once, and again where that may help.
func (e *exchange) send(req *http.Request, once func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	e.secrets.noteHeader(req.Header)
	req = e.unalias(req)
	if err := e.allow(req); err != nil {
		return nil, err
	}
	req, err := e.bind(req)
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		resp, err := once(req)
		if err == nil {
			if err := e.mendRealm(req, resp); err != nil {
				_ = resp.Body.Close()
				return nil, err
			}
		}
		if req.Context().Err() != nil || attempt == attempts || !repeatable(req, resp, err) {
			return resp, err
		}
		wait, err := e.wait(req, resp, attempt)
		if resp != nil {
			_ = resp.Body.Close()
		}
		if err != nil {
			return nil, err
		}
		if err := e.options.Sleep(req.Context(), wait); err != nil {
			return nil, err
		}
	}
}

// allow refuses to send anything without TLS where that was not asked for: the
// library itself falls back to plain HTTP for private addresses, and follows
// redirects to it. It also stops a redirect that never ends, since the library
// replaces the check that net/http has for that.
func (e *exchange) allow(req *http.Request) error {
	if req.URL.Scheme != "https" && !e.options.allowsPlain(req.URL.Host) {
		return plainError{req.URL.Host}
	}
	hops := 0
	for before := req.Response; before != nil && before.Request != nil; before = before.Request.Response {
		if hops++; hops > maxHops {
			return &Error{Kind: Broken, sentence: fmt.Sprintf("%s redirects more than %d times", req.URL.Host, maxHops)}
		}
	}
	return nil
}

// once does a request and reads the answer into memory.
func (e *exchange) once(req *http.Request) (*http.Response, error) {
	host := req.URL.Host
	ctx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	stop := func(format string, d time.Duration) *time.Timer {
		return time.AfterFunc(d, func() { cancel(&Error{Kind: Stalled, sentence: fmt.Sprintf(format, host, d)}) })
	}
	stall := stop("%s sent nothing for %s", e.options.Stall)
	defer stall.Stop()
	defer stop("%s did not finish its answer within %s", e.options.Timeout).Stop()

	resp, err := e.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return nil, reasonOf(ctx, req, err)
	}
	defer resp.Body.Close()
	progress := func() { stall.Reset(e.options.Stall) }
	body, err := readBody(resp, limitOf(ctx), progress)
	if err != nil {
		return nil, reasonOf(ctx, req, err)
	}
	resp.Body, resp.Request = io.NopCloser(bytes.NewReader(body)), req
	e.options.mendLink(resp)
	return resp, nil
}

// mendLink lets the library follow the pages of a tag list. It wants the next
// page's scheme to be the one that it tried last for the host, which is plain
// HTTP for loopback and private addresses, also where these answered with TLS;
// whatever the link says, the library then asks the way that was answered.
func (o Options) mendLink(resp *http.Response) {
	link, rest, found := strings.Cut(strings.TrimPrefix(resp.Header.Get("Link"), "<"), ">")
	if !found || resp.Request.URL.Scheme != "https" {
		return
	}
	next, err := resp.Request.URL.Parse(link)
	if err != nil || next.Host != resp.Request.URL.Host || next.Scheme != "https" {
		return
	}
	registry, err := name.NewRegistry(next.Host, o.nameOptions(next.Host)...)
	if err != nil {
		return
	}
	next.Scheme = registry.Scheme()
	resp.Header.Set("Link", "<"+next.String()+">"+rest)
}

// reasonOf says why a request failed: because of us, if we stopped it.
func reasonOf(ctx context.Context, req *http.Request, err error) error {
	if req.Context().Err() != nil {
		return context.Cause(req.Context())
	}
	var ours *Error
	if errors.As(context.Cause(ctx), &ours) {
		return ours
	}
	// A dial that takes too long calls itself context.DeadlineExceeded, which
	// would read as if our caller had given up.
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return &Error{Kind: Stalled, sentence: req.URL.Host + " did not take the connection in time"}
	}
	return err
}

// readBody reads an answer of limited size.
func readBody(resp *http.Response, limit int64, progress func()) ([]byte, error) {
	host := resp.Request.URL.Host
	tooLarge := &Error{Kind: TooLarge, sentence: fmt.Sprintf("%s sent more than %d bytes", host, limit)}
	if resp.Request.Method == http.MethodHead {
		return nil, nil
	}
	if resp.ContentLength > limit {
		return nil, tooLarge
	}
	var body bytes.Buffer
	part := make([]byte, 32<<10)
	for {
		n, err := resp.Body.Read(part)
		body.Write(part[:n])
		switch {
		case int64(body.Len()) > limit:
			return nil, tooLarge
		case errors.Is(err, io.EOF):
			return body.Bytes(), nil
		case err != nil:
			return nil, brokenError{host, int64(body.Len()), resp.ContentLength, err}
		}
		progress()
	}
}

// repeatable reports whether a request may be sent again and may then succeed.
func repeatable(req *http.Request, resp *http.Response, err error) bool {
	start := req.Method == http.MethodPost && req.Body == nil // of an upload, or a mount
	if !reads(req) && !start {
		return false
	}
	if err != nil {
		return transient(err)
	}
	status := resp.StatusCode
	return status == http.StatusTooManyRequests || status >= 500 && status != http.StatusNotImplemented
}

// reads reports whether a request changes nothing.
func reads(req *http.Request) bool {
	return req.Method == http.MethodGet || req.Method == http.MethodHead
}

// transient reports whether a connection failed in a way that passes.
func transient(err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.IsTemporary
	}
	for _, passing := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return errors.As(err, new(brokenError))
}

// wait computes the pause before the next attempt: that which the registry asks for,
// or else twice as long each time, the second half of it left to chance so that
// many clients do not come back at once.
func (e *exchange) wait(req *http.Request, resp *http.Response, attempt int) (time.Duration, error) {
	if resp != nil {
		if asked, ok := retryAfter(resp.Header.Get("Retry-After"), e.options.Now()); ok {
			if asked > longestWait {
				return 0, &Error{Kind: RateLimited, sentence: fmt.Sprintf("%s answers %s and asks to come back in %s", req.URL.Host, http.StatusText(resp.StatusCode), asked.Round(time.Second))}
			}
			return asked, nil
		}
	}
	wait := firstWait << (attempt - 1)
	return wait/2 + time.Duration(float64(wait/2)*e.options.Jitter()), nil
}

// retryAfter reads seconds or a date.
// https://www.rfc-editor.org/rfc/rfc9110.html#name-retry-after
func retryAfter(text string, now time.Time) (time.Duration, bool) {
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second, true
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(0, date.Sub(now)), true
	}
	return 0, false
}

// sleep waits, unless the context ends before.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// chance draws the only random number that there is: a part of a pause.
func chance() float64 { return rand.Float64() }
