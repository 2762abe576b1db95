package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/pm-gitops/pm-gitops/templates"
)

// workflow is what our workflow of GitHub Actions says; anything else fails
// the test
// (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax).
type workflow struct {
	Name string `yaml:"name"`
	On   struct {
		PullRequest *struct{} `yaml:"pull_request"`
		Push        struct {
			Branches []string `yaml:"branches"`
		} `yaml:"push"`
	} `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Concurrency struct {
		Group            string `yaml:"group"`
		CancelInProgress bool   `yaml:"cancel-in-progress"`
	} `yaml:"concurrency"`
	Env  map[string]string `yaml:"env"`
	Jobs map[string]struct {
		RunsOn  string `yaml:"runs-on"`
		Timeout int    `yaml:"timeout-minutes"`
		Steps   []struct {
			Name string         `yaml:"name"`
			If   string         `yaml:"if"`
			Uses string         `yaml:"uses"`
			With map[string]any `yaml:"with"`
			Run  string         `yaml:"run"`
		} `yaml:"steps"`
	} `yaml:"jobs"`
}

// gitlabJob is what our job of GitLab CI says
// (https://docs.gitlab.com/ci/yaml/).
type gitlabJob struct {
	Image        string              `yaml:"image"`
	Timeout      string              `yaml:"timeout"`
	Rules        []map[string]string `yaml:"rules"`
	Variables    map[string]string   `yaml:"variables"`
	BeforeScript []string            `yaml:"before_script"`
	Script       []string            `yaml:"script"`
	Artifacts    struct {
		When     string   `yaml:"when"`
		ExposeAs string   `yaml:"expose_as"`
		Paths    []string `yaml:"paths"`
	} `yaml:"artifacts"`
}

func strictly(t *testing.T, data []byte, into any) {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		t.Fatal(err)
	}
}

func TestCIWorkflowIsPinned(t *testing.T) {
	var w workflow
	strictly(t, templates.CIGitHub, &w)
	if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
		t.Errorf("permissions: %v", w.Permissions)
	}
	job := w.Jobs["pm-gitops"]
	if len(w.Jobs) != 1 || job.RunsOn == "" || job.Timeout == 0 {
		t.Errorf("jobs: %+v", w.Jobs)
	}
	pinned := regexp.MustCompile(`^actions/[a-z-]+@[0-9a-f]{40}$`)
	for i, step := range job.Steps {
		if (step.Uses == "") == (step.Run == "") || step.Uses != "" && !pinned.MatchString(step.Uses) {
			t.Errorf("step %d: %+v", i, step)
		}
		if strings.Contains(step.Run, "${{") { // what people name would run there
			t.Errorf("step %d has an expression in its script: %s", i, step.Run)
		}
	}
}

// ciRepository is a repository with an environment and what it renders to on
// its main branch, and a stand-in for the one of this program.
type ciRepository struct {
	t           *testing.T
	dir, temp   string
	source      string
	environment string
}

const ciEnvironment = `apiVersion: pm-gitops/v1
kind: Environment
metadata: {name: good}
spec:
  instance: {name: customer-managed, frontendUrl: https://ui.company.com, backendUrl: https://api.company.com, ownerEmail: owner@company.com}
  versions: {prefectIstiod: 1.2.900, prefectCloud: 1.2.900, server: "2025.10.202511042343", ui: "2025.1023.154520"}
  registry: {source: %s}
  auth: {okta: {clientID: prefect, clientSecret: {secret: s, key: k}, authServerURL: https://company.okta.com/oauth2/default}}
  database: {primary: 10.0.0.1, serviceUser: {password: {secret: s, key: k}}, superUser: {password: {secret: s, key: k}}}
  redis: {cache: {host: 10.0.0.3}, work: {host: 10.0.0.4}, streams: {host: 10.0.0.5}}
  cluster: {kubeVersion: "1.33"}
  checks:
    ignore:
    - {check: tls-verification-disabled, object: ConfigMap/*, reason: the database is on this host}
`

func newCIRepository(t *testing.T) ciRepository {
	t.Helper()
	for _, program := range []string{"git", "bash"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s program in PATH", program)
		}
	}
	_, registry := standIns(t)
	r := ciRepository{t: t, dir: t.TempDir(), temp: t.TempDir(), source: t.TempDir(), environment: fmt.Sprintf(ciEnvironment, registry)}
	r.put(r.source, "cmd/pm-gitops/main.go", "package main\n")
	r.commit(r.source)
	origin := t.TempDir()
	r.git(origin, "init", "-q", "--bare")
	r.put(r.dir, "environment.yaml", r.environment)
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

func (r ciRepository) render() { printed(r.t, r.dir, "pm-gitops", "render", "--dir", ".", "--quiet") }

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
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "BUILT="+built, "PATH="+strings.Join(path, ":"), "XDG_CACHE_HOME="+filepath.Join(r.temp, "cache"), "TMPDIR="+r.temp, "GORACE=atexit_sleep_ms=0")
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, _ := cmd.CombinedOutput()
	return cmd.ProcessState.ExitCode(), string(out)
}

// github runs the steps of the workflow, behind one that fails those alone that
// have an if, and gives the name of that one and the summary of the job.
func (r ciRepository) github(ref string) (failed, output, summary string) {
	r.t.Helper()
	var w workflow
	strictly(r.t, templates.CIGitHub, &w)
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
	r.git(r.dir, "worktree", "prune")
	text, _ := os.ReadFile(env["GITHUB_STEP_SUMMARY"])
	return failed, output, string(text)
}

// gitlab runs the job in one shell.
func (r ciRepository) gitlab(ref string) (code int, output string) {
	r.t.Helper()
	var file map[string]gitlabJob
	strictly(r.t, templates.CIGitLab, &file)
	job := file["pm-gitops"]
	if len(file) != 1 || job.Image == "" || len(job.Rules) == 0 || job.Artifacts.Paths[0] != "pm-gitops-diff.md" {
		r.t.Fatalf("%+v", file)
	}
	env := map[string]string{"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
	for name, value := range job.Variables {
		env[name] = value
	}
	env["PM_GITOPS_REPOSITORY"], env["PM_GITOPS_REF"] = r.source, ref
	return r.run(strings.Join(slices.Concat(job.BeforeScript, job.Script), "\n"), nil, env)
}

// TestCIRuns runs every script of the workflow and of the job, in repositories
// in which all is well, and in which one thing is not.
func TestCIRuns(t *testing.T) {
	r := newCIRepository(t)
	check := func(state, ref, wantStep, wantOutput string, wantCode int) (summary string) {
		t.Helper()
		failed, output, summary := r.github(ref)
		if failed != wantStep || !strings.Contains(output, wantOutput) {
			t.Errorf("%s, GitHub: failed at %q, want %q, with %q:\n%s", state, failed, wantStep, wantOutput, output)
		}
		code, output := r.gitlab(ref)
		if code != wantCode || !strings.Contains(output, wantOutput) {
			t.Errorf("%s, GitLab: exit code %d, want %d, with %q:\n%s", state, code, wantCode, wantOutput, output)
		}
		return summary
	}
	if summary := check("all is well", "main", "", "no differences, 16 unchanged", 0); !strings.Contains(summary, "### pm-gitops diff: no differences") {
		t.Errorf("the summary of no change: %s", summary)
	}
	check("no version chosen", "", "Install pm-gitops", "Set the variable PM_GITOPS_REF", 1)

	r.put(r.dir, "environment.yaml", strings.Replace(r.environment, "2025.10.202511042343", "2025.10.202512010000", 1))
	check("not rendered", "main", "What is committed is what they render to", "spec.values.global.backend.app.image.tag: 2025.10.202511042343 -> 2025.10.202512010000", 3)
	r.render()
	if summary := check("rendered", "main", "", "no differences", 0); !strings.Contains(summary, "| changed | Deployment customer-managed/server |") || !strings.Contains(summary, "10 restart") {
		t.Errorf("the summary of a change: %s", summary)
	}
	if comment, err := os.ReadFile(filepath.Join(r.dir, "pm-gitops-diff.md")); err != nil || !strings.Contains(string(comment), "10 restart") {
		t.Errorf("the artifact: %s, %v", comment, err)
	}

	r.put(r.dir, "environment.yaml", r.environment+"  values: {prefect-cloud: {services: {scheduler: {replicas: 2}}}}\n")
	r.render()
	check("a singleton twice", "main", "Nothing takes an installation down", "singleton-replicas", 3)
	r.put(r.dir, "environment.yaml", r.environment+"  unknown: 1\n")
	check("not valid", "main", "The environment files are valid", "unknown", 1)
}
