package chart_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/chart"
)

// pack makes an archive of files below a folder.
func pack(t testing.TB, folder string, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := archive.WriteHeader(&tar.Header{Name: folder + "/" + name, Mode: 0o644, Size: int64(len(files[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// family is a chart with charts in it: one packed with another one inside, one
// by another name, one that is switched off.
func family(t testing.TB) map[string]string {
	inner := pack(t, "inner", map[string]string{"Chart.yaml": "apiVersion: v2\nname: inner\nversion: 1.0.0\n", "values.yaml": "exports: {up: {from: inner}}\n", "crds/c.yaml": "kind: CustomResourceDefinition\nmetadata: {name: c}\n"})
	packed := pack(t, "packed", map[string]string{
		"Chart.yaml":          "apiVersion: v2\nname: packed\nversion: 1.0.0\ndependencies: [{name: inner, version: 1.0.0, import-values: [up]}]\n",
		"charts/inner.tgz":    string(inner),
		"templates/p.yaml":    "kind: P\nfrom: {{ .Values.from }}\nname: {{ .Chart.Name }}\nglobal: {{ .Values.global.x }}\n",
		"templates/NOTES.txt": "thanks",
	})
	return map[string]string{
		"Chart.yaml":                     "apiVersion: v2\nname: family\nversion: 1.0.0\ndependencies:\n- {name: packed, version: 1.x, alias: other}\n- {name: absent, version: 1.0.0, condition: absent.enabled}\n",
		"values.yaml":                    "global: {x: 1}\nabsent: {enabled: false}\n",
		"charts/packed-1.0.0.tgz":        string(packed),
		"charts/absent/Chart.yaml":       "apiVersion: v2\nname: absent\nversion: 1.0.0\n",
		"charts/absent/templates/o.yaml": "kind: O\n",
		"charts/_skipped.tgz":            "no archive",
		"templates/_helpers.tpl":         "{{ define \"x\" }}x: {{ . }}{{ end }}",
		"templates/a.yaml":               "kind: A\n{{ include \"x\" .Template.Name }}\n",
		"templates/b.yaml":               "kind: Namespace\nmetadata: {annotations: {helm.sh/hook: no-such-hook}}\n---\nkind: Namespace\n",
	}
}

// TestChartsInCharts: packed or not, more than once, from one Chart, a chart
// gives what Helm makes of it.
func TestChartsInCharts(t *testing.T) {
	const want = "---\n# Source: family/charts/other/charts/inner/crds/c.yaml\nkind: CustomResourceDefinition\nmetadata: {name: c}\n\n" +
		"---\n# Source: family/templates/b.yaml\nkind: Namespace\n" +
		"---\n# Source: family/templates/a.yaml\nkind: A\nx: family/templates/a.yaml\n" +
		"---\n# Source: family/charts/other/templates/p.yaml\nkind: P\nfrom: inner\nname: other\nglobal: 1\n"
	files := map[string][]byte{}
	for name, text := range family(t) {
		files[name] = []byte(text)
	}
	packed, err := chart.Load(pack(t, "family", family(t)))
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := chart.FromFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []chart.Chart{packed, unpacked, packed} {
		out, err := c.Render(t.Context(), chart.Input{As: chart.Helm(), Release: "r", Namespace: "n"})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(out.Bytes()); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// TestChartsInChartsAsHelm has the helm program say what it makes of them.
func TestChartsInChartsAsHelm(t *testing.T) {
	data := pack(t, "family", family(t))
	file := filepath.Join(t.TempDir(), "family.tgz")
	if err := os.WriteFile(file, data, 0o666); err != nil {
		t.Fatal(err)
	}
	in := chart.Input{As: chart.Helm(), Release: "r", Namespace: "n", KubeVersion: "1.33"}
	want, failure := helmTemplate(t, file, in, nil)
	if failure != "" {
		t.Fatal(failure)
	}
	out, err := load(t, file).Render(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(out.Bytes())); diff != "" {
		t.Errorf("-helm +pm-gitops:\n%s", diff)
	}
}

// TestLargeValuesAreNotParsed: read, they are fifty times as big.
func TestLargeValuesAreNotParsed(t *testing.T) {
	inner := map[string]string{"Chart.yaml": "apiVersion: v2\nname: inner\nversion: 1.0.0\n", "values.yaml": "a: [" + strings.Repeat("a,", 1<<19) + "]\n"}
	files := map[string]string{"Chart.yaml": "apiVersion: v2\nname: large\nversion: 1.0.0\n"}
	for _, name := range []string{"a", "b", "c", "d"} {
		files["charts/"+name+".tgz"] = string(pack(t, "inner", inner))
	}
	_, err := chart.Load(pack(t, "large", files))
	if want := "the values.yaml and Chart.yaml of the chart and of those in it have 4194"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("Load = %v, want %s…", err, want)
	}
	delete(files, "charts/d.tgz")
	if _, err := chart.Load(pack(t, "large", files)); err != nil {
		t.Errorf("three MiB: %v", err)
	}
}

// TestRenderEndsWithItsContext: nobody waits for a template that loops.
func TestRenderEndsWithItsContext(t *testing.T) {
	c, err := chart.FromFiles(map[string][]byte{
		"Chart.yaml":       []byte("apiVersion: v2\nname: slow\nversion: 1.0.0\n"),
		"templates/a.yaml": []byte("{{ range until 30000 }}{{ range until 1000 }}{{ end }}{{ end }}"),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = c.Render(ctx, chart.Input{As: chart.Helm(), Release: "r", Namespace: "n"})
	if want := "chart slow 1.0.0: slow/templates/a.yaml: context deadline exceeded"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// FuzzLoad reads archives, and what is left of them when bytes change: none
// may panic, hang or have a file outside its folder.
func FuzzLoad(f *testing.F) {
	f.Add(pack(f, "family", family(f)))
	f.Add(pack(f, "..", map[string]string{"Chart.yaml": "name: x\nversion: 1.0.0\n"}))
	f.Add([]byte("no archive"))
	f.Fuzz(func(t *testing.T, archive []byte) {
		c, err := chart.Load(archive)
		if err != nil {
			return
		}
		if c.Name() == "" || c.Version() == "" {
			t.Errorf("a chart without name or version: %q %q", c.Name(), c.Version())
		}
	})
}

// FuzzFiles reads charts of any Chart.yaml, values, schema and template, and
// renders what can be read.
func FuzzFiles(f *testing.F) {
	f.Add("name: x\nversion: 1.0.0\n", "a: 1\n", "{}", "kind: {{ .Values.a }}")
	f.Add("name: x\nversion: 1.0.0\ndependencies: [null]\n", "a: &a [*a]\n", `{"$ref": "http://example.com/x"}`, "{{ fail .Values.a }}")
	f.Fuzz(func(t *testing.T, metadata, values, schema, template string) {
		c, err := chart.FromFiles(map[string][]byte{"Chart.yaml": []byte(metadata), "values.yaml": []byte(values), "values.schema.json": []byte(schema), "templates/a.yaml": []byte(template)})
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _ = c.Render(ctx, chart.Input{As: chart.Flux("2.8"), Release: "r", Namespace: "n", OriginName: "r", OriginNamespace: "n"})
	})
}

// TestDefaultKubeVersion keeps the default that of the libraries, as in Helm's
// own releases.
func TestDefaultKubeVersion(t *testing.T) {
	modules, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	linked := regexp.MustCompile(`k8s.io/client-go v0\.(\d+)\.`).FindSubmatch(modules)
	if linked == nil || chart.DefaultKubeVersion != "v1."+string(linked[1])+".0" {
		t.Errorf("the default is %s, and go.mod has %s", chart.DefaultKubeVersion, linked)
	}
	own, err := chart.FromFiles(map[string][]byte{
		"Chart.yaml":       []byte("apiVersion: v2\nname: a\nversion: 1.0.0\nkubeVersion: '>=1.29.0-0'\n"),
		"templates/a.yaml": []byte("kind: {{ .Capabilities.KubeVersion }}"),
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := own.Render(t.Context(), chart.Input{As: chart.Helm(), Release: "r", Namespace: "n"})
	if err != nil || !strings.Contains(string(out.Bytes()), chart.DefaultKubeVersion) {
		t.Errorf("rendered %s, %v", out.Bytes(), err)
	}
}
