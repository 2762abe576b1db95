package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
)

const canary = "canary-s3cret"

// host answers for an empty branch main, or as redirect and status say, and keeps what
// it was asked.
type host struct {
	*httptest.Server
	redirect func(path string) string
	status   int
	lock     sync.Mutex
	asked    []string // paths, with the headers
}

func newHost(t *testing.T, listen func(http.Handler) *httptest.Server) *host {
	t.Helper()
	h := &host{}
	h.Server = listen(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		h.lock.Lock()
		defer h.lock.Unlock()
		h.asked = append(h.asked, fmt.Sprint(in.Method, in.URL.Path, in.Header))
		if h.redirect != nil {
			if to := h.redirect(in.URL.Path); to != "" {
				http.Redirect(out, in, to+"?"+in.URL.RawQuery, max(h.status, http.StatusMovedPermanently))
				return
			}
		}
		if h.status == http.StatusUnauthorized {
			http.Error(out, "no", h.status)
			return
		}
		service := "# service=" + in.URL.Query().Get("service") + "\n"
		ref := strings.Repeat("1", 40) + " refs/heads/main\x00report-status\n"
		fmt.Fprintf(out, "%04x%s0000%04x%s0000", len(service)+4, service, len(ref)+4, ref)
	}))
	t.Cleanup(h.Close)
	return h
}

// system is one with variables, and with the settings of git in its home folder.
func system(t *testing.T, env map[string]string, gitconfig string) settings.System {
	t.Helper()
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(gitconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"HOME": home, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.Getenv("PATH")}
	for name, value := range env {
		all[name] = value
	}
	var environ []string
	for name, value := range all {
		environ = append(environ, name+"="+value)
	}
	return settings.System{Getenv: func(name string) string { return all[name] }, Environ: environ}
}

// helper has git ask a program that answers with a login, and keeps what it was told.
func helper(answer string) string {
	return "[credential]\n\thelper = \"!f() { { echo $1; cat; } >> ~/told; test $1 = get && printf '" + answer + "'; }; f\"\n"
}

// A login, of whatever kind, and a push never follow a redirect to another scheme, host
// or port.
func TestLoginsStayAtTheirOrigin(t *testing.T) {
	logins := map[string]func(url string) (env map[string]string, gitconfig string){
		"variable": func(url string) (map[string]string, string) {
			return map[string]string{"GITEA_SERVER_URL": url, "GITEA_TOKEN": canary}, ""
		},
		"helper": func(string) (map[string]string, string) {
			return nil, helper(`username=ada\\npassword=` + canary + `\\n`)
		},
	}
	for _, name := range []string{"Authorization", "PROXY-AUTHORIZATION", "cookie", "Private-Token", "JOB-TOKEN", "Deploy-Token", "X-Auth-Token"} {
		logins[name] = func(string) (map[string]string, string) {
			return nil, "[http]\n\textraHeader = " + name + ": " + canary + "\n"
		}
	}
	for name, login := range logins {
		for _, redirected := range []string{"port", "host", "scheme", "what is sent"} {
			t.Run(name+" "+redirected, func(t *testing.T) {
				listen := httptest.NewServer
				if redirected == "scheme" {
					listen = httptest.NewTLSServer
				}
				first, other := newHost(t, httptest.NewServer), newHost(t, listen)
				target := other.URL
				if redirected == "host" {
					target = strings.Replace(target, "127.0.0.1", "localhost", 1)
				}
				first.redirect = func(path string) string { return target + path }
				env, gitconfig := login(first.URL)
				sys := system(t, env, gitconfig)
				config, err := settings.ReadConfig(sys, settings.FindGit(sys, ""), "")
				if err != nil {
					t.Fatal(err)
				}
				c := open(t, sys, config, first.URL+"/a/b.git")
				if redirected == "what is sent" {
					first.status, first.redirect = http.StatusTemporaryRedirect, func(path string) string {
						return map[bool]string{true: target + path}[strings.HasSuffix(path, "/git-receive-pack")]
					}
				}
				_, fetched := c.References(context.Background())
				_, sent := c.Send(context.Background(), Update{Branch: "main", From: plumbing.NewHash(strings.Repeat("1", 40)), To: plumbing.NewHash(strings.Repeat("2", 40))}, nil)
				if redirected == "what is sent" {
					fetched = sent
				}
				for _, err := range []error{fetched, sent} {
					var said *Error
					if !errors.As(err, &said) || !strings.HasPrefix(said.sentence, first.URL+" redirects to "+target) || strings.Contains(err.Error(), canary) {
						t.Errorf("%v, want both origins named", err)
					}
				}
				if len(other.asked) > 0 {
					t.Errorf("the other server got %q", other.asked)
				}
				told, _ := os.ReadFile(filepath.Join(sys.Getenv("HOME"), "told"))
				if redirected != "what is sent" && strings.Contains(string(told), "store") || strings.Contains(string(told), strings.TrimPrefix(target, "http://")) {
					t.Errorf("the helper was told %s", told)
				}
			})
		}
	}
}

func open(t *testing.T, sys settings.System, config settings.Config, url string) *Connection {
	t.Helper()
	c, err := Open(context.Background(), sys, config, url)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Without a login a server may send a fetch elsewhere, unless a login is wanted there.
func TestReadsFollowRedirects(t *testing.T) {
	first, other := newHost(t, httptest.NewServer), newHost(t, httptest.NewServer)
	first.redirect = func(path string) string { return other.URL + path }
	c := open(t, system(t, nil, ""), settings.Config{{Key: "http.extraheader", Value: "X-Front: " + canary}}, first.URL+"/a/b.git")
	update := Update{Branch: "main", From: plumbing.NewHash(strings.Repeat("1", 40)), To: plumbing.NewHash(strings.Repeat("2", 40))}
	if known, err := c.References(context.Background()); err != nil || known.Branch("main").IsZero() {
		t.Errorf("References = %v, %v", known, err)
	}
	if asked := fmt.Sprint(other.asked); len(other.asked) != 1 || strings.Contains(asked, canary) || !strings.Contains(fmt.Sprint(first.asked), canary) {
		t.Errorf("the other server got %s, the first %s", asked, first.asked)
	}
	if _, err := c.Send(context.Background(), update, nil); err == nil || !strings.Contains(err.Error(), first.URL+" redirects to "+other.URL) || len(other.asked) != 1 {
		t.Errorf("Send = %v, the other server got %s", err, other.asked)
	}
	other.status = http.StatusUnauthorized
	if _, err := c.References(context.Background()); err == nil || !strings.Contains(err.Error(), first.URL+" redirects to "+other.URL) {
		t.Errorf("References = %v", err)
	}
}

// A repository that was renamed is found, with the login.
func TestLoginsFollowRedirectsOfTheirOrigin(t *testing.T) {
	first := newHost(t, httptest.NewServer)
	first.redirect = func(path string) string {
		if rest, old := strings.CutPrefix(path, "/old"); old {
			return "/new" + rest
		}
		return ""
	}
	c := open(t, system(t, map[string]string{"GITEA_SERVER_URL": first.URL, "GITEA_TOKEN": canary}, ""), nil, first.URL+"/old.git")
	if _, err := c.References(context.Background()); err != nil {
		t.Error(err)
	}
	if _, err := c.Send(context.Background(), Update{Branch: "main"}, nil); !errors.Is(err, ErrRaced) || c.at.Path != "/old.git" {
		t.Errorf("Send = %v, the repository is %s", err, c.at.Path)
	}
	elsewhere := httptest.NewRequest(http.MethodGet, "http://evil.test/", nil)
	if _, err := (&bound{c, first.Client().Transport, nil}).RoundTrip(elsewhere); err == nil || !strings.Contains(err.Error(), "redirects to http://evil.test") {
		t.Errorf("RoundTrip = %v", err)
	}
	for _, asked := range first.asked {
		if !strings.Contains(asked, "Authorization:[Basic") {
			t.Errorf("without the login: %s", asked)
		}
	}
}

func TestOriginsAreCompared(t *testing.T) {
	for _, same := range []string{"https://git.test/a", "https://GIT.test:443/b", "HTTPS://git.test:0443"} {
		if got := originOf(same); got != "https://git.test" {
			t.Errorf("originOf(%s) = %s", same, got)
		}
	}
	for _, other := range []string{"http://git.test", "https://git.test:8443", "https://git.test.", "https://a.git.test", "https://[::1]", "https://git.test:443@evil.test", ""} {
		if got := originOf(other); got == "https://git.test" {
			t.Errorf("originOf(%s) = %s", other, got)
		}
	}
	if got := originOf("https://[::1]:443/a"); got != "https://[::1]" {
		t.Errorf("IPv6: %s", got)
	}
}

// A header that passes a gateway is sent besides the login.
func TestOtherHeadersAreNoLogin(t *testing.T) {
	for _, name := range []string{"X-Front", "Cf-Access-Token", "CF-Access-Client-Secret", "User-Agent"} {
		server := newHost(t, httptest.NewServer)
		c := open(t, system(t, map[string]string{"GITEA_SERVER_URL": server.URL, "GITEA_TOKEN": canary}, ""), settings.Config{{Key: "http.extraheader", Value: name + ": door-1234"}}, server.URL+"/a.git")
		if _, err := c.References(context.Background()); err != nil {
			t.Error(err)
		}
		if asked := fmt.Sprint(server.asked); !strings.Contains(asked, "door-1234") || !strings.Contains(asked, "Authorization:[Basic") {
			t.Errorf("%s: the server got %s", name, asked)
		}
	}
	if c := open(t, system(t, nil, ""), settings.Config{{Key: "http.extraheader", Value: "Authorization:"}}, "https://git.test/a.git"); c.login != nil {
		t.Error("an empty header is a login")
	}
	_, err := Open(context.Background(), system(t, nil, ""), settings.Config{{Key: "http.extraheader", Value: "Authorization: " + canary}}, "http://git.test/a.git")
	var said *Error
	if !errors.As(err, &said) || said.Kind != PlainHTTP || strings.Contains(err.Error(), canary) {
		t.Errorf("Open = %v, want %v", err, PlainHTTP)
	}
}
