package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
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
	client  *Client
	access  []Access
	stream  stream
	uploads uploads

	greetings greetings

	mu       sync.Mutex
	sessions map[string]*session // by host and repository
}

// session is a repository that is, or will be, logged in to.
type session struct {
	mu    sync.Mutex
	ready http.RoundTripper
	login authn.AuthConfig // that it was made with
}

// Transport makes a transport for some repositories.
func (c *Client) Transport(access ...Access) *Transport {
	return &Transport{client: c, access: access, stream: stream{c.exchange, newHealth()}, uploads: uploads{open: map[string]*url.URL{}, elsewhere: map[string]bool{}}, sessions: map[string]*session{}}
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
	t.uploads.note(req, resp)
	if status := resp.StatusCode; status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		if _, err := t.client.exchange.wait(req, resp, 1); err != nil { // a pause that is too long
			_ = resp.Body.Close()
			note(req, err)
			return nil, err
		}
	}
	if resp.StatusCode == http.StatusUnauthorized && strings.Contains(strings.Join(resp.Header["Www-Authenticate"], " "), `error="insufficient_scope"`) {
		resp.StatusCode = http.StatusForbidden // https://www.rfc-editor.org/rfc/rfc6750#section-3.1: the login is right
	}
	if resp.StatusCode >= http.StatusBadRequest {
		// A caller without a login must not try to get one by itself.
		resp.Header.Del("WWW-Authenticate")
		note(req, t.Refusal(req, resp))
	}
	if !reads(req) && resp.StatusCode == http.StatusServiceUnavailable {
		resp.StatusCode = http.StatusBadGateway // after which regclient writes again, and not after 503
	}
	return resp, nil
}

func (t *Transport) roundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Del("Authorization")
	if err := restartable(req); err != nil {
		return nil, err
	}
	send := t.stream.RoundTrip
	if access, found := t.accessOf(req); found {
		send = func(req *http.Request) (*http.Response, error) { return t.sendTo(access, req) }
	}
	resp, err := send(req)
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
		return reads(resp.Request)
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
	return t.stream.RoundTrip(next)
}

// inRepository finds the repository in the path of a request.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#endpoints
var inRepository = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^/v2/(.+)/(manifests/[^/]+|blobs/[^/]+|blobs/uploads/.*|referrers/[^/]+)$`)
})

// accessOf finds the access that a request needs, unless it must go without.
func (t *Transport) accessOf(req *http.Request) (Access, bool) {
	found := inRepository().FindStringSubmatch(req.URL.Path)
	if found == nil || req.Response != nil || !reads(req) && t.directed(req, found[2]) {
		return Access{}, false
	}
	at := slices.IndexFunc(t.access, func(one Access) bool {
		return one.Repository.RegistryStr() == req.URL.Host && one.Repository.RepositoryStr() == found[1] && (reads(req) || one.Push)
	})
	if at < 0 {
		return Access{}, false
	}
	return t.access[at], true
}

// directed reports whether another host may have sent a request that writes to where it
// goes, as the address of an upload: that host must not decide what is written, or removed,
// with the login here. Manifests are put without a query, and never removed.
func (t *Transport) directed(req *http.Request, path string) bool {
	if strings.HasPrefix(path, "manifests/") {
		return req.Method != http.MethodPut || req.URL.RawQuery != ""
	}
	return t.uploads.isElsewhere(req.URL)
}

// sendTo sends a request to a repository, logged in. Where the login does not hold any
// more, such as the password of an hour that a credential helper gave, and there is
// another by now, the request is sent again with that.
func (t *Transport) sendTo(to Access, req *http.Request) (*http.Response, error) {
	sender, err := t.login(req.Context(), to, nil)
	if err != nil {
		return nil, err
	}
	resp, err := sender.RoundTrip(req)
	var refused *transport.Error
	if err == nil && resp.StatusCode != http.StatusUnauthorized || err != nil && !(errors.As(err, &refused) && refused.StatusCode == http.StatusUnauthorized) {
		return resp, err
	}
	again, failed := t.login(req.Context(), to, sender)
	if failed != nil || again == sender {
		return resp, err
	}
	if resp != nil {
		_ = resp.Body.Close()
	}
	return again.RoundTrip(req)
}

// login gives what sends requests to a repository, logged in; it is tried again where
// it failed. What was refused is not given again unless there is no other login.
func (t *Transport) login(ctx context.Context, to Access, refused http.RoundTripper) (http.RoundTripper, error) {
	t.mu.Lock()
	key := to.Repository.Name()
	if t.sessions[key] == nil {
		t.sessions[key] = &session{}
	}
	one := t.sessions[key]
	t.mu.Unlock()
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.ready != nil && one.ready != refused {
		return one.ready, nil
	}
	auth, err := authn.Resolve(ctx, t.client.logins, to.Repository)
	if err != nil {
		return nil, err
	}
	login, err := authn.Authorization(ctx, auth)
	if err != nil {
		return nil, err
	}
	if one.ready != nil && *login == one.login {
		return refused, nil
	}
	ready, err := transport.NewWithContext(ctx, to.Repository.Registry, auth, transport.NewUserAgent(greeted{t.stream, &t.greetings}, t.client.options.UserAgent), t.scopes(to))
	if err != nil {
		return nil, err
	}
	one.ready, one.login = ready, *login
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

// note notes what went wrong with a request, unless it only looked or cleaned up after
// another: that is what failed.
func note(req *http.Request, err error) {
	follows := req.Method == http.MethodDelete || req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/blobs/uploads/")
	if t, ok := req.Context().Value(troubleKey{}).(*trouble); ok && !follows {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.last = err
	}
}
