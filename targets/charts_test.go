package targets_test

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/targets"
	"github.com/pm-gitops/pm-gitops/targets/internal/charttest"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// TestChartsTakeTheValues: of every sample environment, what the HelmReleases
// say and what their values Secrets hold are values that the stand-in charts
// of its versions take, schema included, and render.
func TestChartsTakeTheValues(t *testing.T) {
	taken := 0
	for name, file := range samples(t) {
		plan := forFlux(t, file, "2.7")
		rendering, err := render.Render(plan, targets.Flux{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, wave := range plan.Waves {
			for _, release := range wave {
				chart, err := charts.Chart(release.Key, string(release.Chart.Version))
				if err != nil {
					continue // a release of the sample's own, or a version without a stand-in
				}
				taken++
				values := releaseValues(t, plan, rendering, release.Key)
				if _, err := charttest.Render(chart, values, charttest.Options{}); err != nil {
					t.Errorf("%s: %s %s: %v", name, release.Key, release.Chart.Version, err)
				}
			}
		}
	}
	if taken < 10 {
		t.Errorf("%d releases were rendered, want at least 10", taken)
	}
}

// releaseValues gives what Helm gets: the values that the HelmRelease has inline,
// over those of the Secrets that it names, as `secrets list` prints them.
func releaseValues(t *testing.T, plan render.Plan, rendering render.Rendering, key string) map[string]any {
	t.Helper()
	spec := helmRelease(t, rendering, key)["spec"].(map[string]any)
	values := map[string]any{}
	if _, ok := spec["valuesFrom"]; ok {
		values = secretDocument(t, plan, spec)
	}
	inline, _ := spec["values"].(map[string]any)
	return chartutil.CoalesceTables(inline, values)
}

// TestChartsReadTheCatalogsSecrets: what the stand-ins' catalog says of the
// Secrets that 1.2.900 reads is true.
func TestChartsReadTheCatalogsSecrets(t *testing.T) {
	line := standIn(t)
	chart, err := charts.Chart(render.PrefectCloud, "1.2.900")
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(readFile(t, "../testdata/guide/values-override.yaml"), &values); err != nil {
		t.Fatal(err)
	}
	values["createAppSecretsInChart"] = false
	rendering, err := charttest.Render(chart, values, charttest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for secret, keys := range line {
		for _, key := range keys {
			if !reads(rendering, secret, key) {
				t.Errorf("the chart does not read key %s of Secret %s", key, secret)
			}
		}
	}
}

func reads(rendering charttest.Rendering, secret, key string) bool {
	for _, object := range rendering.Objects {
		if strings.Contains(object.Source, "name: "+secret+"\n") && strings.Contains(object.Source, "key: "+key+"\n") {
			return true
		}
	}
	return false
}

// standIn gives the Secrets that the samples' catalog names.
func standIn(t *testing.T) map[string][]string {
	t.Helper()
	var file struct {
		Lines []struct {
			Secrets map[string][]string `yaml:"secrets"`
		} `yaml:"lines"`
	}
	if err := yaml.Unmarshal(readFile(t, "../testdata/env/shared/stand-in.yaml"), &file); err != nil {
		t.Fatal(err)
	}
	return file.Lines[0].Secrets
}
