package render_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
)

// place is an origin on a line.
func place(o render.Origin) string {
	if o.File == "" {
		return strings.TrimSpace(string(o.From) + " " + o.Field)
	}
	return strings.TrimSpace(fmt.Sprintf("%s:%d %s", o.File, o.Line, o.Field))
}

// layered is an environment in three files, with values laid over each other.
var layered = map[string]string{
	"dev.yaml": strings.Replace(complete, "metadata:", "extends: common.yaml\nmetadata:", 1) + `  mesh: prefect-istiod
  migrations: {timeout: 1h}
  redis: {cache: {host: r}, work: {host: r}, streams: {host: r}}
  values:
    prefect-cloud:
      global: {instanceName: other}
      redis: {use_embedded: true}
      services: {server: {replicas: 3, args: [b, c]}}
`,
	"common.yaml": `apiVersion: pm-gitops/v1
kind: EnvironmentDefaults
extends: base.yaml
spec:
  instance: {ownerEmail: team@company.com}
  values:
    prefect-cloud:
      services: {server: {replicas: 2, args: [a]}}
`,
	"base.yaml": `apiVersion: pm-gitops/v1
kind: EnvironmentDefaults
spec:
  instance: {ownerEmail: base@company.com}
  mesh: none
`,
}

// origins is the places of all fields, and of the values of prefect-cloud:
// where each is from, and behind each < what it replaces.
func origins(explanation render.Explanation) map[string]string {
	lists := map[string][]render.Explained{"": explanation.Fields}
	for _, release := range explanation.Releases {
		lists[release.Release+" "] = release.Values
	}
	got := map[string]string{}
	for prefix, list := range lists {
		for _, e := range list {
			text := place(e.Origin)
			for _, replaced := range e.Replaces {
				text += " < " + place(replaced)
			}
			got[prefix+e.Path] = text
		}
	}
	return got
}

func TestExplainOrigins(t *testing.T) {
	read := func(name string) ([]byte, error) { return []byte(layered[name]), nil }
	env, err := render.Parse("dev.yaml", []byte(layered["dev.yaml"]), read)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := render.NewPlan(env, catalog.Embedded(), render.IntoValues)
	if err != nil {
		t.Fatal(err)
	}
	embedded, err := os.ReadFile("catalog/catalog.yaml")
	if err != nil {
		t.Fatal(err)
	}
	// The place of a text: the line of its file, and the field.
	in := func(file, source, text, field string) string {
		before, _, found := strings.Cut(source, text)
		if !found {
			t.Fatalf("%s has no %q", file, text)
		}
		return strings.TrimSpace(fmt.Sprintf("%s:%d %s", file, 1+strings.Count(before, "\n"), field))
	}
	dev := func(text, field string) string { return in("dev.yaml", layered["dev.yaml"], text, field) }
	cat := func(text string) string { return in("<embedded>/catalog.yaml", string(embedded), text, "") }
	tests := []struct{ name, path, want string }{
		{"the child over its parent and that one's", "spec.instance.ownerEmail", dev("ownerEmail", "") + " < common.yaml:5 < base.yaml:4"},
		{"over a file and a default", "spec.mesh", dev("mesh: prefect", "") + " < base.yaml:5"},
		{"a default", "spec.registry.source", "default"},
		{"over the catalog", "spec.migrations.timeout", dev("migrations:", "") + " < " + cat("  migrations: {")},
		{"the catalog", "spec.migrations.afterInstall", cat("  migrations: {")},
		{"the head of a file", "apiVersion", "dev.yaml:1"},
		{"a field", "prefect-cloud global.frontendUrl", dev("frontendUrl", "spec.instance.frontendUrl")},
		{"a field over the parent's", "prefect-cloud global.ownerEmail", dev("ownerEmail", "spec.instance.ownerEmail") + " < common.yaml:5 < base.yaml:4"},
		{"a secret", "prefect-cloud global.authProvider.okta.clientSecret", dev("clientSecret", "spec.auth.okta.clientSecret")},
		{"a field that follows from a section", "prefect-cloud global.authProvider.type", dev("okta:", "spec.auth.okta")},
		{"a field that follows from a default", "prefect-cloud ui.cloud2.image.repository", "default spec.registry.source"},
		{"what the catalog sets", "prefect-cloud redis.work.password", cat(`{when: [redis.work, `)},
		{"over a field", "prefect-cloud global.instanceName", dev("{instanceName", "spec.values.prefect-cloud.global.instanceName") + " < " + dev("name: customer", "spec.instance.name")},
		{"over what the catalog sets", "prefect-cloud redis.use_embedded", dev("use_embedded", "spec.values.prefect-cloud.redis.use_embedded") + " < " + cat("{when: redis,")},
		{"a value over the parent's", "prefect-cloud services.server.replicas", dev("replicas: 3", "spec.values.prefect-cloud.services.server.replicas") + " < common.yaml:8"},
		{"a list over the parent's", "prefect-cloud services.server.args[1]", dev("replicas: 3", "spec.values.prefect-cloud.services.server.args[1]") + " < common.yaml:8"},
	}
	got := origins(plan.Explain())
	for _, tt := range tests {
		if got[tt.path] != tt.want {
			t.Errorf("%s: %s is from %s, want %s", tt.name, tt.path, got[tt.path], tt.want)
		}
	}
}
