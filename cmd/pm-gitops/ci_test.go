package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v3"
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
		Schedule []struct {
			Cron string `yaml:"cron"`
		} `yaml:"schedule"`
		WorkflowDispatch yaml.Node `yaml:"workflow_dispatch"`
	} `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Env         map[string]string `yaml:"env"`
	Jobs        map[string]struct {
		If          string            `yaml:"if"`
		RunsOn      string            `yaml:"runs-on"`
		Timeout     int               `yaml:"timeout-minutes"`
		Permissions map[string]string `yaml:"permissions"`
		Concurrency struct {
			Group            string `yaml:"group"`
			CancelInProgress bool   `yaml:"cancel-in-progress"`
		} `yaml:"concurrency"`
		Steps []struct {
			Name string            `yaml:"name"`
			If   string            `yaml:"if"`
			Uses string            `yaml:"uses"`
			With map[string]any    `yaml:"with"`
			Env  map[string]string `yaml:"env"`
			Run  string            `yaml:"run"`
		} `yaml:"steps"`
	} `yaml:"jobs"`
}

// gitlabJob holds the fields that our jobs of GitLab CI have
// (https://docs.gitlab.com/ci/yaml/).
type gitlabJob struct {
	Extends       string              `yaml:"extends"`
	Image         string              `yaml:"image"`
	Timeout       string              `yaml:"timeout"`
	ResourceGroup string              `yaml:"resource_group"`
	Rules         []map[string]string `yaml:"rules"`
	Variables     map[string]string   `yaml:"variables"`
	BeforeScript  []string            `yaml:"before_script"`
	Script        []string            `yaml:"script"`
	Artifacts     struct {
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

// actionsFile names the folder in which a system looks for workflows of GitHub Actions.
func actionsFile(system string) string { return "." + system + "/workflows/pm-gitops.yaml" }

// ciFile returns what init --ci writes for a system.
func ciFile(t *testing.T, system string) []byte {
	t.Helper()
	got := execute(t, t.TempDir(), "init", "--ci", system, "--ci-file", "-")
	if got.code != 0 || got.stderr != "" {
		t.Fatalf("%+v", got)
	}
	return []byte(got.stdout)
}

// TestCIWorkflowsLint has actionlint read the workflows, which knows what GitHub takes:
// keys, expressions, contexts, events, schedules and the inputs of known actions.
func TestCIWorkflowsLint(t *testing.T) {
	for _, system := range []string{"github", "gitea"} {
		linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		problems, err := linter.Lint(actionsFile(system), ciFile(t, system), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range problems {
			t.Errorf("%s: %v", system, problem)
		}
	}
}

// TestCIWorkflowsAreLimited: each job has the rights that it needs, actions are pinned,
// two upgrades never run at once, and scripts hold no expressions, whose text people choose.
func TestCIWorkflowsAreLimited(t *testing.T) {
	pinned := regexp.MustCompile(`^actions/[a-z-]+@[0-9a-f]{40}$`)
	for _, system := range []string{"github", "gitea"} {
		var w workflow
		strictly(t, ciFile(t, system), &w)
		if len(w.Permissions) != 0 || len(w.On.Schedule) != 1 || w.On.WorkflowDispatch.Kind == 0 {
			t.Errorf("%s: permissions %v, on %+v", system, w.Permissions, w.On)
		}
		want := map[string]map[string]string{"pm-gitops": {"contents": "read"}, "upgrade": {"contents": "write", "pull-requests": "write"}}
		groups := map[string]bool{}
		for name, job := range w.Jobs {
			if !maps.Equal(job.Permissions, want[name]) || job.RunsOn == "" || job.Timeout == 0 || job.Concurrency.CancelInProgress == (name == "upgrade") {
				t.Errorf("%s, %s: %+v", system, name, job)
			}
			groups[job.Concurrency.Group] = true
			for i, step := range job.Steps {
				if (step.Uses == "") == (step.Run == "") || step.Uses != "" && !pinned.MatchString(step.Uses) {
					t.Errorf("%s, %s, step %d: %+v", system, name, i, step)
				}
				if strings.Contains(step.Run, "${{") {
					t.Errorf("%s, %s, step %d has an expression in its script: %s", system, name, i, step.Run)
				}
				if secret := fmt.Sprint(step.Env); strings.Contains(secret, "secrets.") && !strings.HasPrefix(step.Run, "pm-gitops upgrade ") {
					t.Errorf("%s, %s, step %d gets secrets: %v", system, name, i, step.Env)
				}
			}
		}
		if len(w.Jobs) != len(want) || len(groups) != len(want) {
			t.Errorf("%s: jobs %v, groups %v", system, len(w.Jobs), groups)
		}
	}
}

// TestCIGitea keeps to what Gitea Actions understands: no more of the functions of
// conditions than always(), and no secret that begins with GITHUB_ or GITEA_
// (https://docs.gitea.com/usage/actions/comparison, https://docs.gitea.com/usage/secrets).
func TestCIGitea(t *testing.T) {
	data := string(ciFile(t, "gitea"))
	for _, unknown := range []string{"cancelled()", "failure()", "success()", "secrets.GITHUB_", "secrets.GITEA_", "vars.GITHUB_", "vars.GITEA_", "-o github", "environment:"} {
		if strings.Contains(data, unknown) {
			t.Errorf("has %s:\n%s", unknown, data)
		}
	}
	if !strings.Contains(data, "GITEA_TOKEN: ${{ secrets.PM_GITOPS_TOKEN }}") {
		t.Errorf("gives no token:\n%s", data)
	}
}

// TestCIGitLabJobs: checks never run by a schedule and upgrades by nothing else or by
// hand, one at a time, of the default branch alone.
func TestCIGitLabJobs(t *testing.T) {
	jobs := map[string]gitlabJob{}
	strictly(t, ciFile(t, "gitlab"), &jobs)
	base, checks, upgrade := jobs[".pm-gitops"], jobs["pm-gitops"], jobs["pm-gitops-upgrade"]
	if len(jobs) != 3 || base.Image == "" || checks.Extends != ".pm-gitops" || upgrade.Extends != ".pm-gitops" {
		t.Errorf("%+v", jobs)
	}
	if want := []map[string]string{
		{"if": `$CI_PIPELINE_SOURCE == "schedule"`, "when": "never"},
		{"if": `$CI_PIPELINE_SOURCE == "merge_request_event"`},
		{"if": `$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH`},
	}; !cmp.Equal(checks.Rules, want) {
		t.Error(cmp.Diff(want, checks.Rules))
	}
	if want := []map[string]string{
		{"if": `$CI_PIPELINE_SOURCE == "schedule" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH`},
		{"if": `$CI_PIPELINE_SOURCE == "web" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH`, "when": "manual", "allow_failure": "true"},
	}; !cmp.Equal(upgrade.Rules, want) {
		t.Error(cmp.Diff(want, upgrade.Rules))
	}
	if upgrade.ResourceGroup == "" || checks.Timeout == "" || upgrade.Timeout == "" || !slices.Equal(checks.Artifacts.Paths, []string{"pm-gitops-diff.md"}) {
		t.Errorf("%+v\n%+v", checks, upgrade)
	}
}

// TestDocsCI: the page names each system with the file that init writes for it.
func TestDocsCI(t *testing.T) {
	page := read(t, "docs/ci.md")
	for _, system := range []string{"github", "gitlab", "gitea", "kubernetes"} {
		got := execute(t, t.TempDir(), "init", "--ci", system)
		if line := fmt.Sprintf("| `%s` | `%s`", system, strings.TrimSpace(strings.TrimPrefix(got.stdout, "wrote "))); !strings.Contains(page, line) {
			t.Errorf("docs/ci.md has no %s", line)
		}
	}
}
