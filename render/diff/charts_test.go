package diff

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	standins "github.com/pm-gitops/pm-gitops/testdata/charts"
)

// made is what an archive of a chart makes, as documents.
func made(t testing.TB, archive []byte, values map[string]any) []Document {
	t.Helper()
	read, err := chart.Load(archive)
	if err != nil {
		t.Fatal(err)
	}
	out, err := read.Render(context.Background(), chart.Input{As: chart.Flux("2.7"), Release: "r", Namespace: "n", Values: values, IsUpgrade: true, OriginNamespace: "n", OriginName: "r"})
	if err != nil {
		t.Fatal(err)
	}
	var documents []Document
	for _, object := range out.Objects {
		documents = append(documents, Document{Within: "r", Source: object.Source, Namespace: "n", YAML: object.YAML})
	}
	return documents
}

// compareCharts holds what real objects differ in to what an edit means: each
// makes the new object of the old one.
func compareCharts(t *testing.T, name string, old, new []Document) {
	t.Helper()
	if r := Compare(new, new); r.Changes != nil || r.Unchanged == 0 {
		t.Errorf("%s and itself: %s", name, r.Summary())
	}
	result := Compare(old, new).Effects(render.ByHelm)
	if len(result.Changes) == 0 || result.Unchanged+result.Count(Added)+result.Count(Changed) < len(new) {
		t.Errorf("%s: %s of %d objects", name, result.Summary(), len(new))
	}
	for _, c := range result.Changes {
		if c.Kind != Changed {
			continue
		}
		edits := compare(c.old.value, c.new.value) // those of the change are masked
		if got := applied(c.old.value, edits, 0); canonical(got) != canonical(c.new.value) {
			t.Errorf("%s: the edits of %s make\n%s, want\n%s", name, c.Object, canonical(got), canonical(c.new.value))
		}
	}
	t.Logf("%s: %s", name, result.Summary())
}

func TestStandInsEdits(t *testing.T) {
	data, err := os.ReadFile("../../testdata/guide/values-override.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var guide map[string]any
	if err := yaml.Unmarshal(data, &guide); err != nil {
		t.Fatal(err)
	}
	for name, values := range map[string]map[string]any{standins.Istiod: {}, standins.Cloud: guide} {
		var before []Document
		for _, version := range []string{"1.2.900", "1.2.901", "1.3.901"} {
			archive, err := standins.Archive(name, version)
			if err != nil {
				t.Fatal(err)
			}
			after := made(t, archive, values)
			if before != nil {
				compareCharts(t, name, before, after)
			}
			before = after
		}
	}
}

func TestPublicChartsEdits(t *testing.T) {
	shared := os.Getenv("PM_GITOPS_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	for name, versions := range map[string][2]string{
		"base": {"1.27.3", "1.28.3"}, "istiod": {"1.27.3", "1.28.3"}, "gateway": {"1.27.3", "1.28.3"}, "metrics-server": {"3.12.2", "3.13.0"},
	} {
		var sides [2][]Document
		for i, version := range versions {
			archive, err := os.ReadFile(filepath.Join(shared, "charts", name+"-"+version+".tgz"))
			if err != nil {
				t.Skipf("no public charts: want %s (set PM_GITOPS_SHARED to the folder with charts)", filepath.Join(shared, "charts"))
			}
			sides[i] = made(t, archive, map[string]any{})
		}
		compareCharts(t, name, sides[0], sides[1])
	}
}
