package mirror

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
)

// ends makes each token end with an upload: the first request with a body for a blob or
// a manifest is read, and refused.
type ends struct {
	*tokens
	mu   sync.Mutex
	sent map[string]int // by path and digest
}

func (e *ends) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut || r.Method == http.MethodPatch {
		key := r.URL.Query().Get("digest")
		if upload := strings.Index(r.URL.Path, "/uploads/"); upload < 0 {
			key = r.URL.Path
		} else {
			key = r.URL.Path[:upload] + key
		}
		e.mu.Lock()
		e.sent[r.Method+" "+key]++
		first := e.sent[r.Method+" "+key] == 1
		e.mu.Unlock()
		if first {
			_, _ = io.Copy(io.Discard, r.Body)
			e.tokens.mu.Lock()
			clear(e.tokens.left)
			e.tokens.mu.Unlock()
		}
	}
	e.tokens.ServeHTTP(w, r)
}

// A token that ends while a blob or a manifest is sent is renewed, and the same request
// is sent again: nothing else is.
func TestTokenEndsInAnUpload(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	k := &tokens{inner: onward(to), token: "canary-token", uses: 1 << 30, left: map[string]int{}, realm: func(r *http.Request) string { return "http://" + r.Host + "/token" }}
	ending := &ends{tokens: k, sent: map[string]int{}}
	mux := http.NewServeMux()
	give := k.give(targetCanary)
	number := 0
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		k.mu.Lock()
		number++
		k.token = fmt.Sprintf("canary-token-%d-", number) // none is given twice
		k.mu.Unlock()
		give.ServeHTTP(w, r)
	})
	mux.Handle("/", ending)
	target := watch(t, mux)
	logins := keys{target.host: {Username: "u", Password: targetCanary}}
	m := must(New(all.artifacts(from, target.host), Options{Client: client(t, registry.Options{Keychain: logins}), Parallel: 1}))
	wantAll(t, must(m.Copy(t.Context())), Copied)
	all.judge(t, to)
	for what, times := range ending.sent {
		if _, tag, _ := strings.Cut(what, "/manifests/sha256-"); tag != "" && !strings.Contains(tag, ".") {
			continue // a list of referrers grows
		}
		if times != 2 || strings.HasPrefix(what, http.MethodPatch) {
			t.Errorf("%s was sent %d times", what, times)
		}
	}
	if len(ending.sent) < 20 {
		t.Errorf("only %d things were sent", len(ending.sent))
	}
}

// changing is a keychain whose password at a host ends, as that of an hour which a
// credential helper gives.
type changing struct {
	host  string
	mu    sync.Mutex
	valid int // the number of the password
	asked int // how often the password was asked for
}

func (c *changing) Resolve(target authn.Resource) (authn.Authenticator, error) {
	if target.RegistryStr() != c.host {
		return authn.Anonymous, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	return authn.FromConfig(authn.AuthConfig{Username: "u", Password: fmt.Sprint(targetCanary, c.valid)}), nil
}

// takes reports whether a request has the password, which ends with some of them.
func (c *changing) takes(r *http.Request, uses *int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, password, _ := r.BasicAuth()
	ok := password == fmt.Sprint(targetCanary, c.valid)
	if *uses++; ok && *uses%10 == 0 {
		c.valid++
	}
	return ok
}

// A password that ends in the middle of a copy is asked for again, with tokens and
// without, and the copy goes on.
func TestPasswordEndsInTheMiddle(t *testing.T) {
	for _, bearer := range []bool{false, true} {
		t.Run(fmt.Sprint("tokens ", bearer), func(t *testing.T) {
			from, to := inProcess(t, true), inProcess(t, true)
			all := fill(t, from)
			logins, uses := &changing{}, 0
			k := &tokens{inner: onward(to), token: "canary-token", uses: 3, left: map[string]int{}, realm: func(r *http.Request) string { return "http://" + r.Host + "/token" }}
			target := watch(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case bearer && r.URL.Path != "/token":
					k.ServeHTTP(w, r)
				case !logins.takes(r, &uses):
					w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
					w.WriteHeader(http.StatusUnauthorized)
				case bearer:
					r.SetBasicAuth("u", targetCanary)
					k.give(targetCanary).ServeHTTP(w, r)
				default:
					onward(to).ServeHTTP(w, r)
				}
			}))
			logins.host = target.host
			m := must(New(all.artifacts(from, target.host), Options{Client: client(t, registry.Options{Keychain: logins}), Parallel: 1}))
			wantAll(t, must(m.Copy(t.Context())), Copied)
			all.judge(t, to)
			if logins.valid < 2 || logins.asked < logins.valid {
				t.Errorf("%d passwords ended, and one was asked for %d times", logins.valid, logins.asked)
			}
		})
	}
}

// A login that is wrong is an error at once, and its helper is not asked for ever.
func TestWrongPasswordIsAnError(t *testing.T) {
	from, to := inProcess(t, true), inProcess(t, true)
	all := fill(t, from)
	target := watch(t, basic(targetCanary, onward(to)))
	logins := &changing{host: target.host, valid: 7}
	for _, one := range run(t, registry.Options{Keychain: logins}, all.artifacts(from, target.host), (*Mirror).Copy) {
		if one.State != Failed || !strings.Contains(one.Error, "refuses the login that it was given") {
			t.Errorf("%s: %s %s", one.Target, one.State, one.Error)
		}
	}
	if logins.asked > 2*len(all.names) {
		t.Errorf("the login was asked for %d times", logins.asked)
	}
}
