package importer

import (
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// TestCompare finds what a mistake of this package would make of the values.
func TestCompare(t *testing.T) {
	values, problems := strictyaml.Load("o.yaml", []byte("a: {b: 1, c: [x]}\nd: {}\nsecret: s\n"))
	if problems != nil {
		t.Fatal(problems)
	}
	ref := render.SecretRef{Secret: "s", Key: "k"}
	d := draft{hiddenAt: map[at]hidden{{"r", "secret"}: {ref: ref}}}
	inputs := []render.SecretInput{{Path: "secret", From: ref}}
	tests := []struct {
		name   string
		values render.Values
		inputs []render.SecretInput
		want   string
	}{
		{"the same", render.Values{"a": map[string]any{"b": int64(1), "c": []any{"x"}}, "d": map[string]any{}}, inputs, ""},
		{"changed", render.Values{"a": map[string]any{"b": "1", "c": []any{"x"}}, "d": map[string]any{}}, inputs, "the value a.b would not come out as it is"},
		{"missing", render.Values{"a": map[string]any{"b": int64(1)}, "d": map[string]any{}}, inputs, "the value a.c would not come out as it is"},
		{"an empty mapping missing", render.Values{"a": map[string]any{"b": int64(1), "c": []any{"x"}}}, inputs, "the value d would not come out as it is"},
		{"the secret missing", render.Values{"a": map[string]any{"b": int64(1), "c": []any{"x"}}, "d": map[string]any{}}, nil, "the secret secret would not reach the chart"},
	}
	for _, tt := range tests {
		err := d.compare(&installed{key: "r", values: values}, render.Release{Values: tt.values, SecretInputs: tt.inputs})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasSuffix(err.Error(), tt.want)) {
			t.Errorf("%s: compare = %v, want %q", tt.name, err, tt.want)
		}
	}
}
