package render_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
)

// planned is the plan of an environment that pulls from this registry.
func planned(t *testing.T, registry string) render.Plan {
	t.Helper()
	env, err := render.Parse("a.yaml", fmt.Appendf(nil, `
apiVersion: pm-gitops/v1
kind: Environment
metadata: {name: a}
spec:
  instance: {name: a, frontendUrl: https://a.b, backendUrl: https://b.b, ownerEmail: o@b.c}
  versions: {prefectCloud: 1.2.6, server: "1", ui: "1"}
  mesh: none
  auth: {okta: {clientID: a, clientSecret: {secret: s, key: k}, authServerURL: https://o.b}}
  registry: %s
`, registry), nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := render.NewPlan(env, catalog.Embedded(), render.IntoValues)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// TestMirrored: where things are pulled from, and back.
func TestMirrored(t *testing.T) {
	const mirror = "{source: src.io/cloud, mirror: reg.io:5000/prefect}"
	const mapped = "{source: src.io/cloud, mirror: reg.io/prefect, map: {docker.io: hub.io:8443, docker.io/istio: reg.io/istio, gcr.io/one/app: reg.io/prefect/one}}"
	for _, test := range []struct{ registry, name, mirrored string }{
		{mirror, "src.io/cloud/server", "reg.io:5000/prefect/server"},
		{mirror, "src.io/cloud/charts/prefect-cloud", "reg.io:5000/prefect/charts/prefect-cloud"},
		{mirror, "src.io/cloudy/server", "reg.io:5000/prefect/src.io/cloudy/server"},
		{mirror, "docker.io/library/postgres", "reg.io:5000/prefect/docker.io/library/postgres"},
		{mirror, "localhost/a", "reg.io:5000/prefect/localhost/a"},
		{"{source: src.io/cloud}", "src.io/cloud/server", "src.io/cloud/server"},
		{"{mirror: reg.io}", render.VendorRegistry + "/ui", "reg.io/ui"},
		{"{mirror: reg.io}", "docker.io/a/b", "reg.io/docker.io/a/b"},
		{mapped, "src.io/cloud/server", "reg.io/prefect/server"},
		{mapped, "docker.io/istio/pilot", "reg.io/istio/pilot"},
		{mapped, "docker.io/istio", "reg.io/istio"},
		{mapped, "docker.io/istiod/pilot", "hub.io:8443/istiod/pilot"},
		{mapped, "docker.io/library/postgres", "hub.io:8443/library/postgres"},
		{mapped, "quay.io/acme/app", "reg.io/prefect/quay.io/acme/app"},
		{mapped, "gcr.io/one/app", "reg.io/prefect/one"},
		{"{source: src.io/cloud, mirror: reg.io/all, map: {src.io: reg.io/src, docker.io: reg.io/all}}", "src.io/cloud/ui", "reg.io/src/cloud/ui"},
		{"{source: src.io/cloud, mirror: reg.io/all, map: {src.io: reg.io/src, docker.io: reg.io/all}}", "docker.io/a/b", "reg.io/all/a/b"},
	} {
		plan := planned(t, test.registry)
		if got := plan.Mirrored(test.name); got != test.mirrored {
			t.Errorf("%s: %s is pulled from %s, want %s", test.registry, test.name, got, test.mirrored)
		}
		if got, known := plan.Original(test.mirrored); got != test.name || !known {
			t.Errorf("%s: %s comes from %s (%v), want %s", test.registry, test.mirrored, got, known, test.name)
		}
		if got, known := plan.Original(test.name); got != test.name || !known {
			t.Errorf("%s: %s comes from %s (%v), want the same", test.registry, test.name, got, known)
		}
	}
	for name, want := range map[string]bool{"reg.io/other": true, "hub.io:8443/a": true, "hub.io/a": false, "docker.io/istio/pilot": false} {
		if got := planned(t, mapped).IsMirrored(name); got != want {
			t.Errorf("%s is mirrored: %v", name, got)
		}
	}
	if planned(t, "{source: src.io}").IsMirrored("src.io/a") {
		t.Error("there is no mirror, and a name is on its host")
	}
	// What a place of the map has is no longer below the mirror.
	source := planned(t, "{source: src.io/cloud, mirror: reg.io/all, map: {src.io: reg.io/src}}")
	for name, want := range map[string]string{"reg.io/all/quay.io/a/b": "quay.io/a/b", "reg.io/all/server": "", "reg.io/src/quay.io/a": "src.io/quay.io/a"} {
		if got, known := source.Original(name); known != (want != "") || known && got != want {
			t.Errorf("%s comes from %s (%v), want %s", name, got, known, want)
		}
	}
	plan := planned(t, mirror)
	if plan.Mirror() != "reg.io:5000/prefect" {
		t.Errorf("the mirror is %s", plan.Mirror())
	}
	for _, name := range []string{"reg.io:5000/elsewhere/a", "reg.io:5000/prefectly/a"} {
		if plan.Mirrored(name) != name {
			t.Errorf("%s is pulled from %s, want it to stay", name, plan.Mirrored(name))
		}
		if got, known := plan.Original(name); known {
			t.Errorf("%s comes from %s, want that nobody knows", name, got)
		}
	}
}

// TestMirroredImagesAreExplained: the field that decides is named.
func TestMirroredImagesAreExplained(t *testing.T) {
	for registry, want := range map[string]string{
		"{source: src.io/cloud}":                                             "src.io/cloud/server spec.registry.source",
		"{source: src.io/cloud, mirror: reg.io}":                             "reg.io/server spec.registry.mirror",
		"{source: src.io/cloud, mirror: reg.io, map: {docker.io: reg.io/a}}": "reg.io/server spec.registry.mirror",
		"{source: src.io/cloud, mirror: reg.io, map: {src.io: reg.io/a}}":    `reg.io/a/cloud/server spec.registry.map["src.io"]`,
	} {
		var got []string
		for _, release := range planned(t, registry).Explain().Releases {
			for _, value := range release.Values {
				if text := fmt.Sprint(value.Value); strings.HasSuffix(text, "/server") {
					got = append(got, text+" "+value.Origin.Field)
				}
			}
		}
		if !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, want %s", registry, got, want)
		}
	}
}
