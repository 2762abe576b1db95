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

// between stands before a registry and answers some requests itself.
func between(t testing.TB, host string, answers func(http.ResponseWriter, *http.Request) bool) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !answers(w, r) {
			onward(host).ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}
