// Package registry reads charts, and the digests of images, from OCI
// registries: the one place that talks to them and that keeps charts on disk.
//
// Whatever a registry says is checked: a chart's bytes are those that its
// manifest names by digest, and the chart is the one that was asked for. A
// credential goes to the host it belongs to, or to that host's token service,
// and never into an error or into the cache.
package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/singleflight"
)

// Bounds on what a registry may make us read, and on what we ask at a time.
const (
	maxArchive  = 64 << 20
	maxManifest = 4 << 20 // the OCI distribution specification asks clients for this much
	maxParallel = 4
	maxIdle     = 32 // idle connections that are kept to a host: as many as a copy uses at a time
)

// Options say how a client reaches registries. The zero value works: without
// credentials and without a cache.
type Options struct {
	UserAgent string         // the program's name and version
	CAFile    string         // certificates in PEM that are trusted besides the system's
	PlainHTTP []string       // hosts, with their port, that may answer without TLS; loopback always may
	Keychain  authn.Keychain // who knows credentials, such as [Keychain]
	Cache     string         // the folder that keeps charts, or empty for none
	Offline   bool           // only the cache answers

	// TokenServices are hosts that get the login of a registry which names them as its
	// token service. Any other host than a login's own gets none, but for Docker Hub's
	// own token service.
	TokenServices []string

	// Warn gets what is wrong but stops nothing: a cache that cannot be
	// written. It is called at most once.
	Warn func(error)

	Timeout time.Duration // for one request and its whole answer; 0 is five minutes
	Stall   time.Duration // how long an answer may bring nothing; 0 is thirty seconds

	// What tests replace: waiting before a request is tried again, the share
	// of that wait in [0,1) that is left to chance, and the clock.
	Sleep  func(context.Context, time.Duration) error
	Jitter func() float64
	Now    func() time.Time
}

// Client reads from registries. It may be used by many goroutines, and its
// cache by many processes. Within one client a version is one chart: its tag
// is resolved once.
type Client struct {
	options  Options
	cache    cache
	puller   *remote.Puller
	logins   *logins
	exchange *exchange
	flights  singleflight.Group

	mu       sync.Mutex
	resolved map[string]manifest // by repository and tag
	warned   sync.Once
}

// New makes a client. It reads the file with certificates and looks at the cache's
// folder, and nothing else; the error says what is wrong with those. A cache that
// other users may write is refused: what a version means is read from it.
func New(options Options) (*Client, error) {
	options = options.withDefaults()
	if info, err := os.Stat(options.Cache); err == nil && writtenByOthers(info) {
		return nil, fmt.Errorf("use the cache %s: other users may write into it (%s): want a folder of your own, such as %s", options.Cache, info.Mode(), filepath.Join(options.Cache, "pm-gitops"))
	}
	transport, err := options.transport()
	if err != nil {
		return nil, err
	}
	c := &Client{
		options:  options,
		cache:    cache{options.Cache, options.Now},
		logins:   newLogins(options.Keychain),
		resolved: map[string]manifest{},
	}
	c.exchange = &exchange{base: transport, options: options, logins: c.logins}
	// The library's own retries know neither Retry-After nor a broken body:
	// one step is no retry. Ours are in exchange.
	never := remote.Backoff{Steps: 1}
	c.puller, err = remote.NewPuller(
		remote.WithTransport(c.exchange),
		remote.WithAuthFromKeychain(c.logins),
		remote.WithUserAgent(options.UserAgent),
		remote.WithJobs(maxParallel),
		remote.WithRetryBackoff(never),
		remote.WithRetryPredicate(func(error) bool { return false }),
		remote.WithRetryStatusCodes(),
	)
	if err != nil {
		return nil, fmt.Errorf("set up the registry client: %w", err)
	}
	return c, nil
}

func (o Options) withDefaults() Options {
	if o.Keychain == nil {
		o.Keychain = authn.NewMultiKeychain()
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Minute
	}
	if o.Stall == 0 {
		o.Stall = 30 * time.Second
	}
	if o.Warn == nil {
		o.Warn = func(error) {}
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Jitter == nil {
		o.Jitter = chance
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// transport makes the way to a registry: TLS with the system's certificates and ours,
// through the proxy that the environment names.
func (o Options) transport() (*http.Transport, error) {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   maxIdle,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
		// Some servers mark an archive as a compressed answer. Unpacked it would
		// not have its digest any more.
		DisableCompression: true,
	}
	if o.CAFile == "" {
		return t, nil
	}
	certificates, err := os.ReadFile(o.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the CA certificates: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(certificates) {
		return nil, fmt.Errorf("read the CA certificates: %s holds none: want PEM (-----BEGIN CERTIFICATE-----)", o.CAFile)
	}
	t.TLSClientConfig = &tls.Config{RootCAs: pool}
	return t, nil
}
