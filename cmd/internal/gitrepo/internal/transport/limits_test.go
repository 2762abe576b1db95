package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// ended returns what ended a request, if we did.
func (w *watch) ended() string {
	if err := w.reason(errors.New("closed")); err.Error() != "closed" {
		return err.Error()
	}
	return ""
}

// What counts is how long nothing comes, not how long all of it takes.
func TestProgressKeepsARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := connection()
		w := conn.watch(context.Background())
		almost := conn.Limits.Stall - time.Second
		for range 4 {
			time.Sleep(almost)
			_, _ = w.passed(1, nil)
		}
		time.Sleep(almost)
		_, _ = w.passed(0, nil) // nothing
		if got := w.ended(); got != "" {
			t.Errorf("it was ended while bytes came: %s", got)
		}
		time.Sleep(2 * time.Second)
		if got, want := w.ended(), "git.test sent nothing for 2m0s"; got != want {
			t.Errorf("after a while of nothing: %q, want %q", got, want)
		}
	})
}

func TestAnswersThatDripEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := connection()
		w := conn.watch(context.Background())
		for range conn.Limits.Timeout / time.Second {
			time.Sleep(time.Second)
			_, _ = w.passed(1, nil)
		}
		time.Sleep(time.Second)
		if got, want := w.ended(), "git.test did not finish its answer within 15m0s"; got != want {
			t.Errorf("ended: %q, want %q", got, want)
		}
		stopped := conn.watch(context.Background())
		stopped.stop()
		time.Sleep(time.Hour)
		if got := stopped.ended(); got != "" {
			t.Errorf("a request that was over was ended: %q", got)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What we send is progress, too: a push may take long.
func TestSlowPushesAreNotEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := connection()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://git.test/fleet/git-receive-pack", strings.NewReader("a pack"))
		if err != nil {
			t.Fatal(err)
		}
		response, err := conn.do(roundTripper(func(r *http.Request) (*http.Response, error) {
			for part := make([]byte, 1); ; time.Sleep(conn.Limits.Stall - time.Second) {
				if _, err := r.Body.Read(part); err == io.EOF {
					return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("done"))}, r.Context().Err()
				}
			}
		}), request)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := io.ReadAll(response.Body); err != nil || string(answer) != "done" {
			t.Errorf("the answer: %q, %v", answer, err)
		}
		response.Body.Close()
	})
}
