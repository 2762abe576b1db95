package charttest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/targets/internal/charttest"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// scenario is one way to install prefect-cloud.
type scenario struct {
	version, migrations, mode       string
	embedded, existing, allSwitches bool
}

func (s scenario) String() string {
	return fmt.Sprintf("%s,%s,%s,embedded=%v,existing=%v,all=%v", s.version, s.migrations, s.mode, s.embedded, s.existing, s.allSwitches)
}

func (s scenario) values(t *testing.T) map[string]any {
	next := s.version >= "1.3"
	values := set(override(t, s.version), map[string]any{
		"migrations.delivery": s.migrations, "serviceMesh.authorizationMode": s.mode,
	})
	if next {
		set(values, map[string]any{"secrets.create": !s.existing, "db.embedded.enabled": s.embedded, "redis.embedded.enabled": s.embedded})
	} else {
		set(values, map[string]any{"createAppSecretsInChart": !s.existing, "db.use_embedded": s.embedded, "redis.use_embedded": s.embedded})
	}
	if !s.allSwitches {
		return values
	}
	set(values, map[string]any{
		"global.imagePullSecrets": []any{"one", map[string]any{"name": "two"}}, "global.imagePullSecret": "three",
		"istio.revision": "1-28", "ingress.enabled": true, "ingress.className": "nginx", "ingress.annotations": map[string]any{"a": "b"},
		"serviceAccount.perService": true, "autoscaling.enabled": true, "smtp.enabled": true, "smtp.password": "p", "urlquery": true,
		"services.server.resources": map[string]any{"requests": map[string]any{"cpu": "1"}}, "db.embedded.storage": "",
		"breaking.changedSelector": true, "oddities.randomSecret": true, "oddities.lookup": true, "oddities.imageInConfigMap": true,
		"oddities.tagInLabel": true, "oddities.capabilityGate": true, "oddities.missingPullSecret": true,
	})
	if next {
		return set(values, map[string]any{"ingress.tls": []any{map[string]any{"secretName": "tls"}}})
	}
	return set(values, map[string]any{"ingress.tls": map[string]any{"enabled": true, "secretName": "tls"}})
}

// scenarios gives every version in every mode with every kind of database and
// Secrets, and in each of those one of the deliveries in turn.
func scenarios() []scenario {
	var all []scenario
	for _, version := range charts.Versions(charts.Cloud) {
		for i, mode := range []string{"policy", "proxy", "traefik"} {
			for bits := range 5 {
				migrations := []string{"hook", "job", "pod"}[(i+bits)%3]
				all = append(all, scenario{version, migrations, mode, bits&1 != 0, bits&2 != 0, bits == 4})
			}
		}
	}
	return all
}

// theSecrets are those that exist when the chart makes none.
var theSecrets = []string{
	"nebula-user-connection-strings", "orion-user-connection-strings", "events-user-connection-strings",
	"nebula-replica-user-connection-strings", "orion-replica-user-connection-strings", "events-replica-user-connection-strings",
	"redis-connection-strings", "auth-provider",
}

// TestObjectsAreWhatAnAPIServerTakes renders every version of prefect-cloud in
// many ways, and looks at each object as an API server does.
func TestObjectsAreWhatAnAPIServerTakes(t *testing.T) {
	custom := map[string]map[string]bool{}
	for _, version := range charts.Versions(charts.Istiod) {
		custom[version] = definitions(render(t, charts.Istiod, version, map[string]any{}, charttest.Options{}))
	}
	for _, s := range scenarios() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			o := charttest.Options{}
			if s.allSwitches {
				o.APIVersions = []string{"networking.istio.io/v1"}
			}
			existing := []string{"prefect-encryption"}
			if s.existing {
				existing = append(existing, theSecrets...)
			}
			rendering := render(t, charts.Cloud, s.version, s.values(t), o)
			inspect(t, rendering.Objects, custom[s.version], existing...)
			for _, object := range rendering.Objects {
				if s.mode == "traefik" && strings.Contains(object.Source, "istio.io/v1") && !s.allSwitches {
					t.Errorf("%s %s without Istio", object.Kind(), object.Name())
				}
			}
			if !strings.Contains(rendering.Notes, "https://prefect-ui.company.com") {
				t.Errorf("notes = %q", rendering.Notes)
			}
		})
	}
}

// definitions gives the kinds that a rendering defines, "APIVERSION KIND".
func definitions(rendering charttest.Rendering) map[string]bool {
	kinds := map[string]bool{}
	for _, object := range rendering.Objects {
		if object.Kind() != "CustomResourceDefinition" {
			continue
		}
		for _, version := range object.At("spec", "versions").([]any) {
			name := version.(map[string]any)["name"]
			kinds[fmt.Sprintf("%v/%v %v", object.At("spec", "group"), name, object.At("spec", "names", "kind"))] = true
		}
	}
	return kinds
}

// TestIstiodObjectsAreWhatAnAPIServerTakes: the same of prefect-istiod.
func TestIstiodObjectsAreWhatAnAPIServerTakes(t *testing.T) {
	for _, version := range charts.Versions(charts.Istiod) {
		for _, upgrade := range []bool{false, true} {
			values := set(map[string]any{}, map[string]any{
				"istioCNI.enabled": upgrade, "global.imagePullSecrets": []any{"one"}, "istioBase.breaking.droppedCRDVersion": upgrade,
			})
			if upgrade {
				set(values, map[string]any{"istioDiscovery.revision": "1-28", "istioDiscovery.resources": map[string]any{"requests": map[string]any{"cpu": "1"}}})
			}
			rendering := render(t, charts.Istiod, version, values, charttest.Options{Upgrade: upgrade})
			inspect(t, rendering.Objects, nil)
			if n := len(definitions(rendering)); n < 8 {
				t.Errorf("%s defines %d versions of kinds, want at least 8", version, n)
			}
		}
	}
}

// TestMigrationDeliveries: a hook, a Job whose name carries the tag, a Pod.
func TestMigrationDeliveries(t *testing.T) {
	for _, test := range []struct{ version, delivery, want, hook string }{
		{"1.2.900", "hook", "Job prefect-db-migrations", "post-install,pre-upgrade"},
		{"1.2.900", "job", "Job prefect-db-migrations-2025-10-202511042343", ""},
		{"1.2.900", "pod", "Pod prefect-db-migrations", ""},
		{"1.3.900", "hook", "Job orion-db-migrations", "pre-install,pre-upgrade"},
		{"1.3.900", "job", "Job orion-db-migrations-2026-1-202601010000", ""},
		{"1.3.900", "pod", "Pod orion-db-migrations", ""},
	} {
		values := set(override(t, test.version), map[string]any{"migrations.delivery": test.delivery})
		object, ok := named(render(t, charts.Cloud, test.version, values, charttest.Options{}))[test.want]
		if !ok {
			t.Errorf("%s as %s: no %s", test.version, test.delivery, test.want)
			continue
		}
		if hook, _ := object.At("metadata", "annotations", "helm.sh/hook").(string); hook != test.hook {
			t.Errorf("%s as %s is the hook %q, want %q", test.version, test.delivery, hook, test.hook)
		}
		if !strings.Contains(object.Source, `sidecar.istio.io/inject: "false"`) {
			t.Errorf("%s as %s would get a sidecar", test.version, test.delivery)
		}
	}
}

// TestVersions are in upgrade order, the same of both charts.
func TestVersions(t *testing.T) {
	want := []string{"0.8.900", "1.2.900", "1.2.901", "1.3.900", "1.3.901", "1.4.900"}
	for _, name := range []string{charts.Cloud, charts.Istiod} {
		if got := charts.Versions(name); !slices.Equal(got, want) {
			t.Errorf("Versions(%s) = %v, want %v", name, got, want)
		}
		for _, version := range want {
			chart, err := charts.Chart(name, version)
			if err != nil {
				t.Fatal(err)
			}
			line := chart.Metadata.Annotations["pm-gitops.fixture/line"]
			if chart.Name() != name || chart.Metadata.Version != version || !strings.HasPrefix(version, line+".") || line == "" {
				t.Errorf("%s %s is %s %s of line %q", name, version, chart.Name(), chart.Metadata.Version, line)
			}
			for _, c := range append(chart.Dependencies(), chart) {
				if !strings.HasPrefix(c.Metadata.Description, "Test stand-in for pm-gitops; contains no ") || c.Metadata.KubeVersion != ">=1.29.0-0" {
					t.Errorf("%s %s, %s: %q, for Kubernetes %q", name, version, c.Name(), c.Metadata.Description, c.Metadata.KubeVersion)
				}
			}
		}
	}
	if charts.Versions("other") != nil {
		t.Error("another chart has versions")
	}
	if _, err := charts.Files(charts.Cloud, "1.2.902"); err == nil {
		t.Error("there is a version that there is not")
	}
}
