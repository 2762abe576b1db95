package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	gotransport "github.com/go-git/go-git/v5/plumbing/transport"
)

// Limits bounds what a server may make us wait for, and keep. Sizes are bytes, after
// decompression.
type Limits struct {
	Stall      time.Duration // how long nothing may come or go
	Timeout    time.Duration // for one request with its whole answer; by SSH for a connection
	References int64         // of an advertisement
	Unpacked   int64         // of all objects of a pack
	Object     int64         // of one object
}

// defaultLimits returns limits for servers that work on a large pack in silence, for some
// 900,000 references, and for files that hosts take without Git LFS (GitHub: 100 MB).
func defaultLimits() Limits {
	return Limits{Stall: 2 * time.Minute, Timeout: 15 * time.Minute, References: 64 << 20, Unpacked: 1 << 30, Object: 256 << 20}
}

const (
	maxAnswer = 16 << 20
	maxError  = 64 << 10 // of a page that comes with an error: the rest is left out
)

// watch ends a request whose server keeps us waiting.
type watch struct {
	*Connection
	ctx   context.Context // ends with the request, or ends it
	stall *time.Timer
	stop  func()
}

// watch begins a request, and ends the one before.
func (c *Connection) watch(ctx context.Context) *watch {
	c.end()
	ctx, cancel := context.WithCancelCause(ctx)
	after := func(d time.Duration, sentence string) *time.Timer {
		return time.AfterFunc(d, func() { cancel(Errorf(Stalled, sentence, c.at.host(), d)) })
	}
	stall, total := after(c.Limits.Stall, "%s sent nothing for %s"), after(c.Limits.Timeout, "%s did not finish its answer within %s")
	c.fault, c.last = nil, &watch{c, ctx, stall, func() { stall.Stop(); total.Stop(); cancel(nil) }}
	return c.last
}

// end ends the request that is watched, if there is one: the library does not close every
// answer.
func (c *Connection) end() {
	if c.last != nil {
		c.last.stop()
	}
}

// passed notes that bytes came or went.
func (w *watch) passed(n int, err error) (int, error) {
	if n > 0 {
		w.stall.Reset(w.Limits.Stall)
	}
	return n, err
}

// reason returns why we ended the request, if we did, in place of the error that came of
// it.
func (w *watch) reason(err error) error {
	var ours *Error
	if err != nil && errors.As(context.Cause(w.ctx), &ours) {
		w.fault = ours
		return ours
	}
	return err
}

// watchedConn is watched in both directions.
type watchedConn struct {
	net.Conn
	*watch
}

func (c watchedConn) Read(p []byte) (int, error)  { return c.passed(c.Conn.Read(p)) }
func (c watchedConn) Write(p []byte) (int, error) { return c.passed(c.Conn.Write(p)) }

// watchedBody is the body of a request, or of an answer.
type watchedBody struct {
	io.Reader
	io.Closer
	*watch
}

func (b watchedBody) Read(p []byte) (int, error) {
	n, err := b.passed(b.Reader.Read(p))
	return n, b.reason(err)
}

// do sends a request, which is watched until it is ended.
func (c *Connection) do(inner http.RoundTripper, r *http.Request) (*http.Response, error) {
	w := c.watch(r.Context())
	r = r.WithContext(w.ctx)
	if r.Body != nil {
		r.Body = watchedBody{r.Body, r.Body, w}
	}
	response, err := inner.RoundTrip(r)
	if err != nil {
		return nil, w.reason(err)
	}
	body := io.Reader(response.Body)
	switch {
	case response.StatusCode/100 != 2:
		body = io.LimitReader(body, maxError)
	case strings.HasSuffix(r.URL.Path, "/info/refs"):
		body = c.references(body)
	case strings.HasSuffix(r.URL.Path, "/"+gotransport.UploadPackServiceName):
		body = c.packs(body)
	default:
		body = c.answer(body)
	}
	response.Body = watchedBody{body, response.Body, w}
	return response, nil
}

// references bounds an advertisement.
func (c *Connection) references(from io.Reader) io.Reader {
	return &atMost{from, c.Limits.References, c, Errorf(TooLarge, "%s advertises more than %d MB of branches, tags and other references", c.at.shown, c.Limits.References>>20)}
}

// answer bounds an answer that is neither references nor a pack.
func (c *Connection) answer(from io.Reader) io.Reader {
	return &atMost{from, maxAnswer, c, Errorf(TooLarge, "%s sends an answer of more than %d MB", c.at.shown, maxAnswer>>20)}
}

// atMost reads so many bytes, and fails if there are more.
type atMost struct {
	from    io.Reader
	left    int64
	c       *Connection
	tooMuch *Error
}

func (a *atMost) Read(p []byte) (int, error) {
	n, err := a.from.Read(p)
	if a.left -= int64(n); a.left < 0 {
		a.c.fault = a.tooMuch
		return 0, a.tooMuch
	}
	return n, err
}
