//go:build e2e

package e2e

import (
	"os"
	"strings"
	"testing"
)

// Every field that may differ is explained, and nothing is explained that may
// not.
func TestFidelityIsExplained(t *testing.T) {
	page, err := os.ReadFile("../../../docs/fidelity.md")
	if err != nil {
		t.Fatal(err)
	}
	explained := strings.Count(string(page), "\n| `")
	for _, e := range exceptions {
		if !strings.Contains(string(page), "\n| `"+e.id+"` |") {
			t.Errorf("docs/fidelity.md does not explain %s", e.id)
		}
	}
	if explained != len(exceptions) {
		t.Errorf("docs/fidelity.md explains %d fields, the tests let %d differ", explained, len(exceptions))
	}
}
