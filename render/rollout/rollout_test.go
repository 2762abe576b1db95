package rollout_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/rollout"
	"github.com/pm-gitops/pm-gitops/render/rollout/rollouttest"
	"github.com/pm-gitops/pm-gitops/targets"
)

var update = flag.Bool("update", false, "rewrite what reports are compared with")

// now is when all reports are made.
var now = time.Date(2026, 3, 14, 3, 0, 0, 0, time.UTC)

// TestReports makes a report of every cluster in testdata. Each is one in
// which all is well but for what its file says.
func TestReports(t *testing.T) {
	for _, target := range []render.Target{targets.Flux{}, targets.Argo{}} {
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
	for _, f := range archive.Files {
		if f.Name == "cluster.yaml" {
			cluster = append(cluster, f.Data)
		}
	}
	objects, err := rollouttest.Objects(cluster...)
	if err != nil {
		t.Fatal(err)
	}
	rollouttest.Compared(objects)
	report := rollout.NewReport([]rollout.Environment{r.Report(rollout.Seen{Objects: objects})})
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
	plan, err := render.PlanFor(env, catalog.Embedded(), target)
	if err != nil {
		t.Fatal(err)
	}
	rendering, err := render.Render(plan, target)
	if err != nil {
		t.Fatal(err)
	}
	return plan, rendering.Manifests
}

// healthy is a rollout, and YAML of a cluster in which it is complete: what is
// rendered, with the status that the controllers give it.
func healthy(t testing.TB, target render.Target) (rollout.Rollout, [][]byte) {
	t.Helper()
	plan, manifests := plan(t, target)
	r, err := rollout.New(plan, target, manifests)
	if err != nil {
		t.Fatal(err)
	}
	statuses, err := os.ReadFile(filepath.Join("testdata", target.Name(), "healthy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var streams [][]byte
	for _, manifest := range manifests {
		streams = append(streams, manifest.YAML)
	}
	return r, append(streams, statuses)
}
