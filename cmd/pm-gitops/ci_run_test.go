package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ciRepository is a repository with environments and what they render to on its main
// branch, in which init --ci was run, and a stand-in for the one of this program.
type ciRepository struct {
	t           *testing.T
	dir, temp   string
	source      string
	environment string
	layout      ciLayout
}

// ciLayout says where a repository has its environments, and how init --ci is run there.
type ciLayout struct {
	file   string // of the environment that a test changes
	others []string
	in     string   // the folder in which init is run
	flags  []string // of init
	named  string   // what -f of the scripts must name
	target string
	accept []string // checks whose findings are fine there
	also   []string // systems to run besides GitHub and GitLab
}

const ciEnvironment = `apiVersion: pm-gitops/v1
kind: Environment
metadata: {name: NAME}
spec:
  instance: {name: customer-managed, frontendUrl: https://ui.company.com, backendUrl: https://api.company.com, ownerEmail: owner@company.com}
  versions: {prefectIstiod: 1.2.900, prefectCloud: 1.2.900, server: "2025.10.202511042343", ui: "2025.1023.154520"}
  registry: {source: %s}
  auth: {okta: {clientID: prefect, clientSecret: {secret: s, key: k}, authServerURL: https://company.okta.com/oauth2/default}}
  database: {primary: 10.0.0.1, serviceUser: {password: {secret: s, key: k}}, superUser: {password: {secret: s, key: k}}}
  redis: {cache: {host: 10.0.0.3}, work: {host: 10.0.0.4}, streams: {host: 10.0.0.5}}
  cluster: {kubeVersion: "1.33"}
  delivery: {git: {url: https://git.company.com/platform/fleet.git}}
  checks:
    ignore:
    - {check: tls-verification-disabled, object: ConfigMap/*, reason: the database is on this host}
`

func newCIRepository(t *testing.T, layout ciLayout) ciRepository {
	t.Helper()
	for _, program := range []string{"git", "bash"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s program in PATH", program)
		}
	}
	_, registry := standIns(t)
	text := fmt.Sprintf(ciEnvironment, registry)
	for _, check := range layout.accept {
		text += "    - {check: " + check + ", reason: a person makes the Secrets}\n"
	}
	r := ciRepository{t: t, dir: t.TempDir(), temp: t.TempDir(), source: t.TempDir(), environment: strings.Replace(text, "NAME", "good", 1), layout: layout}
	r.put(r.source, "cmd/pm-gitops/main.go", "package main\n")
	r.commit(r.source)
	origin := t.TempDir()
	r.git(origin, "init", "-q", "--bare")
	r.change(r.environment)
	for i, file := range layout.others {
		r.put(r.dir, file, strings.Replace(text, "NAME", fmt.Sprintf("other%d", i), 1))
	}
	r.render()
	r.commit(r.dir)
	r.git(r.dir, "remote", "add", "origin", origin)
	r.git(r.dir, "push", "-q", "origin", "main")
	return r
}

func (r ciRepository) put(dir, name, content string) {
	r.t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o777); err != nil {
		r.t.Fatal(err)
	}
}

// change makes this the content of the environment file.
func (r ciRepository) change(content string) { r.put(r.dir, r.layout.file, content) }

func (r ciRepository) render() {
	for _, file := range append(slices.Clip(r.layout.others), r.layout.file) {
		args := []string{"pm-gitops", "render", "--dir", ".", "--quiet", "-f", file}
		if r.layout.target != "" {
			args = append(args, "--target", r.layout.target)
		}
		printed(r.t, r.dir, args...)
	}
}

func (r ciRepository) git(dir string, args ...string) {
	r.t.Helper()
	printed(r.t, dir, append([]string{"git", "-c", "user.name=n", "-c", "user.email=e@x.y", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"}, args...)...)
}

func (r ciRepository) commit(dir string) {
	r.t.Helper()
	r.git(dir, "init", "-q")
	r.git(dir, "add", "-A")
	r.git(dir, "commit", "-q", "--allow-empty", "-m", "c")
}

// init runs init --ci for a system where the layout says, and gives the file that is
// then at its place in the repository.
func (r ciRepository) init(system, file string) []byte {
	r.t.Helper()
	printed(r.t, filepath.Join(r.dir, r.layout.in), append([]string{"pm-gitops", "init", "--force", "--ci", system}, r.layout.flags...)...)
	data, err := os.ReadFile(filepath.Join(r.dir, file))
	if err != nil {
		r.t.Fatal(err)
	}
	return data
}

// fakeGo is go as the scripts call it. It builds nothing: what would be built
// is this test's program.
const fakeGo = `#!/bin/sh
if test "$1" = -C; then cd "$2" || exit 1; shift 2; fi
test "$*" = "install ./cmd/pm-gitops" && test -f cmd/pm-gitops/main.go && mkdir -p "$GOBIN" && ln -sf "$BUILT" "$GOBIN/pm-gitops"
`

// run runs a script as a runner does, and gives its exit code and output. The
// only pm-gitops that it finds is the one that was installed.
func (r ciRepository) run(script string, path []string, env map[string]string) (int, string) {
	r.t.Helper()
	built, err := exec.LookPath("pm-gitops")
	if err != nil {
		r.t.Fatal(err)
	}
	r.put(r.temp, "fake/go", fakeGo)
	path = append(slices.Clone(path), filepath.Join(r.temp, "fake"))
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if dir != filepath.Dir(built) {
			path = append(path, dir)
		}
	}
	cmd := exec.Command("bash", "--noprofile", "--norc", "-e", "-c", script) // what a step without a shell gets
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "BUILT="+built, "PATH="+strings.Join(path, ":"), "XDG_CACHE_HOME="+filepath.Join(r.temp, "cache"), "TMPDIR="+r.temp, "GORACE=atexit_sleep_ms=0")
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, _ := cmd.CombinedOutput()
	return cmd.ProcessState.ExitCode(), string(out)
}

// actions runs the steps of the workflow of a system, behind one that fails those alone
// that have an if, and gives the name of that one and the summary of the job.
func (r ciRepository) actions(system, ref string) (failed, output, summary string) {
	r.t.Helper()
	var w workflow
	strictly(r.t, r.init(system, actionsFile(system)), &w)
	if w.Env["PM_GITOPS_FILE"] != r.layout.named || w.Env["PM_GITOPS_TARGET"] != r.layout.target {
		r.t.Fatalf("%s: %v", system, w.Env)
	}
	runner := r.t.TempDir()
	env := map[string]string{"RUNNER_TEMP": runner, "GITHUB_PATH": filepath.Join(runner, "path"), "GITHUB_STEP_SUMMARY": filepath.Join(runner, "summary"), "GITHUB_BASE_REF": "main"}
	for name, value := range w.Env {
		env[name] = value
	}
	env["PM_GITOPS_REPOSITORY"], env["PM_GITOPS_REF"] = r.source, ref
	for _, step := range w.Jobs["pm-gitops"].Steps {
		if step.Run == "" || failed != "" && step.If == "" {
			continue
		}
		added, _ := os.ReadFile(env["GITHUB_PATH"])
		code, out := r.run(step.Run, strings.Fields(string(added)), env)
		output += out
		if code != 0 && failed == "" {
			failed = step.Name
		}
		if failed == "Install pm-gitops" {
			break // what is left has an if, and would find no program
		}
	}
	text, _ := os.ReadFile(env["GITHUB_STEP_SUMMARY"])
	return failed, output, string(text)
}

// gitlab runs the job in one shell.
func (r ciRepository) gitlab(ref string) (code int, output string) {
	r.t.Helper()
	file := map[string]gitlabJob{}
	strictly(r.t, r.init("gitlab", ".gitlab/ci/pm-gitops.yml"), &file)
	base, job := file[".pm-gitops"], file["pm-gitops"]
	env := map[string]string{"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
	for name, value := range base.Variables {
		env[name] = value
	}
	env["PM_GITOPS_REPOSITORY"], env["PM_GITOPS_REF"] = r.source, ref
	return r.run(strings.Join(slices.Concat(base.BeforeScript, job.Script), "\n"), nil, env)
}

// check runs everything, and compares which step fails, the exit code and a part of the
// output; it gives the summary of GitHub.
func (r ciRepository) check(state, ref, wantStep, wantOutput string, wantCode int) (summary string) {
	r.t.Helper()
	for _, system := range append(slices.Clip(r.layout.also), "github") {
		var failed, output string
		failed, output, summary = r.actions(system, ref)
		if failed != wantStep || !strings.Contains(output, wantOutput) {
			r.t.Errorf("%s, %s: failed at %q, want %q, with %q:\n%s", state, system, failed, wantStep, wantOutput, output)
		}
	}
	code, output := r.gitlab(ref)
	if code != wantCode || !strings.Contains(output, wantOutput) {
		r.t.Errorf("%s, GitLab: exit code %d, want %d, with %q:\n%s", state, code, wantCode, wantOutput, output)
	}
	return summary
}

// Names of steps.
const (
	stepValid    = "The environment files are valid"
	stepRendered = "What is committed is what they render to"
	stepChecked  = "Nothing takes an installation down"
)

// TestCIRuns runs every script of the checks of each system, in repositories in which
// all is well, and in which one thing is not.
func TestCIRuns(t *testing.T) {
	r := newCIRepository(t, ciLayout{file: "environment.yaml", named: "environment.yaml", also: []string{"gitea"}})
	if summary := r.check("all is well", "main", "", "no differences, 16 unchanged", 0); !strings.Contains(summary, "### pm-gitops diff: no differences") {
		t.Errorf("the summary of no change: %s", summary)
	}
	r.check("no version chosen", "", "Install pm-gitops", "Set the variable PM_GITOPS_REF", 1)

	r.change(strings.Replace(r.environment, "2025.10.202511042343", "2025.10.202512010000", 1))
	r.check("not rendered", "main", stepRendered, "spec.values.global.backend.app.image.tag: 2025.10.202511042343 -> 2025.10.202512010000", 3)
	r.render()
	if summary := r.check("rendered", "main", "", "no differences", 0); !strings.Contains(summary, "| changed | Deployment `customer-managed/server` |") || !strings.Contains(summary, "10 restart") {
		t.Errorf("the summary of a change: %s", summary)
	}
	if comment, err := os.ReadFile(filepath.Join(r.dir, "pm-gitops-diff.md")); err != nil || !strings.Contains(string(comment), "10 restart") {
		t.Errorf("the artifact: %s, %v", comment, err)
	}

	r.change(r.environment + "  values: {prefect-cloud: {services: {scheduler: {replicas: 2}}}}\n")
	r.render()
	r.check("a singleton twice", "main", stepChecked, "singleton-replicas", 3)
	r.change(r.environment + "  unknown: 1\n")
	r.check("not valid", "main", stepValid, "unknown", 1)
}

// TestCIRunsAnywhere does so where the environment file is in a subfolder, where there
// is a folder of them, and for Argo CD.
func TestCIRunsAnywhere(t *testing.T) {
	for name, layout := range map[string]ciLayout{
		"from a subfolder":         {file: "team/environment.yaml", in: "team", named: "team/environment.yaml"},
		"a folder of environments": {file: "environments/good.yaml", others: []string{"environments/a.yaml", "environments/b.yaml"}, flags: []string{"-f", "environments/"}, named: "environments"},
		"a pattern, Argo CD":       {file: "in/good.yaml", others: []string{"in/a.yaml"}, in: "in", flags: []string{"-f", "*.yaml", "--target", "argo"}, named: "in/*.yaml", target: "argo", accept: []string{"missing-reference", "environment-warning"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newCIRepository(t, layout)
			r.check("all is well", "main", "", "no differences", 0)
			r.change(strings.Replace(r.environment, "2025.10.202511042343", "2025.10.202512010000", 1))
			r.check("not rendered", "main", stepRendered, "2025.10.202511042343 -> 2025.10.202512010000", 3)
			r.render()
			if summary := r.check("rendered", "main", "", "no differences", 0); !strings.Contains(summary, "10 restart") {
				t.Errorf("the summary of a change: %s", summary)
			}
			if layout.target == "argo" {
				r.change(strings.Replace(r.environment, "  delivery:", "  #", 1))
				r.check("not valid for this target", "main", stepValid, "spec.delivery.git: the field is missing", 1)
			}
		})
	}
}
