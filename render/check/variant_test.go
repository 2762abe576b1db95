package check_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// TestVariants: nothing is found by the names of the stand-ins: with names that
// a seed chooses, the migrations and the loops are found all the same.
func TestVariants(t *testing.T) {
	for seed := range uint64(4) {
		files, names, err := charts.Variant(seed, true)
		if err != nil {
			t.Fatal(err)
		}
		loop := names["lease-reaper"]
		s := setting{once: true, spec: fmt.Sprintf("versions: {prefectCloud: 1.3.901}\nvalues: {prefect-cloud: {services: {%s: {replicas: 2}}}}", loop)}
		found := findIn(t, s, s.environment(), func(release render.Release) (map[string][]byte, error) {
			if release.Key == render.PrefectCloud {
				return files, nil
			}
			return s.standIn(release)
		})
		if got := told(ofID(found, "singleton-replicas")); !strings.Contains(got, "Deployment/"+loop+" spec.replicas") {
			t.Errorf("seed %d: loop %s: found\n%s", seed, loop, got)
		}
		if got := told(ofID(found, "migration-setting")); !strings.Contains(got, "migrates before the services") {
			t.Errorf("seed %d: found\n%s", seed, told(found))
		}
	}
}
