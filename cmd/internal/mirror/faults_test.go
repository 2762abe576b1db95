package mirror

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/killtest"
	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
)

// Whatever goes wrong on the way, nothing wrong gets to the target, and after some runs
// everything is there.
func TestFaultsAreSurvived(t *testing.T) {
	const most = 500
	seen := map[fault]int{}
	seed := 0
	for range killtest.Rounds(30, func() bool { return true }) {
		for _, target := range []string{"with the referrers API", "without the referrers API", debian} {
			if seed++; target == debian && seed%9 != 3 {
				continue // its disk is slow
			}
			t.Run(fmt.Sprintf("%s, seed %d", target, seed), func(t *testing.T) {
				from, to := servers["with the referrers API"](t), servers[target](t)
				all := fill(t, from)
				source, sink := newProxy(t, from, seed, 12), newProxy(t, to, seed+1000, 12)
				artifacts := all.artifacts(source.host, sink.host)
				for rounds := 1; ; rounds++ {
					results := run(t, registry.Options{}, artifacts, (*Mirror).Copy)
					all.judge(t, to, results...)
					failed := failures(results)
					if failed == nil {
						t.Logf("done after %d runs", rounds)
						break
					}
					if rounds == most || t.Failed() {
						t.Fatalf("after %d runs: %s", rounds, strings.Join(failed, "\n"))
					}
				}
				for _, one := range []*proxy{source, sink} {
					for fault, n := range one.hit {
						seen[fault] += n
					}
				}
			})
		}
	}
	for one := hangUp; one < faults; one++ {
		if seen[one] == 0 {
			t.Errorf("fault %d never came", one)
		}
	}
}

// A blob that is corrupt for ever ends in an error with its digest, not in a loop, and
// does not keep the others from being copied.
func TestCorruptBlobIsNamed(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	var wrong string
	sick := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "cloud/plain/blobs/") && (wrong == "" || strings.HasSuffix(r.URL.Path, wrong)) {
			wrong = r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
			answer := httptest.NewRecorder()
			httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: from}).ServeHTTP(answer, r)
			w.Header().Set("Content-Length", fmt.Sprint(answer.Body.Len()))
			_, _ = w.Write(flipped(answer.Body.Bytes()))
			return
		}
		httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: from}).ServeHTTP(w, r)
	}))
	defer sick.Close()
	m, err := New(all.artifacts(sick.Listener.Addr().String(), to), Options{Client: client(t, registry.Options{}), Parallel: 1})
	if err != nil {
		t.Fatal(err)
	}
	m.delay = time.Millisecond
	results, err := m.Copy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, one := range results {
		if i != 2 && one.State != Copied {
			t.Errorf("%s: %s %s", one.Target, one.State, one.Error)
		}
	}
	if plain := results[2]; plain.State != Failed || !strings.Contains(plain.Error, wrong) || !strings.Contains(plain.Error, "sent other bytes") {
		t.Errorf("plain: %s %s, want an error with %s", plain.State, plain.Error, wrong)
	}
	all.judge(t, to, results...)
}

// A registry that is out of order for a while, when something is written or read, is
// asked again within the run.
func TestOutOfOrderForAWhile(t *testing.T) {
	for _, status := range []int{429, 500, 503} {
		for _, method := range []string{http.MethodPut, http.MethodPost, http.MethodGet} {
			t.Run(fmt.Sprint(method, status), func(t *testing.T) {
				from, to := inProcess(t, true), inProcess(t, true)
				all := fill(t, from)
				var mu sync.Mutex
				asked := map[string]int{}
				sick := func(host, part string) string {
					return between(t, host, func(w http.ResponseWriter, r *http.Request) bool {
						mu.Lock()
						defer mu.Unlock()
						if r.Method != method || !strings.Contains(r.URL.Path, part) {
							return false
						}
						if asked[host+r.URL.Path]++; asked[host+r.URL.Path] > 3 {
							return false
						}
						_, _ = io.Copy(io.Discard, r.Body)
						w.WriteHeader(status)
						return true
					})
				}
				artifacts := all.artifacts(sick(from, "/blobs/"), sick(to, "/manifests/"))
				if method == http.MethodPost {
					artifacts = all.artifacts(from, sick(to, "/uploads/"))
				}
				wantAll(t, run(t, registry.Options{}, artifacts, (*Mirror).Copy), Copied)
				all.judge(t, to)
				if len(asked) == 0 {
					t.Error("nothing was asked")
				}
			})
		}
	}
}

// A registry that wants an hour's pause when something is written is not waited for.
func TestLongPauseIsAnError(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	busy := between(t, to, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut {
			return false
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	})
	for _, one := range run(t, registry.Options{}, all.artifacts(from, busy), (*Mirror).Copy) {
		if one.State != Failed || !strings.Contains(one.Error, "asks to come back in 1h0m0s") {
			t.Errorf("%s: %s %s", one.Target, one.State, one.Error)
		}
	}
}

// A source that stops before or in a blob is given up. On a busy machine, what stops in
// the middle may not have begun in time.
func TestStallIsAnError(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	for start, want := range map[string]string{"": "for too long|an answer that did not come$", "x": "for too long|stopped in the middle"} {
		silent := between(t, from, func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "cloud/plain/blobs/") {
				return false
			}
			if start != "" {
				_, _ = w.Write([]byte(start))
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
			return true
		})
		results := run(t, registry.Options{Stall: 300 * time.Millisecond}, all.artifacts(silent, to)[2:3], (*Mirror).Copy)
		if !regexp.MustCompile(want).MatchString(results[0].Error) {
			t.Errorf("%s: %s, want … %s", results[0].State, results[0].Error, want)
		}
	}
}

// What a target says that it took and did not is found out.
func TestLostWritesAreNoticed(t *testing.T) {
	for what, loses := range map[string]func(*http.Request) bool{
		"the tag":   func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/manifests/latest") },
		"the blobs": func(r *http.Request) bool { return r.URL.Query().Has("digest") },
	} {
		t.Run(what, func(t *testing.T) {
			from, to := inProcess(t, true), inProcess(t, true)
			all := fill(t, from)
			forgetful := between(t, to, func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPut || !loses(r) {
					return false
				}
				_, _ = io.Copy(io.Discard, r.Body)
				w.WriteHeader(http.StatusCreated)
				return true
			})
			results := run(t, registry.Options{}, all.artifacts(from, forgetful)[2:3], (*Mirror).Copy)
			if results[0].State != Failed || !strings.HasPrefix(results[0].Error, "verify the copy: ") {
				t.Errorf("%s: %s", results[0].State, results[0].Error)
			}
		})
	}
}

// An answer that trickles is given up, though it never stops.
func TestTricklingAnswersEnd(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	for part, status := range map[string]int{"/manifests/latest": http.StatusOK, "/referrers/": http.StatusOK, ".sig": http.StatusForbidden} {
		slow := between(t, from, func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, part) {
				return false
			}
			w.Header().Set("Content-Type", ociIndex)
			w.WriteHeader(status)
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte(" "))
				w.(http.Flusher).Flush()
				time.Sleep(5 * time.Millisecond)
			}
			return true
		})
		start := time.Now()
		results := run(t, registry.Options{Stall: 20 * time.Second, Timeout: 500 * time.Millisecond}, all.artifacts(slow, to)[2:3], (*Mirror).Check)
		want := "did not finish its answer within 500ms"
		if status != http.StatusOK {
			want = "wants a login"
		}
		if took := time.Since(start); results[0].State != Failed || !strings.Contains(results[0].Error, want) || took > 15*time.Second {
			t.Errorf("%s: %s %s after %s", part, results[0].State, results[0].Error, took)
		}
	}
}
