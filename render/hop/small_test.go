package hop_test

import (
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/hop"
)

// small gives a chart of one template.
func small(t *testing.T, version, values, template string) chart.Chart {
	t.Helper()
	return load(t, map[string][]byte{
		"Chart.yaml":            []byte("{apiVersion: v2, name: small, version: " + version + "}"),
		"values.yaml":           []byte(values),
		"templates/objects.txt": nil,
		"templates/all.yaml":    []byte(template),
	})
}

// config gives a ConfigMap with one key; secret and claim are what keeps data.
func config(key, value string) string {
	return "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c-" + key + "}, data: { " + key + ": " + value + " }}\n"
}

func secret(name, value string) string {
	return "---\n{apiVersion: v1, kind: Secret, metadata: {name: " + name + "}, stringData: {k: " + value + "}}\n"
}

func definition(versions ...string) string {
	return "---\n{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: as.b.c}, spec: {group: b.c, versions: [" + strings.Join(versions, ", ") + "]}}\n"
}

const claim = "---\n{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: [ReadWriteOnce]}}\n"

// TestSmall: changes of values that the stand-ins do not have.
func TestSmall(t *testing.T) {
	for name, tt := range map[string]struct {
		oldValues, old, newValues, new, set string
		secrets                             string
		want                                []string
	}{
		"the other way round": {
			"{external: false}", "{{ if not .Values.external }}" + config("a", "x") + "{{ end }}" + config("b", "x"),
			"{embedded: {enabled: true}}", "{{ if .Values.embedded.enabled }}" + config("a", "x") + "{{ end }}" + config("b", "x"),
			"{external: true}", "",
			[]string{"restructured error certain from external to embedded.enabled; remove external; set embedded.enabled=false"},
		},
		"two that do the same": {
			"{one: x}", config("a", "{{ .Values.one }}"),
			"{two: '', three: ''}", config("a", "{{ .Values.two | default .Values.three }}"),
			"{one: some}", "",
			[]string{"renamed error suspected from one to two"},
		},
		"two, of a secret": {
			"{one: x}", secret("a", "{{ .Values.one }}"),
			"{two: '', three: ''}", secret("a", "{{ .Values.two | default .Values.three }}"),
			"{one: some}", "one",
			[]string{"removed error unknown blocks from one"},
		},
		"a secret with a name like it": {
			"{password: ''}", secret("a", "{{ .Values.password }}"),
			"{passwords: ''}", secret("b", "{{ .Values.passwords }}") + secret("a", "none"),
			"{password: some}", "password",
			[]string{"removed error unknown blocks from password"},
		},
		"a secret that goes": {
			"{key: ''}", "{{ if .Values.key }}" + secret("a", "{{ .Values.key }}") + "{{ end }}" + config("b", "x"),
			"{}", config("b", "x"),
			"{key: some}", "key",
			[]string{"deleted error certain blocks Secret/a", "removed error unknown blocks from key"},
		},
		"a claim that goes":               {"{}", claim, "{}", config("b", "x"), "{}", "", []string{"deleted error certain blocks PersistentVolumeClaim/data"}},
		"a claim that says that it stays": {"{}", strings.Replace(claim, "{name: data}", "{name: data, annotations: {helm.sh/resource-policy: keep}}", 1), "{}", config("b", "x"), "{}", "", []string{"deleted info certain PersistentVolumeClaim/data"}},
		"a claim that a default keeps": {
			"{keep: true}", "{{ if .Values.keep }}" + claim + "{{ end }}" + config("b", "x"),
			"{keep: false}", "{{ if .Values.keep }}" + claim + "{{ end }}" + config("b", "x"),
			"{}", "", []string{"flipped error certain blocks from keep to keep; set keep=true"},
		},
		"a checksum": {
			"{one: x}", config("a", "{{ .Values.one | sha256sum }}"),
			"{two: x}", config("a", `{{ printf "salt %s" .Values.two | sha256sum }}`),
			"{one: some}", "", []string{"renamed error certain from one to two; move one to two"},
		},
		"a number": {
			"{a: {port: 80}}", config("a", "'{{ .Values.a.port }}'"),
			"{b: {port: 81, other: 82}}", config("a", "'{{ .Values.b.port }}'") + config("o", "'{{ .Values.b.other }}'"),
			"{a: {port: 90}}", "", []string{"renamed error certain from a to b; move a to b"},
		},
		"a field that is written in another way": {
			"{one: x}", config("a", "{{ .Values.one }}"),
			"{two: x}", config("a", "'{{ .Values.two }} always'"),
			"{one: some}", "", []string{"renamed error certain from one to two; move one to two"},
		},
		"a field that something else fills": {
			"{one: x}", config("a", "{{ .Values.one }}"), "{}", config("a", "fixed"),
			"{one: some}", "", []string{"removed error unknown from one"},
		},
		"required by a template": {
			"{}", config("a", "x"),
			"{new: {name: ''}}", config("a", `{{ required "new.name must be set" .Values.new.name }}`),
			"{}", "", []string{"required error certain to new.name"},
		},
		"a saying with the names put in": {
			"{old: {name: ''}}", config("a", "x"),
			"{new: {name: ''}}", config("a", "x") + `{{ with .Values.old }}{{ fail (printf "%s was renamed to %s" "old" "new") }}{{ end }}`,
			"{old: {name: some}}", "", []string{"renamed warning certain from old to new; move old to new"},
		},
		"something that is another one each time": {
			"{one: true}", "{{ if .Values.one }}" + config("a", "x") + "{{ end }}" + secret("r", "{{ randAlphaNum 20 }}"),
			"{two: true}", "{{ if .Values.two }}" + config("a", "x") + "{{ end }}" + secret("r", "{{ randAlphaNum 20 }}"),
			"{one: false}", "", []string{"renamed error certain from one to two; move one to two"},
		},
		"a name alone": {
			"{mail: {existingSecret: ''}}", config("a", "x"), "{mail: {secretRef: '', host: ''}}", config("a", "x"),
			"{mail: {existingSecret: some}}", "", []string{"renamed warning suspected from mail.existingSecret to mail.secretRef"},
		},
		"a database that starts": {
			"{}", config("b", "x"), "{}", config("b", "x") + "---\n{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {template: {spec: {containers: [{name: a, image: 'postgres:17'}]}}}}",
			"{}", "", []string{"flipped error unknown blocks StatefulSet/db", "images warning certain StatefulSet/db"},
		},
		"a key with a dot": {
			`{"a.b/c": {old: ''}}`, config("a", `{{ index .Values "a.b/c" "old" }}`), `{"a.b/c": {new: ''}}`, config("a", `{{ index .Values "a.b/c" "new" }}`),
			`{"a.b/c": {old: some}}`, "", []string{`renamed error certain from ["a.b/c"].old to ["a.b/c"].new; move ["a.b/c"].old to ["a.b/c"].new`},
		},
		"a list": {
			"{hosts: []}", "{{ range .Values.hosts }}" + config("{{ . }}", "x") + "{{ end }}" + config("z", "x"),
			"{names: []}", "{{ range .Values.names }}" + config("{{ . }}", "x") + "{{ end }}" + config("z", "x"),
			"{hosts: [a, b]}", "", []string{"renamed error certain from hosts to names; move hosts to names"},
		},
		"a text that is an item of a list now": {
			"{host: {primary: ''}}", config("a", "{{ .Values.host.primary }}"), "{hosts: []}", config("a", "{{ range .Values.hosts }}{{ . }}{{ end }}"),
			"{host: {primary: one}}", "", []string{"restructured error certain from host.primary to hosts; remove host.primary; set hosts=[\"one\"]"},
		},
		"a secret that is an item of a list now": {
			"{host: {password: ''}}", secret("a", "{{ .Values.host.password }}"), "{hosts: []}", secret("a", "{{ range .Values.hosts }}{{ . }}{{ end }}"),
			"{host: {password: one}}", "host.password", []string{"restructured error certain blocks from host.password to hosts"},
		},
		"a text that chooses, and is in no object": {
			"{}", config("b", "x"), "{tls: {type: self}}", "{{ if eq .Values.tls.type `issued` }}" + config("a", "x") + "{{ end }}" + config("b", "x"),
			"{tls: {type: issued}}", "", []string{"activated warning certain from tls.type to tls.type"},
		},
		"another stored version of a definition": {
			"{}", definition("{name: v1, served: true, storage: false}", "{name: v1beta1, served: true, storage: true}"),
			"{}", definition("{name: v1, served: true, storage: true}", "{name: v1beta1, served: true, storage: false}"),
			"{}", "", []string{"crd info certain CustomResourceDefinition/as.b.c"},
		},
		"a version that is not served any longer": {
			"{}", definition("{name: v1, served: true, storage: true}", "{name: v1beta1, served: true, storage: false}"),
			"{}", definition("{name: v1, served: true, storage: true}", "{name: v1beta1, served: false, storage: false}"),
			"{}", "", []string{"crd warning certain CustomResourceDefinition/as.b.c"},
		},
		"a text that is a secret's name": {
			"{a: {secretName: ''}}", config("a", "{{ .Values.a.secretName }}"), "{b: {secretName: ''}}", config("a", "{{ .Values.b.secretName }}"),
			"{a: {secretName: login}}", "", []string{"renamed error certain from a to b; move a to b"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			all := parsed(t, tt.set)
			in := hop.Input{Old: side(small(t, "1.0.0", tt.oldValues, tt.old), all), New: side(small(t, "2.0.0", tt.newValues, tt.new), all)}
			if tt.secrets != "" {
				in.Secrets = strings.Split(tt.secrets, " ")
			}
			compare(t, analyze(t, in), tt.want)
		})
	}
}

// TestGlobals: a global value that the charts in a chart get from around them has one
// place, and is no rival of its own copies.
func TestGlobals(t *testing.T) {
	umbrella := func(version, name string) hop.Side {
		return side(load(t, map[string][]byte{
			"Chart.yaml":                    []byte("{apiVersion: v2, name: small, version: " + version + "}"),
			"values.yaml":                   []byte("{global: {" + name + ": ''}}"),
			"charts/inner/Chart.yaml":       []byte("{apiVersion: v2, name: inner, version: " + version + "}"),
			"charts/inner/values.yaml":      []byte("{global: {" + name + ": ''}}"),
			"charts/inner/templates/a.yaml": []byte(config("a", "{{ .Values.global."+name+" }}")),
		}), parsed(t, "{global: {hub: registry.company.com}}"))
	}
	a := analyze(t, hop.Input{Old: umbrella("1.0.0", "hub"), New: umbrella("2.0.0", "registry")})
	compare(t, a, []string{"renamed error certain from global.hub to global.registry; move global.hub to global.registry"})
}
