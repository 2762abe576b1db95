package registry

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"syscall"
)

// A host that failed so often in a row is not asked again. What takes long to fail
// counts for more.
const (
	maxFailures = 32
	slowFailure = 8
)

// health counts how often hosts failed since they last did not, reading and writing
// apart: a registry whose disk is full still answers who reads.
type health struct {
	mu     sync.Mutex
	failed map[string]int
	last   map[string]string
}

func newHealth() *health { return &health{failed: map[string]int{}, last: map[string]string{}} }

func healthKey(req *http.Request) string {
	if reads(req) {
		return "reading from " + req.URL.Host
	}
	return "writing to " + req.URL.Host
}

// check refuses a request to a host that failed too often.
func (h *health) check(req *http.Request) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := healthKey(req)
	if h.failed[key] < maxFailures {
		return nil
	}
	return &Error{Kind: GivenUp, sentence: fmt.Sprintf("%s is given up: it failed time and again, at last with %s", key, h.last[key])}
}

// note counts what became of a request. An answer of 429 says nothing either way, nor does
// one that is not about a repository: a registry without storage still greets.
func (h *health) note(req *http.Request, resp *http.Response, err error) {
	weight, last := 0, ""
	var ours *Error
	switch {
	case errors.As(err, new(tls.RecordHeaderError)), errors.Is(err, http.ErrSchemeMismatch):
		return // a host that may answer without TLS, and does
	case err == nil && resp.StatusCode == http.StatusTooManyRequests, err != nil && req.Context().Err() != nil:
		return
	case err == nil && resp.StatusCode < 500 && !inRepository().MatchString(req.URL.Path):
		return
	case err == nil && resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented:
		weight, last = 1, fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	case errors.As(err, &ours) && ours.Kind == Stalled:
		weight, last = slowFailure, "an answer that did not come"
	case errors.Is(err, syscall.ECONNREFUSED):
		weight, last = slowFailure, "a connection that it refused"
	case err != nil:
		weight, last = 1, "a broken connection"
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	key := healthKey(req)
	if h.last[key] = last; weight == 0 {
		h.failed[key] = 0
	}
	h.failed[key] += weight
}
