package mirror

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
)

// Canaries are credentials. Each may get to its own host alone.
const (
	sourceCanary = "canary-of-the-source"
	targetCanary = "canary-of-the-target"
)

// keys knows a password for each host.
type keys map[string]authn.AuthConfig

func (k keys) Resolve(target authn.Resource) (authn.Authenticator, error) {
	if login, known := k[target.RegistryStr()]; known {
		return authn.FromConfig(login), nil
	}
	return authn.Anonymous, nil
}

// watched is a server that keeps all that it got.
type watched struct {
	*httptest.Server
	host string
	mu   sync.Mutex
	got  []string
}

func watch(t testing.TB, handler http.Handler) *watched {
	w := &watched{}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		user, password, _ := r.BasicAuth()
		w.mu.Lock()
		w.got = append(w.got, fmt.Sprint(r.Method, r.URL, r.Header, user, password, string(body)))
		w.mu.Unlock()
		handler.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.Close)
	w.host = w.Listener.Addr().String()
	return w
}

// holds reports whether a text is in anything that the server got.
func (w *watched) holds(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.got, func(one string) bool { return strings.Contains(one, text) })
}

func onward(host string) http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: host})
		r.Out.Host = r.In.Host
		r.Out.Header.Del("Authorization")
	}}
}

// basic lets a password through.
func basic(password string, inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, got, _ := r.BasicAuth(); got != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(w, r)
	})
}

// tokens lets through who has a token of the realm, each a number of times.
type tokens struct {
	inner http.Handler
	realm func(r *http.Request) string
	token string
	uses  int // that a token is good for
	mu    sync.Mutex
	left  map[string]int
}

func (k *tokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	ok := k.left[r.Header.Get("Authorization")] > 0
	k.left[r.Header.Get("Authorization")]--
	k.mu.Unlock()
	if !ok {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm=%q,service="x"`, k.realm(r)))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	k.inner.ServeHTTP(w, r)
}

// give answers a request for a token, to who has the password.
func (k *tokens) give(password string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, got, _ := r.BasicAuth(); got != password {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		token := fmt.Sprint(k.token, len(k.left))
		k.left["Bearer "+token] = k.uses
		fmt.Fprintf(w, `{"token":%q}`, token)
	})
}

// Each side gets its own login, and storage behind a redirect gets none.
func TestLoginsStayWithTheirHost(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, false)
	all := fill(t, from)
	storage := watch(t, onward(from))
	redirects := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			http.Redirect(w, r, storage.URL+r.URL.Path+"?signature=x", http.StatusTemporaryRedirect)
			return
		}
		onward(from).ServeHTTP(w, r)
	})
	source := watch(t, basic(sourceCanary, redirects))
	tokens := &tokens{inner: onward(to), token: "canary-token-of-the-target", uses: 7, left: map[string]int{}, realm: func(r *http.Request) string { return "http://" + r.Host + "/token" }}
	mux := http.NewServeMux()
	mux.Handle("/token", tokens.give(targetCanary))
	mux.Handle("/", tokens)
	target := watch(t, mux)
	logins := keys{source.host: {Username: "u", Password: sourceCanary}, target.host: {Username: "u", Password: targetCanary}}
	wantAll(t, run(t, registry.Options{Keychain: logins}, all.artifacts(source.host, target.host), (*Mirror).Copy), Copied)
	all.judge(t, to)
	for _, one := range []struct {
		host   *watched
		name   string
		canary string
		want   bool
	}{
		{source, "source", sourceCanary, true}, {source, "source", targetCanary, false}, {source, "source", "canary-token", false},
		{target, "target", targetCanary, true}, {target, "target", sourceCanary, false},
		{storage, "storage", "canary", false}, {storage, "storage", "signature=x", true},
	} {
		if got := one.host.holds(one.canary); got != one.want {
			t.Errorf("the %s got %s: %v, want %v", one.name, one.canary, got, one.want)
		}
	}
}

// A realm on another host gets a login only if the user names it as a token service.
func TestTokenServiceElsewhere(t *testing.T) {
	for _, tt := range []struct {
		identity bool
		name     string // of the service's host; the library refuses addresses
	}{{false, "localhost"}, {true, "localhost"}, {false, "127.0.0.1"}, {true, "127.0.0.1"}} {
		t.Run(fmt.Sprint("identity token ", tt.identity, " at ", tt.name), func(t *testing.T) {
			from, to := inProcess(t, true), inProcess(t, true)
			all := fill(t, from)
			var service *watched
			tokens := &tokens{inner: onward(from), token: "t", uses: 1 << 30, left: map[string]int{}, realm: func(*http.Request) string {
				return strings.Replace(service.URL, "127.0.0.1", tt.name, 1) + "/token"
			}}
			give := tokens.give(sourceCanary)
			service = watch(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.PostFormValue("refresh_token") == sourceCanary {
					r.SetBasicAuth("", sourceCanary)
				}
				give.ServeHTTP(w, r)
			}))
			source := watch(t, tokens)
			login := authn.AuthConfig{Username: "u", Password: sourceCanary}
			if tt.identity {
				login = authn.AuthConfig{Username: "<token>", IdentityToken: sourceCanary}
			}
			named := strings.Replace(service.host, "127.0.0.1", tt.name, 1)
			artifacts := all.artifacts(source.host, to)
			options := registry.Options{Keychain: keys{source.host: login}}
			for _, one := range run(t, options, artifacts, (*Mirror).Copy) {
				if one.State != Failed || !strings.Contains(one.Error, "--token-service "+named) {
					t.Errorf("%s: %s %s", one.Target, one.State, one.Error)
				}
			}
			if service.holds(sourceCanary) {
				t.Error("the token service got the login")
			}
			options.TokenServices = []string{named}
			wantAll(t, run(t, options, artifacts, (*Mirror).Copy), Copied)
			if !service.holds(sourceCanary) {
				t.Error("the token service got no login")
			}
		})
	}
}

// A target that sends an upload to the source does not make it come with the source's
// login.
func TestUploadToTheSourceHasNoLogin(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	source := watch(t, basic(sourceCanary, onward(from)))
	target := watch(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.Header().Set("Location", source.URL+"/v2/cloud/plain/blobs/uploads/x")
			w.WriteHeader(http.StatusAccepted)
			return
		}
		onward(to).ServeHTTP(w, r)
	}))
	logins := keys{source.host: {Username: "u", Password: sourceCanary}}
	for _, one := range run(t, registry.Options{Keychain: logins}, all.artifacts(source.host, target.host), (*Mirror).Copy) {
		if one.State != Failed {
			t.Errorf("%s is %s", one.Target, one.State)
		}
	}
	source.mu.Lock()
	defer source.mu.Unlock()
	uploads := 0
	for _, one := range source.got {
		if strings.HasPrefix(one, "PUT") {
			uploads++
			if strings.Contains(one, sourceCanary) {
				t.Error("an upload came with the login")
			}
		}
	}
	if uploads == 0 {
		t.Error("no upload came")
	}
}

// A target does not decide what is written or removed at another one with the login there.
func TestTargetDirectsNoWritesToAnother(t *testing.T) {
	for _, path := range []string{"/v2/mirror/cloud/plain/manifests/latest", "/v2/mirror/cloud/plain/blobs/uploads/1"} {
		from, to := inProcess(t, true), inProcess(t, true)
		all := fill(t, from)
		other := watch(t, basic(targetCanary, onward(to)))
		hostile := watch(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				w.Header().Set("Location", other.URL+path)
				w.WriteHeader(http.StatusAccepted)
			} else if r.URL.Path != "/v2/" {
				w.WriteHeader(http.StatusNotFound)
			}
		}))
		logins := keys{other.host: {Username: "u", Password: targetCanary}}
		artifacts := []Artifact{all.artifacts(from, hostile.host)[0], all.artifacts(from, other.host)[2]}
		m := must(New(artifacts, Options{Client: client(t, registry.Options{Keychain: logins}), Parallel: 1}))
		m.delay = time.Millisecond
		results := must(m.Copy(t.Context()))
		if results[0].State != Failed || results[1].State != Copied {
			t.Errorf("%s: %s %s, %s %s", path, results[0].State, results[0].Error, results[1].State, results[1].Error)
		}
		m.transport.CancelUploads(t.Context())
		put, removed := other.directed(http.MethodPut, path+"?digest"), other.directed(http.MethodDelete, path)
		if len(put) == 0 || len(removed) == 0 {
			t.Errorf("%s: %d uploads and %d removals were directed to the other target, want some", path, len(put), len(removed))
		}
		for _, one := range append(put, removed...) {
			if strings.Contains(one, targetCanary) {
				t.Errorf("with the login: %.80s", one)
			}
		}
	}
}

// directed gives the requests of a method whose address begins so.
func (w *watched) directed(method, address string) (some []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.got {
		if strings.HasPrefix(one, method+address) {
			some = append(some, one)
		}
	}
	return some
}

// An upload and the next page of a list at another host get no login.
func TestLocationsElsewhereGetNoLogin(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	elsewhere := watch(t, onward(to))
	target := watch(t, basic(targetCanary, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			answer := httptest.NewRecorder()
			onward(to).ServeHTTP(answer, r)
			w.Header().Set("Location", elsewhere.URL+answer.Header().Get("Location"))
			w.WriteHeader(answer.Code)
			return
		}
		onward(to).ServeHTTP(w, r)
	})))
	source := watch(t, basic(sourceCanary, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "cloud/ui/referrers/") {
			w.Header().Set("Link", "<"+elsewhere.URL+r.URL.Path+"?next>; rel=next")
		}
		onward(from).ServeHTTP(w, r)
	})))
	logins := keys{source.host: {Username: "u", Password: sourceCanary}, target.host: {Username: "u", Password: targetCanary}}
	results := run(t, registry.Options{Keychain: logins}, all.artifacts(source.host, target.host), (*Mirror).Copy)
	for i, one := range results {
		if i == 1 && !strings.Contains(one.Error, "goes on with a list at another host") || i != 1 && one.State != Copied {
			t.Errorf("%s: %s %s", one.Target, one.State, one.Error)
		}
	}
	if elsewhere.holds("canary") || elsewhere.holds("?next") || !elsewhere.holds("PUT") {
		t.Errorf("the other host got a login or the next page, or no upload")
	}
}
