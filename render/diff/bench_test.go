package diff_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// BenchmarkCompare compares 1,000 objects of which 10 changed, by turns with
// `diff -r` on the same files, which knows lines alone; ratio is ours to it.
func BenchmarkCompare(b *testing.B) {
	program, err := exec.LookPath("diff")
	if err != nil {
		b.Skip("no diff program in PATH")
	}
	old, new := tree.Tree{}, tree.Tree{}
	for i := range 1000 {
		name, image := fmt.Sprintf("%04d.yaml", i), "r.io/server:1"
		old[name] = manifest(i, image)
		if i%100 == 0 {
			image = "r.io/server:2"
		}
		new[name] = manifest(i, image)
	}
	dir := b.TempDir()
	before, after := lay(b, filepath.Join(dir, "old"), old), lay(b, filepath.Join(dir, "new"), new)
	var ours, theirs time.Duration
	for b.Loop() {
		start := time.Now()
		if n := len(diff.Compare(diff.Documents(old), diff.Documents(new)).Changes); n != 10 {
			b.Fatalf("%d changes, want 10", n)
		}
		between := time.Now()
		_ = exec.Command(program, "-r", before, after).Run() // exit code 1: they differ
		ours, theirs = ours+between.Sub(start), theirs+time.Since(between)
	}
	b.ReportMetric(float64(ours.Microseconds())/float64(b.N), "µs/compare")
	b.ReportMetric(float64(theirs.Microseconds())/float64(b.N), "µs/diff-r")
	b.ReportMetric(float64(ours)/float64(theirs), "ratio")
}

func manifest(i int, image string) []byte {
	return fmt.Appendf(nil, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d%d, namespace: apps}\nspec:\n  replicas: 2\n  template:\n    spec:\n      containers:\n      - name: server\n        image: %s\n        args: [a, b, c]\n        env:\n        - {name: A, value: a}\n", i, image)
}

func lay(b *testing.B, dir string, tree tree.Tree) string {
	b.Helper()
	if err := os.Mkdir(dir, 0o777); err != nil {
		b.Fatal(err)
	}
	for name, data := range tree {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}
