//go:build linux

package gitrepo

import (
	"path/filepath"
	"strings"
	"testing"
)

// Among 100,000 files ours change and no other, here and on a server. Nothing of
// them is checked out: that takes longer than all of the rest.
func TestAmongManyFiles(t *testing.T) {
	w := newWorld(t)
	w.history("origin", benchFiles, 1)
	w.git(".", "clone", "-q", "--no-checkout", "origin", "r")
	w.git("r", "read-tree", "HEAD")
	remote := errand{URL: "file://" + filepath.Join(w.home, "origin"), Files: map[string]string{benchName(7): "theirs\n", "new/file": "theirs\n"}, Message: "remote"}
	if err := w.process(remote).Run(); err != nil {
		t.Fatal(err)
	}
	changes := w.put("r", map[string]string{benchName(7): "ours\n", "fleet/group-03/new.yaml": "ours\n"}, benchName(99_999))
	w.commit("r", changes)
	for dir, want := range map[string]string{
		"origin": "M\t" + benchName(7) + "\nA\tnew/file\n",
		"r":      "M\t" + benchName(7) + "\nA\tfleet/group-03/new.yaml\nD\t" + benchName(99_999) + "\n",
	} {
		w.sound(dir)
		if got := w.git(dir, "diff", "--name-status", "--no-renames", "main~1", "main"); !sameLines(got, want) {
			t.Errorf("%s changed\n%swant\n%s", dir, got, want)
		}
	}
	if got := w.git("r", "diff", "--cached", "--name-only"); got != "" {
		t.Errorf("staged: %.200s", got)
	}
	if got := w.git("r", "status", "--porcelain", "--", benchName(7), "fleet/group-03/new.yaml", benchName(99_999)); got != "" {
		t.Errorf("status = %s", got)
	}
	if got := strings.Count(w.git("r", "ls-files"), "\n"); got != benchFiles {
		t.Errorf("%d files in the index, want %d", got, benchFiles)
	}
}

// sameLines compares lines, in any order.
func sameLines(one, other string) bool {
	lines := func(text string) map[string]bool {
		set := map[string]bool{}
		for line := range strings.Lines(text) {
			set[line] = true
		}
		return set
	}
	a, b := lines(one), lines(other)
	for line := range a {
		if !b[line] {
			return false
		}
	}
	return len(a) == len(b)
}
