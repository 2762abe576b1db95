package chart_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/chart"
)

// TestItems: lists are taken apart, whatever is in them.
func TestItems(t *testing.T) {
	const pod = "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: b}}"
	for _, test := range []struct {
		kind, yaml string
		want       []string
	}{
		{"Pod", pod, []string{"Pod a in b []"}},
		{"List", "{items: [" + pod + ", 1, {kind: Thing}]}", []string{"Pod a in b [0]", "Thing  in  [2]"}},
		{"List", "{items: [{kind: PodList, items: [{}, " + pod + "]}]}", []string{"  in  [0 0]", "Pod a in b [0 1]"}},
		{"List", "{items: []}", nil},
		{"List", "{items: 1}", []string{"List a in b []"}},
		{"Thing", "{items: [" + pod + "]}", []string{"Thing a in b []"}},
		{"Thing", "", []string{"Thing a in b []"}},
	} {
		items, err := chart.Object{Source: "s", Kind: test.kind, Name: "a", Namespace: "b", YAML: []byte(test.yaml)}.Items()
		if err != nil {
			t.Errorf("%s: %v", test.yaml, err)
		}
		var got []string
		for _, item := range items {
			got = append(got, fmt.Sprintf("%s %s in %s %v", item.Kind, item.Name, item.Namespace, item.In))
			if item.Source != "s" {
				t.Errorf("%s: source %q, want s", test.yaml, item.Source)
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.yaml, diff)
		}
	}
	if _, err := (chart.Object{Source: "s", YAML: []byte("{")}).Items(); err == nil {
		t.Error("no YAML has items")
	}
}

// TestTreeEndsLines: a document is applied with a line break at its end, which
// is part of a text in a block that ends there.
func TestTreeEndsLines(t *testing.T) {
	for text, want := range map[string]string{"a: |\n  x\n  y": "x\ny\n", "a: |-\n  x": "x", "a: x": "x"} {
		tree, err := chart.Object{YAML: []byte(text)}.Tree()
		if err != nil || tree["a"] != want {
			t.Errorf("Tree of %q = %q, %v, want %q", text, tree, err, want)
		}
	}
}
