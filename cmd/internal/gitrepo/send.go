package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// errRaced is that a branch is not where it was any more.
var errRaced = errors.New("somebody else was faster")

// update is a branch that is to be moved.
type update struct {
	ref      string
	from, to plumbing.Hash // from is zero for a new branch
}

// sending is a conversation in which objects are sent, with what the server has.
type sending struct {
	connection *connection
	session    transport.ReceivePackSession
	known      *packp.AdvRefs
}

// startSending opens a conversation in which objects are sent.
func (c *connection) startSending(ctx context.Context) (*sending, error) {
	session, err := c.client.NewReceivePackSession(c.at.Endpoint, c.auth)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	known, err := session.AdvertisedReferencesContext(ctx)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		err, known = nil, packp.NewAdvRefs()
	}
	c.judge(ctx, err)
	if err != nil {
		session.Close()
		return nil, c.unanswered(ctx, transport.ReceivePackServiceName, err)
	}
	return &sending{c, session, known}, nil
}

// send moves a branch, with the objects that this takes. The error is errRaced
// if the branch is not where it was.
func (s *sending) send(ctx context.Context, u update, pack []byte) error {
	if s.known.References[u.ref] != u.from {
		return errRaced
	}
	var progress bytes.Buffer
	request := packp.NewReferenceUpdateRequestFromCapabilities(s.known.Capabilities)
	if s.known.Capabilities.Supports(capability.Sideband64k) {
		_ = request.Capabilities.Set(capability.Sideband64k)
	}
	request.Progress = &bounded{to: &progress, most: 1 << 16}
	request.Commands = []*packp.Command{{Name: plumbing.ReferenceName(u.ref), Old: u.from, New: u.to}}
	request.Packfile = io.NopCloser(bytes.NewReader(pack))
	report, err := s.session.ReceivePack(ctx, request)
	switch {
	case report != nil && report.Error() != nil:
		return s.rejected(report, progress.String())
	case err != nil:
		return s.connection.explain(ctx, err)
	case report == nil && s.known.Capabilities.Supports(capability.ReportStatus):
		return s.connection.explain(ctx, io.ErrUnexpectedEOF)
	}
	return nil
}

// bounded keeps the start of what is written.
type bounded struct {
	to   *bytes.Buffer
	most int
}

func (b *bounded) Write(p []byte) (int, error) {
	b.to.Write(p[:min(len(p), max(0, b.most-b.to.Len()))])
	return len(p), nil
}

// lostRace is how servers say that a branch was moved meanwhile.
// (builtin/receive-pack.c and refs/files-backend.c of git; GitHub, GitLab and
// Gitea run that.)
var lostRace = []string{"non-fast-forward", "fetch first", "stale info", "failed to update ref", "failed to lock", "cannot lock ref", "incorrect old value", "reference already exists", "already exists", "is at "}

// rejected makes an error of what a server says of an update it did not make.
func (s *sending) rejected(report *packp.ReportStatus, progress string) error {
	status := ""
	if report.UnpackStatus != "ok" {
		status = "unpack: " + report.UnpackStatus
	}
	for _, one := range report.CommandStatuses {
		if one.Error() != nil && status == "" {
			status = one.Status
		}
	}
	return s.connection.rejected(status, progress)
}

// rejected makes an error of a server's answer, and of what it says beside that.
// It is errRaced if the branch was moved meanwhile.
func (c *connection) rejected(status, progress string) error {
	if hasAny(status, lostRace) {
		return errRaced
	}
	said := c.hide(serverSentence(progress))
	if c.at.Protocol != "file" && hasAny(said, denials) {
		return c.told(c.forbidden(said))
	}
	return &RemoteError{Kind: Rejected, Host: c.at.host(), sentence: fmt.Sprintf("%s does not take the commit (%s)%s%s", c.at.shown, c.hide(oneLine(status)), behindColon(said), rejectionHint(status+progress))}
}

func behindColon(said string) string {
	if said == "" {
		return ""
	}
	return ": " + said
}

// rejectionHint says what to do where a branch is protected.
func rejectionHint(text string) string {
	for _, words := range []string{"GH006", "GH013", "protected branch", "You are not allowed to push", "Not allowed to push", "TF402455", "not permitted to"} {
		if strings.Contains(strings.ToLower(text), strings.ToLower(words)) {
			return "; the branch is protected: push another branch and open a pull request, or be allowed to push"
		}
	}
	return ""
}

// serverSentence is what a server says beside its answer, in one line fit for a
// terminal.
func serverSentence(progress string) string {
	var lines []string
	for line := range strings.FieldsFuncSeq(progress, func(r rune) bool { return r == '\n' || r == '\r' }) {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "remote:"))
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(line, "error:"), "ERROR:"))
		if strings.Trim(line, "=-*# ") != "" && !strings.Contains(line, "Resolving deltas:") && !strings.Contains(line, "Unpacking objects:") {
			lines = append(lines, text.Visible(line))
		}
	}
	return clip(strings.Join(lines, " "))
}
