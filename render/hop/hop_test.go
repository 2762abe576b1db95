package hop_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// values reads values, laid over those of the vendor's guide.
func values(t testing.TB, text string) map[string]any {
	t.Helper()
	data, err := os.ReadFile("../../testdata/guide/values-override.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return overlay(parsed(t, string(data)), parsed(t, text))
}

func parsed(t testing.TB, text string) (all map[string]any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// overlay lays values over others; null takes a value out.
func overlay(below, above map[string]any) map[string]any {
	for key, value := range above {
		first, isMap := below[key].(map[string]any)
		second, both := value.(map[string]any)
		switch {
		case value == nil:
			delete(below, key)
		case isMap && both:
			below[key] = overlay(first, second)
		default:
			below[key] = value
		}
	}
	return below
}

// guideSecrets is where the guide has secrets.
var guideSecrets = []string{"global.authProvider.adfs.clientSecret", "db.serviceuser.password", "db.superuser.password"}

func standIn(t testing.TB, name, version string) chart.Chart {
	t.Helper()
	files, err := charts.Files(name, version)
	if err != nil {
		t.Fatal(err)
	}
	return load(t, files)
}

func load(t testing.TB, files map[string][]byte) chart.Chart {
	t.Helper()
	c, err := chart.FromFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func side(c chart.Chart, values map[string]any) hop.Side {
	return hop.Side{Chart: c, Values: values, Make: func(ctx context.Context, values map[string]any) ([]chart.Object, error) {
		out, err := c.Render(ctx, chart.Input{As: chart.Helm(), Release: c.Name(), Namespace: "prefect", KubeVersion: "1.33", IsUpgrade: true, Values: values})
		return out.Objects, err
	}}
}

func analyze(t testing.TB, in hop.Input) hop.Analysis {
	t.Helper()
	in.Release = "prefect-cloud"
	a, err := hop.Analyze(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if a.Exhausted || a.Unrendered != "" {
		t.Errorf("%d renders, exhausted: %v, unrendered: %q", a.Renders, a.Exhausted, a.Unrendered)
	}
	return a
}

// told gives findings on a line each, without sentences.
func told(a hop.Analysis) (lines []string) {
	for _, f := range a.Findings {
		line := fmt.Sprintf("%s %s %s", f.Class, f.Severity, f.Certainty)
		if f.Blocks {
			line += " blocks"
		}
		if f.From != "" {
			line += " from " + f.From
		}
		if f.To != "" {
			line += " to " + f.To
		}
		if f.From == "" && f.To == "" {
			line += " " + strings.Join(f.Objects, " ")
		}
		for _, e := range f.Edits {
			line += "; " + e.String()
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

// compare compares lines with those that are wanted, and shows the messages of what is
// not.
func compare(t *testing.T, a hop.Analysis, want []string) {
	t.Helper()
	got := told(a)
	want = slices.Sorted(slices.Values(want))
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("missing: %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("extra:   %s", line)
		}
	}
}
