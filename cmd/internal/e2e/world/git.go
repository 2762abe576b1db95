//go:build e2e

package world

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cgi"
	"os/exec"
	"path/filepath"
)

// The login of the Git server.
const (
	GitUser     = "fleet"
	GitPassword = "e2e-git-password"
)

// Git is a Git server over HTTPS, git http-backend, with a login.
type Git struct {
	URL  string // of its root
	root string
	http *http.Server
}

// serveGit serves the bare repositories in a folder.
func serveGit(root string, ca *Authority) (*Git, error) {
	program, err := exec.LookPath("git")
	if err != nil {
		return nil, err
	}
	config, err := ca.TLS("127.0.0.1")
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	backend := &cgi.Handler{Path: program, Args: []string{"http-backend"}, Stderr: io.Discard, Env: []string{
		"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=" + GitUser, "GIT_CONFIG_NOSYSTEM=1", "HOME=" + root,
	}}
	handler := http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		if _, password, _ := in.BasicAuth(); password != GitPassword { // a token comes with any name
			out.Header().Set("WWW-Authenticate", `Basic realm="e2e"`)
			http.Error(out, "who are you?", http.StatusUnauthorized)
			return
		}
		body, err := io.ReadAll(in.Body) // cgi takes no chunks
		if err != nil {
			return
		}
		in.Body, in.ContentLength, in.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
		backend.ServeHTTP(out, in)
	})
	g := &Git{"https://" + listener.Addr().String(), root, &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}}
	go g.http.Serve(tls.NewListener(listener, config))
	return g, nil
}

// Create makes an empty repository, NAME.git, and gives its URL.
func (g *Git) Create(name string) (string, error) {
	at := filepath.Join(g.root, name+".git")
	out, err := exec.Command("git", "init", "-q", "--bare", "-b", "main", at).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git init: %w: %s", err, out)
	}
	if out, err := exec.Command("git", "-C", at, "config", "http.receivepack", "true").CombinedOutput(); err != nil {
		return "", fmt.Errorf("git config: %w: %s", err, out)
	}
	return g.URL + "/" + name + ".git", nil
}

// Close ends the server.
func (g *Git) Close() error { return g.http.Close() }
