package charttest_test

import (
	"os"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/targets/internal/charttest"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// nextLine is the guide's override as the charts from 1.3 want it.
const nextLine = `
global:
  frontendUrl: https://prefect-ui.company.com
  backendUrl: https://prefect-api.company.com
  ownerEmail: test@somecompany.io
  encryptionKeySecret: {name: prefect-encryption}
  authProvider:
    providers: [adfs]
    adfs: {clientID: adfsId, clientSecret: adfsSecret, clientAuthority: adfsauthority.microsoft.com, clientVerifySSL: false}
secrets: {create: true}
db:
  embedded: {enabled: false}
  serviceUser: {password: secretPassword}
  adminUser: {password: secretSuperuserPassword}
  host: {primary: 10.0.0.1, replica: 10.0.0.2}
redis:
  embedded: {enabled: false}
  cache: {host: 10.0.0.3, password: ""}
  work: {host: 10.0.0.4, password: ""}
  streams: {host: 10.0.0.5, password: ""}
  leases: {host: 10.0.0.6, password: ""}
`

// guide gives the vendor's values-override.yaml, as its guide prints it.
func guide(t *testing.T) map[string]any {
	t.Helper()
	data, err := os.ReadFile("../../../testdata/guide/values-override.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(data))
}

// override gives what the guide's override says, in the words of a version.
func override(t *testing.T, version string) map[string]any {
	t.Helper()
	switch {
	case version >= "1.3":
		return parse(t, nextLine)
	case version >= "1.2":
		return guide(t)
	}
	values := guide(t)
	global := values["global"].(map[string]any)
	for _, key := range []string{"frontendUrl", "backendUrl"} {
		values[key] = global[key]
		delete(global, key)
	}
	return values
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	var values map[string]any
	if err := yaml.UnmarshalStrict([]byte(text), &values); err != nil {
		t.Fatal(err)
	}
	return values
}

// set sets dotted values.
func set(values map[string]any, settings map[string]any) map[string]any {
	for path, value := range settings {
		keys := strings.Split(path, ".")
		m := values
		for _, key := range keys[:len(keys)-1] {
			nested, ok := m[key].(map[string]any)
			if !ok {
				nested = map[string]any{}
				m[key] = nested
			}
			m = nested
		}
		m[keys[len(keys)-1]] = value
	}
	return values
}

// render renders a stand-in, and fails if it cannot.
func render(t *testing.T, name, version string, values map[string]any, o charttest.Options) charttest.Rendering {
	t.Helper()
	rendering, err := tryRender(t, name, version, values, o)
	if err != nil {
		t.Fatalf("%s %s: %v", name, version, err)
	}
	return rendering
}

func tryRender(t *testing.T, name, version string, values map[string]any, o charttest.Options) (charttest.Rendering, error) {
	t.Helper()
	chart, err := charts.Chart(name, version)
	if err != nil {
		t.Fatal(err)
	}
	return charttest.Render(chart, values, o)
}

// named gives the objects by KIND NAME.
func named(rendering charttest.Rendering) map[string]charttest.Object {
	objects := map[string]charttest.Object{}
	for _, object := range rendering.Objects {
		objects[object.Kind()+" "+object.Name()] = object
	}
	return objects
}
