package registry

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkFolder looks for credentials, and for files that others may read.
func checkFolder(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if path != dir && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v: others may read it", path, info.Mode())
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		content, err := os.ReadFile(path)
		checkNoCanary(t, path, string(content))
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// wantsToken makes the fake ask for a token, which its own token service gives
// to whoever logs in as said.
func wantsToken(f *fake, user, password string) {
	wantsTokenOf(f, user, password, func(r *http.Request) string { return r.Host })
}

// wantsTokenOf does as wantsToken, with the host of the token service.
func wantsTokenOf(f *fake, user, password string, service func(*http.Request) string) {
	f.interfere(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/token" {
			if u, p, _ := r.BasicAuth(); u != user || p != password {
				return refuse(w, 401, "UNAUTHORIZED", "not "+u+" "+p)
			}
			fmt.Fprintf(w, `{"token":%q}`, canaryToken)
			return true
		}
		if r.Header.Get("Authorization") == "Bearer "+canaryToken {
			return false
		}
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s://%s/token",service="x"`, scheme, service(r)))
		return refuse(w, 401, "UNAUTHORIZED", "who are you?")
	})
}

func TestTokenIsExchangedForALogin(t *testing.T) {
	f := newFake(t)
	ref, _, _ := f.push(t, "app", "1.0.0")
	wantsToken(f, canaryUser, canaryPassword)
	cache := t.TempDir()
	c, _ := f.client(t, Options{Keychain: login, Cache: cache})
	if _, err := c.Chart(t.Context(), ref); err != nil {
		t.Error(err)
	}
	if _, err := c.Tags(t.Context(), ref.Repository); err != nil {
		t.Error(err)
	}
	checkFolder(t, cache)

	c, _ = f.client(t, Options{Keychain: keys{Username: canaryUser, Password: "another-canary"}})
	_, err := c.Chart(t.Context(), ref)
	checkError(t, err, BadLogin, "refuses the login that it was given")
	c, _ = f.client(t, Options{})
	_, err = c.Chart(t.Context(), ref)
	checkError(t, err, BadLogin, "wants a login: docker login "+f.host)
}

// A token service at another host gets the login only if the user names it.
func TestTokenServiceElsewhere(t *testing.T) {
	f := newFake(t)
	ref, _, _ := f.push(t, "app", "1.0.0")
	service := strings.Replace(f.host, "127.0.0.1", "localhost", 1)
	wantsTokenOf(f, canaryUser, canaryPassword, func(*http.Request) string { return service })
	c, _ := f.client(t, Options{Keychain: login})
	_, err := c.Chart(t.Context(), ref)
	checkError(t, err, BadLogin, "--token-service "+service)
	if _, err := c.Tags(t.Context(), ref.Repository); err == nil {
		t.Error("tags are listed without a login")
	}
	c, _ = f.client(t, Options{Keychain: login, TokenServices: []string{service}})
	if _, err := c.Chart(t.Context(), ref); err != nil {
		t.Error(err)
	}
}

// Only a challenge for a token names a service: the realm of a password is a text.
func TestChallengesAreMended(t *testing.T) {
	e := &exchange{options: Options{TokenServices: []string{"a.test", "10.0.0.5:5001"}}}
	for challenge, want := range map[string]string{
		`Bearer realm="https://10.0.0.5:5001/token",service="x"`:           `Bearer realm="https://token-service-1.invalid/token",service="x"`,
		`bearer service="x",realm="https://10.0.0.5:5001/token?a=b"`:       `bearer service="x",realm="https://token-service-1.invalid/token?a=b"`,
		`Basic realm="https://10.0.0.6/"`:                                  `Basic realm="https://10.0.0.6/"`,
		`Bearer realm="https://token.test/x"`:                              `Bearer realm="https://token.test/x"`,
		`Bearer realm="https://10.0.0.9/token"`:                            `Bearer realm="https://10.0.0.9/token"`, // the registry's own
		`Bearer realm="https://[fd00::1]/token"`:                           "takes logins at [fd00::1], a private address",
		`Basic realm="x", Bearer realm="https://169.254.169.254/latest/x"`: "--token-service 169.254.169.254",
	} {
		req := httptest.NewRequest(http.MethodGet, "https://10.0.0.9/v2/", nil)
		resp := &http.Response{Header: http.Header{"Www-Authenticate": {challenge}}}
		err := e.mendRealm(req, resp)
		if got := resp.Header.Get("WWW-Authenticate"); err == nil && got != want || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s became %s, %v; want %s", challenge, got, err, want)
		}
	}
	if got := e.options.unaliased("token-service-1.invalid refuses the connection"); got != "10.0.0.5:5001 refuses the connection" {
		t.Errorf("unaliased = %s", got)
	}
}

func TestHostileServersGetNoCredentialIntoAnError(t *testing.T) {
	f := newFake(t)
	ref, _, _ := f.push(t, "app", "1.0.0")
	challenge := func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token?key=%s",service="x"`, r.Host, canaryToken))
		return refuse(w, 401, "UNAUTHORIZED", "")
	}
	basic := func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		return refuse(w, 401, "UNAUTHORIZED", "")
	}
	tests := map[string]func(http.ResponseWriter, *http.Request) bool{
		"repeats the header": func(w http.ResponseWriter, r *http.Request) bool {
			if sent := r.Header.Get("Authorization"); sent != "" {
				return refuse(w, 403, "DENIED", "not with "+sent)
			}
			return basic(w, r)
		},
		"repeats the password": func(w http.ResponseWriter, r *http.Request) bool {
			if _, password, found := r.BasicAuth(); found {
				return refuse(w, 500, "UNKNOWN", password)
			}
			return basic(w, r)
		},
		"token service answers something else": func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/token" {
				return challenge(w, r)
			}
			fmt.Fprintf(w, `{"refresh_token":%q}`, canaryToken)
			return true
		},
		"token service hangs up": func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/token" {
				return challenge(w, r)
			}
			panic(http.ErrAbortHandler)
		},
		"signed redirect that fails": func(w http.ResponseWriter, r *http.Request) bool {
			switch {
			case r.URL.Query().Has("signature"):
				panic(http.ErrAbortHandler)
			case strings.Contains(r.URL.Path, "/manifests/"):
				http.Redirect(w, r, "/x?signature="+canaryToken, http.StatusTemporaryRedirect)
				return true
			}
			return false
		},
		"token service elsewhere, without TLS": func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s:%s@token.company.test/"`, canaryUser, canaryPassword))
			return refuse(w, 401, "UNAUTHORIZED", "")
		},
		"no realm": func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("WWW-Authenticate", `Bearer service="x"`)
			return refuse(w, 401, "UNAUTHORIZED", "")
		},
	}
	for name, before := range tests {
		t.Run(name, func(t *testing.T) {
			f.interfere(before)
			c, _ := f.client(t, Options{Keychain: login})
			_, err := c.Chart(t.Context(), ref)
			if err == nil {
				t.Fatal("no error")
			}
			t.Log(err)
			checkNoCanary(t, "the error", fmt.Sprintf("%v %+v", err, err))
		})
	}
}

func TestRedirectsTakeNoCredentialAlong(t *testing.T) {
	for _, flow := range []string{"basic", "token"} {
		t.Run(flow, func(t *testing.T) {
			f := newFake(t)
			ref, _, archive := f.push(t, "app", "1.0.0")
			var elsewhere []string
			storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				elsewhere = append(elsewhere, fmt.Sprint(r.Header, r.URL))
				_, _ = w.Write(archive)
			}))
			defer storage.Close()
			// A name, since the library refuses to be sent to a private address.
			target := strings.Replace(storage.URL, "127.0.0.1", "storage.localhost", 1)
			wantsToken(f, canaryUser, canaryPassword)
			authorize := f.before
			if flow == "basic" {
				authorize = func(w http.ResponseWriter, r *http.Request) bool {
					if _, password, _ := r.BasicAuth(); password == canaryPassword {
						return false
					}
					w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
					return refuse(w, 401, "UNAUTHORIZED", "")
				}
			}
			f.interfere(both(authorize, on("/blobs/"+digestOf(archive), func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, target+"/signed", http.StatusTemporaryRedirect)
			})))
			c, _ := f.client(t, Options{Keychain: login})
			c.exchange.base.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, strings.Replace(address, "storage.localhost", "127.0.0.1", 1))
			}
			if _, err := c.Chart(t.Context(), ref); err != nil {
				t.Fatal(err)
			}
			if len(elsewhere) != 1 {
				t.Errorf("storage was asked %d times, want once", len(elsewhere))
			}
			for _, request := range elsewhere {
				if strings.Contains(request, "Authorization") {
					t.Errorf("storage got credentials: %s", request)
				}
				checkNoCanary(t, "the request", request)
			}
		})
	}
}

func TestProxyPasswordIsNotRepeated(t *testing.T) {
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) }))
	defer refuses.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	for address, want := range map[string]string{
		closed.Listener.Addr().String():  "the proxy for registry.company.test (HTTPS_PROXY) does not take the connection",
		refuses.Listener.Addr().String(): "cannot talk to registry.company.test: Proxy Authentication Required",
	} {
		c, _ := newFake(t).client(t, Options{})
		c.exchange.base.(*http.Transport).Proxy = http.ProxyURL(&url.URL{Scheme: "http", User: url.UserPassword(canaryUser, canaryPassword), Host: address})
		_, err := c.Chart(t.Context(), Ref{Repository: "registry.company.test/charts/app", Version: "1.0.0"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Chart = %v, want … %s", err, want)
		}
		checkNoCanary(t, "the error", fmt.Sprintf("%v %+v", err, err))
	}
}
