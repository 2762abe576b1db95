package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/registry"
)

// What may be in requests to one host alone, and in no output.
const (
	sourceLogin = "canary-login-of-the-source"
	targetLogin = "canary-login-of-the-target"
	sourceToken = "canary-token-of-the-source"
)

// overheard is a server that keeps all that it was sent, and knows what it stands before.
type overheard struct {
	*httptest.Server
	host, name string // by address, and as localhost
	mu         sync.Mutex
	got        strings.Builder
}

func overhear(t *testing.T, handler http.HandlerFunc) *overheard {
	t.Helper()
	o := &overheard{}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		user, password, _ := r.BasicAuth()
		form, _ := url.QueryUnescape(string(body))
		o.mu.Lock()
		fmt.Fprintln(&o.got, r.Method, r.URL, r.Header, user, password, string(body), form)
		o.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(o.Close)
	o.host = o.Listener.Addr().String()
	o.name = strings.Replace(o.host, "127.0.0.1", "localhost", 1)
	return o
}

// takes gives what was sent since the last time.
func (o *overheard) takes() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.got.String()
	o.got.Reset()
	return all
}

// pass sends a request on, without a login.
func pass(host string) http.HandlerFunc {
	onward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: host})
		r.Out.Host = r.In.Host
		r.Out.Header.Del("Authorization")
	}, ErrorLog: log.New(io.Discard, "", 0)}
	return onward.ServeHTTP
}

// canaries are hosts that logins could get to.
type canaries struct {
	source, target, realm, storage, uploads, pages *overheard
	inner                                          string            // the registry of the target
	got                                            map[string]string // by the name of a host, all that it was sent
}

func newCanaries(t *testing.T, from string, bearer bool) *canaries {
	t.Helper()
	to := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(to.Close)
	c := &canaries{inner: to.Listener.Addr().String(), got: map[string]string{}}
	c.storage, c.uploads = overhear(t, pass(from)), overhear(t, pass(c.inner))
	c.pages = overhear(t, pass(from))
	c.realm = overhear(t, func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != sourceLogin && !strings.Contains(r.FormValue("refresh_token"), sourceLogin) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"token":%q}`, sourceToken)
	})
	c.source = overhear(t, func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		switch {
		case bearer && r.Header.Get("Authorization") != "Bearer "+sourceToken:
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="x"`, c.realm.name))
			w.WriteHeader(http.StatusUnauthorized)
		case !bearer && password != sourceLogin:
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		case r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/"):
			http.Redirect(w, r, "http://"+c.storage.name+r.URL.Path+"?signature=x", http.StatusTemporaryRedirect)
		case strings.HasSuffix(r.URL.Path, "/tags/list"):
			w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?last=x>; rel="next"`, c.pages.name, r.URL.Path))
			pass(from)(w, r)
		default:
			pass(from)(w, r)
		}
	})
	c.target = overhear(t, func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		switch {
		case password != targetLogin:
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		case r.Method == http.MethodPost:
			answer := httptest.NewRecorder()
			pass(c.inner)(answer, r)
			if at := answer.Header().Get("Location"); at != "" {
				w.Header().Set("Location", "http://"+c.uploads.name+at[strings.Index(at, "/v2/"):])
			}
			w.WriteHeader(answer.Code)
		default:
			pass(c.inner)(w, r)
		}
	})
	return c
}

// judge says which of the hosts got what they must not, or lack what they must get.
func (c *canaries) judge(t *testing.T, command string, said string, asksRealm bool) {
	t.Helper()
	encode := func(login string) string { return base64.StdEncoding.EncodeToString([]byte("u:" + login)) }
	secrets := map[string][]string{
		sourceLogin: {sourceLogin, encode(sourceLogin)}, targetLogin: {targetLogin, encode(targetLogin)}, sourceToken: {sourceToken},
	}
	owners := map[string][]*overheard{sourceLogin: {c.source}, targetLogin: {c.target}, sourceToken: {c.source}}
	if asksRealm {
		owners[sourceLogin] = append(owners[sourceLogin], c.realm)
	}
	for host, one := range map[string]*overheard{"source": c.source, "target": c.target, "realm": c.realm, "storage": c.storage, "uploads": c.uploads, "pages": c.pages} {
		got := one.takes()
		c.got[host] += got
		for secret, forms := range secrets {
			for _, form := range forms {
				owned := false
				for _, owner := range owners[secret] {
					owned = owned || owner == one
				}
				if strings.Contains(got, form) && !owned {
					t.Errorf("%s: the %s got %s", command, host, secret)
				}
				if strings.Contains(said, form) {
					t.Errorf("%s printed %s", command, secret)
				}
			}
		}
	}
}

// No command lets a login get to another host than its own: not to a token service that
// was not named, not to storage, to where an upload goes, or to the next page of a list;
// and neither side gets the login of the other.
func TestLoginsGetToTheirHostAlone(t *testing.T) {
	_, from := standIns(t)
	digests, _, _ := signedImages(t, from)
	from, path, _ := strings.Cut(from, "/")
	for _, tt := range []struct {
		name          string
		bearer, named bool
	}{{"basic", false, false}, {"token service", true, false}, {"named token service", true, true}} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCanaries(t, from, tt.bearer)
			home := t.TempDir()
			login := func(password string) map[string]string {
				return map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte("u:" + password))}
			}
			config := valid(json.Marshal(map[string]any{"auths": map[string]any{c.source.host: login(sourceLogin), c.target.host: login(targetLogin)}}))
			writeFile(t, filepath.Join(home, "config.json"), string(config))
			text := strings.NewReplacer("$REGISTRY/mirror", c.target.host+"/mirror", "$REGISTRY", c.source.host+"/"+path).Replace(mirrored)
			writeFile(t, filepath.Join(home, "environment.yaml"), text)
			writeFile(t, filepath.Join(home, "unmirrored.yaml"), strings.Replace(text, ", mirror: "+c.target.host+"/mirror", "", 1))
			writeFile(t, filepath.Join(home, "wrong.yaml"), strings.Replace(strings.Replace(text, ", mirror: "+c.target.host+"/mirror", "", 1), "1.2.900", "1.2.99", 1))
			works := !tt.bearer || tt.named
			for _, command := range []struct {
				args  string
				fails bool
			}{
				{"images -f unmirrored.yaml --digests", false},
				{"secrets list -f unmirrored.yaml --charts", false},
				{"validate -f unmirrored.yaml --charts", false},
				{"check -f unmirrored.yaml --severity error", false},
				{"preview -f unmirrored.yaml", false},
				{"preview -f wrong.yaml", true}, // which lists versions
				{"mirror -f environment.yaml --dry-run --blobs", false},
				{"mirror -f environment.yaml", false},
				{"mirror -f environment.yaml --check --blobs", false},
				{"images -f environment.yaml --digests", false},
			} {
				args := append(strings.Fields(command.args), "--cache-dir", filepath.Join(t.TempDir(), "cache"))
				if tt.named {
					args = append(args, "--token-service", c.realm.name)
				}
				cmd := exec.Command(program(t), args...)
				cmd.Dir = home
				cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "DOCKER_CONFIG=" + home}
				said, err := cmd.CombinedOutput()
				if works && (err != nil) != command.fails || !works && err == nil {
					t.Errorf("%s: %v\n%s", command.args, err, said)
				}
				if !works && !bytes.Contains(said, []byte("--token-service "+c.realm.name)) {
					t.Errorf("%s does not say what to do:\n%s", command.args, said)
				}
				c.judge(t, command.args, string(said), tt.named)
			}
			for host, want := range map[string]string{"source": "/tags/list", "storage": "signature=x", "uploads": "PUT "} {
				if works && !strings.Contains(c.got[host], want) {
					t.Errorf("the %s was not asked for %q", host, want)
				}
			}
			for at, want := range digests {
				if got, err := crane.Digest(c.inner + "/mirror" + at); works && (err != nil || got != want) {
					t.Errorf("%s is %s, want %s: %v", at, got, want, err)
				}
			}
		})
	}
}

func writeFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
