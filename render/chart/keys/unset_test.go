package keys_test

import (
	"encoding/json"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render/chart/keys"
)

// TestUnset: only defaults that a release gets have changed for it. What it sets is the
// same with both charts.
func TestUnset(t *testing.T) {
	for name, test := range map[string]struct{ old, new, set, want string }{
		"the same":                     {"a: {b: 1}", "a: {b: 1}", "", ``},
		"a value, a key with dots":     {"a: {b.c: 1, d: x}", "a: {b.c: 2, d: x}", "", `a["b.c"] 1 2`},
		"come and gone, by key":        {"z: 1", "a: [1, 2]", "", `a null [1,2]; z 1 null`},
		"false is a default":           {"a: true", "a: false", "", `a true false`},
		"null is none":                 {"a:", "b:", "", ``},
		"null for a default":           {"a: 1", "a:", "", `a 1 null`},
		"a whole mapping":              {"a: {b: 1}", "a: {b: 1, c: {d: 1, e: {}}}", "", `a.c.d null 1; a.c.e null {}`},
		"a scalar, now a mapping":      {"a: 1", "a: {b: 1}", "", `a 1 null; a.b null 1`},
		"another name":                 {"db: {serviceuser: x}", "db: {serviceUser: x}", "", `db.serviceUser null "x"; db.serviceuser "x" null`},
		"set":                          {"a: {b: 1, c: 1}", "a: {b: 2, c: 2}", "a: {b: 9}", `a.c 1 2`},
		"set in a new mapping":         {"{}", "a: {b: 2, c: 2}", "a: {b: 9}", `a.c null 2`},
		"set in an empty mapping":      {"a: {}", "{}", "a: {b: 9}", ``},
		"set to null":                  {"a: {b: 1}", "a: {b: 2}", "a: null", ``},
		"set as another kind":          {"a: {b: 1}", "a: {b: 2}", "a: none", ``},
		"set beside a like name":       {"ab: 1", "ab: 2", "a: 1", `ab 1 2`},
		"an empty mapping sets a list": {"a: [1]", "a: [2]", "a: {}", ``},
		"set where Istio hides it":     {"_internal_defaults_do_not_set: {a: 1, b: 1}", "_internal_defaults_do_not_set: {a: 2, b: 2}", "a: 3", `b 1 2`},
	} {
		c, err := keys.Compare(chartOf(t, map[string]string{"values.yaml": test.old}), chartOf(t, map[string]string{"values.yaml": test.new}))
		if err != nil {
			t.Fatal(err)
		}
		var set map[string]any
		if err := yaml.Unmarshal([]byte(test.set), &set); err != nil {
			t.Fatal(err)
		}
		got := ""
		for i, one := range c.Unset(set) {
			if i > 0 {
				got += "; "
			}
			got += one.Path + " " + asJSON(t, one.Old) + " " + asJSON(t, one.New)
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
