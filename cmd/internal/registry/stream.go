package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// stream is requests whose bodies, both ways, are passed on as they come: those of
// blobs, which do not fit into memory. A side that stops is given up, and so is a host
// that does not work.
type stream struct {
	*exchange
	health *health
}

// RoundTrip implements [http.RoundTripper].
func (s stream) RoundTrip(req *http.Request) (*http.Response, error) {
	return s.send(req, s.once)
}

// once does a request. The answer's body ends with [io.ErrUnexpectedEOF] when the
// connection breaks or stalls, whatever the reason: what reads it may resume.
func (s stream) once(req *http.Request) (*http.Response, error) {
	if err := s.health.check(req); err != nil {
		return nil, err
	}
	resp, err := s.ask(req)
	s.health.note(req, resp, err)
	return resp, err
}

func (s stream) ask(req *http.Request) (*http.Response, error) {
	host := req.URL.Host
	body, err := restart(req)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	guard := time.AfterFunc(s.options.Stall, func() {
		cancel(&Error{Kind: Stalled, sentence: fmt.Sprintf("%s sent nothing, or took nothing, for too long", host)})
	})
	out := &sending{ReadCloser: body, guard: guard, pause: s.options.Stall, end: s.options.Timeout}
	sent := req.WithContext(ctx)
	if body != nil && body != http.NoBody {
		sent.Body = out
	}
	resp, err := s.base.RoundTrip(sent)
	guard.Stop()
	if err != nil || resp.StatusCode >= http.StatusBadRequest {
		out.stop()
	}
	if err != nil {
		defer cancel(nil)
		return nil, reasonOf(ctx, req, err)
	}
	resp.Request = req
	resp.Body = &receiving{ReadCloser: resp.Body, guard: guard, pause: s.options.Stall, parent: req.Context(), cancel: cancel}
	return resp, nil
}

// sending is the body of a request. Time counts while the host takes it, not
// while it is read from elsewhere, and for longer once it is sent: a registry
// computes the digest then.
type sending struct {
	io.ReadCloser
	guard      *time.Timer
	pause, end time.Duration

	mu   sync.Mutex
	done bool
}

// stop lets nothing more be read: net/http may go on with a body whose request was
// answered, while the body is sent again.
func (b *sending) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done = true
}

func (b *sending) Read(part []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done {
		return 0, errSpent
	}
	b.guard.Stop()
	n, err := b.ReadCloser.Read(part)
	if err != nil {
		b.guard.Reset(b.end)
	} else {
		b.guard.Reset(b.pause)
	}
	return n, err
}

// receiving is the body of an answer. Time counts while it is waited for.
type receiving struct {
	io.ReadCloser
	guard  *time.Timer
	pause  time.Duration
	parent context.Context
	cancel context.CancelCauseFunc
}

func (b *receiving) Read(part []byte) (int, error) {
	b.guard.Reset(b.pause)
	n, err := b.ReadCloser.Read(part)
	b.guard.Stop()
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	if b.parent.Err() != nil {
		return n, context.Cause(b.parent)
	}
	return n, io.ErrUnexpectedEOF
}

func (b *receiving) Close() error {
	b.guard.Stop()
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}
