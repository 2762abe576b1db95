package registry

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Access is a repository that a [Transport] may log in to.
type Access struct {
	Repository name.Repository
	Push       bool // also to write
}

// Transport sends requests that others make, such as a library that copies images,
// with the logins of a [Client]. A request gets a login only for a repository that
// it has [Access] to, as its path says, and writes only where that is for writing;
// one that a redirect leads to gets none. Bodies are passed on as they come, and a
// request without one is repeated as a Client does.
type Transport struct {
	client *Client
	access []Access

	greetings greetings

	mu       sync.Mutex
	sessions map[string]*session // by host and repository
}

// session is a repository that is, or will be, logged in to.
type session struct {
	mu    sync.Mutex
	ready http.RoundTripper
}

// Transport makes a transport for some repositories.
func (c *Client) Transport(access ...Access) *Transport {
	return &Transport{client: c, access: access, sessions: map[string]*session{}}
}

// Repository reads the name of a repository, as HOST/PATH; a name without a host is
// Docker Hub's.
func (c *Client) Repository(text string) (name.Repository, error) {
	host, _, _ := strings.Cut(text, "/")
	repository, err := name.NewRepository(text, c.options.nameOptions(host)...)
	if err != nil {
		return name.Repository{}, fmt.Errorf("repository %q: want host/path/name", text)
	}
	return repository, nil
}

// RoundTrip implements [http.RoundTripper].
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.roundTrip(req)
	if err != nil {
		note(req, t.sentence(req, err))
		return nil, err
	}
	if status := resp.StatusCode; status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		if _, err := t.client.exchange.wait(req, resp, 1); err != nil { // a pause that is too long
			_ = resp.Body.Close()
			note(req, err)
			return nil, err
		}
	}
	if resp.StatusCode >= http.StatusBadRequest {
		// A caller without a login must not try to get one by itself.
		resp.Header.Del("WWW-Authenticate")
		note(req, t.Refusal(req, resp))
	}
	if reads := req.Method == http.MethodGet || req.Method == http.MethodHead; !reads && resp.StatusCode == http.StatusServiceUnavailable {
		resp.StatusCode = http.StatusBadGateway // after which regclient writes again, and not after 503
	}
	return resp, nil
}

func (t *Transport) roundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Del("Authorization")
	var sender http.RoundTripper = stream{t.client.exchange}
	if access, found := t.accessOf(req); found {
		session, err := t.login(req.Context(), access)
		if err != nil {
			return nil, err
		}
		sender = session
	}
	resp, err := sender.RoundTrip(req)
	for hop := 1; err == nil && req.Body == nil && redirects(resp); hop++ {
		if hop > maxHops {
			_ = resp.Body.Close()
			return nil, &Error{Kind: Broken, sentence: fmt.Sprintf("%s redirects more than %d times", req.URL.Host, maxHops)}
		}
		resp, err = t.follow(req, resp)
	}
	return resp, err
}

// redirects reports whether an answer sends a reader elsewhere.
func redirects(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return resp.Request.Method == http.MethodGet || resp.Request.Method == http.MethodHead
	}
	return false
}

// follow reads where an answer leads to, without a login.
func (t *Transport) follow(req *http.Request, resp *http.Response) (*http.Response, error) {
	_ = resp.Body.Close()
	to, err := resp.Location()
	if err != nil {
		return nil, &Error{Kind: Broken, sentence: req.URL.Host + " redirects to nowhere"}
	}
	next := req.Clone(req.Context())
	next.URL, next.Host = to, ""
	next.Header.Del("Authorization")
	return stream{t.client.exchange}.RoundTrip(next)
}

// inRepository finds the repository in the path of a request.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#endpoints
var inRepository = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^/v2/(.+)/(manifests/[^/]+|blobs/[^/]+|blobs/uploads/.*|referrers/[^/]+)$`)
})

// accessOf finds the access that a request needs, unless it must go without.
func (t *Transport) accessOf(req *http.Request) (Access, bool) {
	found := inRepository().FindStringSubmatch(req.URL.Path)
	if found == nil || req.Response != nil {
		return Access{}, false
	}
	reads := req.Method == http.MethodGet || req.Method == http.MethodHead
	at := slices.IndexFunc(t.access, func(one Access) bool {
		return one.Repository.RegistryStr() == req.URL.Host && one.Repository.RepositoryStr() == found[1] && (reads || one.Push)
	})
	if at < 0 {
		return Access{}, false
	}
	return t.access[at], true
}

// login gives what sends requests to a repository, logged in; it is tried again
// where it failed.
func (t *Transport) login(ctx context.Context, to Access) (http.RoundTripper, error) {
	t.mu.Lock()
	key := to.Repository.Name()
	if t.sessions[key] == nil {
		t.sessions[key] = &session{}
	}
	one := t.sessions[key]
	t.mu.Unlock()
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.ready != nil {
		return one.ready, nil
	}
	auth, err := authn.Resolve(ctx, t.client.logins, to.Repository)
	if err != nil {
		return nil, err
	}
	ready, err := transport.NewWithContext(ctx, to.Repository.Registry, auth, transport.NewUserAgent(greeted{stream{t.client.exchange}, &t.greetings}, t.client.options.UserAgent), t.scopes(to))
	if err != nil {
		return nil, err
	}
	one.ready = ready
	return ready, nil
}

// scopes lists what a token has to allow: a mount of a blob reads from another
// repository of the same host.
func (t *Transport) scopes(to Access) []string {
	if !to.Push {
		return []string{to.Repository.Scope(transport.PullScope)}
	}
	all := []string{to.Repository.Scope(transport.PushScope)}
	for _, other := range t.access {
		if other.Repository != to.Repository && other.Repository.RegistryStr() == to.Repository.RegistryStr() {
			all = append(all, other.Repository.Scope(transport.PullScope))
		}
	}
	return all
}

type troubleKey struct{}

// trouble is the last thing that went wrong.
type trouble struct {
	mu   sync.Mutex
	last error
}

// WithTrouble gives a context whose requests through a [Transport] are watched, and
// what tells what went wrong with the last one that failed, as a sentence without
// credentials: the library that made it often does not say.
func WithTrouble(ctx context.Context) (context.Context, func() error) {
	t := &trouble{}
	return context.WithValue(ctx, troubleKey{}, t), func() error {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.last
	}
}

// note notes what went wrong with a request, unless it only cleaned up after another.
func note(req *http.Request, err error) {
	if t, ok := req.Context().Value(troubleKey{}).(*trouble); ok && req.Method != http.MethodDelete {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.last = err
	}
}
