package forge

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/forge/forgetest"
)

// appWorld is a GitHub with an App, and surroundings that have its key.
type appWorld struct {
	*surroundings
	app    *forgetest.App
	server *forgetest.Server
	pem    string
	remote string
}

func newAppWorld(t *testing.T) *appWorld {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	w := &appWorld{app: &forgetest.App{ID: "Iv23abc", Slug: "fleet-bot", Key: &key.PublicKey, Repositories: []string{"r"}}}
	w.app.Now = func() time.Time { return w.now }
	w.app.Token = func(n int) string { return fmt.Sprint("ghs_", canary, n) }
	w.server = forgetest.GitHub(t, forgetest.Options{App: w.app})
	w.pem = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	w.surroundings = around(t, w.server, map[string]string{"GH_HOST": w.server.URL, appID: w.app.ID, appKey: w.pem})
	w.remote = w.server.URL + "/" + forgetest.GitHubRepository + ".git"
	return w
}

// posted counts the tokens that were made since the last call.
func (w *appWorld) posted() int {
	return len(slices.DeleteFunc(w.server.Requests(), func(asked string) bool { return !strings.HasPrefix(asked, "POST /api/v3/app/") }))
}

// The App is one account for pushes and for the API, with a token that is made again before
// it ends, or when it is refused.
func TestAppLogsIn(t *testing.T) {
	w := newAppWorld(t)
	w.env["GITHUB_TOKEN"] = "another"
	sys := w.system()
	f, err := Connect(t.Context(), w.remote, "", sys)
	if err != nil || len(w.server.Requests()) > 0 {
		t.Fatalf("Connect = %v, or asks something", err)
	}
	if got, err := f.Account(t.Context()); err != nil || got != "fleet-bot[bot]" {
		t.Errorf("Account = %q, %v", got, err)
	}
	find := func() {
		t.Helper()
		if _, err := f.Find(t.Context(), "b"); err != nil {
			t.Error(err)
		}
	}
	git := func(want string) {
		t.Helper()
		got, err := sys.Git.Login(t.Context(), w.remote)
		if err != nil || got.User != "x-access-token" || got.Password != "ghs_"+canary+want {
			t.Errorf("Git's login = %+v, %v", got, err)
		}
	}
	find()
	git("1")
	w.now = w.now.Add(54 * time.Minute)
	git("1")
	if made := w.posted(); made != 1 {
		t.Errorf("%d tokens were made", made)
	}
	w.now = w.now.Add(2 * time.Minute)
	git("2")
	find()
	if made := w.posted(); made != 1 {
		t.Errorf("%d tokens were made", made)
	}
}

// A token that is refused is made again at once.
func TestAppTokensAreMadeAgain(t *testing.T) {
	w := newAppWorld(t)
	sys := w.system()
	f, err := Connect(t.Context(), w.remote, "", sys)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Find(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	w.server.Revoke()
	if _, err := f.Find(t.Context(), "b"); err != nil || w.posted() != 2 {
		t.Errorf("Find = %v", err)
	}
}

// The key may be in a file, have its lines joined by \n, be in the newer form; the App may be
// named by a number, and its installation too. Clocks may differ by a minute.
func TestAppIsConfigured(t *testing.T) {
	for name, change := range map[string]func(*testing.T, *appWorld){
		"a file": func(t *testing.T, w *appWorld) { w.env[appKey], w.env[appKeyFile] = "", w.write(t, "key.pem", w.pem) },
		"at home": func(t *testing.T, w *appWorld) {
			w.write(t, "key.pem", w.pem)
			w.env[appKey], w.env[appKeyFile] = "", "~/key.pem"
		},
		"one line":  func(_ *testing.T, w *appWorld) { w.env[appKey] = strings.ReplaceAll(w.pem, "\n", `\n`) },
		"no end":    func(_ *testing.T, w *appWorld) { w.env[appKey] = strings.TrimSuffix(w.pem, "\n") },
		"a number":  func(_ *testing.T, w *appWorld) { w.app.ID, w.env[appID] = "12345", "12345" },
		"installed": func(_ *testing.T, w *appWorld) { w.env[appInstallation] = fmt.Sprint(forgetest.Installation) },
		"PKCS 8": func(t *testing.T, w *appWorld) {
			block, _ := pem.Decode([]byte(w.pem))
			key, _ := x509.ParsePKCS1PrivateKey(block.Bytes)
			der, err := x509.MarshalPKCS8PrivateKey(key)
			if err != nil {
				t.Fatal(err)
			}
			w.env[appKey] = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		},
		"GitHub's clock is behind": func(_ *testing.T, w *appWorld) { w.app.Now = func() time.Time { return w.now.Add(-59 * time.Second) } },
		"GitHub's clock is ahead":  func(_ *testing.T, w *appWorld) { w.app.Now = func() time.Time { return w.now.Add(8 * time.Minute) } },
	} {
		t.Run(name, func(t *testing.T) {
			w := newAppWorld(t)
			change(t, w)
			f, err := Connect(t.Context(), w.remote, "", w.system())
			if err != nil {
				t.Fatal(err)
			}
			if found, err := f.Find(t.Context(), "b"); err != nil || len(found) > 0 {
				t.Errorf("Find = %v, %v", found, err)
			}
			if found := slices.ContainsFunc(w.server.Requests(), func(asked string) bool { return strings.HasSuffix(asked, "/installation") }); found != (name != "installed") {
				t.Errorf("asked for the installation: %v", found)
			}
		})
	}
}

// What goes wrong is a sentence, for Git as for the API, without the key, a JSON Web Token or
// a token.
func TestAppRefusals(t *testing.T) {
	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(elliptical)
	if err != nil {
		t.Fatal(err)
	}
	other := newAppWorld(t)
	for name, c := range map[string]struct {
		change func(*testing.T, *appWorld)
		kind   Kind
		want   string
	}{
		"not installed":          {func(_ *testing.T, w *appWorld) { w.app.Repositories = nil }, NotFound, "log in as the GitHub App Iv23abc: it is not installed for o/r of 127.0.0.1"},
		"of another repository":  {func(_ *testing.T, w *appWorld) { w.app.Repositories, w.env[appInstallation] = []string{"x"}, "4711" }, Forbidden, "its installation 4711 is not for o/r of"},
		"no such installation":   {func(_ *testing.T, w *appWorld) { w.env[appInstallation] = "5" }, NotFound, "it has no installation 5 (GITHUB_APP_INSTALLATION_ID)"},
		"a name of installation": {func(_ *testing.T, w *appWorld) { w.env[appInstallation] = canary }, NoLogin, "GITHUB_APP_INSTALLATION_ID is no number"},
		"another key":            {func(_ *testing.T, w *appWorld) { w.env[appKey] = other.pem }, NoLogin, "does not take the JSON Web Token: the private key is another App's, or the clock of this machine is wrong"},
		"a wrong clock":          {func(_ *testing.T, w *appWorld) { w.app.Now = func() time.Time { return w.now.Add(-time.Hour) } }, NoLogin, "the clock of this machine is wrong"},
		"no key":                 {func(_ *testing.T, w *appWorld) { w.env[appKey] = "" }, NoLogin, "the GitHub App Iv23abc has no private key: set GITHUB_APP_PRIVATE_KEY, or GITHUB_APP_PRIVATE_KEY_FILE to its file"},
		"no App":                 {func(_ *testing.T, w *appWorld) { w.env[appID] = "" }, NoLogin, "set GITHUB_APP_ID to its ID or client ID"},
		"no file":                {func(_ *testing.T, w *appWorld) { w.env[appKey], w.env[appKeyFile] = "", "/nowhere/key.pem" }, NoLogin, "read the private key of the GitHub App Iv23abc: open /nowhere/key.pem: no such file"},
		"half a key":             {func(_ *testing.T, w *appWorld) { w.env[appKey] = w.pem[:len(w.pem)/2] }, NoLogin, "GITHUB_APP_PRIVATE_KEY has no RSA private key in PEM form"},
		"no PEM":                 {func(_ *testing.T, w *appWorld) { w.env[appKey] = canary }, NoLogin, "GITHUB_APP_PRIVATE_KEY has no RSA private key in PEM form"},
		"a file without a key":   {func(t *testing.T, w *appWorld) { w.env[appKey], w.env[appKeyFile] = "", w.write(t, "k", canary) }, NoLogin, "the file of GITHUB_APP_PRIVATE_KEY_FILE has no RSA"},
		"a key of another kind": {func(_ *testing.T, w *appWorld) {
			w.env[appKey] = string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
		}, NoLogin, "has no RSA private key in PEM form"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newAppWorld(t)
			c.change(t, w)
			sys := w.system()
			f, err := Connect(t.Context(), w.remote, "", sys)
			if err == nil {
				_, err = f.Find(t.Context(), "b")
			}
			_, gitErr := sys.Git.Login(t.Context(), w.remote)
			for _, err := range []error{err, gitErr} {
				if !isKind(err, c.kind) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %q", err, c.want)
				}
				if hasSecret(err.Error(), w.env[appKey]) {
					t.Errorf("a secret in %v", err)
				}
			}
		})
	}
}

// hasSecret reports whether a text has a part of a key, a JSON Web Token or a token.
func hasSecret(text, key string) bool {
	parts := append(strings.Fields(strings.ReplaceAll(key, `\n`, "\n")), canary, "ghs_", "eyJ")
	return slices.ContainsFunc(parts, func(part string) bool {
		return len(part) > 3 && part != "PRIVATE" && !strings.Contains(part, "-----") && strings.Contains(text, part)
	})
}

// No JSON Web Token goes to a server that no variable names, nor to another forge.
func TestAppGoesToItsOwnServers(t *testing.T) {
	w := newAppWorld(t)
	delete(w.env, "GH_HOST")
	sys := w.system()
	if found, err := sys.Git.Login(t.Context(), w.remote); found != nil || err != nil {
		t.Errorf("a login for a server that no variable names: %+v, %v", found, err)
	}
	if _, err := Connect(t.Context(), w.remote, GitHub, sys); !isKind(err, NoLogin) || !strings.Contains(err.Error(), "GH_HOST") {
		t.Errorf("Connect = %v", err)
	}
	for _, remote := range []string{"https://gitlab.com/a/b", "https://codeberg.org/a/b", "http://github.com/o/r", "file:///srv/r"} {
		if found, err := sys.Git.Login(t.Context(), remote); found != nil || err != nil {
			t.Errorf("%s: %+v, %v", remote, found, err)
		}
	}
	if asked := w.server.Requests(); len(asked) > 0 {
		t.Errorf("asked %q", asked)
	}
}

// The claims are those that GitHub documents: a minute in the past, and no more than ten.
func TestAppClaims(t *testing.T) {
	w := newAppWorld(t)
	sys := w.system()
	f, err := Connect(t.Context(), w.remote, "", sys)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Account(t.Context()); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(strings.TrimPrefix(w.server.Logins()[0], "Bearer "), ".")
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims map[string]any
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		t.Fatalf("%q: %v", parts, err)
	}
	now := float64(w.now.Unix())
	if claims["iss"] != w.app.ID || claims["iat"] != now-60 || claims["exp"].(float64) > now+600 || len(claims) != 3 {
		t.Errorf("claims %v at %v", claims, now)
	}
}

// Environments that are worked on side by side share one token.
func TestAppTokensAreShared(t *testing.T) {
	w := newAppWorld(t)
	sys := w.system()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			f, err := Connect(t.Context(), w.remote, "", sys)
			if err == nil {
				_, err = f.Find(t.Context(), "b")
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made := w.posted(); made != 1 {
		t.Errorf("%d tokens were made", made)
	}
}
