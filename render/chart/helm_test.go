package chart_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render/chart"
)

// publicCharts is the names of the public charts that tests find, without
// their folder: each of two releases.
var publicCharts = []string{"base-1.27.3", "base-1.28.3", "gateway-1.27.3", "gateway-1.28.3", "istiod-1.27.3", "istiod-1.28.3", "metrics-server-3.12.2", "metrics-server-3.13.0"}

// publicChart is the archive of a public chart. Charts of others are no part
// of this repository: they are in charts/ below the folder that the environment
// variable PM_GITOPS_SHARED names, or below "shared" beside the repository.
func publicChart(t testing.TB, name string) string {
	t.Helper()
	shared := os.Getenv("PM_GITOPS_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	file := filepath.Join(shared, "charts", name+".tgz")
	if _, err := os.Stat(file); err != nil {
		t.Skipf("no public chart %s: want %s (set PM_GITOPS_SHARED to the folder with charts)", name, file)
	}
	return file
}

// helmProgram is the helm program.
func helmProgram(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("helm")
	if err != nil {
		t.Skip("no helm program in PATH (.ci/run builds one)")
	}
	return program
}

func load(t testing.TB, file string) chart.Chart {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := chart.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// helmTemplate runs `helm template` with the same input, and gives what it
// prints or what it says is wrong.
func helmTemplate(t testing.TB, file string, in chart.Input, values []string) (out []byte, failure string) {
	t.Helper()
	args := []string{"template", in.Release, file, "-n", in.Namespace, "--include-crds"}
	if in.KubeVersion != "" {
		args = append(args, "--kube-version", in.KubeVersion)
	}
	for _, version := range in.APIVersions {
		args = append(args, "--api-versions", version)
	}
	if in.IsUpgrade {
		args = append(args, "--is-upgrade")
	}
	for _, file := range values {
		args = append(args, "-f", file)
	}
	cmd := exec.Command(helmProgram(t), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		said, _, _ := strings.Cut(stderr.String(), "\n\nUse --debug flag")
		return nil, strings.TrimSpace(said)
	}
	return out, ""
}

// valuesOf reads values files as `helm -f` does: maps merge, the rest replaces.
func valuesOf(t testing.TB, files []string) map[string]any {
	t.Helper()
	merged := map[string]any{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		own := map[string]any{}
		if err := yaml.Unmarshal(data, &own); err != nil {
			t.Fatal(err)
		}
		merge(merged, own)
	}
	return merged
}

func merge(into, from map[string]any) {
	for key, value := range from {
		below, isMap := into[key].(map[string]any)
		own, isOwn := value.(map[string]any)
		if isMap && isOwn {
			merge(below, own)
		} else {
			into[key] = value
		}
	}
}

// sets is the values files that a chart is rendered with: none, its own two one
// by one and both together.
func sets(name string) [][]string {
	kind := name[:strings.LastIndex(name, "-")]
	one, two := filepath.Join("testdata", "values", kind+".yaml"), filepath.Join("testdata", "values", kind+"-more.yaml")
	return [][]string{nil, {one}, {two}, {one, two}}
}

// compareWithHelm renders a chart as the helm program does, with several
// values files, for an install and an upgrade, on clusters that serve more and
// less: the bytes are the same, or what is said to be wrong. It gives how many
// times there were bytes.
func compareWithHelm(t *testing.T, file string, sets [][]string) (rendered int) {
	t.Helper()
	c := load(t, file)
	for i, files := range sets {
		for _, upgrade := range []bool{false, true} {
			in := chart.Input{As: chart.Helm(), Release: "my-release", Namespace: "some-place", KubeVersion: "1.33", IsUpgrade: upgrade}
			if (i%2 == 0) == upgrade {
				in.APIVersions = []string{"monitoring.coreos.com/v1", "gateway.networking.k8s.io/v1/Gateway", "networking.istio.io/v1"}
			}
			want, failure := helmTemplate(t, file, in, files)
			in.Values = valuesOf(t, files)
			out, err := c.Render(t.Context(), in)
			switch {
			case failure != "":
				if err == nil || sortedLines(failure) != sortedLines("Error: "+strings.TrimPrefix(err.Error(), "chart "+c.Name()+" "+c.Version()+": ")) {
					t.Errorf("values %d, upgrade %v: %v; helm says\n%s", i, upgrade, err, failure)
				}
				continue
			case err != nil:
				t.Fatal(err)
			}
			rendered++
			if got := out.Bytes(); !bytes.Equal(got, want) {
				t.Errorf("values %d, upgrade %v, apis %v (-helm +pm-gitops):\n%s", i, upgrade, in.APIVersions, cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")))
			}
		}
	}
	return rendered
}

// sortedLines is a text without the order of its lines: Helm lists what a
// schema refuses in the order of a map.
func sortedLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestSameAsHelm renders every public chart as the helm program does.
func TestSameAsHelm(t *testing.T) {
	helmProgram(t)
	for _, name := range publicCharts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if rendered := compareWithHelm(t, publicChart(t, name), sets(name)); rendered != 8 {
				t.Errorf("%d of 8 were rendered", rendered)
			}
		})
	}
}

// TestSameBytes renders a chart often, and at the same time, from one Chart.
func TestSameBytes(t *testing.T) {
	c := load(t, publicChart(t, "istiod-1.28.3"))
	in := chart.Input{As: chart.Helm(), Release: "istiod", Namespace: "istio-system", KubeVersion: "1.33", Values: map[string]any{"global": map[string]any{"hub": "registry.company.com/istio"}}}
	first, err := c.Render(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			out, err := c.Render(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(out.Bytes(), first.Bytes()) {
				t.Error("another render gave other bytes")
			}
		})
	}
}
