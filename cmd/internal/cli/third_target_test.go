package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/tree"
	"github.com/pm-gitops/pm-gitops/targets"
	"github.com/pm-gitops/pm-gitops/testdata"
)

// pipeline is a delivery system that runs Helm: it writes one plain file.
type pipeline struct{}

func (pipeline) Name() string { return "pipeline" }

func (pipeline) Traits(render.Delivery) render.Traits {
	return render.Traits{Title: "Pipeline", Renderer: "helm", Layout: tree.Layout{Paths: []string{".ci/prefect-{environment}.yml"}}}
}

func (pipeline) Files(plan render.Plan) ([]render.File, error) {
	var steps []byte
	for _, release := range plan.Releases() {
		steps = fmt.Appendf(steps, "- helm upgrade --install --wait %s oci://%s --version %s\n", release.Name, release.Chart.Repository, release.Chart.Version)
	}
	return []render.File{{Path: ".ci/prefect-" + plan.Environment + ".yml", Content: steps}}, nil
}

// thirdTarget is a repository with an environment file and its charts, and the
// program with a third target.
type thirdTarget struct {
	t                 *testing.T
	dir, file, charts string
	environment       string // the environment file's text
	repository        *gitrepo.Local
	gotOut, gotErr    string
	variables         map[string]string
	targets           render.Targets
}

func newThirdTarget(t *testing.T) *thirdTarget {
	t.Helper()
	source, err := testdata.Demo.ReadFile("demo/environment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r := &thirdTarget{
		t: t, dir: dir, file: filepath.Join(dir, "environment.yaml"), charts: filepath.Join(dir, demoCharts), environment: string(source),
		variables: map[string]string{"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b", "HOME": dir, "PATH": os.Getenv("PATH")},
		targets:   render.Targets{targets.Flux{}, targets.Argo{}, pipeline{}},
	}
	r.save("", "")
	env, err := render.Parse("environment.yaml", source, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := render.PlanFor(env, catalog.Embedded(), pipeline{})
	if err != nil {
		t.Fatal(err)
	}
	if err := writeStandIns(r.charts, plan); err != nil {
		t.Fatal(err)
	}
	if r.repository, err = gitrepo.Init(gitrepo.NewSystem(func(string) string { return "" }, nil, time.Now), dir); err != nil {
		t.Fatal(err)
	}
	return r
}

// save writes the environment file with a text replaced.
func (r *thirdTarget) save(old, new string) {
	r.t.Helper()
	r.environment = strings.Replace(r.environment, old, new, 1)
	if err := os.WriteFile(r.file, []byte(r.environment), 0o666); err != nil {
		r.t.Fatal(err)
	}
}

// run runs a command line of the program in this process. It fails the test
// on another exit code, or if what was printed lacks a text.
func (r *thirdTarget) run(code int, want string, args ...string) {
	r.t.Helper()
	var out, err bytes.Buffer
	var environ []string
	for name, value := range r.variables {
		environ = append(environ, name+"="+value)
	}
	got := Run(r.t.Context(), System{
		In: strings.NewReader(""), Out: &out, Err: &err, Now: time.Now, Targets: r.targets,
		Getenv: func(name string) string { return r.variables[name] }, Environ: environ,
	}, args)
	r.gotOut, r.gotErr = out.String(), err.String()
	if got != code || !strings.Contains(r.gotOut+r.gotErr, want) {
		r.t.Fatalf("pm-gitops %s: exit %d, want %d and %q\n%s%s", strings.Join(args, " "), got, code, want, r.gotOut, r.gotErr)
	}
}

// holds fails the test unless a file begins with a text; an empty text means
// that there must be no file.
func (r *thirdTarget) holds(name, want string) {
	r.t.Helper()
	content, err := os.ReadFile(filepath.Join(r.dir, name))
	if (err == nil) != (want != "") || !strings.HasPrefix(string(content), want) {
		r.t.Fatalf("%s: %q, %v, want %q", name, content, err, want)
	}
}

// TestThirdTarget: a target that main passes goes through every command
// without a change outside of it, a file that is no manifest too.
func TestThirdTarget(t *testing.T) {
	const file, inventory = ".ci/prefect-demo.yml", "prefect/.pm-gitops/demo.json"
	const steps = "- helm upgrade --install --wait istiod oci://registry.company.com/prefect/"
	r := newThirdTarget(t)
	of := []string{"-f", r.file, "--target", "pipeline"}
	with := func(command string, more ...string) []string {
		return append(append([]string{command}, of...), more...)
	}

	r.run(ExitDone, "# Source: "+file, with("render")...)
	r.run(ExitDone, "", with("render", "--dir", r.dir)...)
	r.holds(file, steps)
	r.holds(inventory, "{\n  \"environment\": \"demo\",\n  \"target\": \"pipeline\"")
	r.run(ExitDone, "", with("diff", "--dir", r.dir)...)
	r.run(ExitDone, "", with("validate")...)
	r.run(ExitDone, "prefect-cloud", with("preview", "--chart-dir", r.charts)...)
	r.run(ExitFound, "warnings in 1 environment", with("check", "--chart-dir", r.charts)...)
	r.run(ExitUsage, "the pipeline target cannot report status: no controller in the cluster knows the environment", with("status")...)
	r.run(ExitUsage, "the pipeline target has no prerequisites", with("render", "--prerequisites")...)
	r.run(ExitFailed, "the pipeline target cannot read releases back from its files", with("diff", "--dir", r.dir, "--manifests", "--chart-dir", r.charts)...)

	r.save("prefectCloud: 1.2.900", "prefectCloud: 1.2.901")
	r.run(ExitFound, file, with("diff", "--dir", r.dir)...)
	r.run(ExitDone, "", with("render", "--dir", r.dir, "--commit")...)
	committed, err := r.repository.At("HEAD")
	if err != nil {
		t.Fatal(err)
	}
	defer committed.Close()
	if files, err := committed.Files(t.Context(), file); err != nil || !strings.Contains(string(files[file]), "--version 1.2.901") {
		t.Fatalf("committed: %q, %v", files, err)
	}
}

// TestThirdTargetPrunes: what the layout of a target names is the target's to
// take away, when an environment is removed, renamed or rendered for another.
func TestThirdTargetPrunes(t *testing.T) {
	const file, inventory, root = ".ci/prefect-demo.yml", "prefect/.pm-gitops/demo.json", "clusters/demo/prefect-demo.yaml"
	r := newThirdTarget(t)
	r.run(ExitDone, "", "render", "-f", r.file, "--target", "pipeline", "--dir", r.dir)
	r.run(ExitFailed, "environment demo is rendered for pipeline here", "render", "-f", r.file, "--dir", r.dir)
	r.run(ExitDone, "", "render", "-f", r.file, "--dir", r.dir, "--force")
	r.holds(file, "")
	r.holds(root, "apiVersion: kustomize.toolkit.fluxcd.io/v1")
	r.run(ExitDone, "", "render", "-f", r.file, "--target", "pipeline", "--dir", r.dir, "--force")
	r.holds(file, "- helm")
	r.holds(root, "")

	r.save("  name: demo\n", "  name: renamed\n")
	r.run(ExitDone, "still in "+r.dir+", and in no file that was read: demo", "render", "-f", r.dir, "--target", "pipeline", "--dir", r.dir)
	if err := os.WriteFile(filepath.Join(r.dir, file), []byte("changed"), 0o666); err != nil {
		t.Fatal(err)
	}
	r.run(ExitFailed, file+" (changed by someone)", "remove", "demo", "--dir", r.dir)
	r.run(ExitDone, "Take its environment file out as well", "remove", "demo", "--dir", r.dir, "--force")
	r.holds(file, "")
	r.holds(inventory, "")
	r.holds(".ci/prefect-renamed.yml", "- helm")

	r.targets = render.Targets{targets.Flux{}}
	for _, args := range [][]string{{"remove", "renamed"}, {"render", "-f", r.file}} {
		r.run(ExitFailed, `environment renamed is rendered for target "pipeline", which this pm-gitops does not know`, append(args, "--dir", r.dir, "--force")...)
	}
	r.holds(".ci/prefect-renamed.yml", "- helm")
}
