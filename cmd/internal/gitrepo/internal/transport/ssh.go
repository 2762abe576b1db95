package transport

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	gotransport "github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/kevinburke/ssh_config"
	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// sshLogin reaches an SSH server as ~/.ssh/config says, with keys of
// the agent and of files, and only if its key is in known_hosts. GIT_SSH_COMMAND
// and core.sshCommand are not run.
type sshLogin struct {
	endpoint *gotransport.Endpoint
	user     string
	hosts    string // host:port
	signers  []ssh.Signer
	locked   []string // keys that want a passphrase
	known    []string // files
	problem  error    // with the host's key
}

func newSSHLogin(sys settings.System, at address) (*sshLogin, error) {
	endpoint := *at.Endpoint
	s := &sshLogin{endpoint: &endpoint}
	get := sshSettings(sys)
	if name := get(at.Host, "HostName"); name != "" {
		endpoint.Host = strings.ReplaceAll(name, "%h", at.Host)
	}
	if port, err := strconv.Atoi(get(at.Host, "Port")); err == nil && at.Port == 0 {
		endpoint.Port = port
	}
	if endpoint.Port == 0 {
		endpoint.Port = 22
	}
	s.user = cmp.Or(endpoint.User, get(at.Host, "User"), "git")
	s.hosts = net.JoinHostPort(endpoint.Host, strconv.Itoa(endpoint.Port))
	home := filepath.Join(sys.Home(), ".ssh")
	for _, name := range []string{get(at.Host, "UserKnownHostsFile"), filepath.Join(home, "known_hosts"), "/etc/ssh/ssh_known_hosts"} {
		for file := range strings.FieldsSeq(name) {
			if _, err := os.Stat(sys.Expand(file, home)); err == nil {
				s.known = append(s.known, sys.Expand(file, home))
			}
		}
	}
	if !strings.EqualFold(get(at.Host, "IdentitiesOnly"), "yes") {
		s.fromAgent(cmp.Or(strings.Trim(get(at.Host, "IdentityAgent"), `"`), sys.Getenv("SSH_AUTH_SOCK")))
	}
	for _, name := range []string{strings.Trim(get(at.Host, "IdentityFile"), `"`), "id_ed25519", "id_ecdsa", "id_rsa"} {
		if name != "" {
			s.fromFile(sys.Expand(name, home))
		}
	}
	if len(s.signers) == 0 {
		return nil, s.noKey(at)
	}
	return s, nil
}

// noKey says where no key was found.
func (s *sshLogin) noKey(at address) error {
	if len(s.locked) > 0 {
		return Errorf(NoKey, "the key %s for %s wants a passphrase, and no agent has it: ssh-add %s gives it to one", s.locked[0], at.host(), s.locked[0])
	}
	return Errorf(NoKey, "there is no SSH key for %s: no agent with one (SSH_AUTH_SOCK), no IdentityFile in ~/.ssh/config, and no ~/.ssh/id_ed25519, id_ecdsa or id_rsa", at.host())
}

// sshSettings reads ~/.ssh/config and the system's.
func sshSettings(sys settings.System) func(host, key string) string {
	var files []*ssh_config.Config
	for _, name := range []string{filepath.Join(sys.Home(), ".ssh", "config"), "/etc/ssh/ssh_config"} {
		file, err := os.Open(name)
		if err != nil {
			continue
		}
		if decoded, err := ssh_config.Decode(file); err == nil { // Match is not understood
			files = append(files, decoded)
		}
		file.Close()
	}
	return func(host, key string) string {
		for _, file := range files {
			if value, err := file.Get(host, key); err == nil && value != "" {
				return value
			}
		}
		return ""
	}
}

func (s *sshLogin) fromAgent(socket string) {
	if socket == "" || socket == "none" {
		return
	}
	// The connection stays open as long as the program: signers use it.
	conn, err := net.DialTimeout("unix", socket, 5*time.Second)
	if err != nil {
		return
	}
	if signers, err := agent.NewClient(conn).Signers(); err == nil {
		s.signers = append(s.signers, signers...)
	}
}

func (s *sshLogin) fromFile(name string) {
	pem, err := os.ReadFile(name)
	if err != nil {
		return
	}
	signer, err := ssh.ParsePrivateKey(pem)
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		s.locked = append(s.locked, name)
	case err == nil:
		s.signers = append(s.signers, signer)
	}
}

// Name and String make a login one of go-git's.
func (s *sshLogin) Name() string   { return "ssh-public-key-callback" }
func (s *sshLogin) String() string { return s.Name() }

// ClientConfig returns the login as the SSH library has it.
func (s *sshLogin) ClientConfig() (*ssh.ClientConfig, error) {
	known, err := knownhosts.NewDB(s.known...)
	if err != nil {
		return nil, Errorf(UnknownHostKey, "read known_hosts: %s", text.FirstLine(err.Error()))
	}
	check := known.HostKeyCallback()
	return &ssh.ClientConfig{
		User:              s.user,
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(s.signers...)},
		HostKeyAlgorithms: known.HostKeyAlgorithms(s.hosts),
		HostKeyCallback: func(host string, remote net.Addr, key ssh.PublicKey) error {
			s.problem = check(host, remote, key)
			return s.problem
		},
		Timeout: 30 * time.Second,
	}, nil
}

// explain returns an error about the host's key, or nil.
func (s *sshLogin) explain() error {
	switch {
	case s.problem == nil:
		return nil
	case knownhosts.IsHostKeyChanged(s.problem):
		return hostKey(ChangedHostKey, s.endpoint.Host, s.endpoint.Port)
	case knownhosts.IsHostUnknown(s.problem):
		return hostKey(UnknownHostKey, s.endpoint.Host, s.endpoint.Port)
	}
	return Errorf(UnknownHostKey, "the key of %s cannot be checked: %s", s.hosts, text.FirstLine(s.problem.Error()))
}

// hostKey makes an error about a host's key, with what to do.
func hostKey(kind Kind, host string, port int) *Error {
	at, scan := net.JoinHostPort(host, strconv.Itoa(port)), "ssh-keyscan "+host
	if port != 22 {
		scan = fmt.Sprintf("ssh-keyscan -p %d %s", port, host)
	}
	if kind == ChangedHostKey {
		return Errorf(kind, "the key of %s is another than the one in known_hosts: it was changed, or somebody is in between; ask its administrator, then ssh-keygen -R removes the old one", at)
	}
	return Errorf(kind, "the key of %s is in no known_hosts: compare what %s prints with what its administrator publishes, then append it to ~/.ssh/known_hosts", at, scan)
}
