package charts

import (
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Workers is processes that render charts: this program, started once more. A
// template cannot be stopped, but a process can: one that reaches a limit is
// ended and replaced, and nothing of it is left.
type Workers struct {
	idle chan *worker
	all  []*worker
}

// NewWorkers makes workers, which start when they are needed. Environ is the
// environment of this process; workers get next to nothing of it.
func NewWorkers(n int, environ []string) *Workers {
	w := &Workers{idle: make(chan *worker, n)}
	for range n {
		one := &worker{environ: slices.DeleteFunc(slices.Clone(environ), isWithheld)}
		w.all = append(w.all, one)
		w.idle <- one
	}
	return w
}

// isWithheld reports whether a variable says something that neither the
// templates' functions nor Go's runtime need: most may be secret.
func isWithheld(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	return !slices.Contains([]string{"TZ", "ZONEINFO", "GODEBUG", "GOMAXPROCS", "GORACE", "GOCOVERDIR", "SYSTEMROOT", "SystemRoot"}, name)
}

// Close ends all workers, and waits until they are gone. Work that
// they do must be about to end.
func (w *Workers) Close() {
	if w == nil {
		return
	}
	for _, one := range w.all {
		one.mu.Lock()
		one.end()
		one.mu.Unlock()
	}
}

// take waits for a worker that has nothing to do; nil of no workers.
func (w *Workers) take() *worker {
	if w == nil {
		return nil
	}
	return <-w.idle
}

func (w *Workers) give(one *worker) {
	if w != nil {
		w.idle <- one
	}
}

// worker is one process, or none as long as it has nothing to do.
type worker struct {
	environ []string

	mu      sync.Mutex // held while it works
	cmd     *exec.Cmd  // nil if no process runs
	in      io.WriteCloser
	out     *gob.Decoder
	charts  []*packed // those that the process has
	asked   *json.Encoder
	lastSay *tail
}

// do has the process do what is asked for with a chart. When ctx ends, or the
// process fails, the process is ended; the next request starts another one.
func (w *worker) do(ctx context.Context, own Chart, asked request) (reply, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return reply{}, context.Cause(ctx)
	}
	if err := w.start(); err != nil {
		return reply{}, err
	}
	kill := w.cmd.Process.Kill
	stopped := context.AfterFunc(ctx, func() { _ = kill() })
	defer stopped()
	answer, err := w.exchange(own, asked)
	if err != nil {
		said := w.end()
		if ctx.Err() != nil {
			return reply{}, context.Cause(ctx)
		}
		return reply{}, fmt.Errorf("%s: the process that rendered it ended: %w%s", own.title(), err, said)
	}
	for _, line := range answer.Log {
		log.Print(line)
	}
	if answer.Last {
		w.end()
	}
	return answer, answer.Failed
}

// exchange sends a request, with the chart if the process does not have it, and
// receives the reply.
func (w *worker) exchange(own Chart, asked request) (reply, error) {
	asked.Chart, asked.Title = slices.Index(w.charts, own.packed), own.title()
	if asked.Chart < 0 {
		asked.Chart, asked.New = len(w.charts), own.packed
		w.charts = append(w.charts, own.packed)
	}
	if err := w.asked.Encode(asked); err != nil {
		return reply{}, err
	}
	var answer sent
	if err := w.out.Decode(&answer); err != nil {
		return reply{}, err
	}
	return answer.receive()
}

// start starts the process, unless one runs.
func (w *worker) start() error {
	if w.cmd != nil {
		return nil
	}
	program, err := findExecutable()
	if err != nil {
		return fmt.Errorf("find this program, to render charts in a process of its own: %w", err)
	}
	cmd := exec.Command(program, WorkerArgument)
	cmd.Args[0] = os.Args[0]
	cmd.Env = w.environ
	w.lastSay = &tail{}
	cmd.Stderr = w.lastSay
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start a process to render charts in: %w", err)
	}
	w.cmd, w.in, w.out, w.asked, w.charts = cmd, in, gob.NewDecoder(out), json.NewEncoder(in), nil
	var said string
	if err := w.out.Decode(&said); err != nil || said != greeting {
		return fmt.Errorf("start a process to render charts in: %w%s", errors.Join(errors.New("it is no worker"), err), w.end())
	}
	return nil
}

// findExecutable finds this program: on Linux the one that runs, whatever was put in
// its place since.
func findExecutable() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// end ends the process, waits until it is gone, and gives the last that it said.
func (w *worker) end() string {
	if w.cmd == nil {
		return ""
	}
	_ = w.in.Close()
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait()
	w.cmd = nil
	return w.lastSay.String()
}

// tail keeps the first line of what is written, which says why Go ends a
// program.
type tail struct{ text []byte }

func (t *tail) Write(data []byte) (int, error) {
	if len(t.text) < 200 {
		t.text = append(t.text, data[:min(len(data), 200-len(t.text))]...)
	}
	return len(data), nil
}

func (t *tail) String() string {
	line, _, _ := strings.Cut(string(t.text), "\n")
	if line == "" {
		return ""
	}
	return ": " + line
}
