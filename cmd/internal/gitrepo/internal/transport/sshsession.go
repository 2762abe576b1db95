package transport

import (
	"context"
	"errors"
	"io"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	gotransport "github.com/go-git/go-git/v5/plumbing/transport"
	"golang.org/x/crypto/ssh"
	"golang.org/x/net/proxy"
)

// sshTransport speaks Git by SSH in place of go-git's, which waits for a server without an
// end, looks a host up in ~/.ssh/config once more under its real name, and mostly drops
// what is on standard error: that has why a server refuses.
type sshTransport struct{ *Connection }

// NewUploadPackSession makes a session for fetching.
func (t sshTransport) NewUploadPackSession(*gotransport.Endpoint, gotransport.AuthMethod) (gotransport.UploadPackSession, error) {
	return &sshSession{Connection: t.Connection, service: gotransport.UploadPackServiceName}, nil
}

// NewReceivePackSession is not called: see [receiver].
func (t sshTransport) NewReceivePackSession(*gotransport.Endpoint, gotransport.AuthMethod) (gotransport.ReceivePackSession, error) {
	return nil, errors.ErrUnsupported
}

// sshSession runs one service. It connects when its references are asked for.
type sshSession struct {
	*Connection
	service string
	watch   *watch
	session *ssh.Session
	in      io.WriteCloser
	out     io.Reader
	said    bounded // on standard error
	asked   bool
}

// AdvertisedReferences implements [gotransport.Session]. It is not called.
func (s *sshSession) AdvertisedReferences() (*packp.AdvRefs, error) {
	return nil, errors.ErrUnsupported
}

// AdvertisedReferencesContext connects, and reads what the server has.
func (s *sshSession) AdvertisedReferencesContext(ctx context.Context) (*packp.AdvRefs, error) {
	s.watch = s.Connection.watch(ctx)
	if err := s.start(); err != nil {
		return nil, s.watch.reason(err)
	}
	known := packp.NewAdvRefs()
	err := known.Decode(s.references(s.out))
	if errors.Is(err, packp.ErrEmptyAdvRefs) {
		err = nil
	}
	if err != nil {
		return nil, s.refusal(err)
	}
	if s.service == gotransport.UploadPackServiceName && known.IsEmpty() {
		return nil, gotransport.ErrEmptyRemoteRepository
	}
	gotransport.FilterUnsupportedCapabilities(known.Capabilities)
	return known, nil
}

// start connects and runs the service.
func (s *sshSession) start() error {
	config, err := s.ssh.ClientConfig()
	if err != nil {
		return err
	}
	conn, err := proxy.Dial(s.watch.ctx, "tcp", s.ssh.hosts)
	if err != nil {
		return err
	}
	conn = watchedConn{conn, s.watch}
	context.AfterFunc(s.watch.ctx, func() { conn.Close() })
	opened, channels, requests, err := ssh.NewClientConn(conn, s.ssh.hosts, config)
	if err != nil {
		return err
	}
	if s.session, err = ssh.NewClient(opened, channels, requests).NewSession(); err != nil {
		return err
	}
	s.said.most = 1 << 12
	s.session.Stderr = &s.said
	if s.in, err = s.session.StdinPipe(); err != nil {
		return err
	}
	if s.out, err = s.session.StdoutPipe(); err != nil {
		return err
	}
	return s.session.Start(shellCommand(s.service, s.at.Path))
}

// refusal explains why there are no references: by what is on standard error, once the
// server is done.
func (s *sshSession) refusal(err error) error {
	if s.fault != nil {
		return s.fault
	}
	var line *pktline.ErrorLine
	if errors.As(err, &line) {
		return s.scrub(s.explainRefusal(Other, line.Text))
	}
	_, _ = s.in.Write(pktline.FlushPkt)
	s.in.Close()
	_ = s.session.Wait()
	if ended := s.watch.reason(err); ended != err {
		return ended
	}
	if said := s.said.kept.String(); said != "" {
		return s.scrub(s.explainRefusal(Other, said))
	}
	if errors.Is(err, packp.ErrEmptyInput) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// UploadPack asks for objects. The answer is closed with the session.
func (s *sshSession) UploadPack(_ context.Context, request *packp.UploadPackRequest) (*packp.UploadPackResponse, error) {
	s.asked = true
	err := errors.Join(request.UploadRequest.Encode(s.in), request.UploadHaves.Encode(s.in, true), pktline.NewEncoder(s.in).EncodeString("done\n"), s.in.Close())
	response := packp.NewUploadPackResponse(request)
	if err == nil {
		err = response.Decode(watchedBody{s.packs(s.out), io.NopCloser(nil), s.watch})
	}
	return response, s.watch.reason(err)
}

// exchange sends objects, and returns the body of the server's answer.
func (s *sshSession) exchange(_ context.Context, request *packp.ReferenceUpdateRequest) (io.ReadCloser, error) {
	s.asked = true
	err := errors.Join(request.Encode(s.in), s.in.Close())
	return watchedBody{s.answer(s.out), io.NopCloser(nil), s.watch}, s.watch.reason(err)
}

// Close ends the session. It tells a server that it asked for nothing, and waits for one
// that took a push: its hooks may be at work.
func (s *sshSession) Close() error {
	switch {
	case s.in == nil:
	case !s.asked:
		_, _ = s.in.Write(pktline.FlushPkt)
	case s.service == gotransport.ReceivePackServiceName:
		_ = s.session.Wait()
	}
	s.end()
	return nil
}
