package cli

import (
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// TestDiffColours: what is added is green, what is removed red, and without a
// terminal nothing has a colour.
func TestDiffColours(t *testing.T) {
	tree := func(text string) []diff.Document { return diff.Documents(tree.Tree{"a.yaml": []byte(text)}) }
	result := diff.Compare(tree("a: 1\nb: 1\n"), tree("b: 2\nc: 1\n"))
	for _, text := range []string{diff.Text(result, painter{}.diff()), diff.Unified(result, painter{}.diff())} {
		if strings.Contains(text, "\x1b") {
			t.Errorf("coloured: %q", text)
		}
	}
	text := diff.Text(result, painter{on: true}.diff())
	for _, want := range []string{"\x1b[1ma.yaml\x1b[0m\n", "\x1b[31m- a: 1\x1b[0m\n", "\x1b[33m~ b: 1 -> 2\x1b[0m\n", "\x1b[32m+ c: 1\x1b[0m\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
}
