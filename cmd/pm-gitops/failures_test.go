//go:build linux

package main

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/cmd/internal/cli"
)

// repository is a folder with the plain environment and what an older version
// of it renders to.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "environment.yaml", strings.Replace(plain, "2025.10.1", "2025.9.1", 1))
	put(t, dir, "repo/notes.txt", "mine")
	if got := execute(t, dir, "render", "--dir", "repo"); got.code != cli.ExitDone {
		t.Fatal(got.stderr)
	}
	put(t, dir, "environment.yaml", plain)
	return dir
}

// wantFailure checks a run that could not do its work and changed nothing.
func wantFailure(t *testing.T, got outcome, code int, stderr string) {
	t.Helper()
	if got.code != code || got.stdout != "" || !strings.HasSuffix(got.stderr, stderr) {
		t.Errorf("exit code %d, stdout %q, stderr\n%s\nwant exit code %d, no stdout, and at the end\n%s", got.code, got.stdout, got.stderr, code, stderr)
	}
}

func TestFoldersThatCannotBeWritten(t *testing.T) {
	tests := []struct{ dir, stderr string }{
		{"environment.yaml", "pm-gitops: open folder environment.yaml: not a directory\n"},
		{"nowhere", "pm-gitops: open folder nowhere: no such file or directory\n--dir is the root of your Git repository: clone it or make the folder first.\n"},
		{strings.Repeat("n", 300), "pm-gitops: open folder " + strings.Repeat("n", 300) + ": file name too long\n"},
		{strings.Repeat("n/", 3000), "n/: file name too long\n"},
		{"nowhere\x1b[2J", `pm-gitops: open folder nowhere\x1b[2J: no such file or directory` + "\n--dir is the root of your Git repository: clone it or make the folder first.\n"},
	}
	dir := repository(t)
	before := picture(t, dir)
	for _, tt := range tests {
		wantFailure(t, execute(t, dir, "render", "--dir", tt.dir), cli.ExitFailed, tt.stderr)
	}
	if diff := cmp.Diff(before, picture(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// TestALinkToTheFolder: the folder that a user names may be a link, as in any shell.
func TestALinkToTheFolder(t *testing.T) {
	dir := repository(t)
	must(t, os.Symlink("repo", filepath.Join(dir, "link")))
	if got := execute(t, dir, "render", "--dir", "link"); got.code != cli.ExitDone || !strings.Contains(got.stdout, "updated ") {
		t.Errorf("exit code %d: %s", got.code, got.stderr)
	}
}

// asNobody runs a command as a user who owns nothing, if we may be another:
// permissions do not stop the superuser.
func asNobody(cmd *exec.Cmd) {
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
}

// reachable lets every user come to a folder of the test, and to the program.
func reachable(t *testing.T, dir string) {
	t.Helper()
	program, err := exec.LookPath("pm-gitops")
	must(t, err)
	for _, path := range []string{dir, program} {
		for path = filepath.Dir(path); path != os.TempDir() && len(path) > 1; path = filepath.Dir(path) {
			must(t, os.Chmod(path, 0o755))
		}
	}
	must(t, os.Chmod(dir, 0o755))
}

func TestNoPermission(t *testing.T) {
	dir := repository(t)
	reachable(t, dir)
	put(t, dir, "secret.yaml", plain)
	must(t, os.Chmod(filepath.Join(dir, "secret.yaml"), 0))
	put(t, dir, "extends.yaml", plain+"extends: secret.yaml\n")
	must(t, os.CopyFS(filepath.Join(dir, "locked"), os.DirFS(filepath.Join(dir, "repo"))))
	allow := func(mode os.FileMode) {
		must(t, filepath.WalkDir(filepath.Join(dir, "locked"), func(name string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				err = os.Chmod(name, mode)
			}
			return err
		}))
	}
	allow(0o555)
	t.Cleanup(func() { allow(0o755) })
	before := picture(t, filepath.Join(dir, "locked"))
	run := func(args ...string) outcome { return executeCommand(t, dir, asNobody, args...) }
	wantFailure(t, run("validate", "-f", "secret.yaml"), cli.ExitFailed, "pm-gitops: read secret.yaml: permission denied\n")
	wantFailure(t, run("validate", "-f", "extends.yaml"), cli.ExitFailed, "extends.yaml:28:10: extends: read secret.yaml: permission denied\npm-gitops: 1 problem; nothing was written\n")
	wantFailure(t, run("render", "--dir", "locked"), cli.ExitFailed, ": permission denied\n")
	wantFailure(t, run("remove", "dev", "--dir", "locked", "--force"), cli.ExitFailed, ": permission denied\n")
	if diff := cmp.Diff(before, picture(t, filepath.Join(dir, "locked"))); diff != "" {
		t.Error(diff)
	}
}

// TestFullDisk renders onto a file system that is full before the work is
// done: every file must be the old or the new one, and with space again the
// same command finishes.
func TestFullDisk(t *testing.T) {
	dir := repository(t)
	script := `
mount -t tmpfs -o size=200k tmpfs disk && cp -a repo/. disk/
head -c $1 /dev/zero > disk/filler
i=0; while echo x > disk/filler.$i; do i=$((i+1)); done 2>/dev/null
pm-gitops render --dir disk; echo "exit $?"
rm -f disk/filler*; mkdir -p after; cp -a disk/. after/
pm-gitops render --dir disk -q; echo "exit $?"
cp -a disk/. done/`
	for _, used := range []string{"70000", "120000", "1000000"} {
		work := t.TempDir()
		must(t, os.CopyFS(work, os.DirFS(dir)))
		for _, folder := range []string{"disk", "after", "done"} {
			must(t, os.Mkdir(filepath.Join(work, folder), 0o777))
		}
		cmd := exec.Command("sh", "-c", script, "sh", used)
		cmd.Dir = work
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		output, err := cmd.CombinedOutput()
		if err != nil && (os.IsPermission(err) || bytes.Contains(output, []byte("mount:"))) {
			t.Skipf("this system lets no user mount a file system of their own: %v %s", err, output)
		}
		must(t, err)
		log := string(output)
		if !strings.Contains(log, ": no space left on device\nexit 1\n") || !strings.HasSuffix(log, "exit 0\n") || strings.Contains(log, "panic") {
			t.Errorf("with %s bytes taken: want a full disk and then success, got\n%s", used, log)
		}
		old, _ := renderedFiles(t, strings.Replace(plain, "2025.10.1", "2025.9.1", 1))
		next, _ := renderedFiles(t, plain)
		for name, content := range picture(t, filepath.Join(work, "after")) {
			name = "/repo" + strings.TrimPrefix(name, filepath.Join(work, "after"))
			if strings.Contains(name, "/.pm-gitops/") || strings.HasSuffix(name, "/notes.txt") || content == old[name] || content == next[name] {
				continue
			}
			t.Errorf("%s is neither the old nor the new file: %q", name, content)
		}
		finished := map[string]string{}
		for name, content := range picture(t, filepath.Join(work, "done")) {
			finished["/repo"+strings.TrimPrefix(name, filepath.Join(work, "done"))] = content
		}
		next["/repo/notes.txt"] = "mine"
		if diff := cmp.Diff(next, finished); diff != "" {
			t.Errorf("after the second run (-want +got):\n%s", diff)
		}
	}
}

// TestFullOutput: a result that did not get out is a failure.
func TestFullOutput(t *testing.T) {
	dir := repository(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	must(t, err)
	defer full.Close()
	for _, args := range [][]string{{"render"}, {"validate"}, {"validate", "-o", "json"}, {"schema"}, {"secrets", "list"}} {
		got := executeCommand(t, dir, func(cmd *exec.Cmd) { cmd.Stdout = full }, args...)
		if got.code != cli.ExitFailed || !strings.Contains(got.stderr, "no space left on device") {
			t.Errorf("%q: exit code %d, want %d: %s", args, got.code, cli.ExitFailed, got.stderr)
		}
	}
}

// TestClosedPipe: pm-gitops render | head -1 says nothing about it.
func TestClosedPipe(t *testing.T) {
	dir := repository(t)
	reader, writer, err := os.Pipe()
	must(t, err)
	must(t, reader.Close())
	got := executeCommand(t, dir, func(cmd *exec.Cmd) { cmd.Stdout = writer }, "render")
	writer.Close()
	if strings.Contains(got.stderr, "pipe") || got.code == cli.ExitDone {
		t.Errorf("exit code %d: %s", got.code, got.stderr)
	}
}

// TestClosedStreams: a daemon may close them all.
func TestClosedStreams(t *testing.T) {
	dir := repository(t)
	for script, code := range map[string]int{
		"exec pm-gitops validate -f - <&-":                 cli.ExitFailed,
		"exec pm-gitops validate <&- 2>&-":                 cli.ExitDone,
		"exec pm-gitops render --dir repo <&- >&- 2>&-":    cli.ExitDone,
		"exec pm-gitops validate -f nowhere.yaml >&- 2>&-": cli.ExitFailed,
	} {
		cmd := exec.Command("sh", "-c", script)
		cmd.Dir = dir
		output, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != code || bytes.Contains(output, []byte("panic")) {
			t.Errorf("%s: exit code %d, want %d: %s", script, got, code, output)
		}
	}
}

// TestInterrupt: what waits for input that never ends stops at once.
func TestInterrupt(t *testing.T) {
	dir := repository(t)
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o666))
	for _, args := range [][]string{{"validate", "-f", "pipe"}, {"render", "-f", "-", "--dir", "repo"}, {"validate", "--catalog", "pipe"}, {"preview", "--ca-file", "pipe"}} {
		before := picture(t, filepath.Join(dir, "repo"))
		cmd := exec.Command("pm-gitops", args...)
		var stderr bytes.Buffer
		cmd.Dir, cmd.Stderr = dir, &stderr
		held, err := cmd.StdinPipe()
		must(t, err)
		must(t, cmd.Start())
		started := time.Now()
		stop := time.AfterFunc(hangs, func() { _ = cmd.Process.Kill() })
		// The signal may come before the program listens for it: then it just dies.
		time.AfterFunc(300*time.Millisecond, func() { _ = cmd.Process.Signal(os.Interrupt) })
		_ = cmd.Wait()
		stop.Stop()
		_, _ = io.WriteString(held, "")
		if took := time.Since(started); took > 15*time.Second || cmd.ProcessState.ExitCode() == cli.ExitDone || strings.Contains(stderr.String(), "panic") {
			t.Errorf("%q: exit code %d after %v: %s", args, cmd.ProcessState.ExitCode(), took, stderr.String())
		}
		if diff := cmp.Diff(before, picture(t, filepath.Join(dir, "repo"))); diff != "" {
			t.Error(diff)
		}
	}
}

func TestWrongUsage(t *testing.T) {
	tests := []struct {
		args, stderr string
	}{
		{"rendr", "pm-gitops: unknown command \"rendr\" for pm-gitops: did you mean \"render\"?\nSee pm-gitops --help.\n"},
		{"secrets lst", "pm-gitops: unknown command \"lst\" for pm-gitops secrets: did you mean \"list\"?\nSee pm-gitops secrets --help.\n"},
		{"render extra", "pm-gitops: pm-gitops render takes no argument \"extra\"\nSee pm-gitops render --help.\n"},
		{"render --drr .", "pm-gitops: unknown flag: --drr: did you mean --dir?\nSee pm-gitops render --help.\n"},
		{"render -x", "pm-gitops: unknown shorthand flag: 'x' in -x\nSee pm-gitops render --help.\n"},
		{"render --target agro", "pm-gitops: unknown target \"agro\": want flux or argo\n"},
		{"render --target=", "pm-gitops: unknown target \"\": want flux or argo\n"},
		{"validate -o yaml", "pm-gitops: unknown format \"yaml\": want text or json\n"},
		{"render --dir=", "pm-gitops: --dir is empty (unset variable?)\nSee pm-gitops render --help.\n"},
		{"render --built --dir .", "pm-gitops: --built prints, --dir writes: want one of them\nSee pm-gitops render --help.\n"},
		{"render --built=maybe", "pm-gitops: invalid argument \"maybe\" for \"--built\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax\nSee pm-gitops render --help.\n"},
		{"render -f", "pm-gitops: flag needs an argument: 'f' in -f\nSee pm-gitops render --help.\n"},
	}
	dir := repository(t)
	before := picture(t, dir)
	for _, tt := range tests {
		wantFailure(t, execute(t, dir, strings.Fields(tt.args)...), cli.ExitUsage, tt.stderr)
	}
	if diff := cmp.Diff(before, picture(t, dir)); diff != "" {
		t.Error(diff)
	}
}
