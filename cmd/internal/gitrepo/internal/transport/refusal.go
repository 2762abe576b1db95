package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	gotransport "github.com/go-git/go-git/v5/plumbing/transport"
	"golang.org/x/crypto/ssh"
	"golang.org/x/net/proxy"
)

// missing lists words with which servers say that there is no repository, where neither a status
// nor go-git says so. (Gitea: routers/private/serv.go, routers/web/repo/githttp.go)
var missing = []string{"Cannot find repository", "Push to create is not enabled"}

// archived lists words for a repository that takes no commits any more. (Gitea: the
// same; GitHub says "was archived")
var archived = []string{"is archived", "was archived"}

// denials lists words for credentials that do not suffice. (Gitea: the
// same, and routers/private/hook_pre_receive.go, for it looks when a commit has
// come; GitHub's documentation of errors of SSH; GitLab: lib/gitlab/git_access.rb)
var denials = []string{
	"User permission denied", "is not authorized to", "Your account is disabled",
	" denied to ", "marked as read only", "Write access to repository not granted",
	"not allowed to push code to this project",
}

// objectFormat finds the object format among the capabilities of a server whose hashes
// have another length. https://git-scm.com/docs/gitprotocol-capabilities
var objectFormat = regexp.MustCompile(`\bobject-format=(\w+)`)

// OtherFormat says that the objects of a repository have hashes of another kind.
func OtherFormat(repository, format string) *Error {
	return Errorf(Other, "the repository %s has the object format %s (extensions.objectFormat): only sha1 can be read", repository, format)
}

func hasAny(text string, words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, word) })
}

// explainRefusal makes an error of what a server says before any Git is spoken; kind
// counts if nothing is known of these words.
func (c *Connection) explainRefusal(kind Kind, text string) *Error {
	said := serverSentence(text)
	switch {
	case hasAny(said, missing):
		return c.say(noRepository)
	case hasAny(said, archived):
		return Errorf(Rejected, "%s is archived: it takes no commits", c.at.shown)
	case kind == Forbidden, hasAny(said, denials):
		return c.forbidden(said)
	}
	return Errorf(kind, "%s does not let us in%s", c.at.shown, quoteServer(said))
}

func (c *Connection) forbidden(said string) *Error {
	return Errorf(Forbidden, "%s knows the credentials, but they do not suffice for %s: may they write there?%s", c.at.host(), c.at.shown, quoteServer(said))
}

// quoteServer quotes a server, where its words say more than a status does. Pages for
// browsers are left out.
func quoteServer(said string) string {
	if said == "" || said == http.StatusText(http.StatusForbidden) || strings.HasPrefix(said, "<") {
		return ""
	}
	return " (it says: " + said + ")"
}

// statusText returns the text that came with a status that is an error.
func statusText(err error) string {
	_, text, _ := strings.Cut(err.Error(), gotransport.ErrAuthorizationFailed.Error()+":")
	return text
}

// explainAnswer explains an error of a server's first answer. By SSH, what it says is
// on standard error, and go-git reads that only where standard output is empty:
// Gitea writes an empty line there. So it is asked once more.
func (c *Connection) explainAnswer(ctx context.Context, service string, err error) error {
	odd := errors.Is(err, pktline.ErrInvalidPktLen)
	var unread *packp.ErrUnexpectedData
	switch {
	case err == nil, ctx.Err() != nil:
	case errors.As(err, &unread) && objectFormat.Match(unread.Data):
		return OtherFormat(c.at.shown, string(objectFormat.FindSubmatch(unread.Data)[1]))
	case c.ssh != nil && (odd || errors.Is(err, io.ErrUnexpectedEOF) || strings.HasPrefix(err.Error(), "unknown error: ")):
		if text := c.ssh.listen(ctx, service, c.at.Path); text != "" {
			return c.scrub(c.explainRefusal(Other, text))
		}
	case odd && c.at.Protocol != "file":
		return c.scrub(c.say(notGit))
	}
	return c.explain(ctx, err)
}

// scrub takes credentials out of an error.
func (c *Connection) scrub(err *Error) *Error {
	err.sentence = c.hide(err.sentence)
	return err
}

// listenPatience bounds how long a server may take to say why it does not let us in.
const listenPatience = 30 * time.Second

// listen runs a service, and returns the start of its standard error.
// Nothing is asked of the service, should it be willing after all.
func (s *sshLogin) listen(ctx context.Context, service, path string) string {
	ctx, cancel := context.WithTimeout(ctx, listenPatience)
	defer cancel()
	session, hangUp, err := s.dial(ctx)
	if err != nil {
		return ""
	}
	defer hangUp()
	said := bounded{most: 1 << 12}
	session.Stdin = bytes.NewReader(pktline.FlushPkt)
	session.Stderr = &said
	_ = session.Run(shellCommand(service, path))
	return said.kept.String()
}

// dial opens a session, which the context or hangUp ends.
func (s *sshLogin) dial(ctx context.Context) (session *ssh.Session, hangUp func(), err error) {
	config, err := s.ClientConfig()
	if err != nil {
		return nil, nil, err
	}
	conn, err := proxy.Dial(ctx, "tcp", s.hosts) // as go-git does
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	hangUp = func() { stop(); conn.Close() }
	opened, channels, requests, err := ssh.NewClientConn(conn, s.hosts, config)
	if err == nil {
		session, err = ssh.NewClient(opened, channels, requests).NewSession()
	}
	if err != nil {
		hangUp()
	}
	return session, hangUp, err
}
