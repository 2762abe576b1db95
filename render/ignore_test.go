package render_test

import (
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
)

// TestObjectPattern: a star stands for any characters, none among them, and
// everything else for itself.
func TestObjectPattern(t *testing.T) {
	for _, test := range []struct {
		pattern, kind, name string
		want                bool
	}{
		{"Service/app", "Service", "app", true},
		{"Service/app", "Service", "apps", false},
		{"Service/app", "Job", "app", false},
		{"Service/*", "Service", "", true},
		{"*/*", "Job", "a-b", true},
		{"Job/app-*", "Job", "app-", true},
		{"Job/app-*", "Job", "ap", false},
		{"Job/*-app", "Job", "my-app", true},
		{"Job/a*a", "Job", "a", false}, // one letter is not two
		{"Job/a*a", "Job", "aa", true},
		{"Job/a*b*c", "Job", "a-b-c", true},
		{"Job/a*b*c", "Job", "a-c-b", false},
		{"Job/a*b*b", "Job", "ab", false},
		{"Job/" + strings.Repeat("*a", 1000), "Job", strings.Repeat("a", 999) + "b", false},
	} {
		if got := render.ObjectPattern(test.pattern).Matches(test.kind, test.name); got != test.want {
			t.Errorf("%.20s matches %s/%.20s: %v, want %v", test.pattern, test.kind, test.name, got, test.want)
		}
	}
}
