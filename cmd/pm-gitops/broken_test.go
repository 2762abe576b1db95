//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/pm-gitops/pm-gitops/cmd/internal/cli"
)

// canary begins every text that plays a secret: nothing may repeat it.
const canary = "CANARY"

const (
	maxMemory = 500 << 20       // of a run, in bytes
	hangs     = 2 * time.Minute // what still runs then hangs
)

// outcome is what a run of the real program did.
type outcome struct {
	stdout, stderr string
	code           int
	memory         int64 // bytes
	took           time.Duration
}

// execute runs the real program in a folder.
func execute(t *testing.T, dir string, args ...string) outcome {
	t.Helper()
	return executeCommand(t, dir, func(*exec.Cmd) {}, args...)
}

func executeCommand(t *testing.T, dir string, prepare func(*exec.Cmd), args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hangs)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(t), args...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	prepare(cmd)
	// What is started counts its memory from where this process once stood: where it
	// stands, if that is forgotten. https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
	start := time.Now()
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("pm-gitops %q still runs after %v", args, hangs)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	got := outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode(), 0, time.Since(start)}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		if got.memory = usage.Maxrss << 10; got.memory <= ownMemory(t)+64<<20 {
			got.memory = 0 // about what this process had, as the kernel counts: nobody knows
		}
	}
	got.check(t, args)
	return got
}

// check is what holds for every run.
func (o outcome) check(t *testing.T, args []string) {
	t.Helper()
	for _, word := range []string{canary, "panic", "goroutine", "\x1b"} {
		if strings.Contains(o.stdout+o.stderr, word) {
			t.Errorf("pm-gitops %q prints %q:\n%s%s", args, word, o.stdout, o.stderr)
		}
	}
	if o.memory > maxMemory {
		t.Errorf("pm-gitops %q used %d MB, want at most %d", args, o.memory>>20, maxMemory>>20)
	}
}

// program is the program without the race detector, which takes time and memory
// of its own: hundreds of runs here are about neither.
func program(t *testing.T) string {
	t.Helper()
	info, _ := debug.ReadBuildInfo()
	if info == nil || !slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		return "pm-gitops"
	}
	file, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// buildOnce builds the program into a folder that TestMain removes, and that
// other users can reach.
var buildOnce = sync.OnceValues(func() (string, error) {
	var err error
	if built, err = os.MkdirTemp("", "pm-gitops-test-"); err != nil {
		return "", err
	}
	if err := os.Chmod(built, 0o755); err != nil {
		return "", err
	}
	program := filepath.Join(built, "pm-gitops")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
})

// picture is every file below a folder: name to kind and content.
func picture(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			files[name] = entry.Type().String()
			return err
		}
		data, err := os.ReadFile(name)
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// extract writes the input files of a case.
func extract(t *testing.T, dir string, archive *txtar.Archive) {
	t.Helper()
	for _, file := range archive.Files {
		if file.Name == "stderr" {
			continue
		}
		put(t, dir, file.Name, string(file.Data))
	}
}

func put(t testing.TB, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(content), 0o666)); err != nil {
		t.Fatal(err)
	}
}

// broken is a case of testdata/broken: a sentence, maybe lines `args: …` and
// `exit: …`, the files, and what both validate and render print to stderr.
type broken struct {
	file    string
	archive *txtar.Archive
	args    []string
	code    int
}

func loadBroken(t *testing.T, file string) broken {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b := broken{file, archive, []string{"-f", "environment.yaml"}, cli.ExitFailed}
	for line := range strings.Lines(string(archive.Comment)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "args":
			b.args = strings.Fields(value)
		case "exit":
			b.code, _ = strconv.Atoi(value)
		}
	}
	return b
}

func (b broken) name() string { return strings.TrimSuffix(filepath.Base(b.file), ".txtar") }

// stderr is what the case wants there.
func (b broken) stderr() *txtar.File {
	i := slices.IndexFunc(b.archive.Files, func(f txtar.File) bool { return f.Name == "stderr" })
	if i < 0 {
		i = len(b.archive.Files)
		b.archive.Files = append(b.archive.Files, txtar.File{Name: "stderr"})
	}
	return &b.archive.Files[i]
}

// run lays the case out beside a rendered tree, and runs the commands there.
func (b broken) run(t *testing.T, rendered string, costs *costs) {
	dir := t.TempDir()
	extract(t, dir, b.archive)
	if prepare := made()[b.name()]; prepare != nil {
		prepare(t, dir)
	}
	put(t, dir, "repo/notes.txt", "mine")
	if err := os.CopyFS(filepath.Join(dir, "repo"), os.DirFS(rendered)); err != nil {
		t.Fatal(err)
	}
	before := picture(t, dir)
	for _, flags := range [][]string{{"validate"}, {"render", "--dir", "repo"}} {
		b.judge(t, dir, flags, before, costs)
	}
}

// judge runs one command on the case, and checks what it says and that the
// folder stays as it was before.
func (b broken) judge(t *testing.T, dir string, flags []string, before map[string]string, costs *costs) {
	t.Helper()
	got := execute(t, dir, append(flags, b.args...)...)
	costs.add(got, b.name())
	if got.code != b.code || got.stdout != "" {
		t.Errorf("%s: exit code %d, want %d, and nothing on stdout, got %q", flags[0], got.code, b.code, got.stdout)
	}
	if diff := cmp.Diff(before, picture(t, dir)); diff != "" {
		t.Errorf("%s changed files (-before +after):\n%s", flags[0], diff)
	}
	stderr := strings.ReplaceAll(got.stderr, dir, "$WORK")
	if *update && flags[0] == "validate" {
		b.stderr().Data = []byte(stderr)
		if err := os.WriteFile(b.file, txtar.Format(b.archive), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(b.stderr().Data), strings.ReplaceAll(stderr, "pm-gitops render", "pm-gitops validate")); diff != "" {
		t.Errorf("%s: stderr (-want +got):\n%s", flags[0], diff)
	}
}

// renderedTree is a folder with what the plain environment renders to.
func renderedTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "environment.yaml", plain)
	put(t, dir, "tree/README.md", "mine")
	if got := execute(t, dir, "render", "--dir", "tree"); got.code != cli.ExitDone {
		t.Fatal(got.stderr)
	}
	return filepath.Join(dir, "tree")
}

// costs is the most that a run took.
type costs struct {
	sync.Mutex
	runs         int
	memory       int64
	took         time.Duration
	hungry, slow string
}

func (c *costs) add(o outcome, name string) {
	c.Lock()
	defer c.Unlock()
	c.runs++
	if o.memory > c.memory {
		c.memory, c.hungry = o.memory, name
	}
	if o.took > c.took {
		c.took, c.slow = o.took, name
	}
}

// TestBrokenInput runs the real program on every broken input: it must say
// what is wrong, exit as it should and change nothing.
func TestBrokenInput(t *testing.T) {
	files, err := filepath.Glob("../../testdata/broken/*.txtar")
	if err != nil || len(files) < 60 {
		t.Fatalf("%d cases, want at least 60 (%v)", len(files), err)
	}
	seen, rendered := map[string]bool{}, renderedTree(t)
	var costs costs
	t.Run("all", func(t *testing.T) {
		for _, file := range files {
			b := loadBroken(t, file)
			seen[b.name()] = true
			if strings.Contains(string(b.stderr().Data), canary) {
				t.Errorf("%s wants a secret to be printed", file)
			}
			t.Run(b.name(), func(t *testing.T) {
				if !*update {
					t.Parallel()
				}
				b.run(t, rendered, &costs)
			})
		}
	})
	for name := range made() {
		if !seen[name] {
			t.Errorf("testdata/broken/%s.txtar is missing", name)
		}
	}
	t.Logf("%d runs; most memory %d MB (%s), slowest %v (%s)", costs.runs, costs.memory>>20, costs.hungry, costs.took.Round(time.Millisecond), costs.slow)
}

// TestBrokenInputPlantsSecrets: else the search for them would prove nothing.
func TestBrokenInputPlantsSecrets(t *testing.T) {
	files, _ := filepath.Glob("../../testdata/broken/secret-*.txtar")
	if len(files) < 15 {
		t.Errorf("%d cases of secrets in the wrong place, want at least 15", len(files))
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(data, []byte(canary)) {
			t.Errorf("%s plants no secret", file)
		}
	}
}

// must is for preparations that cannot fail.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(fmt.Errorf("prepare: %w", err))
	}
}
