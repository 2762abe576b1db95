package mirror

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/killtest"
	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
)

// fault is something that goes wrong with a request.
type fault int

const (
	none fault = iota
	hangUp
	cutAnswer
	corruptAnswer
	slowAnswer
	cutUpload
	corruptUpload
	status401
	status403
	status429
	status500
	status503
	faults // their number
)

var statuses = map[fault]int{status401: 401, status403: 403, status429: 429, status500: 500, status503: 503}

// proxy stands before a registry and lets some requests go wrong. Which ones depends on
// its seed, on the request and on how often it came, and not on the order of requests.
type proxy struct {
	*httptest.Server
	host  string
	seed  int
	share uint64 // of 100 requests, so many go wrong

	mu    sync.Mutex
	asked map[string]int
	hit   map[fault]int
}

func newProxy(t testing.TB, registry string, seed int, share uint64) *proxy {
	t.Helper()
	p := &proxy{seed: seed, share: share, asked: map[string]int{}, hit: map[fault]int{}}
	onward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: registry})
			r.Out.Host = r.In.Host // in which addresses of uploads are
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, onward) }))
	p.Config.ErrorLog = log.New(io.Discard, "", 0)
	p.Start()
	t.Cleanup(p.Close)
	p.host = p.Listener.Addr().String()
	return p
}

// next chooses the fault of a request.
func (p *proxy) next(r *http.Request) fault {
	path := r.URL.Path
	if upload := strings.Index(path, "/blobs/uploads/"); upload >= 0 {
		path = path[:upload] + "/blobs/uploads/?" + r.URL.Query().Get("digest") + r.URL.Query().Get("mount")
	}
	key := r.Method + " " + path
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[key]++
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%d %s %d", p.seed, key, p.asked[key])
	drawn := hash.Sum64() >> 8
	if drawn%100 >= p.share {
		return none
	}
	chosen := fault(drawn / 100 % uint64(faults))
	p.hit[chosen]++
	return chosen
}

func (p *proxy) serve(w http.ResponseWriter, r *http.Request, onward http.Handler) {
	chosen := p.next(r)
	if status, ok := statuses[chosen]; ok {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(status)
		return
	}
	switch chosen {
	case hangUp:
		panic(http.ErrAbortHandler)
	case cutUpload:
		_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
		panic(http.ErrAbortHandler)
	case corruptUpload:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(flipped(body)))
	case cutAnswer, corruptAnswer, slowAnswer:
		answer := httptest.NewRecorder()
		onward.ServeHTTP(answer, r)
		for key, values := range answer.Header() {
			w.Header()[key] = values
		}
		body := answer.Body.Bytes()
		if chosen == corruptAnswer {
			body = flipped(body)
		}
		if r.Method != http.MethodHead {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		}
		w.WriteHeader(answer.Code)
		if chosen == cutAnswer {
			_, _ = w.Write(body[:len(body)/2])
			panic(http.ErrAbortHandler)
		}
		for part := range chunks(body, 500) {
			_, _ = w.Write(part)
			w.(http.Flusher).Flush()
		}
		return
	}
	onward.ServeHTTP(w, r)
}

func flipped(body []byte) []byte {
	body = bytes.Clone(body)
	if len(body) > 0 {
		body[len(body)/2] ^= 1
	}
	return body
}

func chunks(body []byte, size int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(body) > 0 {
			n := min(size, len(body))
			if !yield(body[:n]) {
				return
			}
			body = body[n:]
		}
	}
}

// Whatever goes wrong on the way, nothing wrong gets to the target, and after some runs
// everything is there.
func TestFaultsAreSurvived(t *testing.T) {
	const most = 60
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

// Only "not found" means that something has no signature: every other answer fails.
func TestErrorsAreNoAbsence(t *testing.T) {
	from := inProcess(t, true)
	all := fill(t, from)
	for _, part := range []string{".sig", ".att", ".sbom", "/referrers/"} {
		for _, status := range []int{401, 403, 405, 429, 500, 502, 503} {
			t.Run(fmt.Sprint(part, status), func(t *testing.T) {
				to := inProcess(t, true)
				sick := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.Contains(r.URL.Path, part) {
						w.WriteHeader(status)
						return
					}
					httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: from}).ServeHTTP(w, r)
				}))
				defer sick.Close()
				for _, one := range run(t, registry.Options{}, all.artifacts(sick.Listener.Addr().String(), to), (*Mirror).Copy) {
					if one.State != Failed || one.Error == "" {
						t.Errorf("%s is %s", one.Target, one.State)
					}
				}
			})
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
