package registrytest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
)

// listening is the line with which docker-registry says where it is.
var listening = regexp.MustCompile(`listening on (127\.0\.0\.1:[0-9]+)`)

// Debian runs Debian's docker-registry on loopback, in plain HTTP, and gives its host.
// It has no API for referrers. Where the program is missing, the test is skipped.
func Debian(t testing.TB) string {
	t.Helper()
	return DebianWith(t, t.TempDir(), "", "")
}

// DebianWith does as [Debian], with a folder for its data, and with more settings in its
// config.yml: lines of their own, and, after a comma, those of http.
func DebianWith(t testing.TB, dir, settings, http string) string {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Skip("the docker-registry program is not in PATH (Debian's package of that name)")
	}
	config := filepath.Join(dir, "config.yml")
	text := fmt.Sprintf("version: 0.1\nlog: {level: info, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s/data}}\nhttp: {addr: \"127.0.0.1:0\", secret: test%s}\n%s", dir, http, settings)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve", config)
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	for lines := bufio.NewScanner(said); lines.Scan(); {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			go func() { _, _ = io.Copy(io.Discard, said) }()
			return found[1]
		}
	}
	t.Fatal("docker-registry ended")
	return ""
}
