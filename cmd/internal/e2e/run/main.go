// Run builds the programs of the end-to-end tests, once, and runs these:
//
//	go run ./cmd/internal/e2e/run [--run REGEXP] [--count N] [--keep]
//
// It needs Go, git and Linux, and root or net.ipv4.ip_unprivileged_port_start=443,
// for what answers at a Service's address does so at port 443 of a loopback
// address. Each of --count rounds is a cold start. What fails is played once more,
// from a cold start: what passes then is printed as flaky, with its logs kept, and
// what fails again fails the run. The last line counts the tests.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/programs"
)

type options struct {
	run, parallel string
	count         int
	keep, verbose bool
}

func main() {
	var o options
	flag.StringVar(&o.run, "run", ".", "run the tests that match, as go test -run does")
	flag.StringVar(&o.parallel, "parallel", "5", "how many clusters may be up at a time")
	flag.IntVar(&o.count, "count", 1, "how many rounds, each from a cold start")
	flag.BoolVar(&o.keep, "keep", false, "keep what every program wrote of tests that passed, as of those that failed")
	flag.BoolVar(&o.verbose, "v", false, "print what every test prints, not only those that failed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code, err := run(ctx, o)
	if err != nil {
		fmt.Fprintf(os.Stderr, "e2e: %v\n", err)
		code = 1
	}
	stop()
	os.Exit(code)
}

func run(ctx context.Context, o options) (code int, err error) {
	root, err := repository(ctx)
	if err != nil {
		return 1, err
	}
	environ, unavailable, err := build(ctx, root)
	if err != nil {
		return 1, err
	}
	dir, err := os.MkdirTemp("", "pm-gitops-e2e-")
	if err != nil {
		return 1, err
	}
	played, err := play(ctx, root, dir, environ, o)
	if err != nil {
		return 1, err
	}
	if failed := played.failures(); failed != nil && o.count == 1 && ctx.Err() == nil {
		o.run = "^(" + strings.Join(failed, "|") + ")$"
		fmt.Printf("once more: %s\n", o.run)
		again, err := play(ctx, root, dir, environ, o)
		if err != nil {
			return 1, err
		}
		played.judge(again)
	}
	for _, missing := range unavailable {
		fmt.Printf("SKIPPED: %v\n", missing)
	}
	if played.failed > 0 || played.passed == 0 || played.skipped > 0 && unavailable == nil {
		code = 1
	}
	if o.keep || code != 0 || played.flaky > 0 {
		fmt.Printf("logs: %s\n", dir)
	} else {
		err = os.RemoveAll(dir)
	}
	fmt.Printf("e2e: %d passed, %d failed, %d skipped\n", played.passed, played.failed, played.skipped)
	return code, errors.Join(err, ctx.Err())
}

// play runs the tests once, and counts them. A run that ends without a test that
// failed, and not well, did not even build or was stopped: that counts as one.
func play(ctx context.Context, root, dir string, environ []string, o options) (tally, error) {
	t := tally{out: os.Stdout, verbose: o.verbose, actions: map[string]string{}, output: map[string][]string{}}
	args := []string{"test", "-json", "-tags", "e2e", "-timeout", "120m", "-count", fmt.Sprint(o.count), "-parallel", "1000", "-run", o.run, "./cmd/internal/e2e"}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	cmd.Dir, cmd.Stderr = root, os.Stderr
	cmd.Env = append(os.Environ(), append(environ, "TMPDIR="+dir, "PM_GITOPS_E2E_DIR="+dir, fmt.Sprintf("PM_GITOPS_E2E_KEEP=%t", o.keep), "PM_GITOPS_E2E_PARALLEL="+o.parallel)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return t, err
	}
	if err := cmd.Start(); err != nil {
		return t, err
	}
	t.read(out)
	if ended := cmd.Wait(); ended != nil && t.failed == 0 {
		t.failed = 1
	}
	return t, nil
}

// repository is the root of the repository that this program is run in.
func repository(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	root := filepath.Dir(strings.TrimSpace(string(out)))
	if _, err := os.Stat(filepath.Join(root, "testdata", "e2e")); err != nil {
		return "", fmt.Errorf("%s is not the repository of pm-gitops: run this in it", root)
	}
	return root, nil
}

// build builds every set, and gives variables that say where each is. A set
// that cannot be had is no error: the tests that need it skip.
func build(ctx context.Context, root string) (environ []string, unavailable []error, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, nil, err
	}
	builder := programs.Builder{Root: root, Cache: filepath.Join(cache, "pm-gitops-e2e"), Log: os.Stderr}
	for _, set := range programs.Sets() {
		folder, err := builder.Build(ctx, set)
		var missing programs.UnavailableError
		switch {
		case errors.As(err, &missing):
			unavailable = append(unavailable, missing)
			fmt.Fprintf(os.Stderr, "SKIPPED: %v\n", missing)
		case err != nil:
			return nil, nil, err
		}
		environ = append(environ, programs.Variable(set.Name)+"="+folder)
	}
	return environ, unavailable, nil
}

// tally counts tests and prints those that end.
type tally struct {
	out                     io.Writer
	verbose                 bool
	passed, failed, skipped int
	flaky                   int                 // of those that passed
	actions                 map[string]string   // test, without its parts → how it ended last
	output                  map[string][]string // of the tests that run
}

// event is a line of go test -json (go doc test2json).
type event struct {
	Action, Test, Output string
	Elapsed              float64
}

func (t *tally) read(in io.Reader) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(t.out, lines.Text())
			continue
		}
		t.count(e)
	}
}

// count takes one event in. Tests with parts count as one, but for each part
// that was skipped.
func (t *tally) count(e event) {
	switch {
	case e.Action == "output":
		t.output[e.Test] = append(t.output[e.Test], e.Output)
	case e.Test == "" && e.Action == "fail":
		fmt.Fprint(t.out, strings.Join(t.output[""], ""))
	case e.Test == "" || !slices.Contains([]string{"pass", "fail", "skip"}, e.Action):
	default:
		fmt.Fprintf(t.out, "%s %s (%.1fs)\n", e.Action, e.Test, e.Elapsed)
		if e.Action != "pass" || t.verbose {
			fmt.Fprint(t.out, strings.Join(t.output[e.Test], ""))
		}
		delete(t.output, e.Test)
		part := strings.Contains(e.Test, "/")
		if !part {
			t.actions[e.Test] = e.Action
		}
		if !part || e.Action == "skip" {
			t.add(e.Action)
		}
	}
}

func (t *tally) add(action string) {
	switch action {
	case "pass":
		t.passed++
	case "fail":
		t.failed++
	default:
		t.skipped++
	}
}

// failures names the tests that failed, in the order of their names.
func (t *tally) failures() []string {
	var names []string
	for name, action := range t.actions {
		if action == "fail" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// judge takes in what became of the tests that failed when they were played once
// more: one that passed then is flaky, and counts as passed.
func (t *tally) judge(again tally) {
	for _, name := range t.failures() {
		if again.actions[name] == "pass" {
			fmt.Fprintf(t.out, "flaky: %s\n", name)
			t.flaky++
			t.passed++
			t.failed--
		}
	}
	t.skipped += again.skipped
}
