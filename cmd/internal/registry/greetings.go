package registry

import (
	"fmt"
	"net/http"
	"sync"
)

// greetings remember how hosts answer to /v2/: with TLS or without, and which login they
// want. The library asks each time that it logs in, and a copy of many repositories logs
// in to each of them.
type greetings struct {
	mu    sync.Mutex
	known map[string]*http.Response // by host, without bodies
}

// greeted sends requests, but for those that greetings can answer.
type greeted struct {
	http.RoundTripper
	*greetings
}

// RoundTrip implements [http.RoundTripper]. A host that answered without TLS is not tried
// with TLS again, nor the other way round.
func (g greeted) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet || req.URL.Path != "/v2/" {
		return g.RoundTripper.RoundTrip(req)
	}
	g.mu.Lock()
	known := g.known[req.URL.Host]
	g.mu.Unlock()
	if known == nil {
		return g.ask(req)
	}
	if scheme := known.Request.URL.Scheme; scheme != req.URL.Scheme {
		return nil, fmt.Errorf("%s answers to %s", req.URL.Host, scheme)
	}
	answer := *known
	answer.Header, answer.Request = known.Header.Clone(), req
	return &answer, nil
}

// ask asks a host, and remembers its answer if it is one to go on with.
func (g greeted) ask(req *http.Request) (*http.Response, error) {
	resp, err := g.RoundTripper.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	known := *resp
	known.Body, known.Header = http.NoBody, resp.Header.Clone()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known == nil {
		g.known = map[string]*http.Response{}
	}
	g.known[req.URL.Host] = &known
	return resp, nil
}
