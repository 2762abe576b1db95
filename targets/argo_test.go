package targets_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/targets"
)

// TestTargetsGiveTheSameValues: where charts read Secrets themselves, both
// delivery systems hand every chart the same values under the same name.
func TestTargetsGiveTheSameValues(t *testing.T) {
	compared := 0
	for name, file := range samples(t) {
		plan := forArgo(t, file, "3.5")
		argo, err := render.Render(plan, targets.Argo{})
		if err != nil {
			continue // a golden archive has the reason
		}
		// The same plan: by itself Flux would take secrets as values.
		flux := rendered(t, plan, targets.Flux{})
		for _, release := range plan.Releases() {
			helm := helmRelease(t, flux, release.Key)["spec"].(map[string]any)
			application := built(t, argo, "Application", plan.Environment+"-"+release.Key)["spec"].(map[string]any)
			source := application["source"].(map[string]any)["helm"].(map[string]any)
			compared++
			if diff := cmp.Diff(helm["values"], source["valuesObject"]); diff != "" {
				t.Errorf("%s, %s: values (-Flux +Argo CD):\n%s", name, release.Key, diff)
			}
			if helm["releaseName"] != source["releaseName"] {
				t.Errorf("%s, %s: Flux installs %v, Argo CD %v", name, release.Key, helm["releaseName"], source["releaseName"])
			}
		}
	}
	if compared < 8 {
		t.Errorf("compared %d releases, want at least 8", compared)
	}
}
