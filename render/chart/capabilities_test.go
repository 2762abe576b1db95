package chart

import (
	"errors"
	"slices"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/apis"
)

// TestKubeVersions: what of a cluster's version charts see, and what Helm
// compares (the sources are with [KubeForm]).
func TestKubeVersions(t *testing.T) {
	const whole = "1.33.1-gke.1386000"
	for name, test := range map[string]struct {
		as   Renderer
		want string
		fits bool // >=1.25.0
	}{
		"helm":         {Helm(), "v1.33.1", true},
		"Flux 2.7":     {Flux("2.7"), "v" + whole, false},
		"Flux 2.9":     {Flux("2.9"), "v" + whole, false},
		"Argo CD 2.14": {Argo("2.14"), "v1.33", true},
		"Argo CD 3.3":  {Argo("3.3"), "v1.33", true},
		"Argo CD 3.4":  {Argo("3.4"), "v1.33.1", true},
	} {
		for _, said := range []string{whole, "v" + whole} {
			caps, err := capabilities(Input{As: test.as, KubeVersion: said})
			if err != nil || caps.KubeVersion.Version != test.want || caps.KubeVersion.Minor != "33" {
				t.Errorf("%s: %v, %v, want %s", name, caps.KubeVersion, err, test.want)
			}
			var wrong KubeVersionError
			if err := fits(">=1.25.0", caps); errors.As(err, &wrong) == test.fits {
				t.Errorf("%s: %v, want it to fit: %v", name, err, test.fits)
			}
		}
	}
}

// TestNewestKubernetes: charts are rendered for the newest Kubernetes whose APIs
// are known, where an environment says none.
func TestNewestKubernetes(t *testing.T) {
	if got := apis.Minor(DefaultKubeVersion); got != apis.Newest {
		t.Errorf("the default is 1.%d, and the newest that is known 1.%d", got, apis.Newest)
	}
}

// TestCapabilities: a controller's charts see what a cluster serves, those of
// Argo CD what its helm knows too; what was recorded counts in place of the
// version's list.
func TestCapabilities(t *testing.T) {
	recorded := []apis.API{{Version: "own.example.com/v1", Kinds: []string{"Own"}, Unlisted: []string{"Review"}}}
	for name, test := range map[string]struct {
		in      Input
		has     []string
		hasNone []string
	}{
		"helm":            {Input{As: Helm(), KubeVersion: "1.33", APIVersions: []string{"said/v1"}}, []string{"policy/v1", "policy/v1beta1", "said/v1"}, []string{"policy/v1/PodDisruptionBudget"}},
		"Flux":            {Input{As: Flux("2.7"), KubeVersion: "1.33", APIVersions: []string{"said/v1"}}, []string{"policy/v1", "policy/v1/PodDisruptionBudget", "v1/Binding", "said/v1"}, []string{"policy/v1beta1"}},
		"Flux, old":       {Input{As: Flux("2.7"), KubeVersion: "1.24"}, []string{"policy/v1beta1", "policy/v1beta1/PodDisruptionBudget"}, nil},
		"Flux, any":       {Input{As: Flux("2.7")}, []string{"policy/v1/PodDisruptionBudget"}, []string{"policy/v1beta1"}},
		"Argo CD":         {Input{As: Argo("2.14"), KubeVersion: "1.33"}, []string{"policy/v1/PodDisruptionBudget", "policy/v1beta1"}, []string{"v1/Binding"}},
		"Flux, recorded":  {Input{As: Flux("2.7"), KubeVersion: "1.33", APIs: recorded}, []string{"own.example.com/v1/Own", "own.example.com/v1/Review"}, []string{"v1", "policy/v1"}},
		"Argo, recorded":  {Input{As: Argo("2.14"), KubeVersion: "1.33", APIs: recorded}, []string{"own.example.com/v1/Own", "policy/v1"}, []string{"own.example.com/v1/Review", "policy/v1/PodDisruptionBudget"}},
		"helm, recorded":  {Input{As: Helm(), KubeVersion: "1.33", APIs: recorded}, []string{"own.example.com/v1/Own", "policy/v1"}, []string{"policy/v1/PodDisruptionBudget"}},
		"Flux, empty API": {Input{As: Flux("2.7"), KubeVersion: "1.33", APIs: []apis.API{}}, nil, []string{"v1"}},
	} {
		caps, err := capabilities(test.in)
		if err != nil {
			t.Fatal(err)
		}
		for _, version := range test.has {
			if !caps.APIVersions.Has(version) {
				t.Errorf("%s: no %s", name, version)
			}
		}
		if i := slices.IndexFunc(test.hasNone, caps.APIVersions.Has); i >= 0 {
			t.Errorf("%s: has %s", name, test.hasNone[i])
		}
	}
}
