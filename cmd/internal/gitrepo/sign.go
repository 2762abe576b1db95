package gitrepo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// signer signs commits the way Git's configuration asks for.
// https://git-scm.com/docs/git-config (commit.gpgSign, gpg.format, user.signingKey)
type signer struct {
	sys    System
	config settings.Config
	who    *settings.Identities
	wanted Signing
}

// Signing says whether a commit is signed.
type Signing int

// The ways of signing.
const (
	SignAsConfigured Signing = iota // where commit.gpgSign says so
	SignAlways                      // as git commit -S does
	SignNever                       // as git commit --no-gpg-sign does
)

// sign signs a commit, or returns "" where commits are not to be signed.
func (s signer) sign(ctx context.Context, commit []byte, by Signature) (signature string, err error) {
	if s.wanted == SignNever || s.wanted == SignAsConfigured && !s.config.Bool("commit.gpgsign", false) {
		return "", nil
	}
	key := s.config.Get("user.signingkey")
	switch format := s.config.Get("gpg.format"); format {
	case "", "openpgp":
		if key == "" {
			key = fmt.Sprintf("%s <%s>", by.Name, by.Email)
		}
		signature, err = s.openpgp(ctx, commit, key)
	case "ssh":
		signature, err = s.ssh(ctx, commit, key)
	default:
		err = fmt.Errorf("gpg.format is %q: want ssh or openpgp, or commit.gpgSign=false", format)
	}
	if err != nil {
		err = fmt.Errorf("sign the commit: %w", err)
	}
	return signature, err
}

func (s signer) openpgp(ctx context.Context, commit []byte, key string) (string, error) {
	program := cmp.Or(s.config.Get("gpg.openpgp.program"), s.config.Get("gpg.program"), "gpg")
	out, said, err := s.run(ctx, commit, program, "--status-fd=2", "-bsau", key)
	if err == nil && !strings.Contains("\n"+said, "\n[GNUPG:] SIG_CREATED ") {
		err = errors.New("it made no signature")
	}
	if err != nil {
		return "", fmt.Errorf("%s with key %s: %s", program, key, complaint(said, err))
	}
	return out, nil
}

// ssh signs with ssh-keygen, which takes a key's file, or a public key whose
// private one an agent has.
func (s signer) ssh(ctx context.Context, commit []byte, key string) (string, error) {
	program := cmp.Or(s.config.Get("gpg.ssh.program"), "ssh-keygen")
	if key == "" {
		return "", errors.New("no key is named: set git config user.signingKey to its file")
	}
	dir, err := os.MkdirTemp("", "pm-gitops-sign-")
	if err != nil {
		return "", settings.Reason(err)
	}
	defer os.RemoveAll(dir)
	arguments := []string{"-Y", "sign", "-n", "git", "-f"}
	literal, isLiteral := strings.CutPrefix(key, "key::")
	if isLiteral || strings.HasPrefix(key, "ssh-") {
		if err := os.WriteFile(filepath.Join(dir, "key"), []byte(literal+"\n"), 0o600); err != nil {
			return "", settings.Reason(err)
		}
		arguments = append(arguments, filepath.Join(dir, "key"), "-U")
	} else {
		arguments = append(arguments, s.sys.Expand(key, ""))
	}
	payload := filepath.Join(dir, "commit")
	if err := os.WriteFile(payload, commit, 0o600); err != nil {
		return "", settings.Reason(err)
	}
	_, said, err := s.run(ctx, nil, program, append(arguments, payload)...)
	if err != nil {
		return "", fmt.Errorf("%s with key %s: %s", program, key, complaint(said, err))
	}
	signature, err := os.ReadFile(payload + ".sig")
	if err != nil {
		return "", fmt.Errorf("%s with key %s: it made no signature", program, key)
	}
	return strings.ReplaceAll(string(signature), "\r", ""), nil
}

func (s signer) run(ctx context.Context, in []byte, program string, arguments ...string) (out, said string, err error) {
	cmd := exec.CommandContext(ctx, program, arguments...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &stdout, &stderr
	cmd.Env = s.sys.Environ
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

// complaint returns what a program says of its failure: the last line that is not for
// machines.
func complaint(said string, err error) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if line := strings.TrimSpace(lines[i]); line != "" && !strings.HasPrefix(line, "[GNUPG:]") {
			return text.Clip(text.Visible(line))
		}
	}
	return err.Error()
}
