package importer_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/importer"
	"github.com/pm-gitops/pm-gitops/targets"
)

const folder = "../../testdata/override/"

// override is a file that is imported, and what is to be said about it.
type override struct {
	release string            // whose values a values file holds; default prefect-cloud
	fill    map[string]string // the blanks that must be there, and what a person writes into them
	added   map[string]any    // chart values that the environment sets besides
	want    []string          // what the environment file must say
}

// Blanks that most overrides leave.
var versions = map[string]string{"prefectIstiod": "1.2.900", "prefectCloud": "1.2.900"}

func and(all ...map[string]string) map[string]string {
	sum := map[string]string{}
	for _, m := range all {
		maps.Copy(sum, m)
	}
	return sum
}

var (
	istiod   = map[string]string{"prefectIstiod": "1.2.900"}
	tags     = map[string]string{"server": `"2025.10.202511042343"`, "ui": `"2025.1023.154520"`}
	auth     = map[string]string{"auth": "{okta: {clientID: a, clientSecret: {secret: filled, key: in}, authServerURL: https://a.b}}"}
	address  = map[string]string{"frontendUrl": "https://a.b", "backendUrl": "https://c.d"}
	instance = map[string]string{"name": "a", "ownerEmail": "a@b.c"}

	images = map[string]any{
		"global.backend.app.image.repository": render.VendorRegistry + "/server",
		"ui.cloud2.image.repository":          render.VendorRegistry + "/ui",
	}
)

var overrides = map[string]override{
	"../guide/values-override.yaml":  {fill: versions, want: []string{"  redis:\n    cache: {host:", "clientVerifySSL: false"}},
	"helm-get-values.yaml":           {fill: versions, want: []string{"cache: {host: redis.company.com, password: {secret: prefect-redis, key: cache}}"}},
	"helm-get-values.json":           {fill: and(versions, tags), added: images, want: []string{"ratio: 0.25"}},
	"json-pretty.json":               {fill: and(versions, tags, address, auth), added: images, want: []string{"  database:\n    primary:"}},
	"nothing.yaml":                   {fill: and(versions, tags, address, instance, auth), added: images},
	"helm-release.yaml":              {fill: istiod, want: []string{"prefect-cloud: {release: prefect-prefect, namespace: prefect}", "mirror: registry.company.com/prefect", "pullSecret: registry-login"}},
	"helm-release-oci.yaml":          {want: []string{`prefectCloud: "1.2.900@sha256:abcdef`, "pullSecret: prefect-registry", "  values:\n    prefect-istiod:\n      istioDiscovery:"}},
	"helm-release-list.yaml":         {fill: istiod, want: []string{`prefectCloud: "1.3.4"`}},
	"application-values-object.yaml": {fill: istiod, want: []string{"  delivery:\n    argo:\n      destination: {server: 'https://10.1.2.3:6443'}"}},
	"application-values.yaml":        {fill: istiod, want: []string{`prefectCloud: "1.2.900"`, "names:\n    prefect-cloud: {release: prefect-cloud}"}},
	"application-parameters.yaml":    {fill: istiod, added: map[string]any{"ui.cloud2.image.repository": render.VendorRegistry + "/ui"}, want: []string{"secretValues:\n  - {release: prefect-cloud, path: db.serviceuser.password, secret: prefect-db, key: service}"}},
	"application-sources.yaml":       {fill: istiod, want: []string{"mirror: registry.company.com/prefect"}},
	"crlf.yaml":                      {fill: versions},
	"anchors.yaml":                   {fill: and(versions, auth), want: []string{"path: password, secret: prefect-values, key: password}"}},
	"old-line.yaml":                  {fill: map[string]string{"prefectIstiod": "0.8.900", "prefectCloud": "0.8.900"}, want: []string{"frontendUrl: https://prefect-ui.company.com"}},
	"okta.yaml":                      {fill: versions, want: []string{"apiKey: {secret: prefect-auth, key: api-key}"}},
	"entra.yaml":                     {fill: versions, want: []string{`clientVerifySSL: ""`, "loginBaseURL:"}},
	"embedded-database.yaml":         {fill: versions, want: []string{"use_embedded: true", "path: db.embedded.password"}},
	"embedded-redis.yaml":            {fill: versions, want: []string{"path: redis.cache.password, secret: prefect-redis, key: cache}"}},
	"ingress.yaml":                   {fill: versions, want: []string{`nginx.ingress.kubernetes.io/proxy-body-size: "0"`}},
	"mirror.yaml":                    {fill: versions, want: []string{"mirror: registry.company.com:5000/prefect"}},
	"mirror-one-image.yaml":          {fill: versions, want: []string{"repository: registry.company.com/other/prefect-ui"}},
	"deep.yaml":                      {fill: versions, want: []string{"$(DB_PASSWORD)"}},
	"secrets.yaml":                   {fill: versions, want: []string{"path: smtp.password, secret: prefect-smtp, key: password}", "path: dsn,", "path: licenseToken,", "path: extra.settings,", "path: extra.key,"}},
	"numbers.yaml":                   {fill: and(versions, map[string]string{"ui": `"2025.10"`}), want: []string{"tag: 2025.1\n", "b: 83\n", "c: true\n"}},
	"traefik.yaml":                   {fill: map[string]string{"prefectCloud": "1.2.900"}, want: []string{"mesh: none"}},
	"chart-secrets.yaml":             {fill: and(versions, map[string]string{"clientSecret": "{secret: a, key: b}"}), want: []string{"into: chart"}},
	"chart-secrets-unused.yaml":      {fill: versions, want: []string{"createAppSecretsInChart: false"}},
	"no-images.yaml":                 {fill: and(versions, tags), added: images},
	"misfits.yaml":                   {fill: and(versions, map[string]string{"name": "a", "frontendUrl": "https://a.b", "server": `"1"`, "clientAuthority": "https://a.b"}), want: []string{"tag: latest"}},
	"other-auth.yaml":                {fill: and(versions, auth), want: []string{"path: global.authProvider.saml.signingSecret"}},
	"istiod.yaml":                    {release: render.PrefectIstiod, fill: and(versions, tags, address, instance, auth), added: images, want: []string{"{release: prefect-istiod, path: proxy.apiToken, secret: prefect-proxy, key: api-token}"}},
}

// secret is the texts that are secret in the overrides.
var secret = regexp.MustCompile(`CANARY|998877665544|adfsSecret|secretPassword|secretSuperuserPassword`)

// TestRoundTrip imports every override, fills in its blanks as a person would,
// and renders it: the HelmRelease, with the secrets in their places, says what
// Helm, Flux or Argo CD gave the chart before.
func TestRoundTrip(t *testing.T) {
	files, _ := filepath.Glob(folder + "*")
	if len(files)+1 != len(overrides) {
		t.Errorf("%d overrides are tried, and there are %d files and the guide's", len(overrides), len(files))
	}
	for _, name := range slices.Sorted(maps.Keys(overrides)) {
		t.Run(name, func(t *testing.T) {
			o := overrides[name]
			data, err := os.ReadFile(folder + name)
			if err != nil {
				t.Fatal(err)
			}
			result, err := importer.Environment([]importer.File{{Name: name, Data: data, Release: o.release}}, catalog.Embedded(), importer.Options{Name: "prod"})
			if err != nil {
				t.Fatal(err)
			}
			if m := secret.FindString(fmt.Sprintf("%s %+v", result.YAML, result)); m != "" {
				t.Errorf("a secret is in what comes out: %s\n%s", m, result.YAML)
			}
			for _, want := range o.want {
				if !strings.Contains(string(result.YAML), want) {
					t.Errorf("the environment does not say %q:\n%s", want, result.YAML)
				}
			}
			added := map[string]any{}
			for _, a := range result.Added {
				added[a.Path] = a.Value
			}
			if diff := cmp.Diff(o.added, added); diff != "" && len(o.added)+len(added) > 0 {
				t.Errorf("added (-want +got):\n%s", diff)
			}
			values := originals(t, o, data)
			if len(values[render.PrefectCloud])+len(values[render.PrefectIstiod]) == 0 && name != "nothing.yaml" {
				t.Fatal("the test reads no values")
			}
			checkValues(t, o, result, composed(t, filledIn(t, result.YAML, o.fill)), values)
		})
	}
}

// filledIn puts something in the place of each comment that asks for it.
func filledIn(t *testing.T, environment []byte, fill map[string]string) []byte {
	t.Helper()
	left := maps.Clone(fill)
	filled := regexp.MustCompile(`(?m)^( *)# (\w+): FILL IN .*$`).ReplaceAllFunc(environment, func(line []byte) []byte {
		key, _, _ := strings.Cut(strings.TrimLeft(string(line), " #"), ":")
		if fill[key] == "" {
			t.Errorf("nothing to fill in: %s", line)
		}
		delete(left, key)
		return []byte(strings.Replace(string(line[:strings.Index(string(line), "FILL IN")])+fill[key], "# ", "", 1))
	})
	if len(left) > 0 {
		t.Errorf("not asked for: %v in\n%s", left, environment)
	}
	return filled
}

func composed(t *testing.T, environment []byte) render.Plan {
	t.Helper()
	env, err := render.Parse("environment.yaml", environment, func(string) ([]byte, error) { return nil, fs.ErrNotExist })
	if err != nil {
		t.Fatalf("%v\n%s", err, environment)
	}
	plan, err := render.NewPlan(env, catalog.Embedded(), render.IntoValues)
	if err != nil {
		t.Fatalf("%v\n%s", err, environment)
	}
	return plan
}

// checkValues compares the values of each release, with the secrets of the
// original in their places, with the original. What a blank or the layout
// adds must have been announced.
func checkValues(t *testing.T, o override, result importer.Result, plan render.Plan, originals map[string]map[string]any) {
	t.Helper()
	rendering, err := render.Render(plan, targets.Flux{})
	if err != nil {
		t.Fatal(err)
	}
	for _, release := range plan.Releases() {
		want, got := flat(originals[release.Key]), flat(inline(t, rendering, release.Key))
		for _, input := range release.SecretInputs {
			if input.From.Secret == "filled" {
				continue
			}
			if got[input.Path] != nil || want[input.Path] == nil {
				t.Errorf("%s is a secret, and %v inline; the original has it: %t", input.Path, got[input.Path], want[input.Path] != nil)
			}
			got[input.Path] = want[input.Path]
		}
		for path := range got {
			if _, there := want[path]; !there && (o.added[path] != nil || fromBlank(path, result)) {
				delete(got, path)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-original +rendered):\n%s", release.Key, diff)
		}
	}
}

// fromBlank reports whether a chart value comes from what a person filled in.
func fromBlank(path string, result importer.Result) bool {
	sets := map[string]string{
		"spec.instance.name": "global.instanceName", "spec.instance.frontendUrl": "global.frontendUrl", "spec.instance.backendUrl": "global.backendUrl",
		"spec.instance.ownerEmail": "global.ownerEmail", "spec.versions.server": "global.backend.app.image.tag", "spec.versions.ui": "ui.cloud2.image.tag", "spec.auth": "global.authProvider",
	}
	return slices.ContainsFunc(result.Blanks, func(b render.Blank) bool {
		return sets[b.Field] != "" && strings.HasPrefix(path, sets[b.Field])
	})
}

// inline is the values in a release's HelmRelease, as kustomize builds it.
func inline(t *testing.T, rendering render.Rendering, key string) map[string]any {
	t.Helper()
	for _, manifest := range rendering.Manifests {
		for _, document := range strings.Split(string(manifest.YAML), "\n---\n") {
			var object struct {
				Kind     string
				Metadata struct{ Name string }
				Spec     struct{ Values map[string]any }
			}
			if err := yaml.Unmarshal([]byte(document), &object); err != nil {
				t.Fatal(err)
			}
			if object.Kind == "HelmRelease" && object.Metadata.Name == key {
				return object.Spec.Values
			}
		}
	}
	t.Fatalf("%s has no HelmRelease", key)
	return nil
}

// flat is the values by path, a path of keys joined by slashes so that dots
// in keys stay apart, but for plain ones, which are dotted.
func flat(values map[string]any) map[string]any {
	all := map[string]any{}
	for key, value := range values {
		if strings.Contains(key, ".") {
			key = "[" + key + "]"
		}
		nested, isMap := value.(map[string]any)
		if !isMap || len(nested) == 0 {
			all[key] = value
			continue
		}
		for path, leaf := range flat(nested) {
			all[key+"."+path] = leaf
		}
	}
	return all
}

// messages is an error's problems, or the error.
func messages(err error) []string {
	var problems render.Problems
	if !errors.As(err, &problems) {
		return []string{fmt.Sprint(err)}
	}
	var all []string
	for _, problem := range problems {
		all = append(all, problem.Error())
	}
	return all
}
