package gitrepo

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

	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/pm-gitops/pm-gitops/render"
)

// RemoteKind is what went wrong, for a command that can say what to do about it.
type RemoteKind int

// The kinds of [RemoteError].
const (
	OtherRemote    RemoteKind = iota
	BadURL                    // it is no URL of a repository, or has credentials in it
	NoRepository              // there is none, or none that we may see
	NoBranch                  // there is no such branch
	NoLogin                   // the server wants credentials, and there are none
	BadLogin                  // it does not take them: wrong, or expired (401)
	Forbidden                 // they do not suffice (403)
	Rejected                  // the server's rules do not take the commit: a protected branch, a hook
	Raced                     // others were faster, every time
	UnknownHostKey            // nobody says that the SSH host's key is right
	ChangedHostKey            // it is another key than the one that is known
	NoKey                     // no SSH key, or agent
	NoHost                    // the name does not resolve
	NoConnection              // nobody takes the connection
	UnknownCA                 // the certificate is signed by nobody we trust
	BadCertificate            // it is for another host, or expired
	PlainHTTP                 // credentials would go without TLS
	NoGit                     // the git program is needed, and is not there
	NotGit                    // something answers, and it is no Git server
	Misconfigured             // Git's configuration would push more than a branch, or force
)

// RemoteError is why there is no answer from a remote repository: a sentence
// that holds no credential.
type RemoteError struct {
	Kind     RemoteKind
	Host     string // empty for file
	sentence string
}

func (e *RemoteError) Error() string { return e.sentence }

// Sentences of what our own connections, and git's, may find.
const (
	noHost            = "there is no host %s: is its name right, and does it need a VPN or a proxy?"
	noTLS             = "%s answers without TLS, in plain HTTP"
	refusesConnection = "%s refuses the connection: is its port right, and does it need a proxy?"
	otherCertificate  = "the certificate of %s is for other hosts"
	badCertificate    = "the certificate of %s is not valid: is it expired, or is the clock of this machine wrong?"
	unknownCA         = "the certificate of %s is signed by an authority that is not trusted here: name the file of its CA certificate with GIT_SSL_CAINFO or git config http.sslCAInfo"
	notGit            = "%s answers with something else than Git: is the URL right, and is that no page for logging in?"
)

// explain makes a sentence of an error on the way to a server. What may hold a
// credential is not taken over, or has it taken out.
func (c *connection) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var ours *RemoteError
	if errors.As(err, &ours) {
		return err
	}
	if c.ssh != nil {
		if said := c.ssh.explain(); said != nil {
			return said
		}
	}
	return c.told(c.sentence(err))
}

// hide takes every credential out of a text.
func (c *connection) hide(text string) string {
	for _, secret := range c.secrets {
		if len(secret) > 3 {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

func (c *connection) sentence(err error) *RemoteError {
	at, text := c.at.shown, err.Error()
	switch {
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return c.noRepository()
	case errors.Is(err, transport.ErrAuthenticationRequired) && c.login == nil:
		return &RemoteError{Kind: NoLogin, sentence: fmt.Sprintf("%s wants credentials, and there are none: set a credential helper (git config credential.helper), GIT_ASKPASS%s", c.at.host(), tokenHint(c.at.host()))}
	case errors.Is(err, transport.ErrAuthenticationRequired):
		return &RemoteError{Kind: BadLogin, sentence: fmt.Sprintf("%s does not take the credentials from %s: are they wrong, or expired?", c.at.host(), c.login.from)}
	case errors.Is(err, transport.ErrAuthorizationFailed):
		return c.turnedAway(Forbidden, statusText(err))
	case strings.Contains(text, "unable to authenticate"), strings.Contains(text, "Permission denied"):
		return c.noKeyTaken()
	case strings.Contains(text, "executable file not found"):
		return &RemoteError{Kind: NoGit, sentence: fmt.Sprintf("%s is on this machine, and reaching it takes the git program, which is not there", at)}
	}
	if said := c.certificate(err); said != nil {
		return said
	}
	return c.network(err)
}

func (c *connection) noKeyTaken() *RemoteError {
	return &RemoteError{Kind: BadLogin, sentence: fmt.Sprintf("%s takes none of the SSH keys: does it know one of those in the agent, ~/.ssh or the IdentityFile of ~/.ssh/config?", c.at.host())}
}

func (c *connection) certificate(err error) *RemoteError {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority):
		return &RemoteError{Kind: UnknownCA, sentence: fmt.Sprintf(unknownCA, c.at.host())}
	case errors.As(err, &name):
		return &RemoteError{Kind: BadCertificate, sentence: fmt.Sprintf(otherCertificate, c.at.host())}
	case errors.As(err, &invalid):
		return &RemoteError{Kind: BadCertificate, sentence: fmt.Sprintf(badCertificate, c.at.host())}
	}
	return nil
}

func (c *connection) network(err error) *RemoteError {
	var dns *net.DNSError
	var operation *net.OpError
	var request *url.Error
	host := c.at.host()
	switch {
	case errors.As(err, &operation) && operation.Op == "proxyconnect":
		return &RemoteError{Kind: NoConnection, sentence: fmt.Sprintf("the proxy for %s does not take the connection", host)}
	case errors.As(err, &dns):
		return &RemoteError{Kind: NoHost, sentence: fmt.Sprintf(noHost, dns.Name)}
	case errors.Is(err, http.ErrSchemeMismatch):
		return &RemoteError{Kind: NoConnection, sentence: fmt.Sprintf(noTLS, host)}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &RemoteError{Kind: NoConnection, sentence: fmt.Sprintf(refusesConnection, host)}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return &RemoteError{Kind: NoConnection, sentence: fmt.Sprintf("there is no way to %s: does it need a VPN or a proxy?", host)}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return &RemoteError{Kind: NoConnection, sentence: fmt.Sprintf("%s closed the connection before it answered", c.at.shown)}
	case errors.As(err, &request):
		err = request.Err // without the URL
	}
	return &RemoteError{Kind: OtherRemote, sentence: fmt.Sprintf("cannot talk to %s: %s", c.at.shown, oneLine(err.Error()))}
}

// oneLine is the first line of a text that somebody else wrote, fit for a terminal.
func oneLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return clip(render.Visible(strings.TrimSpace(line)))
}
