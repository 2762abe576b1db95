package targets_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// TestUnverifiedCharts: a delivery system that verifies no signatures of charts is named
// for each rule that requires one, and no other rule.
func TestUnverifiedCharts(t *testing.T) {
	warnings := func(plan render.Plan) (found []string) {
		for _, warning := range plan.Warnings {
			if strings.HasPrefix(warning.Path, "spec.verify") {
				found = append(found, warning.Path+": "+warning.Message)
			}
		}
		return found
	}
	file := samples(t)["signed"]
	const says = " does not verify signatures of charts: nothing in the cluster verifies "
	want := []string{
		"spec.verify[0]: Argo CD" + says + "prefect-istiod, prefect-cloud; pm-gitops mirror verifies the copies",
		"spec.verify[1]: Argo CD" + says + "exporter; pm-gitops mirror verifies the copies",
	}
	if diff := cmp.Diff(want, warnings(forArgo(t, file, "3.1"))); diff != "" {
		t.Errorf("Argo CD (-want +got):\n%s", diff)
	}
	if got := warnings(forFlux(t, file, "2.7")); got != nil {
		t.Errorf("Flux: %q", got)
	}
}

// TestPublicKeysChangeTheSource: another key is another name of the Secret, and so another
// specification of the OCIRepository, without which Flux would not verify again.
func TestPublicKeysChangeTheSource(t *testing.T) {
	file := samples(t)["signed"]
	before := readFile(t, file)
	name := func(source []byte) string {
		repository := built(t, rendered(t, planSource(t, targets.Flux{}, file, source), targets.Flux{}), "OCIRepository", "prefect-cloud-1.2.900")
		return repository["spec"].(map[string]any)["verify"].(map[string]any)["secretRef"].(map[string]any)["name"].(string)
	}
	first := name(before)
	for _, after := range []string{
		strings.Replace(string(before), "      vendor: shared/vendor.pub\n", "", 1),
		strings.Replace(string(before), "      vendor: shared", "      seller: shared", 1),
	} {
		if other := name([]byte(after)); other == first || !strings.HasPrefix(other, "prefect-cloud-public-keys-") {
			t.Errorf("%s, before %s", other, first)
		}
	}
	if again := name([]byte(strings.Replace(string(before), "BEGIN PUBLIC KEY-----\n", "BEGIN PUBLIC KEY-----\n        \n", 1))); again != first {
		t.Errorf("the same key in other lines is %s, before %s", again, first)
	}
}
