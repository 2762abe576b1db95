//go:build e2e

// Package e2e proves what pm-gitops writes against the real controllers: see
// docs/e2e.md for what is real here and what is played.
package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/node"
	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/programs"
	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/world"
	"github.com/pm-gitops/pm-gitops/cmd/internal/registry/registrytest"
	standins "github.com/pm-gitops/pm-gitops/testdata/charts"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// fixture is a world, a repository in it, and one environment that is
// delivered from there.
type fixture struct {
	*testing.T
	*world.World
	ctx      context.Context
	target   string
	env      *environment
	other    *environment    // a second one, in the scenario that has it
	repo     string          // the repository's URL
	token    string          // of the Git server
	forge    forgeRepository // the repository at Gitea, in the scenario that has it
	checkout string
	limits   mutation         // shortens time limits, in scenarios that wait for them
	edited   bool             // what was rendered last was changed
	stderr   *strings.Builder // of the last command
	asked    time.Time        // when status was asked last
}

// both runs a scenario once for each delivery system, each in a world of its
// own. At its end the cluster must have what preview says. Then come the
// mistakes, which play a part of the scenario again.
func both(t *testing.T, scenario func(*fixture), mistakes ...mistake) {
	t.Parallel()
	for _, target := range []string{"flux", "argo"} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			f := start(t, target)
			scenario(f)
			f.check(f.checkPreview())
			for _, m := range mistakes {
				if m.target == target || m.target == "" {
					f.step(m.name, func() { m.noticed(f) })
				}
			}
		})
	}
}

// scenarioTime bounds one scenario, once its cluster is there.
const scenarioTime = 20 * time.Minute

// start is a world whose registry has the stand-in charts and where the
// delivery system of a target runs and looks at an empty repository.
func start(t *testing.T, target string) *fixture {
	t.Helper()
	programs := needed(t, target)
	clusters.take(t)
	dir := filepath.Join(root(t), strings.NewReplacer("/", "-", "#", "-").Replace(t.Name()))
	t.Cleanup(func() {
		if !t.Failed() && os.Getenv("PM_GITOPS_E2E_KEEP") != "true" {
			os.RemoveAll(dir)
		}
	})
	w, err := world.Start(t.Context(), dir, programs)
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), scenarioTime)
	t.Cleanup(cancel)
	f := &fixture{T: t, World: w, ctx: ctx, target: target, token: world.GitPassword, checkout: filepath.Join(dir, "checkout"), stderr: &strings.Builder{}}
	t.Cleanup(f.record)
	switch target {
	case "flux":
		f.check(w.StartFlux(ctx))
	case "argo":
		f.check(w.StartArgo(ctx))
	default: // nobody delivers
		for _, namespace := range []string{world.FluxNamespace, world.ArgoNamespace} {
			f.check(w.Apply(ctx, fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s}}", namespace)))
		}
	}
	f.pushCharts(w.Registry)
	f.repo, err = w.Git.Create("fleet")
	f.check(err)
	f.env = newEnvironment(f, "prod")
	f.clone()
	return f
}

// root is a folder for the worlds of this process, or the one that the runner keeps.
func root(t *testing.T) string {
	if dir := os.Getenv("PM_GITOPS_E2E_DIR"); dir != "" {
		dir, err := os.MkdirTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		return dir
	}
	return t.TempDir()
}

// needed is where the programs of a target are. Without one of them the test
// skips: its module cannot be had.
func needed(t *testing.T, target string) world.Programs {
	t.Helper()
	sets := map[string][]string{"flux": {"core", "flux", "tools"}, "argo": {"core", "argocd", "tools"}, "none": {"core"}}[target]
	found := world.Programs{}
	for _, set := range sets {
		folder, built := os.LookupEnv(programs.Variable(set))
		switch {
		case !built:
			t.Fatal("run these tests with go run ./cmd/internal/e2e/run")
		case folder == "":
			t.Skipf("%s could not be built: a module cannot be had", set)
		}
		found[set] = folder
	}
	return found
}

func (f *fixture) check(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// pushCharts puts the stand-in charts into a registry, where the mirror of
// environments is: below prefect/charts.
func (f *fixture) pushCharts(registry *world.Registry) {
	f.Helper()
	transport := f.CA.Transport()
	for _, name := range []string{standins.Istiod, standins.Cloud} {
		for _, version := range standins.Versions(name) {
			archive, err := standins.Archive(name, version)
			f.check(err)
			registrytest.Push(f, registry.Host+"/prefect/charts", name, version, archive, remote.WithTransport(transport), remote.WithAuth(authn.Anonymous))
		}
	}
}

// pmGitops is the program, built once.
var pmGitops = sync.OnceValues(func() (string, error) {
	dir := os.Getenv("PM_GITOPS_E2E_DIR")
	if dir == "" {
		dir = os.TempDir()
	}
	program := filepath.Join(dir, fmt.Sprintf("pm-gitops-%d", os.Getpid()))
	out, err := exec.Command("go", "build", "-o", program, "github.com/pm-gitops/pm-gitops/cmd/pm-gitops").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build pm-gitops: %w\n%s", err, out)
	}
	return program, nil
})

// run runs a program in the checkout and gives what it prints; it must succeed.
func (f *fixture) run(program string, args ...string) string {
	f.Helper()
	out, code := f.try(f.ctx, program, args...)
	if code != 0 {
		f.Fatalf("%s %s: exit code %d\n%s%s", program, strings.Join(args, " "), code, out, f.stderr)
	}
	return out
}

// try runs a program in the checkout and gives what it prints, and its exit code.
func (f *fixture) try(ctx context.Context, program string, args ...string) (string, int) {
	f.Helper()
	path := program
	if program == "pm-gitops" {
		var err error
		path, err = pmGitops()
		f.check(err)
	} else if program == "helm" {
		path = filepath.Join(f.Programs["tools"], "helm")
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = f.checkout
	cmd.Env = append(f.Environ(), "GITEA_SERVER_URL="+f.Git.URL, "GITEA_TOKEN="+f.token)
	var out strings.Builder
	f.stderr = &strings.Builder{}
	cmd.Stdout, cmd.Stderr = &out, io.MultiWriter(f.stderr)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		f.Fatalf("run %s: %v", program, err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// clone makes the checkout: a person's, with a name and a login.
func (f *fixture) clone() {
	f.Helper()
	f.check(os.MkdirAll(f.checkout, 0o755))
	f.run("git", "config", "--global", "user.name", "Ada")
	f.run("git", "config", "--global", "user.email", "ada@company.com")
	f.run("git", "config", "--global", "init.defaultBranch", "main")
	f.run("git", "config", "--global", "credential.helper", "store")
	host, _ := strings.CutPrefix(f.Git.URL, "https://")
	f.check(os.WriteFile(filepath.Join(f.Dir, "home/.git-credentials"), fmt.Appendf(nil, "https://%s:%s@%s\n", world.GitUser, f.token, host), 0o600))
	f.run("git", "init", "-q")
	f.run("git", "remote", "add", "origin", f.repo)
	f.write("README.md", "The fleet.\n")
	f.run("git", "add", ".")
	f.run("git", "commit", "-q", "-m", "start")
	f.run("git", "push", "-q", "-u", "origin", "main")
}

// write writes a file of the checkout.
func (f *fixture) write(name, content string) {
	f.Helper()
	at := filepath.Join(f.checkout, name)
	f.check(os.MkdirAll(filepath.Dir(at), 0o755))
	f.check(os.WriteFile(at, []byte(content), 0o644))
}

// deliver writes the environment, commits it, and has pm-gitops render, commit
// and push.
func (f *fixture) deliver() {
	f.Helper()
	f.deliverAs("the environment", nil)
}

// lock has the registry want a login of everything, the node's images included.
func (f *fixture) lock(login node.Login) {
	f.Registry.Lock(&login)
	f.Agent.Lock(f.Registry.Host, login, f.CA.Transport())
}
