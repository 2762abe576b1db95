package check_test

import (
	"strings"
	"testing"
)

// TestImagePlaces: a finding is put at the value that can end it, of several that are
// alike, of what is off by default too.
func TestImagePlaces(t *testing.T) {
	shaped := func(image, values string) setting {
		return setting{once: true, template: replaced(with(""), "registry.company.com/app:1.0.0", image).template, values: values}
	}
	for name, tt := range map[string]struct {
		setting
		id, at string
	}{
		"the tag":          {shaped("{{ .Values.image.repository }}:{{ .Values.image.tag }}", "about: latest\nimage: {repository: registry.company.com/app, tag: latest}\n"), "unpinned-image", "spec.releases[0].values.image.tag"},
		"the tag of parts": {shaped("{{ .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag }}", "image: {registry: registry.company.com, repository: app, tag: latest}\n"), "unpinned-image", "spec.releases[0].values.image.tag"},
		"a whole image":    {shaped("{{ .Values.image }}", "image: registry.company.com/app:latest\n"), "unpinned-image", "spec.releases[0].values.image"},
		"what was off":     {setting{once: true, spec: "registry: {mirror: registry.company.com/prefect}\nvalues: {prefect-istiod: {istioDiscovery: {hub: registry.company.com/istio}, istioCNI: {enabled: true}}}"}, "foreign-image", "spec.values.prefect-istiod.istioCNI.hub"},
		"a pull secret":    {setting{once: true, spec: onlyMirror + "\nvalues: {prefect-istiod: {istioDiscovery: {hub: registry.company.com/istio}}}"}, "missing-pull-secret", "spec.values.prefect-cloud.global.imagePullSecret"},
		"no chart value":   {shaped("quay.io/acme/app:1", "hub: other.example.com\n").on("", "registry: {mirror: registry.company.com/prefect}\nvalues: {prefect-istiod: {istioDiscovery: {hub: registry.company.com/istio}}}"), "foreign-image", "spec.releases[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			found := ofID(find(t, tt.setting), tt.id)
			if len(found) == 0 || found[0].Setting != tt.at {
				t.Errorf("want one at %s, found\n%+v", tt.at, found)
			}
		})
	}
}

// TestUnchecked: of a release that does not render the findings say what was not looked at,
// and a value that stops the install is not said to do nothing.
func TestUnchecked(t *testing.T) {
	schema := setting{once: true, template: sane, more: map[string]string{"values.schema.json": `{"additionalProperties": false, "properties": {"size": {"type": "integer"}}}`}}
	for name, tt := range map[string]struct {
		setting
		id, says string
	}{
		"a failing template": {setting{once: true, template: `{{ fail "no" }}`}, "chart-fails", "the chart does not render, and its objects were not checked: "},
		"an unknown value":   {schema.on("", inApp("sise: 2")), "unknown-value", "chart app 1.0.0 has no value sise, and its schema refuses it: nothing of the release is installed; its objects were not checked"},
		"a wrong value":      {schema.on("", inApp("size: many")), "values-schema", "; its objects were not checked"},
		"another Kubernetes": {setting{once: true, template: sane, metadata: "kubeVersion: '>=1.34.0-0'\n"}, "chart-kube-version", "; its objects were not checked"},
		"two of one name":    {setting{once: true, template: sane + "---\n" + sane}, "refused-release", "; its objects were not checked"},
	} {
		t.Run(name, func(t *testing.T) {
			if found := ofID(find(t, tt.setting), tt.id); !strings.Contains(told(found), tt.says) {
				t.Errorf("want %q, found\n%s", tt.says, told(found))
			}
		})
	}
}
