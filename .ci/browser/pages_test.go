package browser_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// root is the module of the program.
const root = "../.."

// canary is in a Secret of a chart.
const canary = "CANARY"

// hostileChart is the template of a chart whose texts try to be markup, to turn around what
// is beside them, and to be wider than the page. Both versions differ everywhere.
func hostileChart(version string) string {
	long := strings.Repeat("x", 500)
	return fmt.Sprintf(`apiVersion: v1
kind: ConfigMap
metadata:
  name: "a\"onmouseover=\"document.title='owned'"
  annotations:
    long: "%[1]s %[2]s"
    script: "</pre></details></style></title><script>document.title='owned'</script><img src=http://127.0.0.1:1/x onerror=document.title='owned'> %[2]s"
    rtl: "\u202egnp.exe \u2067 %[2]s"
data: {"%[1]s": "%[2]s"}
---
apiVersion: v1
kind: Secret
metadata: {name: hidden}
stringData: {password: "%[3]s-%[2]s"}
`, long, version, canary)
}

// makePages lets the program make its pages, and gives their files by name.
func makePages(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	charts, repository := filepath.Join(dir, "charts"), filepath.Join(dir, "repository")
	for _, folder := range []string{charts, repository} {
		if err := os.Mkdir(folder, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	run(t, 0, "go", "-C", root, "run", ".ci/browser/testdata/charts.go", charts)
	for _, version := range []string{"1.0.0", "2.0.0"} {
		folder := filepath.Join(charts, "hostile-"+version)
		write(t, filepath.Join(folder, "Chart.yaml"), "apiVersion: v2\nname: hostile\nversion: "+version+"\n")
		write(t, filepath.Join(folder, "templates", "all.yaml"), hostileChart(version))
	}
	program := filepath.Join(dir, "pm-gitops")
	run(t, 0, "go", "-C", root, "build", "-o", program, "./cmd/pm-gitops")
	environment, err := os.ReadFile(filepath.Join("testdata", "prod.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	now, later, patch := filepath.Join(dir, "now.yaml"), filepath.Join(dir, "later.yaml"), filepath.Join(dir, "patch.yaml")
	next := strings.NewReplacer("version: 1.0.0", "version: 2.0.0")
	write(t, now, string(environment))
	write(t, later, next.Replace(strings.ReplaceAll(string(environment), "1.2.900", "1.3.900")))
	write(t, patch, next.Replace(strings.ReplaceAll(string(environment), "1.2.900", "1.2.901")))
	run(t, 0, program, "render", "-f", now, "--dir", repository, "--quiet")
	pages := map[string]string{
		"plan":         run(t, 3, program, "plan", "-f", now, "--to", "1.3.900", "--chart-dir", charts, "-o", "html"),
		"plan-release": run(t, 3, program, "plan", "hostile", "-f", now, "--to", "2.0.0", "--chart-dir", charts, "-o", "html"),
		"diff":         run(t, 3, program, "diff", "-f", patch, "--dir", repository, "--manifests", "--chart-dir", charts, "-o", "html"),
		"diff-partial": run(t, 1, program, "diff", "-f", later, "--dir", repository, "--manifests", "--chart-dir", charts, "-o", "html"),
		"diff-files":   run(t, 3, program, "diff", "-f", patch, "--dir", repository, "-o", "html"),
	}
	for name, page := range pages {
		if strings.Contains(page, canary) {
			t.Errorf("%s shows what a Secret holds", name)
		}
		pages[name] = filepath.Join(dir, name+".html")
		write(t, pages[name], page)
	}
	return pages
}

// write writes a file, and makes its folder.
func write(t *testing.T, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, []byte(text), 0o666)); err != nil {
		t.Fatal(err)
	}
}

// run runs a program that must end with a code, and gives what it printed.
func run(t *testing.T, want int, name string, args ...string) string {
	t.Helper()
	var out, log strings.Builder
	command := exec.Command(name, args...)
	command.Stdout, command.Stderr = &out, &log
	err := command.Run()
	if code := command.ProcessState.ExitCode(); code != want {
		t.Fatalf("%s %s: exit code %d, %v, want %d\n%s", name, strings.Join(args, " "), code, err, want, &log)
	}
	return out.String()
}
