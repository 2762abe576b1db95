//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// helmProgram is the helm program.
func helmProgram(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("helm")
	if err != nil {
		t.Skip("no helm program in PATH (.ci/run builds one)")
	}
	return program
}

// printed runs a program in a folder and gives what it prints.
func printed(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s", args, err, stderr.String())
	}
	return string(out)
}

// previewFolder is the environment and the charts of the script of preview,
// unpacked and, in the folder packed, as archives; with the values that its
// release app has, the placeholder of a secret among them.
func previewFolder(t testing.TB) string {
	t.Helper()
	helm, dir := helmProgram(t), t.TempDir()
	archive, err := txtar.ParseFile(filepath.Join(root, "testdata/script/preview.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	if err := txtar.Write(archive, dir); err != nil {
		t.Fatal(err)
	}
	if err := txtar.Write(&txtar.Archive{Files: []txtar.File{{Name: "values.yaml", Data: []byte("replicas: 1000000\ndb: {password: FILL-IN app/pw}\n")}}}, dir); err != nil {
		t.Fatal(err)
	}
	printed(t, dir, helm, "package", "charts/app", "charts/lib-0.1.0", "-d", "packed")
	return dir
}

// TestPreviewIsHelmTemplate compares the command with the helm program: CRDs,
// hooks, tests, an ignored file, an install and an upgrade, packed and not.
func TestPreviewIsHelmTemplate(t *testing.T) {
	dir := previewFolder(t)
	helm := func(args ...string) string {
		return printed(t, dir, append([]string{helmProgram(t), "template", "--include-crds", "--kube-version", "1.33", "--api-versions", "example.com/v1"}, args...)...)
	}
	preview := func(args ...string) string {
		return printed(t, dir, append([]string{"pm-gitops", "preview", "--as", "helm", "--show-secrets"}, args...)...)
	}
	for _, charts := range []string{"charts", "packed"} {
		for _, mode := range [][]string{nil, {"--is-upgrade"}} {
			want := helm(append([]string{"app", "charts/app", "-n", "apps", "-f", "values.yaml"}, mode...)...)
			if diff := cmp.Diff(want, preview(append([]string{"app", "--chart-dir", charts}, mode...)...)); diff != "" {
				t.Errorf("app from %s %v (-helm +pm-gitops):\n%s", charts, mode, diff)
			}
			want = helm(append([]string{"lib", "charts/lib-0.1.0", "-n", "libs"}, mode...)...)
			if diff := cmp.Diff(want, preview(append([]string{"lib", "--chart-dir", charts}, mode...)...)); diff != "" {
				t.Errorf("lib from %s %v (-helm +pm-gitops):\n%s", charts, mode, diff)
			}
		}
	}
}

// BenchmarkPreview is a preview of two charts, by turns with two runs of the
// helm program; ratio is ours to Helm's.
func BenchmarkPreview(b *testing.B) {
	small := previewFolder(b)
	b.Run("small", func(b *testing.B) {
		besideHelm(b, small, "packed", [2]string{"app", "lib"}, [2]string{"app-1.0.0", "lib-0.1.0"})
	})
	b.Run("istiod and metrics-server", func(b *testing.B) {
		shared := os.Getenv("PM_GITOPS_SHARED")
		if shared == "" {
			shared, _ = filepath.Abs(filepath.Join(root, "../shared"))
		}
		charts := filepath.Join(shared, "charts")
		if _, err := os.Stat(charts); err != nil {
			b.Skipf("no public charts: want %s (set PM_GITOPS_SHARED to the folder with charts)", charts)
		}
		besideHelm(b, publicFolder(b), charts, [2]string{"mesh", "metrics"}, [2]string{"istiod-1.28.3", "metrics-server-3.13.0"})
	})
}

// publicFolder is a folder with an environment of two public charts.
func publicFolder(b *testing.B) string {
	dir := b.TempDir()
	text, _, _ := strings.Cut(hostileEnvironment, "  releases:")
	text += "  releases:\n  - {name: mesh, chart: oci://r.io/charts/istiod, version: 1.28.3, namespace: mesh}\n" +
		"  - {name: metrics, chart: oci://r.io/charts/metrics-server, version: 3.13.0, namespace: metrics}\n"
	if err := os.WriteFile(filepath.Join(dir, "environment.yaml"), []byte(text), 0o666); err != nil {
		b.Fatal(err)
	}
	return dir
}

// besideHelm measures a preview of two releases, and helm for each of them.
func besideHelm(b *testing.B, dir, charts string, releases, archives [2]string) {
	values := filepath.Join(dir, "values.yaml")
	if err := os.WriteFile(values, []byte("db: {password: FILL-IN app/pw}\n"), 0o666); err != nil {
		b.Fatal(err)
	}
	var ours, helms time.Duration
	for b.Loop() {
		start := time.Now()
		printed(b, dir, "pm-gitops", "preview", releases[0], releases[1], "--as", "helm", "--chart-dir", charts)
		between := time.Now()
		for _, archive := range archives {
			printed(b, dir, helmProgram(b), "template", "r", filepath.Join(charts, archive+".tgz"), "-f", values, "--include-crds", "--kube-version", "1.33")
		}
		ours, helms = ours+between.Sub(start), helms+time.Since(between)
	}
	b.ReportMetric(float64(ours.Milliseconds())/float64(b.N), "ms/preview")
	b.ReportMetric(float64(helms.Milliseconds())/float64(b.N), "ms/helm")
	b.ReportMetric(float64(ours)/float64(helms), "ratio")
}
