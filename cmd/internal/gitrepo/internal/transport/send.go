package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	gotransport "github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// ErrRaced says that a branch was moved meanwhile.
var ErrRaced = errors.New("somebody else was faster")

// Update moves a branch.
type Update struct {
	Branch   string
	From, To plumbing.Hash // From is zero for a new branch
}

// Send moves a branch, with a pack of the objects that this takes, and returns the
// lines that the server says to that, fit for a terminal. The error is [ErrRaced] if
// the branch is not where it was, or an [Error].
func (c *Connection) Send(ctx context.Context, u Update, pack []byte) ([]string, error) {
	if c.toPush != nil {
		return c.toPush.Send(ctx, u, pack)
	}
	defer c.end()
	session, err := c.receive(ctx)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	defer session.Close()
	known, err := session.AdvertisedReferencesContext(ctx)
	if errors.Is(err, gotransport.ErrEmptyRemoteRepository) {
		err, known = nil, packp.NewAdvRefs()
	}
	c.judge(ctx, err)
	if err != nil {
		return nil, c.explainAnswer(ctx, err)
	}
	ref := plumbing.NewBranchReferenceName(u.Branch)
	if known.References[ref.String()] != u.From {
		return nil, ErrRaced
	}
	progress := bounded{most: 1 << 16}
	request := packp.NewReferenceUpdateRequestFromCapabilities(known.Capabilities)
	if known.Capabilities.Supports(capability.Sideband64k) {
		_ = request.Capabilities.Set(capability.Sideband64k)
	}
	request.Progress = &progress
	request.Commands = []*packp.Command{{Name: ref, Old: u.From, New: u.To}}
	request.Packfile = io.NopCloser(bytes.NewReader(pack))
	answer, err := session.exchange(ctx, request)
	if answer != nil {
		defer answer.Close()
	}
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	report, err := readAnswer(answer, request)
	switch {
	case err != nil:
		return nil, c.explain(ctx, err)
	case report != nil && report.Error() != nil:
		return nil, c.reject(report, progress.kept.String())
	}
	return remarks(c.hide(progress.kept.String())), nil
}

// bounded keeps the start of what is written.
type bounded struct {
	kept bytes.Buffer
	most int
}

func (b *bounded) Write(p []byte) (int, error) {
	b.kept.Write(p[:min(len(p), max(0, b.most-b.kept.Len()))])
	return len(p), nil
}

// lostRace lists words with which servers say that a branch was moved meanwhile.
// (builtin/receive-pack.c and refs/files-backend.c of git; GitHub, GitLab and
// Gitea run that.)
var lostRace = []string{"non-fast-forward", "fetch first", "stale info", "failed to update ref", "failed to lock", "cannot lock ref", "incorrect old value", "reference already exists", "already exists", "is at "}

// reject makes an error of what a server says of an update that it did not make.
func (c *Connection) reject(report *packp.ReportStatus, progress string) error {
	status := ""
	if report.UnpackStatus != "ok" {
		status = "unpack: " + report.UnpackStatus
	}
	for _, one := range report.CommandStatuses {
		if one.Error() != nil && status == "" {
			status = one.Status
		}
	}
	return c.rejected(status, progress)
}

// rejected makes an error of a server's answer, and of what it says beside that.
// It is ErrRaced if the branch was moved meanwhile.
func (c *Connection) rejected(status, progress string) error {
	if hasAny(status, lostRace) {
		return ErrRaced
	}
	said := c.hide(serverSentence(progress))
	if c.at.Protocol != "file" && hasAny(said, denials) {
		return c.scrub(c.forbidden(said))
	}
	return Errorf(Rejected, "%s does not take the commit (%s)%s%s", c.at.shown, c.hide(text.FirstLine(status)), afterColon(said), rejectionHint(status+progress))
}

func afterColon(said string) string {
	if said == "" {
		return ""
	}
	return ": " + said
}

// rejectionHint says what to do where a branch is protected.
func rejectionHint(text string) string {
	for _, words := range []string{"GH006", "GH013", "protected branch", "You are not allowed to push", "Not allowed to push", "TF402455", "not permitted to"} {
		if strings.Contains(strings.ToLower(text), strings.ToLower(words)) {
			return "; the branch is protected: propose the change as a pull request, or be allowed to push"
		}
	}
	return ""
}

// serverSentence joins what a server says beside its answer into one line fit for a
// terminal.
func serverSentence(progress string) string {
	var lines []string
	for _, line := range serverLines(progress) {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "remote:"))
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(line, "error:"), "ERROR:"))
		if !saysNothing(line) {
			lines = append(lines, line)
		}
	}
	return text.Clip(strings.Join(lines, " "))
}

// serverLines returns what a server says beside its answer, line by line and fit for a
// terminal, without lines that say nothing and git's own progress. A line that is
// written over, as progress is, counts once it is complete.
func serverLines(progress string) (lines []string) {
	for line := range strings.SplitSeq(progress, "\n") {
		line = strings.TrimRight(line, " \t\r")
		line = line[strings.LastIndexByte(line, '\r')+1:]
		if !saysNothing(line) && !strings.Contains(line, "Resolving deltas:") && !strings.Contains(line, "Unpacking objects:") {
			lines = append(lines, text.Visible(line))
		}
	}
	return lines
}

func saysNothing(line string) bool { return strings.Trim(line, "=-*# \t") == "" }

// remarks returns the lines of a server that took a commit: where to open a merge
// request, for example. A server may have us show no more than a screen of them.
func remarks(progress string) []string {
	const maxLines, maxBytes = 40, 8 << 10
	lines, size := serverLines(progress), 0
	for i, line := range lines {
		if size += len(line); i == maxLines || size > maxBytes {
			return append(lines[:i], "… "+text.Count(len(lines)-i, "more line"))
		}
	}
	return lines
}
