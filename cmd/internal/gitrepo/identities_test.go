package gitrepo

import (
	"context"
	"crypto"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"
)

// agent serves keys as ssh-agent does, and returns the name of its socket.
func (w *world) agent(keys ...any) (socket string) {
	w.t.Helper()
	ring := agent.NewKeyring()
	for _, key := range keys {
		if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
			w.t.Fatal(err)
		}
	}
	dir, err := os.MkdirTemp("", "agent") // a socket's path may be 108 bytes long
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { os.RemoveAll(dir) })
	listener, err := net.Listen("unix", filepath.Join(dir, "s"))
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
			go func() { _ = agent.ServeAgent(ring, conn) }()
		}
	}()
	return filepath.Join(dir, "s")
}

// pickyServer speaks SSH, notes which keys it is offered, and takes none.
type pickyServer struct {
	mu      sync.Mutex
	offered []string
	names   map[string]string // of keys
}

// keyRing makes keys by name, in files and for agents.
type keyRing struct {
	*world
	private map[string]crypto.PrivateKey
	server  *pickyServer
	port    string
}

func newKeyRing(t *testing.T) keyRing {
	w := newWorld(t)
	r := keyRing{w, map[string]crypto.PrivateKey{}, &pickyServer{names: map[string]string{}}, ""}
	_, hostPrivate := w.key()
	host, err := ssh.NewSignerFromKey(hostPrivate)
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{MaxAuthTries: -1, PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		r.server.mu.Lock()
		defer r.server.mu.Unlock()
		r.server.offered = append(r.server.offered, r.server.names[string(key.Marshal())])
		return nil, fmt.Errorf("not this one")
	}}
	config.AddHostKey(host)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); _, _, _, _ = ssh.NewServerConn(conn, config) }()
		}
	}()
	at := listener.Addr().String()
	w.write(".ssh/known_hosts", knownhosts.Line([]string{knownhosts.Normalize(at)}, host.PublicKey())+"\n")
	_, r.port, _ = net.SplitHostPort(at)
	return r
}

// filled fills in what a test's keys, and its ~/.ssh/config, have of this machine.
func (r keyRing) filled(text string) string {
	local, err := user.Current()
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.NewReplacer("HOME", r.home, "PORT", r.port, "UID", fmt.Sprint(os.Getuid()), "USER", local.Username).Replace(text)
}

// holding serves an agent with keys.
func (r keyRing) holding(names []string) (socket string) {
	var keys []any
	for _, name := range names {
		keys = append(keys, r.private[name])
	}
	return r.agent(keys...)
}

// make writes keys: NAME to a file of that name, NAME! with a passphrase, NAME.pub only
// the public half.
func (r keyRing) make(names ...string) {
	r.t.Helper()
	for _, how := range names {
		how = r.filled(how)
		name := strings.TrimSuffix(strings.TrimSuffix(how, "!"), ".pub")
		public, private := r.key()
		r.private[name], r.server.names[string(public.Marshal())] = private, name
		block, err := ssh.MarshalPrivateKey(private, "")
		if how == name+"!" {
			block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(canary))
		}
		if err != nil {
			r.t.Fatal(err)
		}
		content := pem.EncodeToMemory(block)
		if how == name+".pub" {
			content = ssh.MarshalAuthorizedKey(public)
		}
		if err := os.WriteFile(filepath.Join(r.home, strings.TrimSuffix(how, "!")), content, 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
}

// offers returns the keys that a client offers.
func (r keyRing) offers(client func()) []string {
	r.server.mu.Lock()
	r.server.offered = nil
	r.server.mu.Unlock()
	client()
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	return r.server.offered
}

// read asks the server with our own SSH.
func (r keyRing) read() (err error) {
	remote, err := OpenRemote(context.Background(), r.sys(), "ssh://git@127.0.0.1:"+r.port+"/fleet", RemoteOptions{})
	if err == nil {
		_, err = remote.Read(context.Background())
	}
	return err
}

// The keys that are offered are those of ssh itself, in its order. ssh offers locked keys
// too, before it asks for their passphrase: those cannot be used here.
func TestKeysAreOfferedAsSSHDoes(t *testing.T) {
	need(t, "ssh")
	for name, c := range map[string]struct {
		keys   []string
		held   []string // by the agent
		config string
		want   []string
	}{
		"one file":                          {[]string{"a"}, nil, "IdentityFile HOME/a", []string{"a"}},
		"several files":                     {[]string{"a", "b"}, nil, "IdentityFile HOME/gone\nIdentityFile HOME/b\nIdentityFile HOME/a", []string{"b", "a"}},
		"several blocks add up":             {[]string{"a", "b"}, nil, "IdentityFile HOME/b\nHost *\nIdentityFile HOME/a\nHost other\nIdentityFile HOME/c", []string{"b", "a"}},
		"locked, in the agent":              {[]string{"a!"}, []string{"a"}, "IdentityFile HOME/a\nIdentitiesOnly yes", []string{"a"}},
		"locked, not in the agent":          {[]string{"a!", "b"}, nil, "IdentityFile HOME/a\nIdentityFile HOME/b", []string{"b"}},
		"only those":                        {[]string{"a", "b", "c"}, []string{"c", "b"}, "IdentityFile HOME/a\nIdentityFile HOME/b\nIdentitiesOnly yes", []string{"b", "a"}},
		"only those, in capitals":           {[]string{"a", "b"}, []string{"b"}, "IdentityFile HOME/a\nidentitiesonly True", []string{"a"}},
		"the agent's others, too":           {[]string{"a", "b", "c", "d"}, []string{"d", "c", "b"}, "IdentityFile HOME/a\nIdentityFile HOME/c\nIdentityFile HOME/b", []string{"c", "b", "d", "a"}},
		"the public half names one":         {[]string{"a.pub", "b"}, []string{"b", "a"}, "IdentityFile HOME/a.pub\nIdentitiesOnly yes", []string{"a"}},
		"the public half beside it":         {[]string{"a.pub", "b"}, []string{"b", "a"}, "IdentityFile HOME/a\nIdentitiesOnly yes", []string{"a"}},
		"no identity file":                  {[]string{"a"}, []string{"a"}, "IdentityFile none\nIdentitiesOnly no", []string{"a"}},
		"no agent":                          {[]string{"a", "b"}, []string{"b"}, "IdentityFile HOME/a\nIdentityAgent none", []string{"a"}},
		"an agent by name":                  {[]string{"a"}, []string{"a"}, "IdentityFile none\nIdentityAgent SOCKET", []string{"a"}},
		"the agent of SSH_AUTH_SOCK":        {[]string{"a"}, []string{"a"}, "IdentityFile none\nIdentityAgent SSH_AUTH_SOCK", []string{"a"}},
		"the agent of a variable":           {[]string{"a"}, []string{"a"}, "IdentityFile none\nIdentityAgent $OTHER_SOCK", []string{"a"}},
		"the agent of an unset variable":    {[]string{"a"}, []string{"a"}, "IdentityFile none\nIdentityAgent $NO_SOCK", nil},
		"an agent by a variable and tokens": {[]string{"a"}, []string{"a"}, "IdentityFile none\nIdentityAgent ${FOLDER}/%h", []string{"a"}},
		"tokens":                            {[]string{"git@127.0.0.1", "100%", "127.0.0.1-PORT-USER-UID"}, nil, "IdentityFile HOME/%r@%h\nIdentityFile ${FOLDER}/100%%\nIdentityFile HOME/%n-%p-%u-%i", []string{"git@127.0.0.1", "100%", "127.0.0.1-PORT-USER-UID"}},
		"quoted, with a space":              {[]string{"my key"}, nil, "IdentityFile \"HOME/my key\"", []string{"my key"}},
		"a Match block before it":           {[]string{"a"}, nil, "Match host nowhere\nIdentityFile HOME/gone\nHost *\nIdentityFile HOME/a", []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newKeyRing(t)
			r.make(c.keys...)
			socket := r.holding(c.held)
			r.env["SSH_AUTH_SOCK"], r.env["OTHER_SOCK"], r.env["FOLDER"] = socket, socket, r.home
			if strings.Contains(c.config, "FOLDER}/%h") {
				if err := os.Symlink(socket, filepath.Join(r.home, "127.0.0.1")); err != nil {
					t.Fatal(err)
				}
			}
			if strings.Contains(c.config, "SOCKET") || strings.Contains(c.config, "$OTHER") {
				delete(r.env, "SSH_AUTH_SOCK")
			}
			r.write(".ssh/config", r.filled("Host 127.0.0.1\n"+strings.ReplaceAll(c.config, "SOCKET", socket)+"\n"))
			for i, name := range c.want {
				c.want[i] = r.filled(name)
			}
			if diff := cmp.Diff(c.want, r.offers(func() { _ = r.read() })); diff != "" {
				t.Errorf("we offer (-want +got):\n%s", diff)
			}
			theirs := r.offers(func() { r.realSSH() })
			theirs = slices.DeleteFunc(theirs, func(key string) bool { // locked
				return slices.Contains(c.keys, key+"!") && !slices.Contains(c.held, key)
			})
			if diff := cmp.Diff(c.want, theirs); diff != "" {
				t.Errorf("ssh offers (-want +got):\n%s", diff)
			}
		})
	}
}

// realSSH asks the server with ssh.
func (r keyRing) realSSH() {
	cmd := exec.Command("ssh", "-F", filepath.Join(r.home, ".ssh/config"), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
		"-o", "UserKnownHostsFile="+filepath.Join(r.home, ".ssh/known_hosts"), "-p", r.port, "-l", "git", "127.0.0.1", "true")
	cmd.Env = r.environ()
	_ = cmd.Run()
}

// Where nothing logs in, every identity has its reason.
func TestIdentitiesThatCannotBeUsedAreNamed(t *testing.T) {
	const none = "there is no SSH key for 127.0.0.1:PORT: "
	const noFile = "no IdentityFile in ~/.ssh/config, and no default key such as ~/.ssh/id_ed25519"
	for name, c := range map[string]struct {
		keys, held []string
		config     string
		want       string
	}{
		"nothing at all":   {nil, nil, "", none + "no agent (SSH_AUTH_SOCK is not set); " + noFile},
		"locked":           {[]string{"a!"}, nil, "IdentityFile ~/a", none + "no agent (SSH_AUTH_SOCK is not set); HOME/a is locked with a passphrase and not in an agent (ssh-add HOME/a adds it)"},
		"a locked default": {[]string{".ssh/id_ecdsa!"}, nil, "", none + "no agent (SSH_AUTH_SOCK is not set); HOME/.ssh/id_ecdsa is locked with a passphrase and not in an agent (ssh-add HOME/.ssh/id_ecdsa adds it)"},
		"only public":      {[]string{"a.pub"}, nil, "IdentityFile %d/a.pub\nIdentityAgent none", none + "no agent (IdentityAgent is none); HOME/a.pub has a public key, whose private key is not in an agent"},
		"public beside it": {[]string{"a.pub"}, nil, "IdentityFile ~/a\nIdentityAgent none", none + "no agent (IdentityAgent is none); HOME/a does not exist, and the private key of HOME/a.pub is not in an agent"},
		"several": {[]string{"b"}, []string{"b"}, "IdentityFile ~/gone\nIdentityFile ~/.ssh\nIdentityFile config\nIdentityFile ~/%C\nIdentityFile ~/${NOT_SET}\nIdentitiesOnly yes", none +
			"IdentitiesOnly leaves out 1 of the agent's keys; HOME/gone does not exist; HOME/.ssh cannot be read: is a directory; HOME/.ssh/config has no private key of a known form; " +
			"~/%C cannot be used: %C in its name is not known; ~/${NOT_SET} cannot be used: ${NOT_SET} in its name is not known"},
		"agent is gone":    {nil, nil, "IdentityAgent ~/gone", none + "the agent HOME/gone does not answer; " + noFile},
		"agent of a token": {nil, nil, "IdentityAgent ~/%C", none + "the IdentityAgent ~/%C cannot be used: %C in its name is not known; " + noFile},
		"agent is empty":   {nil, []string{}, "IdentityFile none", none + "the agent has no keys; " + noFile},
		"config is broken": {nil, nil, "Include HOME/.ssh/config", none + "no agent (SSH_AUTH_SOCK is not set); " + noFile + "; HOME/.ssh/config is not understood: ssh_config: max recurse depth exceeded"},
		"refused": {[]string{"a", "b", "c!"}, []string{"b", "c"}, "IdentityFile ~/a\nIdentityFile ~/c\nIdentityFile ~/gone",
			"127.0.0.1:PORT takes none of the SSH keys: offered: HOME/c (through the agent), 1 of the agent's keys, HOME/a; HOME/gone does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newKeyRing(t)
			r.make(c.keys...)
			if c.held != nil {
				r.env["SSH_AUTH_SOCK"] = r.holding(c.held)
			}
			r.write(".ssh/config", r.filled("Host 127.0.0.1\n"+c.config+"\n"))
			got := strings.NewReplacer(r.home, "HOME", ":"+r.port, ":PORT").Replace(fmt.Sprint(r.read()))
			if got != c.want {
				t.Errorf("Read = %s\nwant   %s", got, c.want)
			}
		})
	}
}
