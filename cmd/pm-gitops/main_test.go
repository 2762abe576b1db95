package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

func TestMain(m *testing.M) {
	debug.SetGCPercent(100) // as ever: the program holds the collector back while it starts
	testscript.Main(cleaner{m}, map[string]func(){"pm-gitops": main})
}

// built is a folder that a test made for all of them, if one did.
var built string

// cleaner runs tests and removes what they share.
type cleaner struct{ *testing.M }

func (c cleaner) Run() int {
	defer func() { _ = os.RemoveAll(built) }()
	return c.M.Run()
}

// TestScripts runs every script of testdata/script against the real program.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Setup: func(env *testscript.Env) error {
			env.Setenv("TMPDIR", env.WorkDir+"/.tmp")
			env.Setenv("SAMPLES", samples)
			env.Setenv("GUIDE", filepath.Join(samples, "../guide/values-override.yaml"))
			env.Setenv("OVERRIDES", filepath.Join(samples, "../override"))
			return os.MkdirAll(env.WorkDir+"/.tmp", 0o777)
		},
	})
}

// samples is the sample environments, absolute, since scripts run elsewhere.
var samples, _ = filepath.Abs(filepath.Join("..", "..", "testdata", "env"))

// exits runs a program and compares its exit code: exits 2 pm-gitops render -t foo.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGUMENT …]")
	}
	err, code := ts.Exec(args[1], args[2:]...), 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}
