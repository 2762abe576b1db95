// Package transport reaches remote repositories: it finds logins, fetches and sends
// objects, has git push, and makes sentences of what servers refuse.
package transport

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"strings"

	gotransport "github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/file"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"golang.org/x/net/http/httpproxy"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// Connection reaches a repository by its URL. It serves one request at a time.
type Connection struct {
	MaxFolders int // how many folders come with a commit at most, needed or not
	Limits     Limits

	sys     settings.System
	config  settings.Config
	at      address
	toPush  *Connection // where that is another URL: url.BASE.pushInsteadOf
	client  gotransport.Transport
	http    *http.Client // below it, if it is one of HTTP
	auth    gotransport.AuthMethod
	login   *Login
	judged  bool // git credential knows whether the login was good
	ssh     *sshLogin
	open    *conversation // where one request does not end it
	last    *watch        // the request that is watched, or was
	fault   *Error        // why we ended it
	secrets []string      // that no message may have
}

// Open looks for credentials for a URL of https, ssh or file. It asks nothing of the
// server yet. Errors are an [Error].
func Open(ctx context.Context, sys settings.System, config settings.Config, url string) (*Connection, error) {
	c, err := connect(ctx, sys, config, url, false)
	if err == nil && insteadOf(url, config, true) != c.at.given {
		c.toPush, err = connect(ctx, sys, config, url, true)
	}
	return c, err
}

func connect(ctx context.Context, sys settings.System, config settings.Config, url string, pushes bool) (*Connection, error) {
	at, err := newAddress(url, config, pushes)
	if err != nil {
		return nil, err
	}
	c := &Connection{MaxFolders: maxFolders, Limits: defaultLimits(), sys: sys, config: config, at: at}
	switch at.Protocol {
	case "file":
		c.client = file.DefaultClient
		return c, nil
	case "ssh":
		if c.ssh, err = newSSHLogin(sys, at); err != nil {
			return nil, err
		}
		c.client, c.at.Endpoint = sshTransport{c}, c.ssh.endpoint
		return c, nil
	}
	return c, c.connectHTTP(ctx)
}

// Describe returns what is known of a URL that git itself will connect to: its host,
// and the token of a variable that is for it. Pushes tells whether
// url.BASE.pushInsteadOf counts. Errors are an [Error].
func Describe(sys settings.System, config settings.Config, url string, pushes bool) (*Connection, error) {
	at, err := newAddress(url, config, pushes)
	if err != nil {
		return nil, err
	}
	c := &Connection{sys: sys, config: config, at: at}
	if at.Protocol == "https" || at.Protocol == "http" {
		c.extraHeaders() // none of them is shown
		return c, c.use(tokenFor(sys, at))
	}
	return c, nil
}

// URL returns the repository's URL, without credentials.
func (c *Connection) URL() string { return c.at.shown }

// PushURL returns the URL that is pushed to, without credentials.
func (c *Connection) PushURL() string { return cmp.Or(c.toPush, c).URL() }

func (c *Connection) connectHTTP(ctx context.Context) error {
	tuned, err := c.httpTransport()
	if err != nil {
		return err
	}
	c.http = &http.Client{Transport: &bound{c, tuned, c.extraHeaders()}}
	c.client = githttp.NewClient(c.http)
	for _, header := range c.extraHeaders() {
		if isLogin(header[0]) && header[1] != "" { // as actions/checkout leaves it
			return c.use(&Login{From: "http.extraHeader"})
		}
	}
	found, err := findLogin(ctx, c.sys, c.config, c.at)
	if err != nil {
		return err
	}
	return c.use(found)
}

// use takes a login, if there is one, unless it would go without TLS.
func (c *Connection) use(found *Login) error {
	if c.login = found; found == nil {
		return nil
	}
	if isBroken(found.User, found.Password) {
		return Errorf(BadLogin, "the credentials from %s have a line break or another control character in them", found.From)
	}
	if !safeForLogin(c.at) {
		return c.scrub(c.say(plainHTTP))
	}
	if found.User+found.Password == "" {
		return nil // a header
	}
	c.secrets = append(c.secrets, c.login.Password, url.QueryEscape(c.login.Password), url.PathEscape(c.login.Password),
		base64.StdEncoding.EncodeToString([]byte(c.login.User+":"+c.login.Password)))
	c.auth = &githttp.BasicAuth{Username: c.login.User, Password: c.login.Password}
	return nil
}

// setting returns the values of http.*, those of http.URL.* included.
func (c *Connection) setting(name string) []string {
	return c.config.ForURL("http", name, c.at.given)
}

// variable returns the first variable of some that is set.
func (c *Connection) variable(names ...string) string {
	for _, name := range names {
		if value := c.sys.Getenv(name); value != "" {
			return value
		}
	}
	return ""
}

// httpTransport honours http.proxy and the variables for proxies, http.sslCAInfo
// and GIT_SSL_CAINFO. http.sslVerify is not honoured: name the CA instead. As for git,
// an empty http.proxy means none, and HTTP_PROXY in capitals does not count.
func (c *Connection) httpTransport() (*http.Transport, error) {
	tuned := http.DefaultTransport.(*http.Transport).Clone()
	proxies := httpproxy.Config{
		HTTPProxy: c.variable("http_proxy", "all_proxy", "ALL_PROXY"), HTTPSProxy: c.variable("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
		NoProxy: c.variable("no_proxy", "NO_PROXY"),
	}
	if own := c.setting("proxy"); len(own) > 0 {
		proxies.HTTPProxy, proxies.HTTPSProxy = settings.Last(own), settings.Last(own)
	}
	choose := proxies.ProxyFunc()
	tuned.Proxy = func(r *http.Request) (*url.URL, error) { return choose(r.URL) }
	used := map[string]string{"http": proxies.HTTPProxy, "https": proxies.HTTPSProxy}[c.at.Protocol]
	if used != "" {
		if !strings.Contains(used, "://") {
			used = "http://" + used
		}
		if parsed, err := url.Parse(used); err != nil || parsed.Host == "" { // it would be passed by
			return nil, Errorf(NoConnection, "%q is no address of a proxy (http.proxy, HTTPS_PROXY and the like)", text.Clip(text.Address(used)))
		}
	}
	if name := cmp.Or(c.sys.Getenv("GIT_SSL_CAINFO"), settings.Last(c.setting("sslcainfo"))); name != "" {
		pem, err := os.ReadFile(c.sys.Expand(name, ""))
		pool := x509.NewCertPool()
		if err != nil || !pool.AppendCertsFromPEM(pem) {
			return nil, Errorf(UnknownCA, "there is no CA certificate in %s (GIT_SSL_CAINFO or http.sslCAInfo)", name)
		}
		tuned.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return tuned, nil
}

// extraHeaders reads http.extraHeader; an empty one forgets those before it. What is no
// header is passed over, as curl does.
func (c *Connection) extraHeaders() [][2]string {
	var headers [][2]string
	for _, line := range c.setting("extraheader") {
		name, value, found := strings.Cut(line, ":")
		if line == "" {
			headers = nil
		}
		if !found {
			continue
		}
		value = strings.TrimSpace(value)
		headers = append(headers, [2]string{strings.TrimSpace(name), value})
		c.secrets = append(c.secrets, value, value[strings.LastIndexByte(value, ' ')+1:])
	}
	return headers
}

// bound sends requests, and adds headers to those to the repository's own origin. To
// another origin, where a server sends us on, only reads without a login go.
type bound struct {
	*Connection
	inner   http.RoundTripper
	headers [][2]string
}

func (b *bound) RoundTrip(r *http.Request) (*http.Response, error) {
	own, to := originOf(b.at.origin()), originOf(r.URL.String())
	mayMove := b.login == nil && !strings.Contains(r.URL.String(), gotransport.ReceivePackServiceName)
	switch {
	case to == own:
		r = r.Clone(r.Context())
		for _, header := range b.headers {
			r.Header.Del(header[0])
		}
		for _, header := range b.headers {
			if header[1] != "" { // an empty one takes a header of ours away
				r.Header.Add(header[0], header[1])
			}
		}
	case !mayMove:
		return nil, b.moved(to)
	}
	response, err := b.do(b.inner, r)
	if err != nil {
		return nil, err
	}
	if next, err := response.Location(); err == nil && response.StatusCode/100 == 3 && !mayMove {
		to = originOf(next.String())
	}
	if to != own && (!mayMove || response.StatusCode == http.StatusUnauthorized) {
		response.Body.Close()
		return nil, b.moved(to)
	}
	return response, nil
}

// moved refuses a redirect to another origin.
func (c *Connection) moved(to string) *Error {
	return Errorf(BadURL, "%s redirects to %s, and a login or a push goes to no other server than that of the URL: use the repository's new URL", c.at.origin(), text.Clip(to))
}

// judge tells git credential whether what it gave was good.
func (c *Connection) judge(ctx context.Context, err error) {
	if c.login == nil || c.login.From != fromHelper || c.judged {
		return
	}
	switch said := c.explain(ctx, err).(type) {
	case nil:
		_, _ = gitCredential(ctx, c.sys, c.at, "approve", c.login)
	case *Error:
		if said.Kind == BadLogin {
			_, _ = gitCredential(ctx, c.sys, c.at, "reject", c.login)
		}
	}
	c.judged = true // once is enough
}
