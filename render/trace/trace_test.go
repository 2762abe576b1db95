package trace_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/trace"
)

// made is a chart of a template, with a schema if there is one.
func made(t testing.TB, template, schema string) chart.Chart {
	t.Helper()
	files := map[string][]byte{
		"Chart.yaml":       []byte("{apiVersion: v2, name: app, version: 1.0.0}"),
		"templates/a.yaml": []byte(template),
	}
	if schema != "" {
		files["values.schema.json"] = []byte(schema)
	}
	c, err := chart.FromFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// release is a release with these values and secret inputs.
func release(t testing.TB, values string, paths ...string) render.Release {
	t.Helper()
	r := render.Release{Key: "app", Name: "app", Namespace: "place"}
	if err := yaml.Unmarshal([]byte(values), &r.Values); err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		r.SecretInputs = append(r.SecretInputs, render.SecretInput{Path: path, From: render.SecretRef{Secret: "s", Key: "k"}})
	}
	return r
}

// maker renders a chart, and counts how often.
func maker(t testing.TB, c chart.Chart, r render.Release, renders *int) trace.Make {
	return func(values map[string]any) ([]chart.Object, error) {
		if renders != nil {
			*renders++
		}
		out, err := c.Render(t.Context(), chart.Input{As: chart.Helm(), Release: r.Name, Namespace: r.Namespace, KubeVersion: "1.33", Values: values})
		return out.Objects, err
	}
}

func traced(t testing.TB, c chart.Chart, r render.Release) trace.Trace {
	t.Helper()
	found, err := trace.Release(t.Context(), r, maker(t, c, r, nil))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// lines is the landings of an input, a line each.
func lines(input trace.Input) []string {
	lines := []string{}
	for _, l := range input.Landings {
		line := fmt.Sprintf("%s %s/%s %s", l.How, l.Object.Kind, l.Object.Name, l.Path)
		if l.Encoding != "" {
			line += " (" + l.Encoding + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

// TestPlaces: every place that a value can land in. Each template is made with
// .Values.pw, which is secret, and .Values.other, which is too.
func TestPlaces(t *testing.T) {
	const pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, %s}]}}"
	for template, want := range map[string]string{
		// In Secrets.
		`{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {x: {{ .Values.pw | b64enc }}}}`:                                                             "secret Secret/a data.x",
		`{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {x: {{ .Values.pw | quote }}}}`:                                                        "secret Secret/a stringData.x",
		`{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {x.y: {{ printf "a://u:%s@h" .Values.pw | b64enc }}}}`:                                       `secret Secret/a data["x.y"]`,
		`{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {x: {{ printf "a://u:%s@h" (.Values.pw | urlquery) | b64enc }}}}`:                            "secret Secret/a data.x (urlquery)",
		`{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {x: {{ .Values.pw | toJson | b64enc }}}}`:                                                    "secret Secret/a data.x (json)",
		`{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {x: {{ .Values.pw | b64enc | b64enc }}}}`:                                                    "secret Secret/a data.x (base64)",
		`{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {x: {{ printf "{\"auth\": \"%s\"}" (printf "u:%s" .Values.pw | b64enc) | b64enc }}}}`:        "secret Secret/a data.x (base64)",
		`{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {x: {{ .Values.pw | urlquery | b64enc | b64enc }}}}`:                                         "secret Secret/a data.x (base64 of urlquery)",
		`{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {x: {{ .Values.pw | b64enc | b64enc | b64enc }}}}`:                                     "secret Secret/a stringData.x (base64 of base64 of base64)",
		`{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {x: {{ printf "~~~???%s" .Values.pw | b64enc }}}}`:                                     "secret Secret/a stringData.x (base64)",
		`{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {x: {{ printf "~~~???%s" .Values.pw | b64enc | replace "+" "-" | replace "/" "_" }}}}`: "secret Secret/a stringData.x (base64)",
		`{apiVersion: a.b/v1, kind: Thing, metadata: {name: a}, spec: {x: [{value: "{{ .Values.pw }}"}]}}`:                                                      "other Thing/a spec.x[0].value",
		`{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {x: {{ .Values.pw | trunc 20 | quote }}}}`:                                             "secret Secret/a stringData.x (part)",
		`{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {x: {{ .Values.pw | sha256sum }}}}`:                                                    "secret Secret/a stringData.x (derived)",
		`{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {x: {{ .Values.pw }}}}]}`:                         "secret Secret/a items[0].stringData.x",
		`{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {x: {{ .Values.other }}}}`:                                                             "",

		// Beside a Secret's data.
		`{apiVersion: v1, kind: Secret, metadata: {name: a, annotations: {x: {{ .Values.pw }}}}}`:            "annotation Secret/a metadata.annotations.x",
		`{apiVersion: a.b/v1, kind: Secret, metadata: {name: a}, stringData: {x: {{ .Values.pw }}}}`:         "other Secret/a stringData.x",
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: {{ .Values.pw }}}}`:                "configmap ConfigMap/a data.x",
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, binaryData: {x: {{ .Values.pw | b64enc }}}}`: "configmap ConfigMap/a binaryData.x (base64)",
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "password: {{ .Values.pw }}\n"}}`:  "configmap ConfigMap/a data.x",
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {"{{ .Values.pw }}": x}}`:              "configmap ConfigMap/a data.SECRET",
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {x: "{{ .Values.pw }}"}}}`:            "label ConfigMap/a metadata.labels.x",
		`{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {selector: {x: "{{ .Values.pw }}"}}}`:    "label Service/a spec.selector.x",
		`{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {externalName: "{{ .Values.pw }}"}}`:     "other Service/a spec.externalName",
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: "{{ .Values.pw }}"}}`:                            "other ConfigMap/SECRET metadata.name",
		fmt.Sprintf(pod, `env: [{name: X, value: "{{ .Values.pw }}"}]`):                                      "env Pod/p spec.containers[0].env[0].value",
		fmt.Sprintf(pod, `env: [{name: X, value: "{{ .Values.pw | b64enc }}"}]`):                             "env Pod/p spec.containers[0].env[0].value (base64)",
		fmt.Sprintf(pod, `args: [a, "--password={{ .Values.pw }}"]`):                                         "argument Pod/p spec.containers[0].args[1]",
		fmt.Sprintf(pod, `command: ["{{ .Values.pw }}"]`):                                                    "argument Pod/p spec.containers[0].command[0]",

		// Made of the value.
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {x: {{ .Values.pw | sha256sum }}}}}`: "checksum ConfigMap/a metadata.annotations.x (derived)",
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: "a-{{ .Values.pw | sha256sum | trunc 8 }}"}}`:        "checksum ConfigMap/NAME metadata.name (derived)",
		fmt.Sprintf(pod, `env: [{name: X, value: "{{ .Values.pw | sha1sum }}"}]`):                                "checksum Pod/p spec.containers[0].env[0].value (derived)",

		// Random, or a time.
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: {{ randAlphaNum 9 }}}}`:                                                   "",
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "{{ randNumeric 1 }}{{ randNumeric 1 }}"}}`:                               "",
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "{{ now | unixEpoch }}"}}`:                                                "",
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "{{ randAlphaNum 9 }} {{ .Values.pw }}"}}`:                                "configmap ConfigMap/a data.x",
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {x: "{{ randAlphaNum 9 }}"}}, data: {x: "{{ .Values.pw | sha1sum }}"}}`: "checksum ConfigMap/a data.x (derived)",

		// Twice.
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: b}, data: {x: {{ .Values.pw }}}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {z: {{ .Values.pw }}, x: {{ .Values.pw }}}}": "configmap ConfigMap/a data.x\nconfigmap ConfigMap/a data.z\nconfigmap ConfigMap/b data.x",
	} {
		found := traced(t, made(t, template, ""), release(t, "{}", "pw", "other"))
		got := strings.Join(lines(found.Inputs[0]), "\n")
		if strings.Contains(want, "NAME") && len(found.Inputs[0].Landings) > 0 {
			want = strings.ReplaceAll(want, "NAME", found.Inputs[0].Landings[0].Object.Name)
		}
		if got != want {
			t.Errorf("%s:\n got %q\nwant %q", template, got, want)
		}
	}
}

// TestRandom: what is another one each time is said, since nothing can be seen
// of a value there.
func TestRandom(t *testing.T) {
	found := traced(t, made(t, `{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {x: "{{ htpasswd "u" .Values.pw }}"}}`, ""), release(t, "{}", "pw"))
	if len(found.Random) != 1 || found.Random[0].Path != "stringData.x" || len(found.Inputs[0].Landings) != 0 {
		t.Errorf("got %+v, want no landing and one random field", found)
	}
}

// TestShapes: markers that a schema or a template takes.
func TestShapes(t *testing.T) {
	const template = `{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {x: "{{ .Values.db.pw }}"}}`
	schema := func(rule string) string {
		return `{"properties": {"db": {"properties": {"pw": {` + rule + `}}}}}`
	}
	for _, rule := range []string{
		"", `"type": "string"`, `"minLength": 40`, `"pattern": "^[A-Za-z0-9]+$"`, `"pattern": "^[a-f0-9]{64}$"`, `"pattern": "^[a-f0-9]{32}$"`, `"maxLength": 16`,
		`"pattern": "^[0-9]+$"`, `"pattern": "^https://"`, `"pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"`, `"pattern": "^[A-Za-z0-9+/]{43}=$"`,
	} {
		found := traced(t, made(t, template, schema(rule)), release(t, "{}", "db.pw", "free"))
		if got := lines(found.Inputs[0]); !cmp.Equal(got, []string{"secret Secret/a stringData.x"}) {
			t.Errorf("%s: got %q", rule, got)
		}
	}
	for _, check := range []string{`{{ if ne (len .Values.db.pw) 32 }}{{ fail "db.pw: want 32 letters" }}{{ end }}`, `{{ if ne (len (b64dec .Values.db.pw)) 32 }}{{ fail "no key" }}{{ end }}`, `{{ regexMatch "^[a-z]" .Values.db.pw | ternary "" (fail "x") }}`} {
		if strings.Contains(check, "ternary") {
			continue // fail is called whatever the condition is
		}
		if got := lines(traced(t, made(t, check+template, ""), release(t, "{}", "db.pw")).Inputs[0]); len(got) != 1 {
			t.Errorf("%s: got %q", check, got)
		}
	}
}

// TestShapesOfTwo: each value gets the marker that it can have.
func TestShapesOfTwo(t *testing.T) {
	c := made(t, `{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {x: "{{ .Values.pw }}", z: "{{ .Values.a.b }}"}}`,
		`{"properties": {"pw": {"pattern": "@"}, "a": {"properties": {"b": {"pattern": "^[0-9]+$"}}}}}`)
	for _, input := range traced(t, c, release(t, "{}", "a.b", "pw")).Inputs {
		if len(input.Landings) != 1 {
			t.Errorf("%s lands in %q", input.Path, lines(input))
		}
	}
}

// TestRefused: a chart that takes no marker says why, without one.
func TestRefused(t *testing.T) {
	r := release(t, "{}", "pw")
	for _, c := range []chart.Chart{
		made(t, "a: b", `{"properties": {"pw": {"enum": ["CANARY"]}}}`),
		made(t, `{{ fail (printf "no %s" .Values.pw) }}`, ""),
		made(t, `{{ fail (printf "no %s" (.Values.pw | urlquery)) }}`, ""),
	} {
		renders := 0
		_, err := trace.Release(t.Context(), r, maker(t, c, r, &renders))
		if err == nil || strings.Contains(err.Error(), "Pm1") || renders > 20 {
			t.Errorf("error %v after %d renders, want one without a marker", err, renders)
		}
	}
}

// TestNothingSecret: then nothing is rendered.
func TestNothingSecret(t *testing.T) {
	renders := 0
	r := release(t, "{}")
	found, err := trace.Release(t.Context(), r, maker(t, made(t, "a: b", ""), r, &renders))
	if err != nil || len(found.Inputs) != 0 || found.Inputs == nil || renders != 0 {
		t.Errorf("got %+v, %v after %d renders, want nothing", found, err, renders)
	}
}
