package render_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/templates"
)

func parse(t testing.TB, source string) render.Environment {
	t.Helper()
	env, err := render.Parse("dev.yaml", []byte(source), noFiles)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return env
}

// extras is extra releases in a file, each NAME:NEED,NEED…
func extras(releases ...string) string {
	text := "  releases:\n"
	for _, release := range releases {
		name, needs, _ := strings.Cut(release, ":")
		text += fmt.Sprintf("  - {name: %s, chart: oci://r.io/charts/%s, version: 1.0.0, namespace: extra, needs: [%s]}\n", name, name, needs)
	}
	return text
}

func TestWaves(t *testing.T) {
	tests := []struct {
		name, more string
		want       string
	}{
		{"the guide's order", "", "dev: prefect-istiod -> prefect-cloud"},
		{"no mesh", "  mesh: none\n", "dev: prefect-cloud"},
		{"existing mesh", "  mesh: {existing: {revision: 1-28}}\n", "dev: prefect-cloud"},
		{"extras side by side, in name order", extras("b:", "a:prefect-cloud", "c:prefect-cloud"), "dev: b, prefect-istiod -> prefect-cloud -> a, c"},
		{"a chain, whatever the order in the file", extras("c:b", "b:a", "a:"), "dev: a, prefect-istiod -> b, prefect-cloud -> c"},
		{"an extra before the vendor's", extras("a:") + "  needs: {prefect-istiod: [a]}\n", "dev: a -> prefect-istiod -> prefect-cloud"},
		{"a need said twice", extras("a:prefect-cloud,prefect-cloud"), "dev: prefect-istiod -> prefect-cloud -> a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plan, err := render.NewPlan(parse(t, complete+tt.more), catalog.Embedded(), render.IntoValues)
			if err != nil {
				t.Fatal(err)
			}
			if got := plan.String(); got != tt.want {
				t.Errorf("plan = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestPlanProblems(t *testing.T) {
	tests := []struct {
		name, old, new string
		want           string
	}{
		{"a circle", "", extras("a:c", "b:a", "c:b", "d:c"), "dev.yaml:22:77: spec.releases[0].needs: releases wait for each other: a -> c -> b -> a"},
		{"a circle through the vendor's", "", extras("a:prefect-cloud") + "  needs: {prefect-istiod: [a]}\n", "dev.yaml:22:77: spec.releases[0].needs: releases wait for each other: a -> prefect-cloud -> prefect-istiod -> a"},
		{"one Helm release twice", "", "  names: {prefect-istiod: {release: same, namespace: x}, prefect-cloud: {release: same, namespace: x}}\n", `dev.yaml:21:58: spec.names.prefect-cloud: prefect-istiod and prefect-cloud are both the Helm release "same" in namespace "x"`},
		{"a line without layout", "prefectCloud: 1.2.900", "prefectCloud: 0.7.1", `dev.yaml:13:5: spec.versions.prefectCloud: the catalog's line "0.7" has no layout: nothing says which chart values the fields set; add one in a catalog (spec.catalog)`},
		{"a field that reaches nothing", "", "  ingress: {className: nginx}\n", `dev.yaml:21:13: spec.ingress.className: the catalog's line "1.2" does not say which chart value this sets: add a layout rule in a catalog (spec.catalog), or set the value itself under spec.values.prefect-cloud`},
		{"a value where a secret goes", "", "  values: {prefect-cloud: {smtp: {login: word}}}\n  secretValues: [{release: prefect-cloud, path: smtp.login, secret: s, key: k}]\n", "dev.yaml:21:35: spec.values.prefect-cloud.smtp.login: the value smtp.login is secret and comes from Secret s: what is here would hide it"},
		{"a value above where a secret goes", "", "  database: {primary: db, serviceUser: {password: {secret: s, key: k}}, superUser: {password: {secret: s, key: k}}}\n  values: {prefect-cloud: {db: {serviceuser: x}}}\n", "dev.yaml:22:33: spec.values.prefect-cloud.db.serviceuser: the value db.serviceuser.password is secret and comes from Secret s: what is here would hide it"},
		{"a secret that the layout sets", "", "  redis: {cache: {host: a}, work: {host: a}, streams: {host: a}}\n  secretValues: [{release: prefect-cloud, path: redis.work.password, secret: s, key: k}]\n", `dev.yaml:22:3: spec.secretValues: the layout of line "1.2" sets redis.work.password itself: give the secret in the field of the environment that has it`},
		{"secrets inside each other", "", "  secretValues: [{release: prefect-cloud, path: a.b, secret: s, key: k}, {release: prefect-cloud, path: a, secret: s, key: k}]\n", "dev.yaml:21:3: spec.secretValues: the value a is secret already, or lies inside or above one that is"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			source := complete + tt.new
			if tt.old != "" {
				source = strings.Replace(complete, tt.old, tt.new, 1)
			}
			_, err := render.NewPlan(parse(t, source), catalog.Embedded(), render.IntoValues)
			if got := strings.Join(messages(err), "\n"); got != tt.want {
				t.Errorf("NewPlan:\ngot  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	source := strings.NewReplacer("prefectCloud: 1.2.900", "prefectCloud: 1.9.0", "prefectIstiod: 1.2.900", "prefectIstiod: 1.9.0").Replace(complete)
	source += "  values: {prefect-cloud: {global: {ownerEmail: other@company.com}}}\n"
	plan, err := render.NewPlan(parse(t, source), catalog.Embedded(), render.IntoChart)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{
		`dev.yaml:5:1: spec.database: the chart runs an embedded database: never for production`:                                                                                     true,
		`dev.yaml:5:1: spec.redis: the chart runs an embedded Redis: never for production`:                                                                                           true,
		`dev.yaml:5:1: spec.secrets.into: the chart reads Secrets that exist, and the catalog's line "1.3" does not say which: pm-gitops secrets list --charts does, from the chart`: true,
		`dev.yaml:13:5: spec.versions.prefectCloud: no line of the catalog covers 1.9.0: the layout of the newest, "1.3", is used`:                                                   true,
		`dev.yaml:21:37: spec.values.prefect-cloud.global.ownerEmail: replaces what a field of the environment says`:                                                                 true,
	}
	if diff := cmp.Diff(want, sorted(messages(plan.Warnings))); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// TestVersionsThatSeemWrong: what the catalog does not say is said as far as the
// vendor's guide goes, and what is guessed by the form of tags is called a guess.
func TestVersionsThatSeemWrong(t *testing.T) {
	const guidesServer, guidesUI = "2025.10.202511042343", "2025.1023.154520"
	tests := []struct{ istiod, cloud, server, ui, want string }{
		{"1.2.900", "1.2.901", guidesServer, guidesUI, ""},
		{"1.3.900", "1.2.900", guidesServer, guidesUI, "dev.yaml:12:5: spec.versions.prefectIstiod: 1.3.900 is of another line than prefect-cloud 1.2.900: the vendor's guide pulls both charts in one version"},
		{"1.2.900", "v1.2.900", guidesServer, guidesUI, "dev.yaml:13:5: spec.versions.prefectCloud: the vendor's chart versions have no v before them: want 1.2.900"},
		{"1.2.900", "1.2.900", guidesUI, guidesServer, "dev.yaml:14:5: spec.versions.server: this has the form of the ui's tags in the vendor's guide, and ui that of the server's: are they swapped?"},
		{"1.2.900", "1.2.900", guidesUI, guidesUI, "dev.yaml:14:5: spec.versions.server: this has the form of the ui's tags in the vendor's guide"},
		{"1.2.900", "1.2.900", guidesServer, guidesServer, "dev.yaml:15:5: spec.versions.ui: this has the form of the server's tags in the vendor's guide"},
		{"1.2.900", "1.2.900", "2024.4.202404302359", guidesUI, `dev.yaml:14:5: spec.versions.server: built on 2024-04-30, more than a year before line "1.2" was released (a guess, by the form of the tag)`},
		{"1.2.900", "1.2.900", "2026.4.202604302359", guidesUI, `dev.yaml:14:5: spec.versions.server: this seems to be of line "1.3", and prefectCloud is of line "1.2" (a guess, by the form of the tag)`},
		{"1.3.900", "1.3.900", "2026.4.202604302359", guidesUI, ""},
		{"1.2.900", "1.2.900", "main", "1.0", ""},
	}
	for _, tt := range tests {
		source := strings.NewReplacer("prefectIstiod: 1.2.900", "prefectIstiod: "+tt.istiod, "prefectCloud: 1.2.900", "prefectCloud: "+tt.cloud,
			guidesServer, tt.server, guidesUI, tt.ui).Replace(complete)
		plan, err := render.NewPlan(parse(t, source), catalog.Embedded(), render.IntoValues)
		if err != nil {
			t.Fatal(err)
		}
		got := slices.DeleteFunc(messages(plan.Warnings), func(message string) bool { return !strings.Contains(message, "spec.versions") })
		if strings.Join(got, "\n") != tt.want {
			t.Errorf("%+v: warnings %q", tt, got)
		}
	}
}

// TestTagsOfAnotherLine looks at tags that the catalog lists for another line.
func TestTagsOfAnotherLine(t *testing.T) {
	for _, tt := range []struct{ lines, want string }{
		{`- {name: "1.3", server: ["2025.10.*"], ui: ["2025.1023.154520"]}`, `dev.yaml:14:5: spec.versions.server: 2025.10.202511042343 belongs to line "1.3", and prefectCloud to line "1.2"
dev.yaml:15:5: spec.versions.ui: 2025.1023.154520 belongs to line "1.3", and prefectCloud to line "1.2"`},
		{`- {name: "1.2", server: ["2025.7.*"]}` + "\n" + `- {name: "1.3", server: ["2025.10.*"]}`, `dev.yaml:14:5: spec.versions.server: 2025.10.202511042343 does not belong to line "1.2": want 2025.7.*`},
		{`- {name: "1.2", server: ["2025.10.*"]}` + "\n" + `- {name: "1.3", server: ["2025.10.*"]}`, ""},
	} {
		own, err := catalog.Parse("own.yaml", []byte("apiVersion: pm-gitops/v1\nkind: Catalog\nlines:\n"+tt.lines+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := render.NewPlan(parse(t, complete), catalog.Embedded().With(own), render.IntoValues)
		if err != nil {
			t.Fatal(err)
		}
		got := slices.DeleteFunc(messages(plan.Warnings), func(message string) bool { return !strings.Contains(message, "spec.versions") })
		if strings.Join(got, "\n") != tt.want {
			t.Errorf("with %s: warnings %q", tt.lines, got)
		}
	}
}

// TestPlaceholders: what pm-gitops init writes is nobody's address, and each of them is
// known; addresses of one's own are not taken for them.
func TestPlaceholders(t *testing.T) {
	found := func(source string) []string {
		return slices.DeleteFunc(messages(parse(t, source).Warnings()), func(message string) bool { return !strings.Contains(message, "init wrote") })
	}
	starter := string(templates.Environment)
	const all = "instance.frontendUrl, instance.backendUrl, instance.ownerEmail, auth.okta.authServerURL, database.primary, database.replica, redis.cache.host, redis.work.host, redis.streams.host, delivery.git.url"
	got := found(starter)
	if len(got) != 1 || !strings.HasSuffix(got[0], "spec.instance.frontendUrl: still as pm-gitops init wrote it: put your own in the place of "+all) {
		t.Errorf("the starter: %q", got)
	}
	own := strings.NewReplacer("example.com", "company.com", "example.okta", "company.okta")
	if got := found(own.Replace(starter)); got != nil {
		t.Errorf("one's own: %q", got)
	}
	some := strings.Replace(own.Replace(starter), "redis-work.company.com", "redis-work.example.com", 1)
	if got := found(some); len(got) != 1 || !strings.HasSuffix(got[0], "in the place of redis.work.host") {
		t.Errorf("one of them: %q", got)
	}
}

// A line may have lost a value that every environment names.
func TestFieldThatALineHasNoValueFor(t *testing.T) {
	own, err := catalog.Parse("own.yaml", []byte("apiVersion: pm-gitops/v1\nkind: Catalog\nlines:\n- name: \"1.2\"\n  layout:\n  - {field: instance.name}\n"))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := render.NewPlan(parse(t, complete), catalog.Embedded().With(own), render.IntoValues)
	if err != nil {
		t.Fatal(err)
	}
	const want = `spec.instance.name: line "1.2" has no chart value for this (own.yaml:6:5): it is left out`
	if !slices.ContainsFunc(plan.Warnings, func(w render.Problem) bool { return strings.HasSuffix(w.Error(), want) }) {
		t.Errorf("warnings = %v, want %s", plan.Warnings, want)
	}
	values, err := json.Marshal(plan.Releases()[1].Values)
	if err != nil || strings.Contains(string(values), "instanceName") {
		t.Errorf("values = %s, %v: want no instanceName", values, err)
	}
}

func TestTimeouts(t *testing.T) {
	tests := []struct {
		more             string
		install, upgrade string
	}{
		{"", "10m0s", "30m0s"}, // the catalog: migrations run after the install
		{"  migrations: {timeout: 2h}\n", "10m0s", "2h0m0s"},
		{"  migrations: {afterInstall: false}\n", "30m0s", "30m0s"},
		{"  migrations: {timeout: 1m}\n", "10m0s", "10m0s"}, // never less than without migrations
	}
	for _, tt := range tests {
		plan, err := render.NewPlan(parse(t, complete+tt.more), catalog.Embedded(), render.IntoValues)
		if err != nil {
			t.Fatal(err)
		}
		releases := plan.Releases()
		istiod, cloud := releases[0], releases[1]
		if cloud.InstallTimeout.String() != tt.install || cloud.UpgradeTimeout.String() != tt.upgrade {
			t.Errorf("%q: prefect-cloud gets %s to install and %s to upgrade, want %s and %s", tt.more, cloud.InstallTimeout, cloud.UpgradeTimeout, tt.install, tt.upgrade)
		}
		if istiod.UpgradeTimeout != render.DefaultTimeout {
			t.Errorf("prefect-istiod gets %s, want %s", istiod.UpgradeTimeout, render.DefaultTimeout)
		}
	}
}

func TestNamespaces(t *testing.T) {
	injected := map[string]string{"istio-injection": "enabled"}
	tests := []struct {
		name, more string
		want       []render.Namespace
	}{
		{"as in the guide", "", []render.Namespace{{Name: "customer-managed", Labels: injected}, {Name: "istio-system", Labels: injected}}},
		{"revision of an existing mesh", "  mesh: {existing: {revision: 1-28}}\n", []render.Namespace{{Name: "customer-managed", Labels: map[string]string{"istio.io/rev": "1-28"}}}},
		{"no mesh", "  mesh: none\n", []render.Namespace{{Name: "customer-managed", Labels: map[string]string{}}}},
		{"extra releases are not injected", extras("a:"), []render.Namespace{{Name: "customer-managed", Labels: injected}, {Name: "extra", Labels: map[string]string{}}, {Name: "istio-system", Labels: injected}}},
	}
	for _, tt := range tests {
		plan, err := render.NewPlan(parse(t, complete+tt.more), catalog.Embedded(), render.IntoValues)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, plan.Namespaces); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestMirror is where things are pulled from when there is a mirror.
func TestMirror(t *testing.T) {
	tests := []struct{ chart, want string }{
		{"oci://us-docker.pkg.dev/prefect-prd-customer-managed/cloud/charts/other", "reg.io/m/charts/other"},
		{"oci://us-docker.pkg.dev/prefect-prd-customer-managed/cloudy/other", "reg.io/m/us-docker.pkg.dev/prefect-prd-customer-managed/cloudy/other"},
		{"oci://ghcr.io/prefecthq/worker", "reg.io/m/ghcr.io/prefecthq/worker"},
		{"oci://reg.io/charts/worker", "reg.io/charts/worker"},
		{"oci://reg.io:5000/charts/worker", "reg.io/m/reg.io:5000/charts/worker"},
	}
	for _, tt := range tests {
		source := complete + "  registry: {mirror: reg.io/m}\n  releases:\n  - {name: a, chart: \"" + tt.chart + "\", version: 1.0.0, namespace: a}\n"
		plan, err := render.NewPlan(parse(t, source), catalog.Embedded(), render.IntoValues)
		if err != nil {
			t.Fatal(err)
		}
		for _, release := range plan.Releases() {
			switch {
			case release.Key == "a" && release.Chart.Repository != tt.want:
				t.Errorf("%s is pulled from %s, want %s", tt.chart, release.Chart.Repository, tt.want)
			case release.Key == render.PrefectCloud && release.Chart.Repository != "reg.io/m/charts/prefect-cloud":
				t.Errorf("prefect-cloud is pulled from %s", release.Chart.Repository)
			}
		}
	}
}

// TestValues merges what the user wrote last: maps merge, anything else replaces.
func TestValues(t *testing.T) {
	source := complete + `  values:
    prefect-cloud:
      global: {ownerEmail: other@company.com, extra: 1}
      services: {server: {replicas: 3, args: [a, b]}}
      empty: {}
    prefect-istiod: {istioDiscovery: {replicaCount: 2}}
`
	plan, err := render.NewPlan(parse(t, source), catalog.Embedded(), render.IntoValues)
	if err != nil {
		t.Fatal(err)
	}
	istiod, cloud := plan.Releases()[0], plan.Releases()[1]
	if diff := cmp.Diff(render.Values{"istioDiscovery": map[string]any{"replicaCount": int64(2)}}, istiod.Values); diff != "" {
		t.Errorf("values of prefect-istiod (-want +got):\n%s", diff)
	}
	want := map[string]any{
		"ownerEmail":   "other@company.com",
		"extra":        int64(1),
		"frontendUrl":  "https://ui.company.com",
		"backendUrl":   "https://api.company.com",
		"instanceName": "customer-managed",
	}
	global := cloud.Values["global"].(map[string]any)
	for key, value := range want {
		if global[key] != value {
			t.Errorf("global.%s = %v, want %v", key, global[key], value)
		}
	}
	services := map[string]any{"server": map[string]any{"replicas": int64(3), "args": []any{"a", "b"}}}
	if diff := cmp.Diff(services, cloud.Values["services"]); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{}, cloud.Values["empty"]); diff != "" {
		t.Errorf("empty (-want +got):\n%s", diff)
	}
}
