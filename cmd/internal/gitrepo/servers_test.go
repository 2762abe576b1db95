package gitrepo

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// canary is the token of the tests' servers: no message may have it.
const canary = "canary-0123456789-token"

// origin makes a bare repository to serve, with files in one commit on main. It is
// in the home folder, or seems to be: Gitea has its own place for it.
func (w *world) origin(name string, files map[string]string) {
	w.t.Helper()
	if files != nil {
		w.repo(name+".work", files)
	}
	switch {
	case w.owner != nil:
		w.originOnGitea(name, files != nil)
	case files != nil:
		w.git(".", "clone", "-q", "--bare", name+".work", name)
	default:
		w.git(".", "init", "-q", "--bare", name)
	}
	// What comes stays in one pack: a server whose client was killed goes on for a
	// moment, and fsck would see objects that come one by one.
	settings := "[receive]\n\tfsckObjects = true\n\tunpackLimit = 1\n"
	if w.owner == nil {
		settings += "[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n[http]\n\treceivepack = true\n"
	}
	w.write(name+"/config", w.read(name+"/config")+settings)
}

// serveHTTPS serves the repositories of the home folder with git http-backend to
// whoever has the canary as password, and tells the world its CA and address.
func (w *world) serveHTTPS() *httptest.Server {
	w.t.Helper()
	program, err := exec.LookPath("git")
	if err != nil {
		w.t.Fatal(err)
	}
	backend := &cgi.Handler{Path: program, Args: []string{"http-backend"}, Env: append(w.environ(), "GIT_PROJECT_ROOT="+w.home, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=ada"), Stderr: io.Discard}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		_, password, _ := in.BasicAuth()
		switch {
		case password == "":
			out.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			http.Error(out, "who are you, "+canary+"?", http.StatusUnauthorized)
		case password != canary:
			http.Error(out, "you are not "+password, http.StatusUnauthorized)
		case strings.HasPrefix(in.URL.Path, "/forbidden"):
			http.Error(out, "no, "+password, http.StatusForbidden)
		default:
			body, err := io.ReadAll(in.Body) // cgi takes no chunks
			if err != nil {
				return
			}
			in.Body, in.ContentLength, in.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
			backend.ServeHTTP(out, in)
		}
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	w.t.Cleanup(server.Close)
	w.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	w.env["GIT_SSL_CAINFO"] = filepath.Join(w.home, "ca.pem")
	w.env["GITEA_SERVER_URL"], w.env["GITEA_TOKEN"] = server.URL, canary
	return server
}

// serveSSH serves the repositories of the home folder over SSH to whoever has the
// key ~/.ssh/id_ed25519, which it makes, and puts its own key into known_hosts.
func (w *world) serveSSH() (url string) {
	w.t.Helper()
	clientPublic := w.ownKey()
	_, hostPrivate := w.key()
	host, err := ssh.NewSignerFromKey(hostPrivate)
	if err != nil {
		w.t.Fatal(err)
	}
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if bytes.Equal(key.Marshal(), clientPublic.Marshal()) {
			return nil, nil
		}
		return nil, fmt.Errorf("unknown key")
	}}
	config.AddHostKey(host)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go w.sshConnection(conn, config)
		}
	}()
	at := listener.Addr().String()
	w.write(".ssh/known_hosts", knownhosts.Line([]string{knownhosts.Normalize(at)}, host.PublicKey())+"\n")
	return "ssh://git@" + at + w.home
}

// ownKey makes ~/.ssh/id_ed25519.
func (w *world) ownKey() ssh.PublicKey {
	w.t.Helper()
	public, private := w.key()
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(".ssh/id_ed25519", string(pem.EncodeToMemory(block)))
	if err := os.Chmod(filepath.Join(w.home, ".ssh/id_ed25519"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	// ssh looks for the user's home folder elsewhere than in HOME.
	w.env["GIT_SSH_COMMAND"] = "ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -i " + w.home + "/.ssh/id_ed25519 -o UserKnownHostsFile=" + w.home + "/.ssh/known_hosts"
	return public
}

func (w *world) key() (ssh.PublicKey, ed25519.PrivateKey) {
	w.t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		w.t.Fatal(err)
	}
	return key, private
}

func (w *world) sshConnection(conn net.Conn, config *ssh.ServerConfig) {
	defer conn.Close()
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for opened := range channels {
		if channel, requests, err := opened.Accept(); err == nil {
			go w.sshSession(channel, requests)
		}
	}
}

func (w *world) sshSession(channel ssh.Channel, requests <-chan *ssh.Request) {
	defer channel.Close()
	for request := range requests {
		if request.Type != "exec" {
			_ = request.Reply(request.Type == "env", nil)
			continue
		}
		_ = request.Reply(true, nil)
		service, dir, _ := strings.Cut(string(request.Payload[4:]), " ")
		if strings.HasSuffix(dir, "/denied'") { // as GitHub does, with nothing on standard output
			_, _ = io.WriteString(channel.Stderr(), "ERROR: Permission to a/denied.git denied to ada.\nfatal: Could not read from remote repository.\n")
			_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{1}))
			return
		}
		if strings.HasSuffix(dir, "/silent'") {
			_, _ = io.Copy(io.Discard, channel)
			return
		}
		if strings.HasSuffix(dir, "/endless'") {
			advertise(channel, endless)
			return
		}
		cmd := exec.Command("git", strings.TrimPrefix(service, "git-"), strings.Trim(dir, "'"))
		cmd.Env = w.environ()
		cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
		in, err := cmd.StdinPipe()
		if err != nil || cmd.Start() != nil {
			return
		}
		go func() { _, _ = io.Copy(in, channel); in.Close() }()
		status := 0
		if cmd.Wait() != nil {
			status = 1
		}
		_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(status)}))
		return
	}
}

// transports runs a test for each kind of server; each gives the URL of the
// repository that is called origin.
func transports(t *testing.T, test func(*testing.T, *world, string)) {
	for name, serve := range map[string]func(*world) string{
		"https":        func(w *world) string { return w.serveHTTPS().URL + "/origin" },
		"ssh":          func(w *world) string { return w.serveSSH() + "/origin" },
		"file":         func(w *world) string { return "file://" + filepath.Join(w.home, "origin") },
		"path":         func(w *world) string { return filepath.Join(w.home, "origin") },
		"Gitea, https": func(w *world) string { return w.giteaHTTPS(forge.Server(w.t)) + "/origin.git" },
		"Gitea, ssh":   func(w *world) string { return w.giteaSSH(forge.Server(w.t)) + "/origin.git" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // Gitea takes its time
			w := newWorld(t)
			test(t, w, serve(w))
		})
	}
}
