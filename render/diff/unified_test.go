package diff_test

import (
	"testing"

	"github.com/pm-gitops/pm-gitops/render/diff"
)

// TestFiles: a file that is new, or goes, is compared with none, as git writes it.
func TestFiles(t *testing.T) {
	for _, c := range []struct{ before, after, want string }{
		{"", "a: 1\nb: 2\n", "--- /dev/null\n+++ b/f.yaml\n@@ -0,0 +1,2 @@\n+a: 1\n+b: 2\n"},
		{"a: 1\n", "", "--- a/f.yaml\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a: 1\n"},
		{"a: 1\n", "a: 2\n", "--- a/f.yaml\n+++ b/f.yaml\n@@ -1,1 +1,1 @@\n-a: 1\n+a: 2\n"},
	} {
		if got := diff.Files("f.yaml", c.before, c.after, nil); got != c.want {
			t.Errorf("Files(%q, %q) = %q, want %q", c.before, c.after, got, c.want)
		}
	}
}
