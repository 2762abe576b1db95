package transport

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	gotransport "github.com/go-git/go-git/v5/plumbing/transport"
)

// missing lists words with which servers say that there is no repository, where neither a status
// nor go-git says so. (Gitea: routers/private/serv.go, routers/web/repo/githttp.go)
var missing = []string{
	"Cannot find repository", "Push to create is not enabled", "does not appear to be a git repository", // git itself
	"Repository not found", "repository does not exist", "Repository does not exist or you do not have access", // GitHub, Bitbucket, Gogs
	"The project you were looking for could not be found", // GitLab
}

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

// explainAnswer explains an error of a server's first answer.
func (c *Connection) explainAnswer(ctx context.Context, err error) error {
	var unread *packp.ErrUnexpectedData
	switch {
	case ctx.Err() != nil:
	case errors.As(err, &unread) && objectFormat.Match(unread.Data):
		return OtherFormat(c.at.shown, string(objectFormat.FindSubmatch(unread.Data)[1]))
	case errors.Is(err, pktline.ErrInvalidPktLen) && c.at.Protocol != "file":
		return c.scrub(c.say(notGit))
	}
	return c.explain(ctx, err)
}

// scrub takes credentials out of an error.
func (c *Connection) scrub(err *Error) *Error {
	err.sentence = c.hide(err.sentence)
	return err
}
