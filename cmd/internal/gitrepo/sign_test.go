package gitrepo

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("there is no %s program", program)
	}
}

// signed commits, and lets git say whether the signature is good.
func signed(w *world) string {
	w.t.Helper()
	result, err := w.open("r").Commit(context.Background(), w.put("r", ours), CommitOptions{Message: Message{"ours", []Trailer{{"Key", "value"}}}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.sound("r")
	out, err := w.try("r", "verify-commit", "-v", result.Hash)
	if err != nil {
		w.t.Errorf("git verify-commit: %v\n%s", err, out)
	}
	return out
}

func TestCommitIsSignedWithSSH(t *testing.T) {
	need(t, "ssh-keygen")
	w := newWorld(t)
	w.repo("r", base)
	key := filepath.Join(w.home, "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	w.write("allowed", "ada@example.com "+w.read("key.pub"))
	w.write(".gitconfig", w.read(".gitconfig")+"[commit]\n\tgpgSign = true\n[gpg]\n\tformat = ssh\n[gpg \"ssh\"]\n\tallowedSignersFile = ~/allowed\n[user]\n\tsigningKey = ~/key.pub\n")
	if out := signed(w); !strings.Contains(out, `Good "git" signature for ada@example.com`) {
		t.Errorf("git verify-commit says %s", out)
	}
	for sign, configured := range map[Signing]string{SignNever: "true", SignAlways: "false"} {
		w.git("r", "config", "commit.gpgSign", configured)
		o := said("another")
		o.Sign = sign
		result, err := w.open("r").Commit(context.Background(), w.put("r", map[string]string{"sign": configured}), o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.try("r", "verify-commit", result.Hash); (err == nil) != (sign == SignAlways) {
			t.Errorf("with commit.gpgSign=%s: verify-commit says %v", configured, err)
		}
	}
}

func TestCommitIsSignedWithOpenPGP(t *testing.T) {
	need(t, "gpg")
	w := newWorld(t)
	w.repo("r", base)
	// A socket's path may be 108 bytes long.
	ring, err := os.MkdirTemp("", "gpg")
	if err != nil {
		t.Fatal(err)
	}
	w.env["GNUPGHOME"] = ring
	t.Cleanup(func() {
		stop := exec.Command("gpgconf", "--kill", "all")
		stop.Env = w.environ()
		_ = stop.Run()
		os.RemoveAll(ring)
	})
	make := exec.Command("gpg", "--batch", "--passphrase", "", "--quick-generate-key", "Ada <ada@example.com>", "ed25519", "sign")
	make.Env = w.environ()
	if out, err := make.CombinedOutput(); err != nil {
		t.Skipf("gpg makes no key here: %v\n%s", err, out)
	}
	w.git("r", "config", "commit.gpgSign", "true") // and the key is the committer's
	if out := signed(w); !strings.Contains(out, "Good signature") {
		t.Errorf("git verify-commit says %s", out)
	}
}
