package transport

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

	"github.com/go-git/go-git/v5/plumbing"
	gotransport "github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// Kind tells errors apart, for a command that can say what to do about one.
type Kind int

// The kinds of [Error].
const (
	Other          Kind = iota
	BadURL              // the URL is not one of a repository, or has credentials in it
	NoRepository        // there is none, or none that the credentials may see
	NoBranch            // there is no such branch
	NoLogin             // the server wants credentials, and there are none
	BadLogin            // the server refuses the credentials: wrong, or expired (401)
	Forbidden           // the credentials do not suffice (403)
	Rejected            // the server's rules refuse the commit: a protected branch, a hook
	Raced               // other commits were faster, every time
	UnknownHostKey      // the SSH host's key is in no known_hosts
	ChangedHostKey      // the SSH host's key differs from the one in known_hosts
	NoKey               // no SSH key, or agent
	NoHost              // the name does not resolve
	NoConnection        // the connection is refused, or ends early
	UnknownCA           // an authority that is not trusted signed the certificate
	BadCertificate      // the certificate is for another host, or expired
	PlainHTTP           // credentials would go without TLS
	NoGit               // the git program is needed, and is not there
	NotGit              // the answer is not that of a Git server
	Misconfigured       // Git's configuration would push more than a branch, or force
	Stalled             // the server sends nothing, or does not come to an end
	TooLarge            // it sends more than we read
)

// Error says why a remote repository does not answer, in a sentence without
// credentials.
type Error struct {
	Kind     Kind
	sentence string
}

func (e *Error) Error() string { return e.sentence }

// Errorf makes an error of a kind.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{kind, fmt.Sprintf(format, args...)}
}

// problem is a fault that our own connections, and git's, share: its sentence has the
// host, the URL, where a login is from, and which variable may have one.
type problem struct {
	kind     Kind
	sentence string
}

var (
	noRepository     = problem{NoRepository, "there is no repository %[2]s, or none that these credentials may see"}
	noLogin          = problem{NoLogin, "%[1]s wants credentials, and there are none: set a credential helper (git config credential.helper), GIT_ASKPASS%[4]s"}
	badLogin         = problem{BadLogin, "%[1]s does not take the credentials from %[3]s: are they wrong, or expired?"}
	noKeyTaken       = problem{BadLogin, "%[1]s takes none of the SSH keys: does it know one of those in the agent, ~/.ssh or the IdentityFile of ~/.ssh/config?"}
	plainHTTP        = problem{PlainHTTP, "the credentials from %[3]s would go to %[1]s in plain HTTP: use https"}
	noGitThere       = problem{NoGit, "%[2]s is on this machine, and reaching it takes the git program, which is not there"}
	unknownCA        = problem{UnknownCA, "the certificate of %[1]s is signed by an authority that is not trusted here: name the file of its CA certificate with GIT_SSL_CAINFO or git config http.sslCAInfo"}
	otherCertificate = problem{BadCertificate, "the certificate of %[1]s is for other hosts"}
	badCertificate   = problem{BadCertificate, "the certificate of %[1]s is not valid: is it expired, or is the clock of this machine wrong?"}
	noProxy          = problem{NoConnection, "the proxy for %[1]s does not take the connection"}
	noTLS            = problem{NoConnection, "%[1]s answers without TLS, in plain HTTP"}
	refused          = problem{NoConnection, "%[1]s refuses the connection: is its port right, and does it need a proxy?"}
	noWay            = problem{NoConnection, "there is no way to %[1]s: does it need a VPN or a proxy?"}
	closed           = problem{NoConnection, "%[2]s closed the connection before it answered"}
	noHost           = problem{NoHost, "there is no host %[1]s: is its name right, and does it need a VPN or a proxy?"}
	notGit           = problem{NotGit, "%[2]s answers with something else than Git: is the URL right, and is that no page for logging in?"}
)

// say makes a sentence of a problem.
func (c *Connection) say(p problem) *Error {
	from := fromHelper
	if c.login != nil {
		from = c.login.From
	}
	return Errorf(p.kind, p.sentence, c.at.host(), c.at.shown, from, tokenHint(c.at.host()))
}

// explain makes a sentence of an error on the way to a server. What may hold a
// credential is not taken over, or has it taken out.
func (c *Connection) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if c.fault != nil {
		return c.scrub(c.fault)
	}
	if post, is := err.(*plumbing.UnexpectedError); is {
		err = post.Err
	}
	var ours *Error
	if errors.As(err, &ours) {
		return ours // without what is around it
	}
	if c.ssh != nil {
		if said := c.ssh.explain(); said != nil {
			return said
		}
		if problemOf(err) == noKeyTaken {
			return Errorf(BadLogin, "%s takes none of the SSH keys: %s", c.at.host(), c.ssh.tried())
		}
	}
	return c.scrub(c.sentence(err))
}

// hide takes every credential out of a text.
func (c *Connection) hide(text string) string {
	for _, secret := range c.secrets {
		if len(secret) > 3 {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

func (c *Connection) sentence(err error) *Error {
	var request *url.Error
	var dns *net.DNSError
	switch {
	case errors.Is(err, gotransport.ErrAuthorizationFailed):
		return c.explainRefusal(Forbidden, statusText(err))
	case errors.As(err, &dns):
		return Errorf(NoHost, noHost.sentence, dns.Name) // the proxy's, maybe
	}
	if p := problemOf(err); p.sentence != "" {
		if p == badLogin && c.login == nil {
			p = noLogin
		}
		return c.say(p)
	}
	if errors.As(err, &request) {
		err = request.Err // without the URL
	}
	return Errorf(Other, "cannot talk to %s: %s", c.at.shown, text.Address(text.FirstLine(err.Error())))
}

// problemOf finds the problem of an error on the way to a server; it may be empty.
func problemOf(err error) problem {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var operation *net.OpError
	said := err.Error()
	switch {
	case errors.Is(err, gotransport.ErrRepositoryNotFound):
		return noRepository
	case errors.Is(err, gotransport.ErrAuthenticationRequired):
		return badLogin
	case strings.Contains(said, "unable to authenticate"), strings.Contains(said, "Permission denied"), strings.Contains(said, "Too many authentication failures"):
		return noKeyTaken
	case strings.Contains(said, "executable file not found"):
		return noGitThere
	case errors.As(err, &authority):
		return unknownCA
	case errors.As(err, &name):
		return otherCertificate
	case errors.As(err, &invalid):
		return badCertificate
	case errors.As(err, &operation) && operation.Op == "proxyconnect":
		return noProxy
	case errors.Is(err, http.ErrSchemeMismatch):
		return noTLS
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return noWay
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return closed
	}
	return problem{}
}
