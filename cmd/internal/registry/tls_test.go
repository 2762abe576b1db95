package registry

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTLS(t *testing.T) {
	const host = "registry.company.test"
	caFile, certificate := authority(t, host)
	f := newFake(t, certificate)
	ref := Ref{Repository: host + "/charts/app", Version: "1.0.0"}
	ask := func(options Options, ref Ref) error {
		c, _ := f.client(t, options)
		f.dials(c)
		_, err := c.Chart(t.Context(), ref)
		return err
	}
	checkError(t, ask(Options{CAFile: caFile}, ref), NoRepository, host+" has no repository charts/app")
	checkError(t, ask(Options{}, ref), UnknownCA,
		"the certificate of "+host+" is signed by an authority that is not trusted here: name the file of its CA certificate with --ca-file, or add it to the system's")
	checkError(t, ask(Options{CAFile: caFile}, Ref{Repository: "other.company.test/charts/app", Version: "1.0.0"}), BadCertificate,
		"the certificate of other.company.test is for other hosts: "+host)
	// Loopback may answer without TLS, and private addresses may in the library:
	// neither hides what is wrong with the certificate.
	for _, host := range []string{f.host, "10.0.0.1:5000"} {
		checkError(t, ask(Options{}, Ref{Repository: host + "/charts/app", Version: "1.0.0"}), BadCertificate, "the certificate of "+host+" is for other hosts")
	}
}

func TestExpiredCertificate(t *testing.T) {
	caFile, certificate := authority(t, "registry.company.test")
	f := newFake(t, certificate)
	c, _ := f.client(t, Options{CAFile: caFile})
	f.dials(c)
	later := func() time.Time { return time.Now().Add(2 * time.Hour) }
	c.exchange.base.(*http.Transport).TLSClientConfig.Time = later
	_, err := c.Chart(t.Context(), Ref{Repository: "registry.company.test/charts/app", Version: "1.0.0"})
	checkError(t, err, BadCertificate, "is the clock of this machine right?")
}

func TestPlainHTTPMustBeAskedFor(t *testing.T) {
	f := newFake(t)
	f.push(t, "app", "1.0.0")
	for _, host := range []string{"registry.company.test", "10.0.0.1:5000"} {
		ref := Ref{Repository: host + "/charts/app", Version: "1.0.0"}
		c, _ := f.client(t, Options{Keychain: login})
		f.dials(c)
		_, err := c.Chart(t.Context(), ref)
		checkError(t, err, PlainHTTP, host+" answers without TLS, in plain HTTP: if that is right, allow it with --plain-http "+host)

		c, _ = f.client(t, Options{PlainHTTP: []string{strings.ToUpper(host)}})
		f.dials(c)
		if _, err := c.Chart(t.Context(), ref); err != nil {
			t.Errorf("%s, with plain HTTP asked for: %v", host, err)
		}
	}
}

func TestCAFileMustHoldCertificates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca.crt")
	if _, err := New(Options{CAFile: path}); err == nil || !strings.Contains(err.Error(), "read the CA certificates: open "+path) {
		t.Errorf("New with a file that is not there = %v", err)
	}
	if err := os.WriteFile(path, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{CAFile: path}); err == nil || !strings.Contains(err.Error(), "holds none: want PEM") {
		t.Errorf("New with a file without certificates = %v", err)
	}
}
