package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	gotransport "github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
)

// receiver takes commits. go-git's own sessions end behind the server's report: that
// ends hooks which are still at work, and what they say is lost.
type receiver interface {
	AdvertisedReferencesContext(context.Context) (*packp.AdvRefs, error)
	// exchange sends a request, and returns the answer to it.
	exchange(context.Context, *packp.ReferenceUpdateRequest) (io.ReadCloser, error)
	Close() error
}

// receive starts git-receive-pack.
func (c *Connection) receive(ctx context.Context) (receiver, error) {
	endpoint := c.at.endpoint() // go-git writes there where a redirect of the same origin leads
	switch {
	case c.stateless():
		session, err := c.client.NewReceivePackSession(endpoint, c.auth)
		return httpReceiver{session, c, endpoint}, err
	case c.ssh != nil:
		return &sshSession{Connection: c, service: gotransport.ReceivePackServiceName}, nil
	}
	git := settings.FindGit(c.sys, "")
	if git == nil {
		return nil, exec.ErrNotFound
	}
	cmd := git.Command(ctx, "receive-pack", endpoint.Path)
	p := &pipes{connection: c, aside: bounded{most: 1 << 12}}
	cmd.Stderr = &p.aside
	var err, outErr error
	p.in, err = cmd.StdinPipe()
	p.out, outErr = cmd.StdoutPipe()
	p.wait = cmd.Wait
	return p, errors.Join(err, outErr, cmd.Start())
}

// pipes is a git-receive-pack of this machine with which a conversation goes on until one side ends it.
type pipes struct {
	connection *Connection
	in         io.WriteCloser
	out        io.Reader
	aside      bounded // what it says on standard error
	wait       func() error
	sent       bool
}

func (p *pipes) AdvertisedReferencesContext(context.Context) (*packp.AdvRefs, error) {
	known := packp.NewAdvRefs()
	err := known.Decode(p.out)
	if err == nil || errors.Is(err, packp.ErrEmptyAdvRefs) {
		return known, nil
	}
	_ = p.Close()
	if said := p.aside.kept.String(); said != "" {
		return nil, p.connection.explainGit(&settings.GitError{Said: said})
	}
	return nil, err
}

func (p *pipes) exchange(_ context.Context, request *packp.ReferenceUpdateRequest) (io.ReadCloser, error) {
	p.sent = true
	return io.NopCloser(p.out), errors.Join(request.Encode(p.in), p.in.Close())
}

// Close waits until the program ends: hooks of the server may be at work.
func (p *pipes) Close() error {
	if p.wait == nil {
		return nil
	}
	wait := p.wait
	p.wait = nil
	if !p.sent { // as git says that it wants nothing
		_, _ = p.in.Write(pktline.FlushPkt)
		_ = p.in.Close()
	}
	return wait()
}

// httpReceiver sends what one request has.
type httpReceiver struct {
	gotransport.ReceivePackSession
	connection *Connection
	endpoint   *gotransport.Endpoint
}

func (r httpReceiver) exchange(ctx context.Context, request *packp.ReferenceUpdateRequest) (io.ReadCloser, error) {
	var body bytes.Buffer
	if err := request.Encode(&body); err != nil {
		return nil, err
	}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, r.endpoint.String()+"/"+gotransport.ReceivePackServiceName, &body)
	if err != nil {
		return nil, err
	}
	post.Header.Set("User-Agent", capability.DefaultAgent())
	post.Header.Set("Content-Type", "application/x-git-receive-pack-request")
	post.Header.Set("Accept", "application/x-git-receive-pack-result")
	if login, is := r.connection.auth.(githttp.AuthMethod); is {
		login.SetAuth(post)
	}
	response, err := r.connection.http.Do(post)
	if err != nil {
		return nil, plumbing.NewUnexpectedError(err)
	}
	return response.Body, githttp.NewErr(response)
}

// readAnswer reads the answer to a request to its end. What the server says beside the
// report goes to the request's Progress. Some servers give no report.
func readAnswer(answer io.Reader, request *packp.ReferenceUpdateRequest) (*packp.ReportStatus, error) {
	if request.Capabilities.Supports(capability.Sideband64k) {
		parted := sideband.NewDemuxer(sideband.Sideband64k, answer)
		parted.Progress = request.Progress
		answer = parted
	}
	var report *packp.ReportStatus
	if request.Capabilities.Supports(capability.ReportStatus) {
		report = packp.NewReportStatus()
		if err := report.Decode(answer); err != nil {
			return nil, err
		}
	}
	_, _ = io.Copy(io.Discard, answer) // hooks that run behind the report cannot refuse any more
	return report, nil
}

// shellCommand returns a command as an SSH server takes it.
func shellCommand(service, path string) string {
	return service + " '" + strings.NewReplacer("'", `'\''`, "!", `'\!'`).Replace(path) + "'"
}
