package transport

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	gotransport "github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"

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
	offered  []string // where these are from, for messages
	unusable []string // why other keys are not used
	known    []string // files
	problem  error    // with the host's key
}

func newSSHLogin(sys settings.System, at address) (*sshLogin, error) {
	endpoint := *at.Endpoint
	s := &sshLogin{endpoint: &endpoint}
	config := readSSHConfig(sys, at.Host)
	endpoint.Host = config.hostName()
	if port, err := strconv.Atoi(config.get("Port")); err == nil && at.Port == 0 {
		endpoint.Port = port
	}
	if endpoint.Port == 0 {
		endpoint.Port = 22
	}
	s.user = cmp.Or(endpoint.User, config.get("User"), "git")
	s.hosts = net.JoinHostPort(endpoint.Host, strconv.Itoa(endpoint.Port))
	config.learn(endpoint.Host, endpoint.Port, s.user)
	for _, names := range []string{config.get("UserKnownHostsFile"), "known_hosts", "/etc/ssh/ssh_known_hosts"} {
		for name := range strings.FieldsSeq(names) {
			file, err := config.path(name)
			if _, statErr := os.Stat(file); err == nil && statErr == nil {
				s.known = append(s.known, file)
			}
		}
	}
	if s.findKeys(config); len(s.signers) == 0 {
		return nil, s.noKey(at)
	}
	return s, nil
}

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
