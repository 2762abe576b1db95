package targets_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/targets"
)

// TestTraits: what is asked before an environment is known does not depend on
// the release of the delivery system, and what does depend on it changes with
// the release that it came with.
func TestTraits(t *testing.T) {
	for _, target := range []render.Target{targets.Flux{}, targets.Argo{}} {
		newest := render.Delivery{Flux: render.Flux{Version: "2.9"}, Argo: render.Argo{Version: "3.5", Charts: render.ChartsOCI}}
		got, want := target.Traits(render.Delivery{}), target.Traits(newest)
		if !slices.Contains(chart.Names(), got.Renderer) || got.Title == "" || len(got.SecretsInto) == 0 || len(got.SecretsFrom) == 0 {
			t.Errorf("%s: %+v", target.Name(), got)
		}
		want.Version, want.AwaitsReadyPods, want.UpgradesFailedInstalls = got.Version, got.AwaitsReadyPods, got.UpgradesFailedInstalls
		want.SkipsFirstWait, want.PinsDigests, want.AppliesServerSide = got.SkipsFirstWait, got.PinsDigests, got.AppliesServerSide
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, and for its newest release %+v", target.Name(), got, want)
		}
	}
	for version, want := range map[render.FluxVersion][5]bool{"2.6": {true, false, true, false, false}, "2.7": {true, true, false, false, false}, "2.8": {false, true, false, true, true}, "2.9": {false, true, false, true, false}} {
		of := targets.Flux{}.Traits(render.Delivery{Flux: render.Flux{Version: version}})
		if got := [5]bool{of.AwaitsReadyPods, of.UpgradesFailedInstalls, of.SkipsFirstWait, of.AppliesServerSide, of.CombinesHooks != ""}; got != want {
			t.Errorf("Flux %s: %v, want %v", version, got, want)
		}
	}
	for charts, want := range map[render.ArgoCharts]bool{"": false, render.ChartsHelm: false, render.ChartsOCI: true} {
		if got := (targets.Argo{}).Traits(render.Delivery{Argo: render.Argo{Charts: charts}}).PinsDigests; got != want {
			t.Errorf("Argo CD with charts %q pins digests: %v, want %v", charts, got, want)
		}
	}
}
