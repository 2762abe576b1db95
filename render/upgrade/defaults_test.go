package upgrade_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// Only defaults that the environment gets are changed: what it sets is the same with both
// versions of the chart.
func TestChangedDefaults(t *testing.T) {
	for name, tt := range map[string]struct {
		old, new, set string
		want          []upgrade.Default
	}{
		"the same":                 {"a: {b: 1}", "a: {b: 1}", "", nil},
		"a value, a key with dots": {"a: {b.c: 1, d: x}", "a: {b.c: 2, d: x}", "", []upgrade.Default{{Key: `a["b.c"]`, From: "1", To: "2"}}},
		"come and gone, by key":    {"z: 1", "a: [1, 2]", "", []upgrade.Default{{Key: "a", To: "[1,2]"}, {Key: "z", From: "1"}}},
		"false is a default":       {"a: true", "a: false", "", []upgrade.Default{{Key: "a", From: "true", To: "false"}}},
		"null is none":             {"a:", "b:", "", nil},
		"null for a default":       {"a: 1", "a:", "", []upgrade.Default{{Key: "a", From: "1"}}},
		"a whole mapping":          {"a: {b: 1}", "a: {b: 1, c: {d: 1, e: {}}}", "", []upgrade.Default{{Key: "a.c", To: `{"d":1,"e":{}}`}}},
		"a scalar, now a mapping":  {"a: 1", "a: {b: 1}", "", []upgrade.Default{{Key: "a", From: "1", To: `{"b":1}`}}},
		"set":                      {"a: {b: 1, c: 1}", "a: {b: 2, c: 2}", "a: {b: 9}", []upgrade.Default{{Key: "a.c", From: "1", To: "2"}}},
		"set in a new mapping":     {"{}", "a: {b: 2, c: 2}", "a: {b: 9}", []upgrade.Default{{Key: "a.c", To: "2"}}},
		"set to null":              {"a: {b: 1}", "a: {b: 2}", "a: null", nil},
		"set as another kind":      {"a: {b: 1}", "a: {b: 2}", "a: none", nil},
	} {
		got := upgrade.ChangedDefaults(parsed(t, tt.old), parsed(t, tt.new), parsed(t, tt.set))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func parsed(t *testing.T, text string) (values map[string]any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &values); err != nil {
		t.Fatal(err)
	}
	return values
}
