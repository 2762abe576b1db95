package rollout_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/rollout"
	"github.com/pm-gitops/pm-gitops/targets"
)

var update = flag.Bool("update", false, "rewrite what reports are compared with")

// now is when all reports are made.
var now = time.Date(2026, 3, 14, 3, 0, 0, 0, time.UTC)

// TestReports makes a report of every cluster in testdata. Each is one in
// which all is well but for what its file says.
func TestReports(t *testing.T) {
	for _, target := range targets.All() {
		files, err := filepath.Glob(filepath.Join("testdata", target.Name(), "*.txtar"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no clusters of %s: %v", target.Name(), err)
		}
		for _, file := range files {
			t.Run(target.Name()+"/"+strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { compare(t, target, file) })
		}
	}
}

func compare(t *testing.T, target render.Target, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, cluster := healthy(t, target)
	for i := range archive.Files {
		if f := &archive.Files[i]; f.Name == "cluster.yaml" {
			cluster = patched(t, cluster, f.Data)
		}
	}
	report := rollout.NewReport([]rollout.Environment{r.Report(rollout.Seen{Objects: cluster})})
	for i := range archive.Files {
		f := &archive.Files[i]
		var got []byte
		switch f.Name {
		case "want.txt":
			got = []byte(rollout.Text(report, now, nil))
		case "want.json":
			if got, err = json.MarshalIndent(report, "", "  "); err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
		default:
			continue
		}
		if *update {
			f.Data = got
		} else if diff := cmp.Diff(string(f.Data), string(got)); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", file, f.Name, diff)
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// plan is the environment of testdata for a target, as it is rendered.
func plan(t testing.TB, target render.Target) (render.Plan, []render.Manifest) {
	t.Helper()
	data, err := os.ReadFile("testdata/environment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	env, err := render.Parse("environment.yaml", data, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := render.NewPlan(env, catalog.Embedded(), target.SecretsInto())
	if err != nil {
		t.Fatal(err)
	}
	rendering, err := render.Render(plan, target)
	if err != nil {
		t.Fatal(err)
	}
	return plan, rendering.Manifests
}

// healthy is a rollout, and a cluster in which it is complete: what is
// rendered, with the status that the controllers give it.
func healthy(t testing.TB, target render.Target) (rollout.Rollout, []unstructured.Unstructured) {
	t.Helper()
	plan, manifests := plan(t, target)
	r, err := rollout.New(plan, target.Name(), manifests)
	if err != nil {
		t.Fatal(err)
	}
	var stream []byte
	for _, manifest := range manifests {
		stream = append(append(stream, manifest.YAML...), "\n---\n"...)
	}
	cluster := decoded(t, stream)
	statuses, err := os.ReadFile(filepath.Join("testdata", target.Name(), "healthy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return r, patched(t, cluster, statuses)
}

func decoded(t testing.TB, stream []byte) []unstructured.Unstructured {
	t.Helper()
	var all []unstructured.Unstructured
	for _, document := range bytes.Split(stream, []byte("\n---\n")) {
		data, err := yaml.YAMLToJSON(document)
		if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if string(data) == "null" {
			continue
		}
		var object unstructured.Unstructured
		if err := object.UnmarshalJSON(data); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		all = append(all, object)
	}
	return all
}

// patched lays documents over the objects of the same kind and name, all of
// the kind for the name *, or adds them. In them null takes away, and an
// object of which only the deletion is said goes.
func patched(t testing.TB, cluster []unstructured.Unstructured, stream []byte) []unstructured.Unstructured {
	t.Helper()
	for _, patch := range decoded(t, stream) {
		var kept []unstructured.Unstructured
		found := patch.GetName() == "*"
		for _, object := range cluster {
			if object.GetKind() == patch.GetKind() && (patch.GetName() == "*" || patch.GetName() == object.GetName()) {
				found = true
				if _, gone := patch.Object["gone"]; gone {
					continue
				}
				merge(object.Object, patch.Object)
			}
			kept = append(kept, object)
		}
		if !found {
			kept = append(kept, patch)
		}
		cluster = kept
	}
	return cluster
}

func merge(into, patch map[string]any) {
	for key, value := range patch {
		next, isMap := value.(map[string]any)
		old, wasMap := into[key].(map[string]any)
		switch {
		case value == "*":
		case value == nil:
			delete(into, key)
		case isMap && wasMap:
			merge(old, next)
		case isMap:
			into[key] = map[string]any{}
			merge(into[key].(map[string]any), next)
		default:
			into[key] = value
		}
	}
}
