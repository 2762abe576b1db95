package charttest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/targets/internal/charttest"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// TestOdditiesAreOff: what one renders twice is the same, with and without
// Istio in the cluster; and each switch does what its name says.
func TestOdditiesAreOff(t *testing.T) {
	withIstio := charttest.Options{APIVersions: []string{"networking.istio.io/v1"}}
	rendered := func(switched string, o charttest.Options) map[string]charttest.Object {
		values := set(guide(t), map[string]any{"global.imagePullSecret": "login"})
		if switched != "" {
			set(values, map[string]any{"oddities." + switched: true})
		}
		return named(render(t, charts.Cloud, "1.2.900", values, o))
	}
	plain := rendered("", charttest.Options{})
	if diff := cmp.Diff(plain, rendered("", withIstio)); diff != "" {
		t.Errorf("rendered twice:\n%s", diff)
	}
	for switched, does := range map[string]func(objects map[string]charttest.Object) bool{
		"randomSecret": func(objects map[string]charttest.Object) bool {
			return objects["Secret session-key"].Source != rendered("randomSecret", withIstio)["Secret session-key"].Source
		},
		"capabilityGate": func(objects map[string]charttest.Object) bool {
			return objects["DestinationRule auth"].Map != nil && rendered("capabilityGate", charttest.Options{})["DestinationRule auth"].Map == nil
		},
		"lookup": func(objects map[string]charttest.Object) bool {
			return objects["ConfigMap cluster-facts"].At("data", "namespace-exists") == "false"
		},
		"missingPullSecret": func(objects map[string]charttest.Object) bool {
			return !strings.Contains(objects["Deployment logs"].Source, "imagePullSecrets") && strings.Contains(objects["Deployment auth"].Source, "imagePullSecrets")
		},
		"imageInConfigMap": func(objects map[string]charttest.Object) bool {
			return strings.Contains(objects["ConfigMap job-template"].Source, "image: docker.io/library/busybox")
		},
		"tagInLabel": func(objects map[string]charttest.Object) bool {
			return objects["Deployment auth"].At("metadata", "labels", "pm-gitops.fixture/server-tag") == "2025.10.202511042343"
		},
	} {
		objects := rendered(switched, withIstio)
		if cmp.Equal(plain, objects) || !does(objects) {
			t.Errorf("oddities.%s does not do what it says", switched)
		}
	}
}

// TestIstioDiscoveryValues take effect, though the wrapper's values do not
// list them: a sub-chart keeps its defaults under another name.
func TestIstioDiscoveryValues(t *testing.T) {
	chart, err := charts.Chart(charts.Istiod, "1.2.900")
	if err != nil {
		t.Fatal(err)
	}
	if listed := leaves(chart.Values); cmp.Diff([]string{"global.imagePullSecrets", "global.istioNamespace", "istioBase.enabled", "istioCNI.enabled", "istioDiscovery.enabled"}, listed) != "" {
		t.Errorf("the wrapper's values are %v", listed)
	}
	values := set(map[string]any{}, map[string]any{"istioDiscovery.replicaCount": 2, "istioDiscovery.hub": "reg.corp/istio", "istioCNI.enabled": true})
	objects := named(render(t, charts.Istiod, "1.2.900", values, charttest.Options{}))
	if got := objects["Deployment istiod"].At("spec", "replicas"); got != 2.0 {
		t.Errorf("replicas = %v, want 2", got)
	}
	if !strings.Contains(objects["Deployment istiod"].Source, "image: reg.corp/istio/pilot:1.27.900\n") {
		t.Error("istiod's image is not from the other hub")
	}
	if _, ok := objects["DaemonSet istio-cni-node"]; !ok {
		t.Error("no CNI")
	}
	injector := objects["ConfigMap istio-sidecar-injector"]
	if config, _ := injector.At("data", "config").(string); !strings.Contains(config, `image: "{{ .ProxyImage }}"`) {
		t.Errorf("the injector's templates are %s", config)
	}
	if said, _ := injector.At("data", "values").(string); !strings.Contains(said, `"hub": "reg.corp/istio"`) || !strings.Contains(said, `"image": "proxyv2"`) {
		t.Errorf("the injector's values are %s", said)
	}
}

// TestWebhooks: the injector's leads to the release's namespace; the
// validator's fails open on install only.
func TestWebhooks(t *testing.T) {
	for _, upgrade := range []bool{false, true} {
		objects := named(render(t, charts.Istiod, "1.2.900", map[string]any{}, charttest.Options{Upgrade: upgrade}))
		validating := objects["ValidatingWebhookConfiguration istio-validator-istio-system"]
		if open := strings.Contains(validating.Source, "failurePolicy: Ignore"); validating.Map == nil || open == upgrade {
			t.Errorf("upgrade %v: failurePolicy Ignore is %v", upgrade, open)
		}
		mutating := objects["MutatingWebhookConfiguration istio-sidecar-injector"]
		if !strings.Contains(mutating.Source, "namespace: istio-system\n") {
			t.Errorf("injector: %s", mutating.Source)
		}
	}
}

// TestDefinitions: 1.3.900 adds one kind, and drops a version only if asked to.
func TestDefinitions(t *testing.T) {
	of := func(version string, dropped bool) map[string]bool {
		values := set(map[string]any{}, map[string]any{"istioBase.breaking.droppedCRDVersion": dropped})
		return definitions(render(t, charts.Istiod, version, values, charttest.Options{}))
	}
	want := of("1.2.900", true) // a switch that this line does not have
	want["networking.istio.io/v1 ServiceEntry"] = true
	want["networking.istio.io/v1beta1 ServiceEntry"] = true
	if diff := cmp.Diff(want, of("1.3.900", false)); diff != "" {
		t.Errorf("kinds of 1.3.900 (-want +got):\n%s", diff)
	}
	delete(want, "networking.istio.io/v1beta1 Gateway")
	if diff := cmp.Diff(want, of("1.3.900", true)); diff != "" {
		t.Errorf("kinds without the old version (-want +got):\n%s", diff)
	}
}
