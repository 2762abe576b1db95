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
	for _, text := range []string{diff.Text(result, painter(nil).diff()), diff.Unified(result, painter(nil).diff())} {
		if strings.Contains(text, "\x1b") {
			t.Errorf("coloured: %q", text)
		}
	}
	text := diff.Text(result, painter(marked).diff())
	for _, want := range []string{"<1>a.yaml</>\n", "<31>- a: 1</>\n", "<33>~ b: 1 -> 2</>\n", "<32>+ c: 1</>\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
}
