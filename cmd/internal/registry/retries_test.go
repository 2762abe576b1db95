package registry

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestRetries(t *testing.T) {
	f := newFake(t)
	ref, _, archive := f.push(t, "app", "1.2.3")
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	short := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", fmt.Sprint(len(archive)))
		_, _ = w.Write(archive[:len(archive)/2])
	}
	after := func(text string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", text)
			w.WriteHeader(429)
		}
	}
	status := func(status int) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(status) }
	}
	const ms = time.Millisecond
	tests := []struct {
		name  string
		fails []func(http.ResponseWriter)
		want  []time.Duration
	}{
		{"backoff doubles", []func(http.ResponseWriter){status(500), status(502), status(503)}, []time.Duration{250 * ms, 500 * ms, 1000 * ms}},
		{"Retry-After in seconds", []func(http.ResponseWriter){after("7")}, []time.Duration{7 * time.Second}},
		{"Retry-After as a date", []func(http.ResponseWriter){after(now.Add(9 * time.Second).Format(http.TimeFormat))}, []time.Duration{9 * time.Second}},
		{"Retry-After in the past", []func(http.ResponseWriter){after(now.Add(-time.Hour).Format(http.TimeFormat))}, []time.Duration{0}},
		{"Retry-After that makes no sense", []func(http.ResponseWriter){after("soon"), after("-1")}, []time.Duration{250 * ms, 500 * ms}},
		{"broken answers", []func(http.ResponseWriter){short, func(http.ResponseWriter) { panic(http.ErrAbortHandler) }}, []time.Duration{250 * ms, 500 * ms}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var calls atomic.Int32
			f.interfere(func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.Contains(r.URL.Path, "/blobs/"+digestOf(archive)) {
					return false
				}
				call := int(calls.Add(1))
				if call <= len(test.fails) {
					test.fails[call-1](w)
				}
				return call <= len(test.fails)
			})
			c, waits := f.client(t, Options{Now: func() time.Time { return now }})
			if _, err := c.Chart(t.Context(), ref); err != nil || !slices.Equal(*waits, test.want) {
				t.Errorf("Chart = %v after waits %v; want %v", err, *waits, test.want)
			}
		})
	}
}

func TestWaitsAreLeftToChanceInPart(t *testing.T) {
	e := &exchange{options: Options{Jitter: func() float64 { return 0.5 }}}
	if wait, err := e.wait(nil, nil, 2); wait != 750*time.Millisecond || err != nil {
		t.Errorf("wait = %v, %v; want 750ms", wait, err)
	}
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sleep(ctx, time.Hour); !ended(err) {
		t.Errorf("sleep = %v, want the context's error", err)
	}
	if err := sleep(t.Context(), 0); err != nil {
		t.Errorf("sleep(0) = %v", err)
	}
	if share := chance(); share < 0 || share >= 1 {
		t.Errorf("chance = %v, want a share", share)
	}
}

func TestOnlyReadingIsRepeated(t *testing.T) {
	for method, want := range map[string]bool{"GET": true, "HEAD": true, "POST": false, "PUT": false, "DELETE": false} {
		req := httptest.NewRequest(method, "/", nil)
		if got := repeatable(req, &http.Response{StatusCode: 503}, nil); got != want {
			t.Errorf("repeatable(%s) = %t, want %t", method, got, want)
		}
	}
}
