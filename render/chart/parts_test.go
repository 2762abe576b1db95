package chart_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// helm runs the helm program and gives what it prints.
func helm(t testing.TB, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(helmProgram(t), args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = errors.New(string(exit.Stderr))
		}
		t.Fatalf("helm %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// relatives is a chart whose charts have aliases, conditions, tags, imports,
// and globals.
func relatives() map[string][]byte {
	return map[string][]byte{
		"Chart.yaml": []byte(`apiVersion: v2
name: relatives
version: 1.0.0
kubeVersion: ">=1.29.0-0"
dependencies:
- {name: child, version: 1.x, alias: one, condition: "one.enabled, all.enabled"}
- {name: child, version: 1.x, alias: two, tags: [extra]}
- {name: child, version: 1.x, import-values: [up, {child: inner, parent: taken.over}]}
- {name: spare, version: 1.x, condition: spare.enabled}
`),
		"values.yaml":                []byte("# A comment.\nglobal: {a: 1}\none: {enabled: true, port: 2, gone: null}\nspare: {enabled: false}\ntaken: {over: {y: own}}\n"),
		"README.md":                  []byte("# Relatives\n"),
		"values.schema.json":         []byte("{}"),
		"charts/child/Chart.yaml":    []byte("apiVersion: v2\nname: child\nversion: 1.2.0\n"),
		"charts/child/values.yaml":   []byte("port: 1\ngone: here\nglobal: {a: 9, b: 2}\ninner: {x: 1, y: 2}\nexports: {up: {from: child}}\n"),
		"charts/spare/Chart.yaml":    []byte("apiVersion: v2\nname: spare\nversion: 1.2.0\n"),
		"charts/spare/values.yaml":   []byte("k: 1\n"),
		"charts/unnamed/Chart.yaml":  []byte("apiVersion: v2\nname: unnamed\nversion: 1.2.0\n"),
		"charts/unnamed/values.yaml": []byte("z: 1\n"),
	}
}

// unpackedCharts is charts by name, as files.
func unpackedCharts(t testing.TB) map[string]map[string][]byte {
	t.Helper()
	all := map[string]map[string][]byte{"relatives": relatives()}
	for _, name := range []string{charts.Cloud, charts.Istiod} {
		for _, version := range charts.Versions(name) {
			files, err := charts.Files(name, version)
			if err != nil {
				t.Fatal(err)
			}
			all[name+"-"+version] = files
		}
	}
	return all
}

// write writes files below a new folder.
func write(t testing.TB, name string, files map[string][]byte) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	for file, content := range files {
		file = filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestDefaults: the default values are what the helm program gives templates.
func TestDefaults(t *testing.T) {
	for name, files := range unpackedCharts(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			maps.DeleteFunc(files, func(name string, _ []byte) bool { return strings.Contains(name, "templates/") })
			files["templates/dump.json"] = []byte("kind: K\nvalues: {{ .Values | toJson | quote }}\n")
			c, err := chart.FromFiles(files)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Defaults()
			if err != nil {
				t.Fatal(err)
			}
			out := helm(t, "template", "x", write(t, name, files), "--skip-schema-validation", "--kube-version", "1.33")
			_, text, _ := strings.Cut(string(out), "values: ")
			var dumped string
			if err := json.Unmarshal([]byte(text), &dumped); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(plain(t, []byte(dumped)), plain(t, marshal(t, got))); diff != "" {
				t.Errorf("Defaults (-helm +pm-gitops):\n%s", diff)
			}
		})
	}
}

func marshal(t testing.TB, value any) []byte {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func plain(t testing.TB, data []byte) (value any) {
	t.Helper()
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// TestTexts: a chart's texts are what `helm show` prints.
func TestTexts(t *testing.T) {
	for name, files := range unpackedCharts(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := chart.FromFiles(files)
			if err != nil {
				t.Fatal(err)
			}
			dir := write(t, name, files)
			if want, got := string(helm(t, "show", "values", dir)), string(c.ValuesText())+"\n"; got != want {
				t.Errorf("ValuesText (-helm +pm-gitops):\n%s", cmp.Diff(want, got))
			}
			metadata, err := c.Metadata()
			if want, got := string(helm(t, "show", "chart", dir)), string(metadata)+"\n"; err != nil || got != want {
				t.Errorf("Metadata: %v (-helm +pm-gitops):\n%s", err, cmp.Diff(want, got))
			}
			want, got := string(helm(t, "show", "readme", dir)), string(c.Readme())
			if got != "" {
				got += "\n"
			}
			if got != want {
				t.Errorf("Readme (-helm +pm-gitops):\n%s", cmp.Diff(want, got))
			}
		})
	}
}

// TestParts: charts in a chart are there by alias or name, off or not.
func TestParts(t *testing.T) {
	c, err := chart.FromFiles(relatives())
	if err != nil {
		t.Fatal(err)
	}
	type brief struct {
		Key, Path        string
		Conditions, Tags []string
		Imports          []chart.Import
	}
	var got []brief
	for _, part := range c.Parts().Parts {
		got = append(got, brief{part.Key, part.Path, part.Conditions, part.Tags, part.Imports})
	}
	want := []brief{
		{Key: "child", Path: "relatives/charts/child", Imports: []chart.Import{{Child: "exports.up"}, {Child: "inner", Parent: "taken.over"}}},
		{Key: "one", Path: "relatives/charts/one", Conditions: []string{"one.enabled", "all.enabled"}},
		{Key: "spare", Path: "relatives/charts/spare", Conditions: []string{"spare.enabled"}},
		{Key: "two", Path: "relatives/charts/two", Tags: []string{"extra"}},
		{Key: "unnamed", Path: "relatives/charts/unnamed"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parts (-want +got):\n%s", diff)
	}
	if c.RunsOn(chart.Helm(), "1.29") != nil || !errors.As(c.RunsOn(chart.Helm(), "1.28"), new(chart.KubeVersionError)) || c.RunsOn(chart.Helm(), "x") == nil {
		t.Errorf("RunsOn 1.29 = %v, 1.28 = %v, x = %v", c.RunsOn(chart.Helm(), "1.29"), c.RunsOn(chart.Helm(), "1.28"), c.RunsOn(chart.Helm(), "x"))
	}
}
