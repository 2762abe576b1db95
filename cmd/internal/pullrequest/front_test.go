package pullrequest

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// front stands before a forge and its Git server. It counts the requests of a run, and ends
// the run at one of them.
type front struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string
	end      func()
	endAt    int  // the request at which a run ends, from 1
	late     bool // it ends after the server has done what was asked for, else before
}

func newFront(t *testing.T, behind http.Handler) *front {
	f := &front{}
	f.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body) // what is behind takes no chunks
		if err != nil {
			return
		}
		r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
		ends, late, end := f.count(r)
		if ends && late {
			behind.ServeHTTP(httptest.NewRecorder(), r)
		}
		if ends {
			end()
			panic(http.ErrAbortHandler)
		}
		behind.ServeHTTP(w, r)
	}))
	f.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.StartTLS()
	t.Cleanup(f.Close)
	return f
}

// count keeps a request, unless it is the server's question for a login, which a client
// answers by asking again.
func (f *front) count(r *http.Request) (ends, late bool, end func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, r.Method+" "+r.URL.Path)
	return f.end != nil && len(f.requests) == f.endAt, f.late, f.end
}

// begin starts to count, for a run that ends at a request; at none where end is nil.
func (f *front) begin(endAt int, late bool, end func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests, f.end, f.endAt, f.late = nil, end, endAt, late
}

// asked gives the requests since the beginning, and how many of them were the API's.
func (f *front) asked() (all []string, api int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range f.requests {
		if strings.Contains(one, " /api/") {
			api++
		}
	}
	return f.requests, api
}
