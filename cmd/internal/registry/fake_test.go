package registry

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	ociregistry "github.com/google/go-containerregistry/pkg/registry"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry/registrytest"
)

// The canaries are credentials: none may ever be in an error or in a file.
const (
	canaryUser     = "puller"
	canaryPassword = "canary-p4ssw0rd"
	canaryToken    = "canary-t0ken"
	canaryKey      = "canary-private-key"
)

func checkNoCanary(t *testing.T, where, text string) {
	t.Helper()
	for _, canary := range []string{canaryPassword, canaryToken, canaryKey, "canary", "Y2FuYXJ5"} {
		if strings.Contains(text, canary) {
			t.Errorf("%s holds the credential %s: %s", where, canary, text)
		}
	}
}

// checkError wants an error of a kind that says something, and no credential.
func checkError(t *testing.T, err error, kind Kind, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", want)
	}
	checkNoCanary(t, "the error", fmt.Sprintf("%v %+v", err, err))
	var ours *Error
	if !errors.As(err, &ours) {
		t.Fatalf("error %T %v, want a *registry.Error", err, err)
	}
	if ours.Kind != kind || !strings.Contains(err.Error(), want) {
		t.Errorf("error of kind %d: %v\nwant kind %d: … %s …", ours.Kind, err, kind, want)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error has several lines: %v", err)
	}
}

// fake is a registry whose answers a test may change.
type fake struct {
	*httptest.Server
	host string

	mu       sync.Mutex
	requests []string
	// before may answer a request itself, and then says so.
	before func(http.ResponseWriter, *http.Request) bool
}

// newFake starts a registry without TLS, or with the certificate given.
func newFake(t *testing.T, certificates ...tls.Certificate) *fake {
	t.Helper()
	f := &fake{}
	inner := ociregistry.New(ociregistry.Logger(log.New(io.Discard, "", 0)))
	f.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.requests = append(f.requests, r.Method+" "+r.URL.Path)
		before := f.before
		f.mu.Unlock()
		if before != nil && before(w, r) {
			return
		}
		inner.ServeHTTP(w, r)
	}))
	f.Config.ErrorLog = log.New(io.Discard, "", 0)
	if certificates == nil {
		f.Start()
	} else {
		f.TLS = &tls.Config{Certificates: certificates}
		f.StartTLS()
	}
	t.Cleanup(f.Close)
	f.host = f.Listener.Addr().String()
	return f
}

// interfere changes answers from now on; nil lets all through.
func (f *fake) interfere(before func(http.ResponseWriter, *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = before
}

// asked forgets, and counts, the requests whose path ends so.
func (f *fake) asked(suffix string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	count := 0
	for _, request := range f.requests {
		if strings.Contains(request, suffix) {
			count++
		}
	}
	f.requests = nil
	return count
}

// client makes a client that tells how long it would have waited.
func (f *fake) client(t *testing.T, options Options) (*Client, *[]time.Duration) {
	t.Helper()
	waits := &[]time.Duration{}
	var mu sync.Mutex
	options.Sleep = func(_ context.Context, d time.Duration) error {
		mu.Lock()
		defer mu.Unlock()
		*waits = append(*waits, d)
		return nil
	}
	options.Jitter = func() float64 { return 0 }
	options.UserAgent = "pm-gitops/test"
	c, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.exchange.base.(*http.Transport).CloseIdleConnections)
	return c, waits
}

// dials makes a client reach the fake under any name.
func (f *fake) dials(c *Client) {
	c.exchange.base.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, f.host)
	}
}

// archiveOf is a chart as helm package would pack it, but the same every time.
func archiveOf(t testing.TB, chart, version string) []byte {
	t.Helper()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	files := tar.NewWriter(zip)
	text := fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n", chart, version)
	if err := files.WriteHeader(&tar.Header{Name: chart + "/Chart.yaml", Mode: 0o644, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	_, err := files.Write([]byte(text))
	if err := errors.Join(err, files.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// chartParts is a chart as helm push writes it.
func chartParts(t testing.TB, chart, version string) (manifest string, config, archive []byte) {
	t.Helper()
	archive = archiveOf(t, chart, version)
	manifest, config = registrytest.Chart(t, chart, version, archive)
	return manifest, config, archive
}

// push puts a chart into charts/<name>, and gives its reference, its digest and
// its archive.
func (f *fake) push(t *testing.T, chart, version string) (Ref, string, []byte) {
	t.Helper()
	archive := archiveOf(t, chart, version)
	ref := Ref{Repository: f.host + "/charts/" + chart, Version: version}
	digest := registrytest.Push(t, f.host+"/charts", chart, version, archive)
	f.asked("")
	return ref, digest, archive
}

// authority makes a certificate authority's file, and a certificate of it.
func authority(t *testing.T, hosts ...string) (caFile string, certificate tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	caFile = filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return caFile, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// keys is a keychain with one login for every host.
type keys authn.AuthConfig

func (k keys) Resolve(authn.Resource) (authn.Authenticator, error) {
	return authn.FromConfig(authn.AuthConfig(k)), nil
}

var login = keys{Username: canaryUser, Password: canaryPassword}

// refuse answers with a registry's error.
func refuse(w http.ResponseWriter, status int, code, message string) bool {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, code, message)
	return true
}
