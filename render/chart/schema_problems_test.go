package chart_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/chart"
)

// TestSchemaProblems: what schemas refuse comes by path, and there is something
// exactly where the render of the same values fails.
func TestSchemaProblems(t *testing.T) {
	files := map[string][]byte{
		"Chart.yaml": []byte("apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n- {name: child, version: 1.0.0, alias: one, condition: one.enabled}\n"),
		"values.schema.json": []byte(`{"required": ["url"], "properties": {
			"url": {"type": "string", "pattern": "^https://"}, "closed": {"additionalProperties": false, "properties": {"a": {}}},
			"list": {"items": {"properties": {"port": {"type": "integer"}}}}, "either": {"anyOf": [{"type": "string"}, {"required": ["name"]}]},
			"far": {"$ref": "https://nowhere.invalid/x.json"}},
			"if": {"properties": {"tls": {"const": true}}, "required": ["tls"]}, "then": {"required": ["cert"]}}`),
		"charts/child/Chart.yaml":         []byte("apiVersion: v2\nname: child\nversion: 1.0.0\n"),
		"charts/child/values.schema.json": []byte(`{"properties": {"a.b": {"type": "integer"}}}`),
		"values.yaml":                     []byte("one: {enabled: false}\n"),
	}
	c, err := chart.FromFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	for values, want := range map[string][]chart.SchemaProblem{
		`{"url": "https://x"}`: nil,
		`{}`:                   {{Path: "url", Message: "is required"}},
		`{"url": "x"}`:         {{Path: "url", Message: "'x' does not match pattern '^https://'"}},
		`{"url": "https://x", "closed": {"a": 1, "b": 1, "c": 1}}`:                       {{Path: "closed.b", Message: "is not allowed here"}, {Path: "closed.c", Message: "is not allowed here"}},
		`{"url": "https://x", "list": [{"port": 1}, {"port": "x"}]}`:                     {{Path: "list[1].port", Message: "got string, want integer"}},
		`{"url": "https://x", "either": {}}`:                                             {{Path: "either", Message: "fits none of the forms that the schema allows, or several: got object, want string; missing property 'name'"}},
		`{"url": "https://x", "tls": true}`:                                              {{Path: "cert", Message: "is required"}},
		`{"url": "https://x", "far": 1}`:                                                 nil,
		`{"url": "https://x", "one": {"a.b": "x"}}`:                                      nil,
		`{"url": "https://x", "one": {"enabled": true, "a.b": "x"}}`:                     {{Path: `one["a.b"]`, Message: "got string, want integer"}},
		`{"url": 1, "one": {"enabled": true, "a.b": "x"}, "list": [{"port": "\u001b"}]}`: {{Path: "list[0].port", Message: "got string, want integer"}, {Path: `one["a.b"]`, Message: "got string, want integer"}, {Path: "url", Message: "got number, want string"}},
	} {
		own := map[string]any{}
		if err := json.Unmarshal([]byte(values), &own); err != nil {
			t.Fatal(err)
		}
		got, unread, err := c.SchemaProblems(own)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("SchemaProblems(%s) (-want +got):\n%s", values, diff)
		}
		if len(unread) != 1 {
			t.Errorf("SchemaProblems(%s) names the schemas %q, want one", values, unread)
		}
		_, err = c.Render(t.Context(), chart.Input{As: chart.Helm(), Release: "r", Namespace: "n", Values: own})
		if (err != nil) != (want != nil) {
			t.Errorf("Render(%s) = %v, SchemaProblems finds %v", values, err, got)
		}
	}
	files["values.schema.json"] = []byte(`{"type": 1}`)
	if c, err = chart.FromFiles(files); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.SchemaProblems(nil); err == nil {
		t.Error("SchemaProblems with a schema that is none = nil")
	}
}

// TestRefusalsHaveAnOrder: what a schema refuses is said in one order, though
// values and schemas are maps.
func TestRefusalsHaveAnOrder(t *testing.T) {
	own, err := chart.FromFiles(map[string][]byte{
		"Chart.yaml":         []byte("apiVersion: v2\nname: a\nversion: 1.0.0\n"),
		"values.schema.json": []byte(`{"additionalProperties": false, "properties": {"b": {"type": "string"}, "c": {"allOf": [{"minLength": 9}, {"pattern": "^x"}]}, "d": {"maximum": 1}}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	in := chart.Input{As: chart.Helm(), Release: "r", Namespace: "n", Values: map[string]any{"z": 1, "y": 1, "x": 1, "b": 1, "c": "c", "d": 2}}
	_, first := own.Render(t.Context(), in)
	const want = `chart a 1.0.0: values don't meet the specifications of the schema(s) in the following chart(s):
a:
- at '': additional properties 'x', 'y', 'z' not allowed
- at '/b': got number, want string
- at '/c': 'allOf' failed
  - at '/c': 'c' does not match pattern '^x'
  - at '/c': minLength: got 1, want 9
- at '/d': maximum: got 2, want 1
`
	for range 20 {
		if _, err := own.Render(t.Context(), in); err == nil || err.Error() != first.Error() {
			t.Fatalf("%v\nand then\n%v", first, err)
		}
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(first.Error(), "\n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
