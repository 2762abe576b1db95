package render_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

const sampleFolder = "../testdata/env"

func readSample(name string) ([]byte, error) { return os.ReadFile(filepath.Join(sampleFolder, name)) }

// sample is the plan of a sample environment with its own catalog.
func sample(t *testing.T, name string, into render.SecretsInto) (render.Environment, render.Plan) {
	t.Helper()
	data, err := readSample(name)
	if err != nil {
		t.Fatal(err)
	}
	env, err := render.Parse(name, data, readSample)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.Embedded()
	if file := env.CatalogFile(); file != "" {
		data, err := readSample(file)
		if err != nil {
			t.Fatal(err)
		}
		own, err := catalog.Parse(file, data)
		if err != nil {
			t.Fatal(err)
		}
		cat = cat.With(own)
	}
	plan, err := render.NewPlan(env, cat, into)
	if err != nil {
		t.Fatal(err)
	}
	return env, plan
}

func eachSample(t *testing.T, check func(t *testing.T, env render.Environment, plan render.Plan)) {
	files, err := filepath.Glob(sampleFolder + "/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d samples, %v", len(files), err)
	}
	for _, file := range files {
		for _, into := range []render.SecretsInto{render.IntoValues, render.IntoChart} {
			t.Run(filepath.Base(file)+" "+string(into), func(t *testing.T) {
				env, plan := sample(t, filepath.Base(file), into)
				check(t, env, plan)
			})
		}
	}
}

// flat is the leaves of a plain value by path.
func flat(value any, path string, into map[string]any) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			flat(inner, strictyaml.Join(path, key), into)
		}
		if len(value) > 0 || path == "" {
			return
		}
	case []any:
		for i, inner := range value {
			flat(inner, strictyaml.Index(path, i), into)
		}
		if len(value) > 0 {
			return
		}
	}
	into[path] = value
}

// TestExplainIsComplete: what is explained of a release is its values, leaf by
// leaf, and its secret inputs; nothing else, nothing less.
func TestExplainIsComplete(t *testing.T) {
	eachSample(t, func(t *testing.T, _ render.Environment, plan render.Plan) { checkComplete(t, plan) })
}

func checkComplete(t *testing.T, plan render.Plan) {
	t.Helper()
	explanation := plan.Explain()
	if len(explanation.Releases) != len(plan.Releases()) {
		t.Fatalf("%d releases are explained, want %d", len(explanation.Releases), len(plan.Releases()))
	}
	for i, release := range plan.Releases() {
		want, got := map[string]any{}, map[string]any{}
		flat(map[string]any(release.Values), "", want)
		var secrets []render.SecretInput
		for _, value := range explanation.Releases[i].Values {
			if value.Secret != nil {
				secrets = append(secrets, render.SecretInput{Path: value.Path, From: *value.Secret})
				continue
			}
			if _, twice := got[value.Path]; twice {
				t.Errorf("%s: %s is explained twice", release.Key, value.Path)
			}
			got[value.Path] = value.Value
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("values of %s (-plan +explained):\n%s", release.Key, diff)
		}
		if len(secrets)+len(release.SecretInputs) > 0 {
			sortInputs := cmpopts.SortSlices(func(a, b render.SecretInput) bool { return a.Path < b.Path })
			if diff := cmp.Diff(release.SecretInputs, secrets, sortInputs); diff != "" {
				t.Errorf("secrets of %s (-plan +explained):\n%s", release.Key, diff)
			}
		}
	}
}

// FuzzExplain: whatever two files say, one laid over the other, everything is
// explained, and from a line that is there.
func FuzzExplain(f *testing.F) {
	f.Add([]byte(layered["dev.yaml"]), []byte(layered["base.yaml"]))
	for _, name := range []string{"own-istio.yaml", "prod.yaml", "mirror.yaml"} {
		data, err := readSample(name)
		if err != nil {
			f.Fatal(err)
		}
		parent, err := readSample("shared/common.yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, parent)
	}
	cat := catalog.Embedded()
	f.Fuzz(func(t *testing.T, source, parent []byte) {
		env, err := render.Parse("dev.yaml", source, func(string) ([]byte, error) { return parent, nil })
		if err != nil {
			return
		}
		// What YAML 1.1 takes for the end of a line.
		lines := 1 + len(regexp.MustCompile("[\r\n\u0085\u2028\u2029]").FindAll(source, -1))
		for _, field := range env.Explain() {
			if o := field.Origin; o.Line < 1 || o.File == "dev.yaml" && o.Line > lines {
				t.Errorf("%s is from %+v", field.Path, o)
			}
		}
		if env.IsDefaults() {
			return
		}
		if plan, err := render.NewPlan(env, cat, render.IntoValues); err == nil {
			checkComplete(t, plan)
		}
	})
}

// TestExplainNamesTheLine: the line of each origin in a file holds the value
// or, where the value follows from a field, what that field says.
func TestExplainNamesTheLine(t *testing.T) {
	lines := map[string][]string{}
	line := func(file string, n int) string {
		if lines[file] == nil {
			name := filepath.Join(sampleFolder, file)
			if file == "<embedded>/catalog.yaml" {
				name = "catalog/catalog.yaml"
			}
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			lines[file] = strings.Split(string(data), "\n")
		}
		return lines[file][n-1]
	}
	eachSample(t, func(t *testing.T, _ render.Environment, plan render.Plan) {
		explanation := plan.Explain()
		checked := 0
		check := func(e render.Explained) {
			if e.Origin.From == render.FromDefault {
				return
			}
			checked++
			want, text := fmt.Sprint(e.Value), line(e.Origin.File, e.Origin.Line)
			switch field := e.Origin.Field; {
			case e.Secret != nil:
				want = string(e.Secret.Secret)
			case field == "spec.registry.mirror" || field == "spec.registry.source":
				_, want, _ = strings.Cut(text, ": ") // the beginning of the value
				if !strings.HasPrefix(fmt.Sprint(e.Value), strings.Fields(want)[0]) {
					t.Errorf("%s: %s = %v does not begin as line %q", e.Path, field, e.Value, text)
				}
			case strings.Contains(want, "\n"):
				want = "|" // a block; its text follows
			case want == "map[]":
				want = "{}"
			}
			if !strings.Contains(text, want) {
				t.Errorf("%s = %v is said to be from %s:%d, which is %q", e.Path, want, e.Origin.File, e.Origin.Line, text)
			}
			if rule := e.Rule; rule != nil && !strings.Contains(line(rule.File, rule.Line), e.Path) && !strings.Contains(e.Path, "[") {
				t.Errorf("%s is said to be set by %s:%d, which is %q", e.Path, rule.File, rule.Line, line(rule.File, rule.Line))
			}
		}
		for _, field := range explanation.Fields {
			check(field)
		}
		for _, release := range explanation.Releases {
			for _, value := range release.Values {
				check(value)
			}
		}
		if checked < 20 {
			t.Errorf("only %d origins were checked", checked)
		}
	})
}

// TestExplainFieldsIsComplete: every scalar of the files is a field, defaults
// are added, and the plan's choice of defaults is what is shown.
func TestExplainFieldsIsComplete(t *testing.T) {
	eachSample(t, func(t *testing.T, env render.Environment, plan render.Plan) {
		inPlan := map[string]any{}
		for _, field := range plan.Explain().Fields {
			inPlan[field.Path] = field.Value
		}
		for _, field := range env.Explain() {
			if diff := cmp.Diff(field.Value, inPlan[field.Path]); diff != "" {
				t.Errorf("%s (-file +plan):\n%s", field.Path, diff)
			}
		}
		for path, want := range map[string]any{
			"spec.delivery.path":         plan.Path,
			"spec.delivery.flux.version": string(plan.Delivery.Flux.Version),
			"spec.delivery.argo.version": string(plan.Delivery.Argo.Version),
			"spec.cluster.name":          plan.Cluster,
			"spec.secrets.into":          string(plan.Secrets.Into),
		} {
			if inPlan[path] != want {
				t.Errorf("%s = %v, want the plan's %v", path, inPlan[path], want)
			}
		}
	})
}

// TestExplainIsStable: the same every time, whatever the order of maps.
func TestExplainIsStable(t *testing.T) {
	eachSample(t, func(t *testing.T, _ render.Environment, plan render.Plan) {
		first, err := json.Marshal(plan.Explain())
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if again, _ := json.Marshal(plan.Explain()); string(again) != string(first) {
				t.Fatal("another explanation of the same plan")
			}
		}
	})
}

// TestExplainDefaultsFile: a file of defaults has fields and no plan.
func TestExplainDefaultsFile(t *testing.T) {
	data, err := readSample("shared/common.yaml")
	if err != nil {
		t.Fatal(err)
	}
	env, err := render.Parse("shared/common.yaml", data, readSample)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, field := range env.Explain() {
		got = append(got, fmt.Sprintf("%s %v %d", field.Path, field.Value, field.Origin.Line))
	}
	want := []string{
		"apiVersion pm-gitops/v1 1", "kind EnvironmentDefaults 2",
		"spec.instance.name customer-managed 4", "spec.instance.ownerEmail owner@company.com 4",
		"spec.versions.prefectCloud 1.2.900 6", "spec.versions.server 2025.10.202511042343 7", "spec.versions.ui 2025.1023.154520 8",
		"spec.registry.pullSecret prefect-registry 9",
	}
	if diff := cmp.Diff(want, got[:len(want)]); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}
