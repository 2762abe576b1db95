package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
)

// identity holds a key of an IdentityFile.
type identity struct {
	name   string
	public ssh.PublicKey // nil if it is not known
	signer ssh.Signer    // nil if only an agent can sign with the key
	why    string        // then
}

// findKeys finds the keys to log in with, in the order of ssh: those of the agent that
// are in an IdentityFile, the agent's others unless IdentitiesOnly is set, and those that
// only a file has. What cannot be used is noted, for messages.
// https://man.openbsd.org/ssh_config#IdentityFile (the order: sshconnect2.c, pubkey_prepare)
func (s *sshLogin) findKeys(config sshConfig) {
	files := readIdentities(config)
	held, noAgent := agentKeys(config)
	if noAgent != "" {
		s.unusable = append(s.unusable, noAgent)
	}
	if len(files) == 0 {
		s.unusable = append(s.unusable, "no IdentityFile in ~/.ssh/config, and no default key such as ~/.ssh/id_ed25519")
	}
	only := slices.Contains([]string{"yes", "true"}, strings.ToLower(config.get("IdentitiesOnly")))
	var others []ssh.Signer
	for _, key := range held {
		at := slices.IndexFunc(files, func(file identity) bool { return sameKey(file.public, key.PublicKey()) })
		if at < 0 {
			others = append(others, key)
			continue
		}
		s.offer(key, files[at].name+" (through the agent)")
		files = slices.Delete(files, at, at+1)
	}
	switch {
	case len(others) > 0 && only:
		s.unusable = append(s.unusable, fmt.Sprintf("IdentitiesOnly leaves out %d of the agent's keys", len(others)))
	case len(others) > 0:
		s.offer(others[0], fmt.Sprintf("%d of the agent's keys", len(others)))
		s.signers = append(s.signers, others[1:]...)
	}
	for _, file := range files {
		if file.signer != nil {
			s.offer(file.signer, file.name)
		} else {
			s.unusable = append(s.unusable, file.name+" "+file.why)
		}
	}
	s.unusable = append(s.unusable, config.unread...)
}

func (s *sshLogin) offer(key ssh.Signer, name string) {
	s.signers, s.offered = append(s.signers, key), append(s.offered, name)
}

// readIdentities reads every IdentityFile or, where none is set, the default ones that are
// there.
func readIdentities(config sshConfig) (found []identity) {
	names := config.all("IdentityFile")
	set := len(names) > 0
	if !set {
		names = []string{"id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"} // as OpenSSH, without DSA
	}
	for _, name := range names {
		path, err := config.path(name)
		if strings.EqualFold(name, "none") || slices.ContainsFunc(found, func(known identity) bool { return known.name == path }) {
			continue
		}
		read := identity{name: name, why: fmt.Sprintf("cannot be used: %v", err)}
		if err == nil {
			read = readIdentity(path)
		}
		if set || read.public != nil || read.why != notThere {
			found = append(found, read)
		}
	}
	return found
}

const notThere = "does not exist"

// readIdentity reads a key. Its public half may be all that there is, in the file itself
// or beside it, where an agent has the other.
func readIdentity(name string) identity {
	found := identity{name: name}
	content, err := os.ReadFile(name)
	signer, parseErr := ssh.ParsePrivateKey(content)
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		found.why = notThere
	case err != nil:
		found.why = fmt.Sprintf("cannot be read: %v", settings.Reason(err))
	case parseErr == nil:
		found.signer, found.public = signer, signer.PublicKey()
	case errors.As(parseErr, &locked):
		found.public, found.why = locked.PublicKey, "is locked with a passphrase and not in an agent (ssh-add "+name+" adds it)"
	default:
		found.why = "has no private key of a known form"
		if found.public = publicKey(content); found.public != nil {
			found.why = "has a public key, whose private key is not in an agent"
		}
	}
	if beside, err := os.ReadFile(name + ".pub"); err == nil && found.public == nil {
		if found.public = publicKey(beside); found.public != nil && found.why == notThere {
			found.why = "does not exist, and the private key of " + name + ".pub is not in an agent"
		}
	}
	return found
}

// publicKey reads a public key; nil if it is none.
func publicKey(content []byte) ssh.PublicKey {
	key, _, _, _, err := ssh.ParseAuthorizedKey(content)
	if err != nil {
		return nil
	}
	return key
}

func sameKey(a, b ssh.PublicKey) bool { return a != nil && bytes.Equal(a.Marshal(), b.Marshal()) }

// agentPatience bounds how long an agent may take to list its keys; it may ask its user
// to unlock it first.
const agentPatience = 30 * time.Second

// agentKeys returns the keys of the agent, or why there are none.
// https://man.openbsd.org/ssh_config#IdentityAgent
func agentKeys(config sshConfig) (keys []ssh.Signer, why string) {
	socket, variable := config.get("IdentityAgent"), "SSH_AUTH_SOCK"
	if name, is := strings.CutPrefix(socket, "$"); is && !strings.HasPrefix(name, "{") {
		socket, variable = variable, name
	}
	switch socket {
	case "none":
		return nil, "no agent (IdentityAgent is none)"
	case "", "SSH_AUTH_SOCK":
		if socket = config.sys.Getenv(variable); socket == "" {
			return nil, "no agent (" + variable + " is not set)"
		}
	default:
		path, err := config.path(socket)
		if err != nil {
			return nil, fmt.Sprintf("the IdentityAgent %s cannot be used: %v", socket, err)
		}
		socket = path
	}
	// The connection stays open as long as the program: signers use it.
	conn, err := net.DialTimeout("unix", socket, agentPatience)
	if err == nil {
		_ = conn.SetDeadline(time.Now().Add(agentPatience))
		keys, err = agent.NewClient(conn).Signers()
		_ = conn.SetDeadline(time.Time{})
	}
	switch {
	case err != nil:
		return nil, "the agent " + socket + " does not answer"
	case len(keys) == 0:
		return nil, "the agent has no keys"
	}
	return keys, ""
}

// tried says which keys were offered, and why others were not.
func (s *sshLogin) tried() string {
	said := s.unusable
	if len(s.offered) > 0 {
		said = append([]string{"offered: " + strings.Join(s.offered, ", ")}, said...)
	}
	return strings.Join(said, "; ")
}

// noKey says why no key can be used.
func (s *sshLogin) noKey(at address) error {
	return Errorf(NoKey, "there is no SSH key for %s: %s", at.host(), s.tried())
}
