package registry

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// question names a thing that a registry was asked for.
type question struct {
	at         location
	what       string // manifest, metadata, archive, tags or image
	identifier string // the tag or digest, if there is one
}

func (q question) host() string { return q.at.repository.RegistryStr() }

// explain turns an error of the library into a sentence. Only what we know to
// hold no credential is taken over from it. The order matters: a loopback host
// is tried with TLS and without, and the error is then both.
func (c *Client) explain(ctx context.Context, q question, err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	var ours *Error
	if !errors.As(err, &ours) {
		ours = c.sentenceOf(ctx, q, err)
	}
	said := *ours
	said.Host = q.host()
	said.sentence = c.hide(said.sentence)
	return &said
}

// hide takes every credential out of a text that was ever sent, and names hosts as
// they are called.
func (c *Client) hide(text string) string {
	return c.options.unaliased(c.exchange.secrets.hide(c.logins.secrets.hide(text)))
}

func (c *Client) sentenceOf(ctx context.Context, q question, err error) *Error {
	if e := certificateError(err); e != nil {
		return e
	}
	var answer *transport.Error
	if errors.As(err, &answer) {
		return c.statusError(ctx, q, answer)
	}
	if errors.Is(err, errWrongBytes) {
		return &Error{Kind: WrongDigest, sentence: fmt.Sprintf("%s sent another %s than %s", q.host(), q.what, q.identifier)}
	}
	return c.connectionError(hostOf(err, q.host()), err)
}

// hostOf gives the host that an error is about: a registry may send us on.
func hostOf(err error, registry string) string {
	var request *url.Error
	if errors.As(err, &request) {
		if at, err := url.Parse(request.URL); err == nil && at.Host != "" {
			return at.Host
		}
	}
	return registry
}

// certificateError makes a sentence of an error of TLS certificates, or gives nil.
func certificateError(err error) *Error {
	host := hostOf(err, "the registry")
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority):
		return &Error{Kind: UnknownCA, sentence: fmt.Sprintf("the certificate of %s is signed by an authority that is not trusted here: name the file of its CA certificate with --ca-file, or add it to the system's", host)}
	case errors.As(err, &name):
		return &Error{Kind: BadCertificate, sentence: fmt.Sprintf("the certificate of %s is for other hosts: %s", host, hostsOf(name.Certificate))}
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return &Error{Kind: BadCertificate, sentence: fmt.Sprintf("the certificate of %s is valid from %s to %s: is the clock of this machine right?",
			host, invalid.Cert.NotBefore.UTC().Format("2006-01-02"), invalid.Cert.NotAfter.UTC().Format("2006-01-02"))}
	case errors.As(err, &invalid):
		return &Error{Kind: BadCertificate, sentence: fmt.Sprintf("the certificate of %s is not valid: %s", host, oneLine(invalid.Error()))}
	}
	return nil
}

func hostsOf(certificate *x509.Certificate) string {
	names := certificate.DNSNames
	for _, ip := range certificate.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "it names none"
	}
	return clip(strings.Join(names, ", "))
}

// connectionError makes a sentence of a conversation that did not take place.
func (c *Client) connectionError(host string, err error) *Error {
	var dns *net.DNSError
	var broken brokenError
	var plain plainError
	var operation *net.OpError
	switch {
	case errors.As(err, &broken):
		return &Error{Kind: Broken, sentence: fmt.Sprintf("the answer of %s broke off %s, %d times", broken.host, broken.where(), attempts)}
	case errors.As(err, &operation) && operation.Op == "proxyconnect":
		return &Error{Kind: NoConnection, sentence: fmt.Sprintf("the proxy for %s (HTTPS_PROXY) does not take the connection", host)}
	case errors.Is(err, http.ErrSchemeMismatch):
		return &Error{Kind: PlainHTTP, sentence: fmt.Sprintf("%s answers without TLS, in plain HTTP: if that is right, allow it with --plain-http %s", host, host)}
	case errors.As(err, &dns):
		return &Error{Kind: NoHost, sentence: fmt.Sprintf("there is no host %s: is its name right, and does it need a VPN or a proxy?", dns.Name)}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &Error{Kind: NoConnection, sentence: fmt.Sprintf("%s refuses the connection: is its port right, and does it need a proxy?", host)}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return &Error{Kind: NoConnection, sentence: fmt.Sprintf("there is no way to %s: does it need a VPN or a proxy?", host)}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return &Error{Kind: Broken, sentence: fmt.Sprintf("%s closed the connection before it answered, %d times", host, attempts)}
	case errors.As(err, &plain):
		return &Error{Kind: PlainHTTP, sentence: fmt.Sprintf("%s would be asked without TLS, in plain HTTP: if that is right, allow it with --plain-http %s", plain.host, plain.host)}
	}
	// What is left comes from the library or from net/http, and is about the
	// answer's form. Only the first line: the library appends whole answers of
	// token services, tokens included.
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	return &Error{Kind: Other, sentence: fmt.Sprintf("cannot talk to %s: %s", host, oneLine(c.hide(err.Error())))}
}

// where says how much of an answer came.
func (e brokenError) where() string {
	if e.want < 0 {
		return fmt.Sprintf("after %d bytes", e.got)
	}
	return fmt.Sprintf("after %d of %d bytes", e.got, e.want)
}
