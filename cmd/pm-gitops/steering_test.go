//go:build linux

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/pm-gitops/pm-gitops/cmd/internal/cluster/clustertest"
	"github.com/pm-gitops/pm-gitops/render/rollout/rollouttest"
)

// steering is a stranger's text that would steer a terminal or a runner of pipelines, or
// forge a line of ours.
const steering = "X\x1b[31my\rz\u202e\u200b\u3164\n::error::x\n ##[error]x\nok: forged\n  ::set-env name=a::b"

// written is the same as YAML and shells of Go's kind write it, and asJSON as JSON does.
var (
	written = strconv.QuoteToASCII(steering)
	asJSON  = func() string { data, _ := json.Marshal(steering); return string(data) }()
)

// wantTame fails the test where something of steering came through, and where nothing of it was
// printed at all: then the case shows nothing.
func wantTame(t *testing.T, what string, got outcome) {
	t.Helper()
	printed := got.stdout + got.stderr
	arrived := strings.Contains(printed, "31m") || strings.Contains(printed, `z\u202e`) // of a Git server, what is behind the \r
	if !arrived && !strings.Contains(printed, "want a text without control characters") {
		t.Errorf("%s: the stranger's text is not there:\n%s", what, printed)
	}
	for line := range strings.Lines(printed) {
		line = strings.TrimSuffix(line, "\n")
		bad := strings.ContainsFunc(line, func(r rune) bool {
			return r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u3164')
		})
		switch {
		case bad || !utf8.ValidString(line):
			t.Errorf("%s: printed %q", what, line)
		case strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##["):
			t.Errorf("%s: a command to a runner: %q", what, line)
		case strings.HasPrefix(line, "ok: forged"):
			t.Errorf("%s: a forged line: %q", what, line)
		}
	}
}

// steeringChart has steering in all that a chart says: in objects and their names, in
// values, in its README, and in what it fails with.
func steeringChart(t *testing.T, dir string) {
	t.Helper()
	put(t, dir, "charts/bad/Chart.yaml", "apiVersion: v2\nname: bad\nversion: 1.0.0\ndescription: "+written+"\ndependencies: [{name: sub, version: 0.1.0, import-values: [{child: "+written+", parent: a}]}]\n")
	put(t, dir, "charts/bad/charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 0.1.0\n")
	put(t, dir, "charts/bad/README.md", steering+"\n")
	put(t, dir, "charts/bad/values.yaml", "fail: false\ntext: "+written+"\n"+written+": "+written+"\n")
	put(t, dir, "charts/bad/values.schema.json", `{"properties": {"port": {"enum": [`+asJSON+`]}}}`)
	put(t, dir, "charts/bad/templates/NOTES.txt", "{{ .Values.text }}")
	put(t, dir, "charts/bad/templates/all.yaml", `{{ if .Values.fail }}{{ fail .Values.text }}{{ end }}
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Values.text | toJson }}, annotations: {{ dict .Values.text .Values.text "more" (toString .Values.more) | toJson }}}
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec:
      containers:
      - {name: {{ .Values.text | toJson }}, image: {{ printf "a/b:%s" .Values.text | toJson }}, args: [{{ .Values.text | toJson }}], env: [{name: {{ .Values.text | toJson }}, value: a}, {name: {{ .Values.text | toJson }}, value: b}]}
      - {name: c, image: docker.io/a/b:latest, envFrom: [{secretRef: {name: {{ .Values.text | toJson }}}}]}
---
apiVersion: {{ .Values.text | toJson }}
kind: {{ .Values.text | toJson }}
metadata: {name: a}
---
apiVersion: v1
kind: Pod
metadata: {name: {{ .Values.text | toJson }}, annotations: {helm.sh/hook: {{ .Values.text | toJson }}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: text}
data: {a: {{ .Values.text | toJson }}}
`)
}

// TestChartsSteerNothing: whatever a chart says, it is shown and does nothing.
func TestChartsSteerNothing(t *testing.T) {
	dir := t.TempDir()
	steeringChart(t, dir)
	failing := strings.Replace(hostileEnvironment, "namespace: bad}", "namespace: bad, values: {fail: true}}", 1)
	put(t, dir, "environment.yaml", hostileEnvironment)
	put(t, dir, "failing.yaml", failing)
	put(t, dir, "fleet/a.yaml", failing)
	put(t, dir, "fleet/b.yaml", strings.NewReplacer("name: small", "name: other", "namespace: bad", "namespace: other").Replace(failing))
	more := func(value string) string {
		return strings.Replace(hostileEnvironment, "namespace: bad}", "namespace: bad, values: {more: "+value+"}}", 1)
	}
	put(t, dir, "old.yaml", more("1"))
	put(t, dir, "new.yaml", more("2"))
	put(t, dir, "schema.yaml", strings.Replace(hostileEnvironment, "namespace: bad}", "namespace: bad, values: {port: 1}}", 1))
	must(t, os.Mkdir(filepath.Join(dir, "repo"), 0o777))
	if got := execute(t, dir, "render", "-f", "old.yaml", "--dir", "repo"); got.code != 0 {
		t.Fatal(got.stderr)
	}
	put(t, dir, "charts/prefect-cloud/Chart.yaml", "apiVersion: v2\nname: prefect-cloud\nversion: 1.2.900\n")
	put(t, dir, "charts/other/Chart.yaml", "apiVersion: v2\nname: other\nversion: 1.0.0\n")
	newer := filepath.Join(dir, "charts/bad-99.0.0") // with other images
	must(t, os.CopyFS(newer, os.DirFS(filepath.Join(dir, "charts/bad"))))
	for name, other := range map[string][2]string{"Chart.yaml": {"version: 1.0.0", "version: 99.0.0"}, "templates/all.yaml": {"a/b:%s", "a/c:%s"}} {
		data, err := os.ReadFile(filepath.Join(newer, name))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(newer, name), []byte(strings.ReplaceAll(string(data), other[0], other[1])), 0o666))
	}
	with := []string{"--chart-dir", "charts"}
	for _, args := range [][]string{
		{"preview", "bad", "-f", "failing.yaml"}, {"preview", "bad", "-f", "failing.yaml", "--as", "helm"}, {"preview", "bad", "-f", "fleet"},
		{"check", "bad", "-f", "failing.yaml"}, {"images", "bad", "-f", "failing.yaml"}, {"preview", "bad", "-f", "schema.yaml"},
		{"check", "bad"}, {"check", "bad", "--severity", "info"}, {"images", "bad"}, {"check", "bad", "-o", "markdown"}, {"images", "bad", "-f", "new.yaml"},
		{"diff", "--manifests", "--dir", "repo", "-f", "new.yaml"}, {"diff", "--manifests", "--dir", "repo", "-f", "new.yaml", "-o", "unified"},
		{"diff", "--manifests", "--dir", "repo", "-f", "new.yaml", "-o", "markdown"},
		{"plan", "bad", "-f", "old.yaml", "--to", "99.0.0"}, {"plan", "bad", "--to", "99.0.0", "-o", "markdown"}, {"plan", "bad", "--to", "99.0.0", "-o", "html"},
		{"values", "./charts/bad", "--diff", "./charts/other"}, {"values", "./charts/other", "--diff", "./charts/bad"},
	} {
		if args[0] != "values" || args[1] == "bad" {
			args = append(args, with...)
		}
		wantTame(t, strings.Join(args, " "), execute(t, dir, args...))
	}
}

// TestAnnotationsSteerNothing: GitHub's annotations are commands to its runner, and each is one of ours.
func TestAnnotationsSteerNothing(t *testing.T) {
	dir := t.TempDir()
	steeringChart(t, dir)
	put(t, dir, "environment.yaml", hostileEnvironment)
	got := execute(t, dir, "check", "bad", "--chart-dir", "charts", "-o", "github")
	got.stdout = regexp.MustCompile(`(?m)^::(error|warning) (file=environment.yaml,line=\d+,col=\d+,)?title=[a-z-]+ \(small bad\)::`).ReplaceAllString(got.stdout, "")
	wantTame(t, "annotations", got)
}

// TestReadmeSteersNothing: a README is printed line by line, and its lines are its own.
func TestReadmeSteersNothing(t *testing.T) {
	dir := t.TempDir()
	steeringChart(t, dir)
	got := execute(t, dir, "values", "./charts/bad", "--show", "readme")
	got.stdout = strings.Replace(got.stdout, "\nok: forged\n", "\n", 1) // the README's
	wantTame(t, "README", got)
}

// TestFilesSteerNothing: what an environment file, its name, and files of a repository hold.
func TestFilesSteerNothing(t *testing.T) {
	dir := t.TempDir()
	name := strings.ReplaceAll(steering, "/", "")
	put(t, dir, "environment.yaml", plain)
	put(t, dir, "name.yaml", strings.Replace(plain, "name: dev", "name: "+written, 1))
	put(t, dir, "field.yaml", strings.Replace(plain, "spec:\n", "spec:\n  "+written+": 1\n", 1))
	put(t, dir, "value.yaml", strings.Replace(plain, "https://ui.company.com", written, 1))
	put(t, dir, "values.yaml", strings.Replace(plain, "text: a text", "text: "+strconv.QuoteToASCII("X\u202e\u200b")+"\n      "+written+": a", 1))
	put(t, dir, "files/"+name+".yaml", "a: 1\n")
	put(t, dir, "overrides.yaml", written+": "+written+"\n")
	must(t, os.Mkdir(filepath.Join(dir, "repo"), 0o777))
	if got := execute(t, dir, "render", "--dir", "repo"); got.code != 0 {
		t.Fatal(got.stderr)
	}
	put(t, dir, "repo/prefect/overlays/dev/prereqs/namespaces.yaml", "apiVersion: v1\nkind: "+written+"\nmetadata: {name: "+written+"}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: workers, annotations: {"+written+": "+written+"}}\n")
	put(t, dir, "repo/prefect/overlays/dev/prereqs/"+name, "a person's")
	for _, args := range [][]string{
		{"validate", "-f", "name.yaml"}, {"validate", "-f", "field.yaml"}, {"validate", "-f", "value.yaml"}, {"validate", "-f", "values.yaml"},
		{"plan", "--to", name}, {"plan", name}, {"plan", "--offline", "-f", "values.yaml"}, {"plan", "--offline", "-f", "values.yaml", "-o", "html"},
		{"validate", "-f", "files"}, {"render", "-f", "files"}, {"validate", "-f", name},
		{"validate", "-e", name}, {"render", "--target", name}, {"render", "--" + name}, {name}, {"render", name}, {"validate", "-o", name},
		{"diff", "--dir", "repo"}, {"diff", "--dir", "repo", "-o", "unified"}, {"diff", "--dir", "repo", "-o", "markdown"}, {"diff", "--dir", name}, {"render", "--dir", name},
		{"init", "-f", name}, {"init", "-f", name}, {"init", "--from", "overrides.yaml", "-f", name + "2"}, {"init", "--ci", name},
		{"preview", name}, {"preview", "--chart-dir", name}, {"check", "--explain", name}, {"values", "./" + name}, {"remove", name, "--dir", "repo"},
		{"status", "--kubeconfig", name}, {"render", "--repo", "ftp://" + name}, {"render", "--repo", "https://127.0.0.1:1/" + name, "--branch", name},
	} {
		wantTame(t, strings.Join(args, " "), execute(t, dir, args...))
	}
}

// TestServersSteerNothing: what a Git server, a registry and a cluster answer.
func TestServersSteerNothing(t *testing.T) {
	t.Run("Git", func(t *testing.T) {
		w := newGitWorld(t)
		w.fleet(1)
		hook := filepath.Join(w.dir, "fleet.git/hooks/pre-receive")
		put(t, w.dir, "fleet.git/hooks/pre-receive", "#!/bin/sh\nprintf '%b' '"+strings.NewReplacer("\\u202e", "\u202e", "\\u200b", "\u200b", "\\u3164", "\u3164", `"`, "", `\x1b`, `\033`).Replace(written)+"' >&2\nexit 1\n")
		must(t, os.Chmod(hook, 0o755))
		env := func(cmd *exec.Cmd) { cmd.Env = w.env }
		for _, args := range [][]string{
			{"render", "-f", "environments", "--dir", ".", "--commit", "--push"},
			{"render", "-f", "environments", "--repo", "file://" + filepath.Join(w.dir, "fleet.git")},
			{"diff", "-f", "environments", "--base", steering},
		} {
			wantTame(t, strings.Join(args, " "), executeCommand(t, filepath.Join(w.dir, "work"), env, args...))
		}
	})
	t.Run("registry", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v2/" {
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"errors": [{"code": ` + asJSON + `, "message": ` + asJSON + `, "detail": ` + asJSON + `}]}`))
		}))
		defer server.Close()
		dir := t.TempDir()
		steeringChart(t, dir)
		put(t, dir, "environment.yaml", strings.Replace(hostileEnvironment, "r.io", server.Listener.Addr().String(), 1))
		for _, args := range [][]string{{"preview", "bad"}, {"check", "bad"}, {"values", "bad"}, {"values", "bad", "--version", "2.0.0"}, {"images", "bad"}} {
			wantTame(t, strings.Join(args, " "), execute(t, dir, append(args, "--cache-dir", filepath.Join(dir, "cache"))...))
		}
	})
	t.Run("cluster", func(t *testing.T) {
		archive, err := txtar.ParseFile(filepath.Join(root, "testdata/script/status.txtar"))
		must(t, err)
		dir, files := t.TempDir(), map[string]string{}
		for _, file := range archive.Files {
			files[file.Name] = string(file.Data)
		}
		put(t, dir, "environment.yaml", files["environment.yaml"])
		rendered := execute(t, dir, "render", "--built").stdout
		status := func(name string, more ...string) {
			streams := [][]byte{[]byte(rendered), []byte(well)}
			for _, one := range more {
				streams = append(streams, []byte(one))
			}
			objects, err := rollouttest.Objects(streams...)
			must(t, err)
			server := clustertest.New(func(string) []unstructured.Unstructured { return objects })
			defer server.Close()
			must(t, clustertest.Kubeconfig(filepath.Join(dir, "kubeconfig"), map[string]*clustertest.Server{"main": server, "x" + steering: server}))
			wantTame(t, name, execute(t, dir, "status", "--kubeconfig", "kubeconfig"))
			if strings.HasPrefix(name, "for good") { // then a watch ends
				wantTame(t, name, execute(t, dir, "status", "--watch", "--kubeconfig", "kubeconfig"))
			}
		}
		status("contexts", files["migrating.yaml"], strings.Replace(files["stalled.yaml"], "InstallFailed", written, 1))
		wantTame(t, "completion", execute(t, dir, "__complete", "status", "--kubeconfig", "kubeconfig", "--context", ""))
		status("a condition", strings.NewReplacer("Running 'upgrade' action with timeout of 10m0s", written).Replace(files["migrating.yaml"]))
		status("a log", strings.Replace(files["migrating.yaml"], `"line 1 of the log`, `"`+strings.Trim(written, `"`)+`\n`, 1))
		status("a failure", strings.Replace(files["failing.yaml"], `"failed to determine`, `"`+strings.Trim(written, `"`), 1))
		status("for good", strings.Replace(files["stalled.yaml"], `"Helm install failed`, `"`+strings.Trim(written, `"`), 1))
		status("a container", strings.NewReplacer("labels: {job-name: app-migrate}", "labels: {job-name: app-migrate}, annotations: {kubectl.kubernetes.io/default-container: "+written+"}", "name: main", "name: "+written).Replace(files["migrating.yaml"]))
		deployment := `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ` + written + `, namespace: apps, generation: 2, labels: {helm.toolkit.fluxcd.io/name: app, helm.toolkit.fluxcd.io/namespace: apps}}
spec: {replicas: 1, selector: {matchLabels: {app: x}}}
status: {observedGeneration: 1, replicas: 0}
`
		status("a pod", files["migrating.yaml"], deployment, `
apiVersion: v1
kind: Pod
metadata: {name: `+written+`, namespace: apps, labels: {app: x}, annotations: {kubectl.kubernetes.io/default-container: `+written+`}}
spec: {containers: [{name: `+written+`}]}
status: {phase: Pending, containerStatuses: [{name: `+written+`, state: {waiting: {reason: `+written+`, message: `+written+`}}}]}
`)
		status("an event", files["migrating.yaml"], deployment, `
apiVersion: v1
kind: Event
metadata: {name: e, namespace: apps}
type: Warning
reason: `+written+`
message: `+written+`
involvedObject: {kind: Deployment, name: `+written+`, namespace: apps}
`)
	})
}
