package keys_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/chart/keys"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// chartOf is a chart of files, with a Chart.yaml if there is none.
func chartOf(t testing.TB, files map[string]string) chart.Chart {
	t.Helper()
	data := map[string][]byte{"Chart.yaml": []byte("apiVersion: v2\nname: c\nversion: 1.0.0\n")}
	for name, text := range files {
		data[name] = []byte(text)
	}
	c, err := chart.FromFiles(data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func valuesOf(t testing.TB, text string) map[string]any {
	t.Helper()
	values := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &values); err != nil {
		t.Fatal(err)
	}
	return values
}

// brief is findings, one text each: + for what is certain, ? for what is not.
func brief(found []keys.Unknown) (texts []string) {
	for _, u := range found {
		sign := "+"
		if u.Doubtful != "" {
			sign = "?"
		}
		texts = append(texts, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", sign, u.Kind, u.Path, u.Nearest)))
	}
	return texts
}

// TestTemplates: what templates do with values, and what follows for values
// that a user sets.
func TestTemplates(t *testing.T) {
	for name, test := range map[string]struct {
		defaults, template, values string
		want                       []string
	}{
		"plain":                      {"a: 1", "{{ .Values.a }}", "{a: 2, b: 1}", []string{"+ unknown b"}},
		"a default nobody reads":     {"{a: 1, b: {c: 1}}", "{{ .Values.a }}", "b: {c: 2}", []string{"+ inert b"}},
		"part of a map":              {"b: {c: 1, d: 1}", "{{ .Values.b.c }}", "b: {c: 2, d: 2, e: 2}", []string{"+ inert b.d", "+ unknown b.e"}},
		"only templates know it":     {"", "{{ .Values.x | default 1 }}", "x: 1", nil},
		"assigned and not used":      {"a: 1", "{{ $x := .Values.a }}", "a: 2", []string{"+ inert a"}},
		"root variable":              {"", "{{ range list 1 }}{{ $.Values.a.b }}{{ end }}", "a: {b: 1, c: 1}", []string{"+ unknown a.c"}},
		"with":                       {"", "{{ with .Values.a }}{{ .b }}{{ end }}", "a: {b: 1, c: 1}", []string{"+ unknown a.c"}},
		"with and else":              {"", "{{ with .Values.a }}{{ .b }}{{ else }}{{ .Values.c }}{{ end }}", "{b: 1, c: 1}", []string{"+ unknown b a.b"}},
		"range over a list":          {"a: []", "{{ range .Values.a }}{{ .name }}{{ end }}", "a: [{name: x, nmae: y}]", []string{"+ unknown a[0].nmae a[0].name"}},
		"range over a map":           {"a: {}", "{{ range $k, $v := .Values.a }}{{ $k }}{{ $v.port }}{{ end }}", "a: {x: {port: 1, prot: 1}}", []string{"+ unknown a.x.prot a.x.port"}},
		"range over keys":            {"a: {}", "{{ range $k := keys .Values.a | sortAlpha }}{{ $k }}{{ get $.Values.a $k }}{{ end }}", "a: {x: 1, y: {z: 1}}", nil},
		"written out":                {"a: {b: 1}", "{{ toYaml .Values.a | nindent 2 }}", "a: {c: {d: 1}}", nil},
		"one map of it written":      {"a: {b: {}, c: {}}", "{{ .Values.a.b | toYaml }}", "a: {b: {x: 1}, c: {x: 1}}", []string{"+ inert a.c"}},
		"never true":                 {"a: 1", "{{ if false }}{{ .Values.a }}{{ end }}", "a: 2", []string{"+ inert a"}},
		"never true in a helper":     {"a: 1", `{{ $s := include "s" . | fromJson }}{{ if $s.on }}{{ .Values.a }}{{ end }}{{ define "s" }}{{ dict "on" false | toJson }}{{ end }}`, "a: 2", []string{"+ inert a"}},
		"through JSON":               {"a: {b: 1, c: 1}", `{{ $s := include "s" . | fromJson }}{{ $s.x.b }}{{ define "s" }}{{ dict "x" .Values.a | toJson }}{{ end }}`, "a: {b: 2, c: 2}", []string{"+ inert a.c"}},
		"text through YAML":          {"", `{{ (include "s" . | fromYaml).k }}{{ define "s" }}k: {{ .Values.a }}{{ end }}`, "{a: 1, b: 1}", []string{"+ unknown b"}},
		"context in a dict":          {"", `{{ include "s" (dict "root" $ "it" .Values.a) }}{{ define "s" }}{{ .it.b }}{{ .root.Values.c }}{{ end }}`, "{a: {b: 1, x: 1}, c: 1, root: 1}", []string{"+ unknown a.x", "+ unknown root"}},
		"context in a list":          {"", `{{ template "s" (list $ .Values.a) }}{{ define "s" }}{{ (index . 1).b }}{{ (index . 0).Values.c }}{{ end }}`, "{a: {b: 1, x: 1}, c: 1}", []string{"+ unknown a.x"}},
		"get with known names":       {"", `{{ range list "v" "w" }}{{ get $.Values.a . }}{{ end }}`, "a: {v: 1, w: 1, z: 1}", []string{"+ unknown a.z"}},
		"index with known names":     {"", `{{ index .Values "a-b" "c" }}`, "a-b: {c: 1, d: 1}", []string{`+ unknown a-b.d`}},
		"made names":                 {"", `{{ $n := "x" }}{{ get .Values.a (printf "%s-%s" $n "y") }}`, "a: {x-y: 1, x-z: 1}", []string{"+ unknown a.x-z a.x-y"}},
		"computed names":             {"a: {x: {p: 1}, y: {p: 1}}\nb: x", `{{ (get .Values.a .Values.b).p }}`, "{b: z, a: {z: {p: 1}, x: {q: 1}}}", []string{"+ unknown a.x.q", "? unknown a.z"}},
		"computed names, empty map":  {"a: {}\nb: x", `{{ get .Values.a .Values.b }}`, "{b: z, a: {z: 1}}", nil},
		"dig":                        {"", `{{ dig "b" "c" "no" .Values.a }}`, "a: {b: {c: 1, d: 1}}", []string{"+ unknown a.b.d"}},
		"values as a map":            {"", `{{ dig "a" "b" "no" .Values.AsMap }}{{ .Values.PathValue "x.w" }}`, "{a: {b: 1, c: 1}, x: {w: 1, z: 1}}", []string{"+ unknown a.c", "+ unknown x.z"}},
		"values by a computed path":  {"", `{{ .Values.Table .Values.a }}`, "{a: 1, b: 1}", []string{"? unknown b"}},
		"defined in a text":          {"", `{{ $_ := tpl "{{ define \"d\" }}{{ .Values.a }}{{ end }}{{ include \"d\" . }}" . }}`, "{a: 1, b: 1}", []string{"+ unknown b"}},
		"a context that is merged":   {"", `{{ $c := merge (dict "x" 1) . }}{{ $c.Values.a }}`, "{a: 1, b: 1}", []string{"+ unknown b"}},
		"through a sub-map as root":  {"", `{{ include "s" (dict "Values" .Values.a) }}{{ define "s" }}{{ .Values.b }}{{ end }}`, "{a: {b: 1, c: 1}}", []string{"+ unknown a.c"}},
		"files in a loop":            {"", `{{ range $p, $_ := .Files.Glob "*" }}{{ tpl ($.Files.Get $p) $ }}{{ end }}`, "{f: 1, c: 1}", []string{"+ unknown c"}},
		"hasKey":                     {"", `{{ if hasKey .Values.a "b" }}x{{ end }}`, "a: {b: 1, c: 1}", []string{"+ unknown a.c"}},
		"pluck":                      {"", `{{ pluck "b" .Values.a .Values.x | first }}`, "{a: {b: 1}, x: {b: 1, c: 1}}", []string{"+ unknown x.c"}},
		"pick":                       {"", `{{ toYaml (pick .Values.a "b") }}`, "a: {b: {x: 1}, c: 1}", []string{"+ unknown a.c"}},
		"merge":                      {"", `{{ $m := merge (deepCopy .Values.a) .Values.b }}{{ $m.c }}`, "{a: {c: 1}, b: {c: 1, d: 1}}", []string{"+ unknown b.d"}},
		"merged into":                {"", `{{ $d := dict }}{{ $_ := merge $d .Values.a }}{{ $d.c }}`, "a: {c: 1, d: 1}", []string{"+ unknown a.d"}},
		"set":                        {"", `{{ $_ := set .Values "b" .Values.a }}{{ .Values.b.c }}`, "a: {c: 1, d: 1}", []string{"+ unknown a.d"}},
		"default":                    {"", `{{ (default .Values.a .Values.b).c }}`, "{a: {c: 1}, b: {c: 1, d: 1}}", []string{"+ unknown b.d"}},
		"ternary":                    {"", `{{ (ternary .Values.a .Values.b .Values.if).c }}`, "{if: true, a: {c: 1}, b: {c: 1, d: 1}}", []string{"+ unknown b.d"}},
		"or and and":                 {"", `{{ or .Values.a (and .Values.b .Values.c) }}`, "{a: 1, b: 1, c: 1, d: 1}", []string{"+ unknown d"}},
		"chain":                      {"", `{{ ((.Values.a).b).c }}`, "a: {b: {c: 1, d: 1}}", []string{"+ unknown a.b.d"}},
		"loop variable":              {"", `{{ $x := dict }}{{ range list 1 2 }}{{ $x.c }}{{ $x = $.Values.a }}{{ end }}`, "a: {c: 1, d: 1}", []string{"+ unknown a.d"}},
		"defaults kept elsewhere":    {"_d: {a: 1, b: 2}", `{{ $d := .Values._d }}{{ $_ := unset .Values "_d" }}{{ $_ := set $ "Values" (mustMergeOverwrite $d .Values) }}{{ .Values.a }}`, "{a: 2, b: 2, aa: 1}", []string{"+ unknown aa", "+ inert b"}},
		"a copy of all values":       {"", `{{ .Values | toYaml | sha256sum }}{{ .Values.a }}`, "{a: 1, b: 1}", []string{"+ unknown b"}},
		"all values written out":     {"a: {b: 1}", "{{ .Values.a.b }}\nd:\n{{- toYaml .Values | nindent 4 }}", "{a: {b: 1, e: 1}, c: 1}", []string{"? unknown a.e", "? unknown c"}},
		"all values encoded":         {"a: 1", "{{ .Values.a }}{{ .Values | toJson | b64enc }}", "c: 1", []string{"? unknown c"}},
		"all values in a helper":     {"a: 1", `{{ include "s" . | quote }}{{ define "s" }}all: {{ toJson .Values }}{{ end }}`, "c: 1", []string{"? unknown c"}},
		"the context written out":    {"", "{{ toYaml . }}", "c: 1", []string{"? unknown c"}},
		"a checksum in a helper":     {"a: 1", `{{ include "s" . | sha256sum }}{{ define "s" }}{{ toJson .Values | nindent 2 }}{{ end }}`, "{a: 1, c: 1}", []string{"+ inert a", "+ unknown c"}},
		"failing with all values":    {"a: 1", "{{ .Values.a }}{{ if .Values.b }}{{ fail (toYaml .Values) }}{{ end }}", "c: 1", []string{"+ unknown c"}},
		"a map and all values":       {"a: {b: 1}", "{{ .Values.a.b }}{{ toYaml (merge (deepCopy .Values.a) .Values) }}", "{a: {x: 1}, c: 1}", []string{"? unknown a.x", "? unknown c"}},
		"tpl of a value":             {"a: '{{ .Values.b }}'", `{{ tpl .Values.a . }}`, "{b: 1, c: 1}", []string{"+ unknown c"}},
		"tpl of the user's value":    {"a: x", `{{ tpl (toYaml .Values.a) $ }}`, "{a: '{{ .Values.b }}', b: 1, c: 1}", []string{"+ unknown c"}},
		"tpl of a written text":      {"", `{{ tpl "{{ .x }}" (dict "x" .Values.a) }}`, "{a: 1, c: 1}", []string{"+ unknown c"}},
		"no tpl":                     {"a: '{{ .Values.b }}'", `{{ .Values.a }}`, "{b: 1}", []string{"+ unknown b"}},
		"include of a computed name": {"", `{{ include .Values.a . }}{{ define "x" }}{{ .Values.b }}{{ end }}`, "{a: x, b: 1, c: 1}", []string{"+ unknown c"}},
		"include by file":            {"", `{{ include (print $.Template.BasePath "/_h.tpl") . }}`, "{h: 1, c: 1}", []string{"+ unknown c"}},
		"itself":                     {"", `{{ include "r" .Values.a }}{{ define "r" }}{{ .v }}{{ with .next }}{{ include "r" . }}{{ end }}{{ end }}`, "a: {v: 1, w: 1, next: {v: 1, next: {v: 1, next: {v: 1, next: {w: 1}}}}}", []string{"+ unknown a.w"}},
		"case":                       {"", `{{ .Values.serviceUser }}`, "serviceuser: 1", []string{"+ unknown serviceuser serviceUser"}},
		"elsewhere":                  {"", `{{ .Values.global.frontendUrl }}`, "frontendUrl: x", []string{"+ unknown frontendUrl global.frontendUrl"}},
		"no secret for another":      {"db: {adminUser: {username: postgres, password: ''}}", `{{ toYaml .Values.db.adminUser.username }}{{ .Values.db.adminUser.password }}`, "db: {serviceUser: {password: x}, adminPassword: x}", []string{"+ unknown db.adminPassword", "+ unknown db.serviceUser"}},
		"no secret elsewhere":        {"db: {password: ''}", `{{ .Values.db.password }}`, "password: x", []string{"+ unknown password"}},
		"no secret beside":           {"{userPassword: '', superPassword: ''}", `{{ .Values.userPassword }}{{ .Values.superPassword }}`, "{supPassword: x, user_password: x}", []string{"+ unknown supPassword", "+ unknown user_password userPassword"}},
		"no map with another secret": {"{serviceUser: {password: ''}}", `{{ .Values.serviceUser.password }}`, "{serverUser: {password: x}, serviceuser: {password: x}}", []string{"+ unknown serverUser", "+ unknown serviceuser serviceUser"}},
		"another type":               {"{image: {tag: ''}, replicas: 1, enabled: true, hosts: []}", `{{ .Values.image.tag }}{{ .Values.replicas }}{{ .Values.enabled }}{{ .Values.hosts }}`, "{imag: x, replica: [1], enable: 'yes', host: a}", []string{"+ unknown enable", "+ unknown host", "+ unknown imag", "+ unknown replica"}},
		"the same type":              {"{image: {tag: ''}, replicas: 1, enabled: true, hosts: [], name: ''}", `{{ .Values.image.tag }}{{ .Values.replicas }}{{ .Values.enabled }}{{ .Values.hosts }}{{ .Values.name }}`, "{imag: {tag: x}, replica: 2, enable: false, host: [a], nam: 1}", []string{"+ unknown enable enabled", "+ unknown host hosts", "+ unknown imag image", "+ unknown nam name", "+ unknown replica replicas"}},
		"another owner":              {"db: {adminUser: {username: postgres}}", `{{ .Values.db.adminUser.username }}`, "db: {serviceUser: {username: app}}", []string{"+ unknown db.serviceUser"}},
		"another owner, both known":  {"db: {adminUser: {username: postgres}, serviceUser: {host: x}}", `{{ .Values.db.adminUser.username }}{{ .Values.db.serviceUser.host }}`, "db: {serviceUser: {username: app}}", []string{"+ unknown db.serviceUser.username"}},
		"one of several":             {"redis: {cache: {host: ''}, work: {host: ''}}", `{{ .Values.redis.cache.host }}{{ .Values.redis.work.host }}`, "redis: {host: x}", []string{"+ unknown redis.host"}},
		"a level too many":           {"redis: {host: ''}", `{{ .Values.redis.host }}`, "redis: {cache: {host: x}, host: y}", []string{"+ unknown redis.cache"}},
		"short names":                {"url: ''", `{{ .Values.url }}`, "{uid: x, userName: x, ulr: x}", []string{"+ unknown uid", "+ unknown ulr url", "+ unknown userName"}},
		"odd keys":                   {"", `{{ .Values.a }}`, `{"x.y": 1}`, []string{`+ unknown ["x.y"]`}},
		"files":                      {"", `{{ tpl (.Files.Get "t.txt") . }}`, "{f: 1, c: 1}", []string{"+ unknown c"}},
		"a scalar over a map":        {"a: {b: 1}", `{{ .Values.a.b }}`, "a: 1", nil},
		"null":                       {"a: {b: 1}", `{{ .Values.a.b }}`, "{a: null, b: null}", []string{"+ unknown b a.b"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := chartOf(t, map[string]string{"values.yaml": test.defaults, "templates/t.yaml": test.template, "templates/_h.tpl": "{{ .Values.h }}", "t.txt": "{{ .Values.f }}"})
			tree, err := keys.Of(c)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, brief(tree.Check(valuesOf(t, test.values)))); diff != "" {
				t.Errorf("Check (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSchema: what a schema knows and no template reads is inert, and where it
// takes any key nothing is said.
func TestSchema(t *testing.T) {
	c := chartOf(t, map[string]string{
		"templates/t.yaml": "{{ .Values.read }}{{ .Values.open.x }}{{ range .Values.each }}{{ .b }}{{ end }}{{ .Values.node.next.v }}",
		"values.schema.json": `{"properties": {
			"read": {}, "inert": {}, "open": {"additionalProperties": true}, "strings": {"additionalProperties": {"type": "string"}},
			"each": {"additionalProperties": {"properties": {"b": {}}}}, "node": {"$ref": "#/$defs/node"}},
			"allOf": [{"if": {"properties": {"conditional": {}}}}], "patternProperties": {"^x-": {}},
			"$defs": {"node": {"properties": {"v": {}, "next": {"$ref": "#/$defs/node"}}}}}`,
	})
	tree, err := keys.Of(c)
	if err != nil {
		t.Fatal(err)
	}
	values := "{read: 1, inert: 1, conditional: 1, x-mine: 1, another: 1, open: {z: 1}, each: {q: {b: 1, c: 1}}, node: {next: {v: 1, w: 1}}}"
	want := []string{"+ unknown another", "+ inert conditional", "+ unknown each.q.c", "+ inert inert", "+ unknown node.next.w"}
	got := brief(tree.Check(valuesOf(t, values)))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Check (-want +got):\n%s", diff)
	}
}

// TestPartsOfCharts: values of charts in a chart, under their aliases.
func TestPartsOfCharts(t *testing.T) {
	child := map[string]string{
		"Chart.yaml":       "apiVersion: v2\nname: child\nversion: 1.0.0\n",
		"values.yaml":      "{port: 1, unread: 1, exports: {up: {from: 1}}}",
		"templates/t.yaml": "{{ .Values.port }}{{ .Values.global.shared }}",

		"values.schema.json": `{"additionalProperties": true}`,
	}
	files := map[string]string{
		"Chart.yaml":       "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n- {name: child, version: 1.0.0, alias: one, condition: one.enabled, tags: [extra]}\n- {name: child, version: 1.0.0, import-values: [up]}\n",
		"templates/t.yaml": "{{ .Values.from }}{{ .Subcharts.one.Values.seen }}",
		"values.yaml":      "one: {enabled: false}",
	}
	for name, text := range child {
		files["charts/child/"+name] = text
	}
	tree, err := keys.Of(chartOf(t, files))
	if err != nil {
		t.Fatal(err)
	}
	values := "{one: {enabled: true, port: 1, prot: 1, unread: 1, global: {shared: 1, x: 1}, seen: 1}, child: {port: 1, exports: {up: {from: 2}}}, global: {shared: 1, x: 1}, tags: {extra: true, other: true}, port: 1}"
	want := []string{
		"+ unknown global.x", "+ unknown one.global.x", "+ unknown one.prot one.port", "+ inert one.unread",
		"+ unknown port", "+ unknown tags.other",
	}
	if diff := cmp.Diff(want, brief(tree.Check(valuesOf(t, values)))); diff != "" {
		t.Errorf("Check (-want +got):\n%s", diff)
	}
}

// TestPartWritesAllOut: what a chart in a chart writes out is its own values and
// what is global around it.
func TestPartWritesAllOut(t *testing.T) {
	tree, err := keys.Of(chartOf(t, map[string]string{
		"Chart.yaml":                    "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n- {name: child, version: 1.0.0}\n",
		"charts/child/Chart.yaml":       "apiVersion: v2\nname: child\nversion: 1.0.0\n",
		"charts/child/templates/t.yaml": "{{ .Values.port }}{{ .Values.global.host }}\nd:\n{{- toYaml .Values | nindent 2 }}",
	}))
	if err != nil {
		t.Fatal(err)
	}
	found := tree.Check(valuesOf(t, "{child: {x: 1}, global: {w: 1}, z: 1}"))
	want := []string{"? unknown child.x", "? unknown global.w", "+ unknown z"}
	if diff := cmp.Diff(want, brief(found)); diff != "" {
		t.Errorf("Check (-want +got):\n%s", diff)
	}
	if why := found[0].Doubtful; why != "c/charts/child/templates/t.yaml writes all values out" {
		t.Errorf("Doubtful = %q", why)
	}
}

// TestDoubt: a chart that cannot be followed is doubtful, never an accusation,
// and never without end.
func TestDoubt(t *testing.T) {
	r := strings.Repeat
	var wide, computed string
	for i := range 12 {
		wide += fmt.Sprintf(`{{ define "f%d" }}%s{{ end }}`, i, r(fmt.Sprintf(`{{ include "f%d" (dict "a" . "b" $) }}`, i+1), 9))
	}
	for i := range 150 {
		computed += fmt.Sprintf(`{{ define "d%d" }}{{ include .Values.x (dict "Values" .Values "a" .) }}{{ end }}`, i)
	}
	for name, template := range map[string]string{
		"conditions":     r("{{ if .Values.a }}", 20_000) + r("{{ end }}", 20_000),
		"else if":        "{{ if .Values.a }}" + r("{{ else if .Values.a }}", 20_000) + "{{ end }}",
		"parentheses":    "{{ " + r("(", 9000) + ".Values.a" + r(")", 9000) + " }}",
		"loops":          r("{{ range .Values.a }}", 300) + r("{{ end }}", 300),
		"entangled":      wide + `{{ include "f0" . }}`,
		"computed names": computed + `{{ include "d0" . }}`,
		"many actions":   r("{{ .x }}", 60_000),
		"a long path":    "{{ .Values" + r(".a", 400_000) + " }}",
		"merges":         r(`{{ $_ := merge .Values (dict "a" .Values.a) .Values.a .Values.b }}`, 3000) + `{{ .Values.a.b.a.b }}`,
		"lists in lists": `{{ $l := list .Values }}` + r(`{{ $l = list $l $l }}`, 20_000) + `{{ toYaml $l }}`,
		"maps in maps":   `{{ $d := dict }}` + r(`{{ $_ := set $d "x" (dict "y" $d) }}{{ $d = $d.x }}`, 10_000) + `{{ toYaml $d }}`,
	} {
		tree, err := keys.Of(chartOf(t, map[string]string{"templates/t.yaml": template}))
		if err != nil {
			t.Fatal(err)
		}
		if got := brief(tree.Check(map[string]any{"globl": 1})); !slices.Equal(got, []string{"? unknown globl"}) {
			t.Errorf("%s: Check = %v, want a doubtful finding", name, got)
		}
	}
	if _, err := keys.Of(chartOf(t, map[string]string{"templates/t.yaml": "{{ if }}"})); err == nil {
		t.Error("Of a template that Helm cannot parse = nil")
	}
}

// TestStandIns: what users of the stand-ins get wrong is found in every
// version, also where the chart is silent.
func TestStandIns(t *testing.T) {
	check := func(name string, files map[string][]byte, values string, want ...string) {
		t.Helper()
		c, err := chart.FromFiles(files)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := keys.Of(c)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, brief(tree.Check(valuesOf(t, values)))); diff != "" {
			t.Errorf("%s: Check (-want +got):\n%s", name, diff)
		}
	}
	wrong := "{globl: {frontendUrl: x}, redis: {cache: {host: x, hots: x}}, existingSecrets: {auth-provider: x}, serviceAccount: {annotations: {a.b/c: d}}, services: {server: {replicas: 2}, mine: {enabled: true}}}"
	for _, version := range charts.Versions(charts.Cloud) {
		files, err := charts.Files(charts.Cloud, version)
		if err != nil {
			t.Fatal(err)
		}
		check(version, files, wrong, "+ unknown globl global", "+ unknown redis.cache.hots redis.cache.host")
		if version < "1.3" {
			check(version, files, "services: {server: {resources: {limits: {cpu: 1}}}}", "+ inert services.server.resources")
		}
		if version == "1.3.901" {
			check(version, files, "{db: {use_embedded: false, serviceuser: {password: x}}, ui: {cloud2: {replicas: 3}}, createAppSecretsInChart: false}",
				"+ unknown createAppSecretsInChart", "+ unknown db.serviceuser db.serviceUser", "+ unknown db.use_embedded", "+ unknown ui.cloud2")
		}
	}
	for seed := range uint64(6) {
		files, names, err := charts.Variant(seed, seed%2 == 0)
		if err != nil {
			t.Fatal(err)
		}
		role := strings.TrimPrefix(names["redis.leases"], "redis.")
		check(fmt.Sprint("variant ", seed), files, strings.Replace(wrong, "cache", role, 1), "+ unknown globl global", fmt.Sprintf("+ unknown redis.%s.hots redis.%[1]s.host", role))
	}
	for _, version := range charts.Versions(charts.Istiod) {
		files, err := charts.Files(charts.Istiod, version)
		if err != nil {
			t.Fatal(err)
		}
		check(version, files, "{globl: 1, istioDiscovery: {hub: x, replicaCont: 1, resources: {limits: {cpu: 1}}, meshConfig: {any: 1}}, istioBase: {global: {imagePullSecrets: [x]}}, istioCNI: {hub: x, hubb: x}}",
			"+ unknown globl global", "+ inert istioBase.global.imagePullSecrets", "+ unknown istioCNI.hubb istioCNI.hub", "+ unknown istioDiscovery.replicaCont istioDiscovery.replicaCount")
	}
}

// TestPublicCharts: a misspelt value of a real chart is found, and what is
// right is not.
func TestPublicCharts(t *testing.T) {
	for _, s := range publicCharts(t) {
		tree, err := keys.Of(s.chart)
		if err != nil {
			t.Fatal(err)
		}
		for _, base := range s.bases {
			delete(base, "tls") // of metrics-server, from the second of the releases on
			if found := tree.Check(base); found != nil {
				t.Errorf("%s: Check of values that are used = %v", s.name, found)
			}
		}
		wrong, want := map[string]string{"base": "defaultRevison: x", "gateway": "autoscaling: {minReplica: 1}", "istiod": "{autoscaleMn: 2, pilot: {autoscaleMin: 2}, global: {proxy: {any: 1}}}", "metr": "{image: {tga: x}, resources: {limts: {cpu: 1}}}"}, map[string]string{
			"base": "+ unknown defaultRevison defaultRevision", "gateway": "+ unknown autoscaling.minReplica autoscaling.minReplicas",
			"istiod": "? unknown autoscaleMn autoscaleMin", "metr": "+ unknown image.tga image.tag",
		}
		kind, _, _ := strings.Cut(s.name, "-")
		kind = strings.TrimSuffix(kind, "ics")
		if got := brief(tree.Check(valuesOf(t, wrong[kind]))); !slices.Equal(got, []string{want[kind]}) {
			t.Errorf("%s: Check = %q, want %q", s.name, got, want[kind])
		}
	}
}

// FuzzKeys reads templates of any kind, with values of any kind.
func FuzzKeys(f *testing.F) {
	for _, name := range []string{charts.Cloud, charts.Istiod} {
		files, err := charts.Files(name, "1.3.900")
		if err != nil {
			f.Fatal(err)
		}
		for file, text := range files {
			if strings.Contains(file, "templates/") {
				f.Add(string(text), "a: {b: 1}")
			}
		}
	}
	f.Add(`{{ $x := dict "a" .Values }}{{ $_ := set $x "b" $x }}{{ toYaml $x }}{{ range $k, $v := $x }}{{ include $k $v }}{{ end }}`, "{a: '{{ .Values.x }}'}")
	f.Fuzz(func(t *testing.T, template, values string) {
		c, err := chart.FromFiles(map[string][]byte{
			"Chart.yaml": []byte("apiVersion: v2\nname: c\nversion: 1.0.0\n"), "templates/t.yaml": []byte(template), "values.yaml": []byte(values),
		})
		if err != nil {
			return
		}
		tree, err := keys.Of(c)
		if err != nil {
			return
		}
		set := map[string]any{"notThere": map[string]any{"x": "{{ .Values.y }}"}}
		if first, again := tree.Check(set), tree.Check(set); !slices.Equal(first, again) {
			t.Errorf("Check = %v, then %v", first, again)
		}
	})
}

func BenchmarkOf(b *testing.B) {
	for _, s := range publicCharts(b) {
		if s.name != "istiod-1.28.3" {
			continue
		}
		b.Run(s.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := keys.Of(s.chart); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func ExampleTree_Check() {
	c, _ := chart.FromFiles(map[string][]byte{
		"Chart.yaml":       []byte("apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
		"values.yaml":      []byte("global: {frontendUrl: \"\"}\nlegacy: true\n"),
		"templates/c.yaml": []byte("url: {{ .Values.global.frontendUrl }}\n"),
	})
	tree, _ := keys.Of(c)
	for _, u := range tree.Check(map[string]any{"globl": map[string]any{"frontendUrl": "x"}, "legacy": false}) {
		fmt.Println(u.Kind, u.Path, u.Nearest)
	}
	// Output:
	// unknown globl global
	// inert legacy
}
