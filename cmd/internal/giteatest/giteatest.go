// Package giteatest runs Gitea, a real forge, for tests: the API over TLS with a
// certificate of its own, Git over HTTPS and SSH, and everything in a folder that
// goes away.
//
// The program is the gitea of PATH, with the folders of its sources that it reads,
// templates and options, beside it: so .ci/run builds it.
package giteatest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Server is a Gitea that runs.
type Server struct {
	URL        string // https://HOST:PORT
	SSH        string // ssh://git@HOST:PORT
	CA         string // the file of the certificate to trust
	KnownHosts string // the line of known_hosts for its SSH key

	dir, program string
	client       *http.Client
	admin        User
	users        atomic.Int64
	process      *exec.Cmd
	ended        chan struct{} // closed when the process is gone
}

// Start runs a server until the test ends, with settings of its own, written as in
// app.ini: section.KEY=value. The test is skipped where there is no gitea; what
// Gitea logs meanwhile is shown if the test fails.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := start(find(t), settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	s.showLog(t)
	return s
}

// Shared is one server for all tests of a binary: starting one takes seconds. A
// test makes its own users and repositories there, and sees nothing of others.
type Shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Server starts the server for the first test that asks, and skips the test as
// [Start] does.
func (s *Shared) Server(t testing.TB) *Server {
	t.Helper()
	program := find(t)
	s.once.Do(func() { s.server, s.err = start(program, nil) })
	if s.err != nil {
		t.Fatal(s.err)
	}
	s.server.showLog(t)
	return s.server
}

// Stop ends the server, if there is one. TestMain calls it when all tests are done.
func (s *Shared) Stop() {
	if s.server != nil {
		s.server.stop()
	}
}

// find gives the program without links, since its files are beside it.
func find(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("gitea")
	if err == nil {
		program, err = filepath.EvalSymlinks(program)
	}
	if err != nil {
		t.Skip("the gitea program is not in PATH (.ci/run builds it)")
	}
	return program
}

// patience is how long a server may take to start: on a busy machine, much longer
// than it should.
const patience = 2 * time.Minute

// start runs a server in a folder of its own: the name of a test's may have a #,
// and so cannot be in app.ini. A port that was free a moment ago may be taken by the
// time that Gitea wants it, so there is a second and a third try.
func start(program string, settings []string) (*Server, error) {
	var problem error
	for range 3 {
		dir, err := os.MkdirTemp("", "gitea")
		if err != nil {
			return nil, err
		}
		s := &Server{program: program, dir: dir, ended: make(chan struct{})}
		if problem = s.run(settings); problem == nil {
			return s, nil
		}
		problem = fmt.Errorf("start gitea: %w\n%s", problem, s.log())
		taken := s.portTaken()
		s.stop()
		if !taken {
			break
		}
	}
	return nil, problem
}

func (s *Server) run(settings []string) error {
	if err := s.configure(settings); err != nil {
		return err
	}
	log, err := os.Create(s.logFile())
	if err != nil {
		return err
	}
	defer log.Close()
	s.process = s.command("web")
	s.process.Stdout, s.process.Stderr = log, log
	if err := startBound(s.process, s.ended); err != nil {
		s.process = nil
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.ready(ctx); err != nil {
		return err
	}
	out, err := s.command("admin", "user", "create", "--admin", "--username", s.admin.Name, "--password", s.admin.Password,
		"--email", s.admin.Name+"@example.com", "--must-change-password=false").CombinedOutput()
	if err != nil {
		return fmt.Errorf("gitea admin user create: %w\n%s", err, out)
	}
	return nil
}

func (s *Server) logFile() string    { return filepath.Join(s.dir, "gitea.log") }
func (s *Server) log() string        { log, _ := os.ReadFile(s.logFile()); return string(log) }
func (s *Server) configFile() string { return filepath.Join(s.dir, "app.ini") }

// command is a command of the server's program. It has nothing of the
// environment but PATH, where git is.
func (s *Server) command(args ...string) *exec.Cmd {
	cmd := exec.Command(s.program, append([]string{"--config", s.configFile()}, args...)...)
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "TMPDIR=" + s.dir, "GIT_CONFIG_NOSYSTEM=1", "TZ=UTC"}
	return cmd
}

// portTaken reports whether Gitea could not listen. It stays all the same.
func (s *Server) portTaken() bool { return strings.Contains(s.log(), "address already in use") }

// ready asks until there is an answer, from the API and from the SSH server.
func (s *Server) ready(ctx context.Context) error {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		err := s.answers(ctx)
		if err == nil {
			return nil
		}
		if s.portTaken() {
			return errors.New("its port is taken")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no answer after %s: %w", patience, err)
		case <-s.ended:
			return errors.New("it ended")
		case <-again.C:
		}
	}
}

func (s *Server) answers(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/api/v1/version", nil)
	if err != nil {
		return err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("the API answers %s: %w", response.Status, err)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(s.SSH, "ssh://git@"))
	if err != nil {
		return err
	}
	return conn.Close()
}

// stop ends the process, waits for it, and removes what it leaves.
func (s *Server) stop() {
	defer os.RemoveAll(s.dir)
	if s.process == nil {
		return
	}
	_ = s.process.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		_ = s.process.Process.Kill()
		<-s.ended
	}
}

// showLog shows what is logged from now on if the test fails.
func (s *Server) showLog(t testing.TB) {
	before := len(s.log())
	t.Cleanup(func() {
		if log := s.log(); t.Failed() && len(log) > before {
			t.Logf("gitea said:\n%s", log[before:])
		}
	})
}

// Transport trusts the server's certificate and nothing else.
func (s *Server) Transport() http.RoundTripper { return s.client.Transport }

// trusting is a client that trusts the server's certificate and nothing else.
func trusting(certificate *x509.Certificate) *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	return &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
}
