package charttest_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/targets/internal/charttest"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// leaves gives the dotted paths of all values.
func leaves(values map[string]any) []string {
	var all []string
	for key, value := range values {
		nested, isMap := value.(map[string]any)
		if !isMap {
			all = append(all, key)
		}
		for _, leaf := range leaves(nested) {
			all = append(all, key+"."+leaf)
		}
	}
	slices.Sort(all)
	return all
}

// TestGuideValuesAreDefaults: each of the 25 values of the guide's override is
// one that 1.2.900 has.
func TestGuideValuesAreDefaults(t *testing.T) {
	chart, err := charts.Chart(charts.Cloud, "1.2.900")
	if err != nil {
		t.Fatal(err)
	}
	inGuide, defaults := leaves(guide(t)), leaves(chart.Values)
	if len(inGuide) != 25 {
		t.Errorf("the guide has %d values, want 25", len(inGuide))
	}
	for _, leaf := range inGuide {
		if !slices.Contains(defaults, leaf) {
			t.Errorf("1.2.900 has no value %s", leaf)
		}
	}
}

// at is where a schema's message says a value is wrong.
var at = regexp.MustCompile(`(?m)^- at '([^']*)'`)

// TestSchema: what the schema of 1.2.900 refuses, and where, and what passes it.
func TestSchema(t *testing.T) {
	for name, test := range map[string]struct {
		set  map[string]any
		want []string
	}{
		"the guide's override":            {nil, nil},
		"a numeric tag":                   {map[string]any{"global.backend.app.image.tag": 202511042343.0}, []string{"/global/backend/app/image/tag"}},
		"a numeric ui tag":                {map[string]any{"ui.cloud2.image.tag": 2025.1}, []string{"/ui/cloud2/image/tag"}},
		"a misspelt host":                 {map[string]any{"redis.cache.hots": "10.0.0.3"}, []string{"/redis/cache"}},
		"a misspelt root":                 {map[string]any{"globl.frontendUrl": "https://ui"}, nil},
		"no primary":                      {map[string]any{"db.host.primary": ""}, []string{"/db/host/primary"}},
		"no password":                     {map[string]any{"db.superuser.password": ""}, []string{"/db/superuser/password"}},
		"no password, Secrets that exist": {map[string]any{"db.superuser.password": "", "createAppSecretsInChart": false}, nil},
		"no Redis":                        {map[string]any{"redis.work.host": ""}, []string{"/redis/work/host"}},
		"an instance with a dot":          {map[string]any{"global.instanceName": "a.b"}, []string{"/global/instanceName"}},
		"a digest that is none":           {map[string]any{"ui.cloud2.image.digest": "sha256:1"}, []string{"/ui/cloud2/image/digest"}},
		"a fourth provider":               {map[string]any{"global.authProvider.type": "keycloak"}, []string{"/global/authProvider/type"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tryRender(t, charts.Cloud, "1.2.900", set(guide(t), test.set), charttest.Options{})
			if got := refused(err); !slices.Equal(got, test.want) {
				t.Errorf("refused at %v, want %v: %v", got, test.want, err)
			}
		})
	}
	_, err := tryRender(t, charts.Cloud, "1.2.900", map[string]any{}, charttest.Options{})
	want := []string{"/global/authProvider/type", "/global/backendUrl", "/global/frontendUrl", "/global/ownerEmail"}
	if got := refused(err); !slices.Equal(got, want) {
		t.Errorf("no override is refused at %v, want %v", got, want)
	}
}

func refused(err error) []string {
	var paths []string
	for _, match := range at.FindAllStringSubmatch(fmt.Sprint(err), -1) {
		paths = append(paths, match[1])
	}
	slices.Sort(paths)
	return paths
}

// TestGuards: the guide's override on 1.3.900 is refused with one message that
// names everything that changed.
func TestGuards(t *testing.T) {
	_, err := tryRender(t, charts.Cloud, "1.3.900", guide(t), charttest.Options{})
	if err == nil {
		t.Fatal("1.3.900 takes the guide's override")
	}
	_, message, _ := strings.Cut(err.Error(), "values of an older chart:\n")
	want := strings.Join([]string{
		"- global.instanceName was removed",
		"- global.authProvider.type was renamed to global.authProvider.providers, which is a list",
		"- db.use_embedded was renamed to db.embedded.enabled",
		"- db.serviceuser was renamed to db.serviceUser",
		"- db.superuser was renamed to db.adminUser",
		"- redis.use_embedded was renamed to redis.embedded.enabled",
		"- ui.cloud2 was renamed to ui.web",
	}, "\n")
	if message != want {
		t.Errorf("guards say:\n%s\nwant:\n%s", message, want)
	}
	for _, test := range []struct {
		version string
		set     map[string]any
		want    string
	}{
		{"1.3.900", map[string]any{"createAppSecretsInChart": true}, "createAppSecretsInChart was renamed to secrets.create"},
		{"1.3.900", map[string]any{"services.ladler.replicas": 2}, "services.ladler was renamed to services.event-archiver"},
		{"1.3.900", map[string]any{"ingress.tls": map[string]any{"enabled": true}}, "at '/ingress/tls': got object, want array"},
		{"1.3.900", map[string]any{"global.encryptionKeySecret": map[string]any{}}, "at '/global/encryptionKeySecret/name': minLength"},
		{"1.3.900", map[string]any{"redis.leases": map[string]any{}}, "at '/redis/leases/host': minLength"},
		{"1.4.900", map[string]any{"smtp.existingSecret": "a"}, "smtp.existingSecret was renamed to smtp.secretName"},
	} {
		_, err := tryRender(t, charts.Cloud, test.version, set(parse(t, nextLine), test.set), charttest.Options{})
		if !strings.Contains(fmt.Sprint(err), test.want) {
			t.Errorf("%s with %v: %v, want %q", test.version, test.set, err, test.want)
		}
	}
}

// TestSilentLine: 1.3.901 takes the guide's override, and does something else.
func TestSilentLine(t *testing.T) {
	objects := named(render(t, charts.Cloud, "1.3.901", guide(t), charttest.Options{}))
	if _, ok := objects["StatefulSet postgres"]; !ok {
		t.Error("1.3.901 understood db.use_embedded")
	}
	if _, ok := objects["Secret auth-provider"]; ok {
		t.Error("1.3.901 still makes the Secrets")
	}
}

// TestNextLineObjects is what 1.3.900 adds, and what it takes away.
func TestNextLineObjects(t *testing.T) {
	deployments := func(version string) map[string]charttest.Object {
		objects := named(render(t, charts.Cloud, version, override(t, version), charttest.Options{}))
		maps.DeleteFunc(objects, func(name string, _ charttest.Object) bool { return !strings.HasPrefix(name, "Deployment ") })
		return objects
	}
	before, after := deployments("1.2.900"), deployments("1.3.900")
	var got []string
	for name := range before {
		if _, ok := after[name]; !ok {
			got = append(got, "-"+name)
		}
	}
	for name := range after {
		if _, ok := before[name]; !ok {
			got = append(got, "+"+name)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"+Deployment event-archiver", "+Deployment lease-reaper", "+Deployment webhooks", "-Deployment ladler"}, got); diff != "" {
		t.Errorf("Deployments of 1.3.900 (-want +got):\n%s", diff)
	}
	selector := func(changed bool) any {
		values := set(parse(t, nextLine), map[string]any{"breaking.changedSelector": changed})
		return named(render(t, charts.Cloud, "1.3.900", values, charttest.Options{}))["Deployment server"].At("spec", "selector")
	}
	if diff := cmp.Diff(before["Deployment server"].At("spec", "selector"), selector(false)); diff != "" {
		t.Errorf("the selector changes though nobody asked for it:\n%s", diff)
	}
	if cmp.Equal(selector(false), selector(true)) {
		t.Error("breaking.changedSelector changes nothing")
	}
	if _, ok := deployments("1.4.900")["Deployment audit-log"]; !ok {
		t.Error("1.4.900 has no audit-log")
	}
}

// TestNextLineDefaults are the defaults that 1.3.900 changes.
func TestNextLineDefaults(t *testing.T) {
	for path, want := range map[string][2]any{
		"db.sslmode":                    {"prefer", "require"},
		"istio.gateway.service.port":    {80.0, 8080.0},
		"db.embedded.image.tag":         {"16.9", "17.5"},
		"createAppSecretsInChart":       {true, nil},
		"secrets.create":                {nil, false},
		"ui.cloud2.replicas":            {2.0, nil},
		"ui.web.replicas":               {nil, 3.0},
		"migrations.hooks":              {"post-install,pre-upgrade", "pre-install,pre-upgrade"},
		"ingress.name":                  {"customer-managed-prefect-cloud", "customer-managed-prefect-cloud"},
		"global.imagePullSecret":        {"", ""},
		"serviceMesh.authorizationMode": {"policy", "policy"},
	} {
		for i, version := range []string{"1.2.900", "1.3.900"} {
			chart, err := charts.Chart(charts.Cloud, version)
			if err != nil {
				t.Fatal(err)
			}
			object := charttest.Object{Map: chart.Values}
			if got := object.At(strings.Split(path, ".")...); got != want[i] {
				t.Errorf("%s of %s = %v, want %v", path, version, got, want[i])
			}
		}
	}
	old := named(render(t, charts.Cloud, "0.8.900", set(override(t, "0.8.900"), map[string]any{"ingress.enabled": true}), charttest.Options{}))
	if _, ok := old["Ingress self-managed-prefect-cloud"]; !ok {
		t.Error("the Ingress of 0.8.900 has another name")
	}
}

// TestResources: services.*.resources was ignored up to 1.3.
func TestResources(t *testing.T) {
	for version, want := range map[string]bool{"1.2.900": false, "1.3.900": true} {
		values := set(override(t, version), map[string]any{"services.scheduler.resources": map[string]any{"requests": map[string]any{"cpu": "1"}}})
		object := named(render(t, charts.Cloud, version, values, charttest.Options{}))["Deployment scheduler"]
		if got := strings.Contains(object.Source, "resources:"); got != want {
			t.Errorf("%s applies resources: %v, want %v", version, got, want)
		}
	}
}

// TestConnectionStrings: a password in a URL is broken unless it is encoded.
func TestConnectionStrings(t *testing.T) {
	for encoded, want := range map[bool]string{
		false: "postgresql+asyncpg://prefect:p@ss/w:rd !@10.0.0.1:5432/orion",
		true:  "postgresql+asyncpg://prefect:p%40ss%2Fw%3Ard%20%21@10.0.0.1:5432/orion",
	} {
		values := set(guide(t), map[string]any{"db.serviceuser.password": "p@ss/w:rd !", "urlquery": encoded})
		object := named(render(t, charts.Cloud, "1.2.900", values, charttest.Options{}))["Secret orion-user-connection-strings"]
		data, err := base64.StdEncoding.DecodeString(fmt.Sprint(object.At("data", "server")))
		if err != nil || string(data) != want {
			t.Errorf("urlquery %v: %s %v, want %s", encoded, data, err, want)
		}
	}
}
