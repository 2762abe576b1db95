package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestChartNotes: a note comes once in a run, and names its environments where there are several.
func TestChartNotes(t *testing.T) {
	notes := &chartNotes{of: map[string][]string{}}
	for _, environment := range []string{"a", "a", "b", "c", "d", "e"} {
		notes.add(environment, "note: a Pod is left out")
	}
	notes.add("b", "note: rendered for b")
	want := []string{"note: a, b, c and 2 more: a Pod is left out", "note: b: rendered for b"}
	if diff := cmp.Diff(want, notes.lines(true)); diff != "" {
		t.Errorf("lines(true) (-want +got):\n%s", diff)
	}
	want = []string{"note: a Pod is left out", "note: rendered for b"}
	if diff := cmp.Diff(want, notes.lines(false)); diff != "" {
		t.Errorf("lines(false) (-want +got):\n%s", diff)
	}
}
