package gitrepo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/killtest"
)

var errandCount atomic.Int64

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
	file := filepath.Join(w.home, "errands", fmt.Sprint(errandCount.Add(1)))
	w.write(strings.TrimPrefix(file, w.home), string(text))
	cmd := exec.Command(program)
	// With -race it would sleep for a second at its end, and be killed there.
	cmd.Env = append(w.environ(), errandVariable+"="+file, "GORACE=atexit_sleep_ms=0")
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

// processes is how many of them commit at once.
const processes = 20

// atOnce runs an errand of each process.
func (w *world) atOnce(processes int, errands func(n int) errand) {
	w.t.Helper()
	var group sync.WaitGroup
	for n := range processes {
		cmd := w.process(errands(n))
		group.Go(func() {
			if err := cmd.Run(); err != nil {
				w.t.Errorf("process %d: %v: %s", n, err, cmd.Stderr)
			}
		})
	}
	group.Wait()
}

func TestManyProcessesCommitAtOnce(t *testing.T) {
	w := newWorld(t)
	w.repo("r", base)
	w.atOnce(processes, func(n int) errand {
		e := errandOf(filepath.Join(w.home, "r"), n)
		w.put("r", e.Files)
		return e
	})
	w.sound("r")
	w.linear("r", processes)
	if got := w.git("r", "status", "--porcelain"); got != "" {
		t.Errorf("status = %s", got)
	}
}

func TestManyProcessesCommitToARemoteAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		processes int
		serve     func(*world) string
	}{
		"https":        {processes, func(w *world) string { return w.serveHTTPS().URL + "/origin" }},
		"Gitea, https": {processes, func(w *world) string { return w.giteaHTTPS(forge.Server(w.t)) + "/origin.git" }},
		// By SSH Gitea starts a program per connection, besides those per push.
		"Gitea, ssh": {processes / 4, func(w *world) string { return w.giteaSSH(forge.Server(w.t)) + "/origin.git" }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			url := c.serve(w)
			w.origin("origin", base)
			w.atOnce(c.processes, func(n int) errand {
				e := errandOf("", n)
				e.URL = url
				return e
			})
			w.sound("origin")
			w.linear("origin", c.processes)
		})
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

// dying is a test in which processes are killed and run again.
type dying struct {
	runs   int
	judged string // the repository that must be whole, always
	clean  string // the one that must be clean once a run is done, or empty
	e      errand
}

func TestKilledCommitsAreFinishedByTheNext(t *testing.T) {
	w := newWorld(t)
	w.repo("r", base)
	w.survive(dying{runs: 100, judged: "r", clean: "r", e: errandOf(filepath.Join(w.home, "r"), 0)})
}

func TestKilledPushesAreFinishedByTheNext(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", base)
	w.git(".", "clone", "-q", "origin", "r")
	e := errandOf(filepath.Join(w.home, "r"), 0)
	e.Push = true
	w.survive(dying{runs: 50, judged: "origin", clean: "r", e: e})
}

func TestKilledRemoteCommitsAreFinishedByTheNext(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", base)
	e := errandOf("", 0)
	e.URL = "file://" + filepath.Join(w.home, "origin")
	w.survive(dying{runs: 50, judged: "origin", e: e})
}

// survive kills processes at points that chance chooses, from a fixed seed, and
// lets every fourth one be run again.
func (w *world) survive(d dying) {
	w.t.Helper()
	random := rand.New(rand.NewPCG(6, uint64(d.runs)))
	whole := w.finish(d)
	runs, died, moved := 0, 0, 0
	for n := range killtest.Rounds(d.runs, func() bool { return died > runs/4 }) {
		runs++
		for name := range d.e.Files {
			d.e.Files[name] = fmt.Sprintf("run: %d\nname: %s\n", n, name)
		}
		if w.killed(d, time.Duration(random.Float64()*float64(whole))) {
			died++
		}
		if w.wholeRun(d.judged) == fmt.Sprintf("run: %d", n) {
			moved++
		}
		if n%20 == 0 {
			w.sound(d.judged)
		}
		if n%4 == 0 { // the next run finishes the job, or else the one after it does
			whole = w.finish(d) // the machine is not always as fast
			if got := w.wholeRun(d.judged); got != fmt.Sprintf("run: %d", n) {
				w.t.Fatalf("run %d, again: HEAD has %s", n, got)
			}
		}
	}
	w.sound(d.judged)
	w.t.Logf("%d of %d runs were killed, of all %d moved the branch at first", died, runs, moved)
	if died < runs/4 {
		w.t.Errorf("only %d of %d runs were killed: the test says little", died, runs)
	}
}

// finish runs an errand to its end, and gives the time that it took.
func (w *world) finish(d dying) time.Duration {
	w.t.Helper()
	if d.clean != "" {
		w.put(d.clean, d.e.Files)
	}
	cmd, start := w.process(d.e), time.Now()
	if err := cmd.Run(); err != nil {
		w.t.Fatalf("%s: %v: %s", d.e.Message, err, cmd.Stderr)
	}
	took := time.Since(start)
	if d.clean != "" {
		if got := w.git(d.clean, "status", "--porcelain"); got != "" {
			w.t.Fatalf("status = %s", got)
		}
	}
	return took
}

// killed runs an errand and kills it after a while, and reports whether that
// came in time.
func (w *world) killed(d dying, after time.Duration) bool {
	w.t.Helper()
	if d.clean != "" {
		w.put(d.clean, d.e.Files)
	}
	cmd := w.process(d.e)
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	return cmd.Wait() != nil
}

// wholeRun gives the line that says which run HEAD has, and fails if it has a
// part of one.
func (w *world) wholeRun(dir string) string {
	w.t.Helper()
	lines := map[string]int{}
	for _, line := range strings.Fields(strings.ReplaceAll(w.git(dir, "grep", "-h", "^[rn][un]*: ", "HEAD", "--", "fleet/env-0"), ": ", ":")) {
		lines[strings.Replace(line, ":", ": ", 1)]++
	}
	for line, count := range lines {
		if count != 20 || len(lines) != 1 {
			w.t.Fatalf("HEAD has a part of a run: %d of %s", count, line)
		}
	}
	return slices.Sorted(maps.Keys(lines))[0]
}
