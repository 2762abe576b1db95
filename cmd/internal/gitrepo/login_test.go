package gitrepo

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"
)

// commits fails unless a commit gets to the remote.
func (w *world) commits(url string) {
	w.t.Helper()
	if _, err := w.remote(url, RemoteOptions{}).Commit(context.Background(), always(ours), said("ours")); err != nil {
		w.t.Errorf("Commit: %v", err)
	}
}

func TestKeysComeFromAnAgent(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", base)
	url := w.serveSSH() + "/origin"
	private, err := ssh.ParseRawPrivateKey([]byte(w.read(".ssh/id_ed25519")))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(w.home, ".ssh/id_ed25519")); err != nil {
		t.Fatal(err)
	}
	w.env["SSH_AUTH_SOCK"] = w.agent(private)
	w.commits(url)
}

func TestSSHConfigurationIsHonoured(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", base)
	at := strings.TrimPrefix(w.serveSSH(), "ssh://git@")
	host, rest, _ := strings.Cut(at, "/")
	_, port, _ := strings.Cut(host, ":")
	for _, name := range []string{"id_ed25519", "known_hosts"} {
		w.write("elsewhere/"+name, w.read(".ssh/"+name))
		if err := os.Remove(filepath.Join(w.home, ".ssh", name)); err != nil {
			t.Fatal(err)
		}
	}
	w.write(".ssh/config", "Host fleet\n  HostName 127.0.0.1\n  Port "+port+"\n  User git\n  IdentityFile ~/elsewhere/id_ed25519\n  UserKnownHostsFile ~/elsewhere/known_hosts\n")
	w.commits("fleet:/" + rest + "/origin")
}

// A server that leaves files out is asked to.
func TestOnlyFoldersAreFetchedAtFirst(t *testing.T) {
	transports(t, func(t *testing.T, w *world, url string) {
		w.origin("origin", base)
		on, err := w.remote(url, RemoteOptions{}).Read(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		has := func() int { return len(on.storage.ObjectStorage.Blobs) }
		if got := has(); got != 0 {
			t.Errorf("%d files came with the folders", got)
		}
		if _, err := on.Files(context.Background(), "README.md", "tool.sh"); err != nil || has() != 2 {
			t.Errorf("Files: %v, %d files here, want 2", err, has())
		}
		if got := len(on.storage.ObjectStorage.Commits); got != 1 {
			t.Errorf("%d commits came, want one", got)
		}
		if on.storage.HasEncodedObject(on.commit) != nil {
			t.Error("the commit is not here")
		}
	})
}

func TestProxiesAreHonoured(t *testing.T) {
	for _, name := range []string{"HTTPS_PROXY", "http.proxy", "NO_PROXY"} {
		w := newWorld(t)
		w.origin("origin", base)
		url := w.serveHTTPS().URL + "/origin"
		// A loopback host is never asked through a proxy, so the URL has another.
		certified := strings.Replace(url, "127.0.0.1", "example.com", 1)
		w.env["GITEA_SERVER_URL"] = certified
		var asked atomic.Int64
		proxy := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
			asked.Add(1)
			tunnel(out, strings.Replace(in.Host, "example.com", "127.0.0.1", 1))
		}))
		t.Cleanup(proxy.Close)
		if name == "http.proxy" {
			w.git(".", "config", "--global", name, proxy.URL)
		} else {
			w.env["HTTPS_PROXY"] = proxy.URL
		}
		if name == "NO_PROXY" {
			w.env[name] = "127.0.0.1,localhost"
			w.env["GITEA_SERVER_URL"] = url
			certified = url
		}
		w.commits(certified)
		if got := asked.Load() > 0; got != (name != "NO_PROXY") {
			t.Errorf("%s: the proxy was asked: %v", name, got)
		}
	}
}

// tunnel does what CONNECT asks for.
func tunnel(out http.ResponseWriter, host string) {
	server, err := net.Dial("tcp", host)
	if err != nil {
		http.Error(out, err.Error(), http.StatusBadGateway)
		return
	}
	client, _, err := http.NewResponseController(out).Hijack()
	if err != nil {
		return
	}
	_, _ = client.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
	go func() { _, _ = io.Copy(server, client); server.Close() }()
	go func() { _, _ = io.Copy(client, server); client.Close() }()
}

func TestRefusedCredentialsAreGivenBack(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", base)
	url := w.serveHTTPS().URL + "/origin"
	delete(w.env, "GITEA_TOKEN")
	w.git(".", "config", "--global", "credential.helper", "!f() { echo \"$1\" >> ~/asked; if test $1 = get; then echo username=ada; echo password=old; fi; }; f")
	_, err := w.remote(url, RemoteOptions{}).Read(context.Background())
	if err == nil || !strings.Contains(err.Error(), "does not take the credentials from git credential") {
		t.Errorf("Read = %v", err)
	}
	if got := strings.Join(strings.Fields(w.read("asked")), " "); got != "get erase" {
		t.Errorf("the helper was asked for %s, want get and erase", got)
	}
}

// The configuration of somebody else's repository may name programs.
func TestRepositoriesOfOthersAreRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only the superuser can give a folder away")
	}
	w := newWorld(t)
	w.repo("r", base)
	if err := os.Chown(filepath.Join(w.home, "r"), 4711, -1); err != nil {
		t.Fatal(err)
	}
	_, err := Open(w.sys(), filepath.Join(w.home, "r"))
	if err == nil || !strings.Contains(err.Error(), "belongs to somebody else") {
		t.Errorf("Open = %v", err)
	}
	w.git(".", "config", "--global", "safe.directory", filepath.Join(w.home, "r"))
	w.commit("r", w.put("r", ours))
	w.env["SUDO_UID"] = "4711"
	w.git(".", "config", "--global", "safe.directory", "")
	w.commit("r", w.put("r", map[string]string{"more": "x\n"}))
}
