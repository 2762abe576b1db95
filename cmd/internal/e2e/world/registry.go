//go:build e2e

package world

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/node"
)

// Registry is an OCI registry over TLS. It keeps its content while it is stopped.
type Registry struct {
	Host string // HOST:PORT

	config  *tls.Config
	content http.Handler
	mu      sync.Mutex
	login   *node.Login
	held    string        // what is pulled from below it waits
	freed   chan struct{} // closed when nothing waits any more
	http    *http.Server
}

// ServeRegistry serves an empty registry at an address of this machine, with a
// certificate of an authority.
func ServeRegistry(ca *Authority, address string) (*Registry, error) {
	config, err := ca.TLS(address)
	if err != nil {
		return nil, err
	}
	r := &Registry{config: config, content: registry.New(registry.Logger(log.New(io.Discard, "", 0))), Host: address + ":0"}
	return r, r.Start()
}

// Start serves again where it served before.
func (r *Registry) Start() error {
	listener, err := net.Listen("tcp", r.Host)
	if err != nil {
		return err
	}
	r.Host = listener.Addr().String()
	r.http = &http.Server{Handler: http.HandlerFunc(r.serve), ErrorLog: log.New(io.Discard, "", 0)}
	go r.http.Serve(tls.NewListener(listener, r.config))
	return nil
}

// Stop stops serving.
func (r *Registry) Stop() { _ = r.http.Close() }

// Lock says that from now on nothing comes without a login; nil opens it.
func (r *Registry) Lock(login *node.Login) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.login = login
}

// Hold lets every request whose path has a text in it wait, as a slow registry does,
// until release is called.
func (r *Registry) Hold(text string) (release func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	freed := make(chan struct{})
	r.held, r.freed = text, freed
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.held, r.freed = "", nil
		close(freed)
	}
}

func (r *Registry) serve(out http.ResponseWriter, in *http.Request) {
	r.mu.Lock()
	login, held, freed := r.login, r.held, r.freed
	r.mu.Unlock()
	if held != "" && strings.Contains(in.URL.Path, held) {
		select {
		case <-freed:
		case <-in.Context().Done():
			return
		}
	}
	if user, password, _ := in.BasicAuth(); login != nil && *login != (node.Login{Username: user, Password: password}) {
		out.Header().Set("WWW-Authenticate", `Basic realm="e2e"`)
		http.Error(out, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, http.StatusUnauthorized)
		return
	}
	r.content.ServeHTTP(out, in)
}
