package gitrepo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// process is the test binary, ready to run an errand.
func (w *world) process(e errand) *exec.Cmd {
	w.t.Helper()
	program, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := json.Marshal(e)
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(w.environ(), errandVariable+"="+string(text))
	cmd.Stderr = &bytes.Buffer{}
	return cmd
}

// errandOf is an environment's files, so many that writing them takes a while.
func errandOf(dir string, n int) errand {
	e := errand{Dir: dir, Files: map[string]string{}, Message: fmt.Sprintf("environment %d", n)}
	for i := range 20 {
		e.Files[fmt.Sprintf("fleet/env-%d/file-%d.yaml", n, i)] = fmt.Sprintf("n: %d\ni: %d\n", n, i)
	}
	return e
}

func TestManyProcessesCommitAtOnce(t *testing.T) {
	w := newWorld(t)
	w.repo("r", base)
	const processes = 20
	var group sync.WaitGroup
	for n := range processes {
		e := errandOf(filepath.Join(w.home, "r"), n)
		w.put("r", e.Files)
		cmd := w.process(e)
		group.Go(func() {
			if err := cmd.Run(); err != nil {
				t.Errorf("process %d: %v: %s", n, err, cmd.Stderr)
			}
		})
	}
	group.Wait()
	w.sound("r")
	w.linear("r", processes)
	if got := w.git("r", "status", "--porcelain"); got != "" {
		t.Errorf("status = %s", got)
	}
}

// linear fails unless each environment's commit is on the branch once, with all
// its files, and no other.
func (w *world) linear(dir string, environments int) {
	w.t.Helper()
	if merges := w.git(dir, "rev-list", "--merges", "HEAD"); merges != "" {
		w.t.Errorf("history is not linear: %s", merges)
	}
	seen := map[string]int{}
	for line := range strings.Lines(w.git(dir, "log", "--format=%s")) {
		seen[strings.TrimSpace(line)]++
	}
	for n := range environments {
		if got := seen[fmt.Sprintf("environment %d", n)]; got != 1 {
			w.t.Errorf("environment %d was committed %d times", n, got)
		}
		if got := strings.Count(w.git(dir, "ls-tree", "-r", "--name-only", "HEAD", fmt.Sprintf("fleet/env-%d/", n)), "\n"); got != 20 {
			w.t.Errorf("environment %d has %d files, want 20", n, got)
		}
	}
}

// killRuns is how often a process is killed; two tests of these make 200.
const killRuns = 110

func TestKilledCommitsAreFinishedByTheNext(t *testing.T) {
	w := newWorld(t)
	w.repo("r", base)
	random := rand.New(rand.NewPCG(6, 1))
	e := errandOf(filepath.Join(w.home, "r"), 0)
	w.put("r", e.Files)
	start := time.Now()
	if err := w.process(e).Run(); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(start)
	died, moved := 0, 0
	for n := range killRuns {
		for name := range e.Files {
			e.Files[name] = fmt.Sprintf("run: %d\nname: %s\n", n, name)
		}
		w.put("r", e.Files)
		before := w.git("r", "rev-parse", "HEAD")
		if w.killed(e, time.Duration(random.Float64()*float64(whole))) {
			died++
		}
		if after := w.git("r", "rev-parse", "HEAD"); after != before {
			moved++
			w.wholeRun("r", n)
		}
		if n%10 == 0 {
			w.sound("r")
		}
		if n%2 == 0 { // the next run finishes the job, or else the one after it does
			cmd, start := w.process(e), time.Now()
			if err := cmd.Run(); err != nil {
				t.Fatalf("run %d, again: %v: %s", n, err, cmd.Stderr)
			}
			whole = time.Since(start) // the machine is not always as fast
			w.wholeRun("r", n)
			if got := w.git("r", "status", "--porcelain"); got != "" {
				t.Fatalf("run %d: status = %s", n, got)
			}
		}
	}
	w.sound("r")
	t.Logf("%d of %d runs were killed, of all %d moved the branch at first", died, killRuns, moved)
	if died < killRuns/4 {
		t.Errorf("only %d of %d runs were killed: the test says little", died, killRuns)
	}
}

// killed runs an errand and kills it after a while, and reports whether that
// came in time.
func (w *world) killed(e errand, after time.Duration) bool {
	w.t.Helper()
	cmd := w.process(e)
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	return cmd.Wait() != nil
}

// wholeRun fails if HEAD has a part of a run's files.
func (w *world) wholeRun(dir string, n int) {
	w.t.Helper()
	want := fmt.Sprintf("run: %d\n", n)
	out := w.git(dir, "grep", "-h", "^run: ", "HEAD", "--", "fleet/env-0")
	if strings.Count(out, want) != 20 {
		w.t.Fatalf("HEAD has a part of run %d:\n%s", n, out)
	}
}
