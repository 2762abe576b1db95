package render_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
)

// TestPlaceholderValues: secret values are there whether the release has values
// of its own or not, and these stay as they are.
func TestPlaceholderValues(t *testing.T) {
	inputs := []render.SecretInput{{Path: "a.b", From: render.SecretRef{Secret: "s", Key: "k"}}}
	own := render.Values{"a": map[string]any{"c": "d"}}
	for _, test := range []struct {
		values render.Values
		want   map[string]any
	}{
		{nil, map[string]any{"a": map[string]any{"b": "FILL-IN s/k"}}},
		{own, map[string]any{"a": map[string]any{"b": "FILL-IN s/k", "c": "d"}}},
	} {
		got, err := render.Release{Values: test.values, SecretInputs: inputs}.PlaceholderValues()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("values %v (-want +got):\n%s", test.values, diff)
		}
	}
	if !cmp.Equal(own, render.Values{"a": map[string]any{"c": "d"}}) {
		t.Errorf("the release's own values became %v", own)
	}
}
