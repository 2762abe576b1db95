package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pm-gitops/pm-gitops/cmd/internal/registry/registrytest"
	standins "github.com/pm-gitops/pm-gitops/testdata/charts"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

func TestMain(m *testing.M) {
	debug.SetGCPercent(100) // as ever: the program holds the collector back while it starts
	testscript.Main(cleaner{m}, map[string]func(){"pm-gitops": mainOfTest, "crane": copyWithCrane})
}

// mainOfTest is the program as a release: that of TEST_VERSION, or v1.0.0.
func mainOfTest() {
	version = cmp.Or(os.Getenv("TEST_VERSION"), "v1.0.0")
	main()
}

// copyWithCrane is the crane program, as far as scripts of images need it.
func copyWithCrane() {
	if len(os.Args) != 4 || os.Args[1] != "copy" {
		log.Fatalf("usage: crane copy SOURCE TARGET, got %q", os.Args[1:])
	}
	if err := crane.Copy(os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

// push makes images in a registry, each another one: push REFERENCE …
func push(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: push REFERENCE …")
	}
	for _, reference := range args {
		image, err := random.Image(10, 1)
		ts.Check(err)
		ts.Check(crane.Push(image, reference))
	}
}

// repush puts other manifests under the tags of charts, which are the same but for an
// annotation.
func repush(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: repush REFERENCE …")
	}
	for _, reference := range args {
		raw, err := crane.Manifest(reference)
		ts.Check(err)
		tag, err := name.ParseReference(reference)
		ts.Check(err)
		ts.Check(remote.Put(tag, other(strings.Replace(string(raw), "{", `{"annotations":{"a":"b"},`, 1))))
	}
}

// other is a manifest as it is written.
type other string

func (o other) RawManifest() ([]byte, error)        { return []byte(o), nil }
func (o other) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

// built is a folder that a test made for all of them, if one did.
var built string

// cleaner runs tests and removes what they share.
type cleaner struct{ *testing.M }

func (c cleaner) Run() int {
	defer func() { _ = os.RemoveAll(built) }()
	defer forgeServer.Stop()
	return c.M.Run()
}

// TestScripts runs every script of testdata/script against the real program.
func TestScripts(t *testing.T) {
	folder, source := standIns(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Condition:           hasPublicCharts,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"api": askForge, "cluster": startCluster, "exits": exits, "expand": expand, "forge": startForge(t), "pulls": listPulls, "push": push, "repush": repush, "requests": countRequests, "sign": sign},
		Setup: func(env *testscript.Env) error {
			env.Values[clustersKey{}], env.Values[signersKey{}], env.Values[forgeKey{}] = clusters{}, signers{}, &forgeOf{}
			env.Setenv("CHARTS", folder)
			env.Setenv("REGISTRY", source)
			env.Setenv("SAMPLES", samples)
			env.Setenv("PUBLIC", publicCharts())
			env.Setenv("GUIDE", filepath.Join(samples, "../guide/values-override.yaml"))
			env.Setenv("OVERRIDES", filepath.Join(samples, "../override"))
			return setUp(env)
		},
	})
}

// publicCharts is a folder beside the project, or of PM_GITOPS_SHARED, with packed charts
// that are public and not part of the project.
func publicCharts() string {
	if shared := os.Getenv("PM_GITOPS_SHARED"); shared != "" {
		return filepath.Join(shared, "charts")
	}
	return filepath.Join(samples, "../../../shared/charts")
}

// hasPublicCharts is the condition [public] of scripts.
func hasPublicCharts(condition string) (bool, error) {
	if condition != "public" {
		return false, fmt.Errorf("unknown condition %q", condition)
	}
	_, err := os.Stat(publicCharts())
	return err == nil, nil
}

// setUp gives a script folders of its own for what belongs to no project.
func setUp(env *testscript.Env) error {
	env.Setenv("TMPDIR", env.WorkDir+"/.tmp")
	env.Setenv("XDG_CACHE_HOME", env.WorkDir+"/.cache")
	env.Setenv("GORACE", "atexit_sleep_ms=0") // with -race each run would end with a second's sleep
	return os.MkdirAll(env.WorkDir+"/.tmp", 0o777)
}

// standIns is a folder with the packed stand-ins of the vendor's charts, and
// a registry in the vendor's form: charts are below it in /charts.
func standIns(t testing.TB) (folder, source string) {
	t.Helper()
	server := httptest.NewServer(choosy(registry.New(registry.Logger(log.New(io.Discard, "", 0)))))
	t.Cleanup(server.Close)
	folder, source = t.TempDir(), server.Listener.Addr().String()+"/cloud"
	for _, name := range []string{standins.Istiod, standins.Cloud} {
		for _, version := range standins.Versions(name) {
			archive, err := standins.Archive(name, version)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, name+"-"+version+".tgz"), archive, 0o666); err != nil {
				t.Fatal(err)
			}
			registrytest.Push(t, source+"/charts", name, version, archive)
		}
	}
	return folder, source
}

// choosy is a registry that lists no tags of repositories with "unlisted" in their names, as
// Artifact Registry without the right to, and lets nobody read those with "closed".
func choosy(inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, "/unlisted/") && strings.HasSuffix(r.URL.Path, "/tags/list"):
			http.Error(w, `{"errors":[{"code":"UNSUPPORTED"}]}`, http.StatusMethodNotAllowed)
		case strings.Contains(r.URL.Path, "/closed/") && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			http.Error(w, `{"errors":[{"code":"DENIED"}]}`, http.StatusForbidden)
		default:
			inner.ServeHTTP(w, r)
		}
	})
}

// samples is the sample environments, absolute, since scripts run elsewhere.
var samples, _ = filepath.Abs(filepath.Join("..", "..", "testdata", "env"))

// expand replaces $NAME in files by the script's variables.
func expand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: expand FILE …")
	}
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o666))
	}
}

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
