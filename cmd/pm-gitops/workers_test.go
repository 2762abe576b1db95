//go:build linux

package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/cli"
)

const (
	loops  = `{{ range until 1000 }}{{ range until 1000 }}{{ range until 1000 }}{{ range until 1000 }}{{ end }}{{ end }}{{ end }}{{ end }}`
	hungry = `{{ repeat 2000000000 "x" }}`
	good   = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\ndata: {a: {{ .Values.text }}}\n"
)

// hostileFleet writes environments, each with a release of the chart bad: the
// first as loops, the second as hungry, and others with good ones.
func hostileFleet(t *testing.T, others int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for version, template := range map[string]string{"1.0.0": loops, "1.0.1": hungry, "1.0.2": good} {
		texts := []string{strings.Replace(hostileChart, "1.0.0", version, 1), template, "text: x\n"}
		archive := packed(t, []tar.Header{{Name: "bad/Chart.yaml"}, {Name: "bad/templates/evil.yaml"}, {Name: "bad/values.yaml"}}, func(i int) []byte { return []byte(texts[i]) })
		put(t, dir, "charts/bad-"+version+".tgz", string(archive))
	}
	for i := range others + 2 {
		name := fmt.Sprintf("team-%02d", i)
		text := strings.NewReplacer("name: small", "name: "+name, "version: 1.0.0", fmt.Sprintf("version: 1.0.%d", min(i, 2))).Replace(hostileEnvironment)
		put(t, dir, "fleet/"+name+".yaml", text)
	}
	return dir
}

// TestHostileFleet: of a fleet, the environments whose charts do harm fail
// alone, in bounded memory, and no process is left.
func TestHostileFleet(t *testing.T) {
	t.Parallel()
	dir := hostileFleet(t, 48)
	var ran *exec.Cmd
	got := executeCommand(t, dir, func(cmd *exec.Cmd) {
		ran, cmd.SysProcAttr = cmd, &syscall.SysProcAttr{Setpgid: true}
	}, "preview", "bad", "-f", "fleet", "--chart-dir", "charts", "-j", "2")
	if left := inGroup(t, ran.Process.Pid); left != nil {
		t.Errorf("processes %d are left", left)
	}
	if n := strings.Count(got.stdout, "wave 1: bad 1.0.2"); got.code != cli.ExitFailed || n != 48 {
		t.Errorf("exit code %d and %d environments, want 1 and 48; stderr\n%s", got.code, n, got.stderr)
	}
	for _, want := range []string{
		"pm-gitops: team-00: bad: chart bad 1.0.0: bad/templates/evil.yaml: not done after 20s: does it loop?\n",
		"pm-gitops: team-01: bad: chart bad 1.0.1: bad/templates/evil.yaml: takes more than 300 MB of memory: does it loop?\n",
		"pm-gitops: the other environments were printed\n",
	} {
		if !strings.Contains(got.stderr, want) {
			t.Errorf("stderr\n%s\nlacks %s", got.stderr, want)
		}
	}
	if got.memory > maxMemory {
		t.Errorf("took %d MB", got.memory>>20)
	}
}

// TestWorkersEnd: whatever happens to the program, the processes that it
// started end, those that loop too.
func TestWorkersEnd(t *testing.T) {
	for _, tt := range []struct {
		name   string
		signal syscall.Signal
	}{{"interrupted", syscall.SIGINT}, {"terminated", syscall.SIGTERM}, {"killed", syscall.SIGKILL}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := hostileFleet(t, 1)
			cmd := exec.Command(program(t), "check", "bad", "-f", "fleet", "--chart-dir", "charts", "-j", "2")
			var stderr bytes.Buffer
			cmd.Dir, cmd.Stderr = dir, &stderr
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			group := cmd.Process.Pid
			eventually(t, "a worker", func() bool { return len(inGroup(t, group)) > 1 })
			time.Sleep(time.Second) // the template loops
			if err := cmd.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			eventually(t, "the end of all workers", func() bool { return len(inGroup(t, group)) == 0 })
			if tt.signal == syscall.SIGINT && !strings.Contains(stderr.String(), "interrupted") {
				t.Errorf("stderr %q, want interrupted", stderr.String())
			}
		})
	}
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited for %s", what)
		}
	}
}

// inGroup lists the processes of a process group, but for dead ones that
// somebody has to wait for.
func inGroup(t *testing.T, group int) (all []int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it ended
		}
		_, after, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(after) // state, parent, group
		if len(fields) > 2 && fields[0] != "Z" && fields[2] == strconv.Itoa(group) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			all = append(all, pid)
		}
	}
	return all
}
