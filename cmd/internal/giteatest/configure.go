package giteatest

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// configure writes app.ini, the certificate and the SSH key, and says where the
// server will be. Keys are small and of kinds that cost no time to make, and what
// nobody asks for is off. https://docs.gitea.com/administration/config-cheat-sheet
func (s *Server) configure(settings []string) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	who, err := user.Current()
	if err != nil {
		return err
	}
	web, shell, err := freePorts()
	if err != nil {
		return err
	}
	s.URL, s.SSH = "https://"+web, "ssh://git@"+shell
	s.admin = User{Name: "giteatest", Password: secret(), server: s}
	if err := errors.Join(s.certify(), s.makeHostKey(shell)); err != nil {
		return err
	}
	all := []string{
		"RUN_MODE=prod", "RUN_USER=" + who.Username, "WORK_PATH=" + s.dir, "I_AM_BEING_UNSAFE_RUNNING_AS_ROOT=true",
		"server.PROTOCOL=https", "server.HTTP_ADDR=127.0.0.1", "server.HTTP_PORT=" + port(web), "server.ROOT_URL=" + s.URL + "/", "server.DOMAIN=127.0.0.1",
		"server.CERT_FILE=" + s.CA, "server.KEY_FILE=" + filepath.Join(s.dir, "key.pem"),
		"server.STATIC_ROOT_PATH=" + filepath.Dir(s.program), "server.OFFLINE_MODE=true", "server.LFS_START_SERVER=false",
		"server.GRACEFUL_HAMMER_TIME=100ms", // clients keep connections open that nobody needs
		"server.START_SSH_SERVER=true", "server.BUILTIN_SSH_SERVER_USER=git", "server.SSH_LISTEN_HOST=127.0.0.1", "server.SSH_PORT=" + port(shell),
		"server.SSH_SERVER_HOST_KEYS=" + filepath.Join(s.dir, "host_key"), "server.SSH_CREATE_AUTHORIZED_KEYS_FILE=false",
		"database.DB_TYPE=sqlite3", "database.DB_RETRIES=1", "database.PATH=" + filepath.Join(s.dir, "gitea.db"),
		"database.SQLITE_TIMEOUT=60000", "database.SQLITE_JOURNAL_MODE=WAL", // many may write at once, on a slow machine too
		// A test may put commits into a repository behind Gitea's back.
		"security.INSTALL_LOCK=true", "security.SECRET_KEY=" + secret(), "security.INTERNAL_TOKEN=" + secret(), "security.PASSWORD_HASH_ALGO=pbkdf2$10$50", "security.ONLY_ALLOW_PUSH_IF_GITEA_ENVIRONMENT_SET=false",
		"oauth2.ENABLED=false", "oauth2.JWT_SECRET=" + secret(),
		"repository.DEFAULT_BRANCH=main", "service.DISABLE_REGISTRATION=true", "i18n.LANGS=en-US", "i18n.NAMES=English",
		"log.MODE=console", "log.LEVEL=Warn", "queue.TYPE=channel", "indexer.ISSUE_INDEXER_TYPE=db",
		"actions.ENABLED=false", "packages.ENABLED=false", "cron.update_checker.ENABLED=false",
	}
	return os.WriteFile(s.configFile(), ini(append(all, settings...)), 0o600)
}

// ini is app.ini with settings; of two for one key the later one counts.
func ini(settings []string) []byte {
	sections := map[string]string{}
	for _, setting := range settings {
		key, value, _ := strings.Cut(setting, "=")
		section := ""
		if dot := strings.LastIndexByte(key, '.'); dot >= 0 {
			section, key = key[:dot], key[dot+1:]
		}
		sections[section] += key + " = " + value + "\n"
	}
	text := sections[""] // it stands before all others
	delete(sections, "")
	var names []string
	for name := range sections {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		text += "[" + name + "]\n" + sections[name]
	}
	return []byte(text)
}

// certify makes a certificate that signs itself.
func (s *Server) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "gitea of a test"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	certificate, err := x509.ParseCertificate(signed)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	s.client, s.CA = trusting(certificate), filepath.Join(s.dir, "cert.pem")
	return errors.Join(writePEM(s.CA, "CERTIFICATE", signed), writePEM(filepath.Join(s.dir, "key.pem"), "PRIVATE KEY", private))
}

// makeHostKey makes the key of the SSH server. Gitea would make one of 4096 bits.
func (s *Server) makeHostKey(at string) error {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return err
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		return err
	}
	s.KnownHosts = knownhosts.Line([]string{knownhosts.Normalize(at)}, signer.PublicKey()) + "\n"
	return writePEM(filepath.Join(s.dir, "host_key"), block.Type, block.Bytes)
}

func writePEM(name, kind string, content []byte) error {
	return os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600)
}

// freePorts gives two addresses that nobody listens at.
func freePorts() (web, shell string, err error) {
	one, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer one.Close()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer other.Close()
	return one.Addr().String(), other.Addr().String(), nil
}

func port(at string) string {
	_, port, _ := strings.Cut(at, ":")
	return port
}

// secret is a text that no other text contains: messages can be searched for it.
func secret() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	return base64.RawURLEncoding.EncodeToString(random)
}
