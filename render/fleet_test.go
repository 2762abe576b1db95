package render_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// TestCollisionsOfFiles: a file may be shared if it is the same in all trees.
func TestCollisionsOfFiles(t *testing.T) {
	same := tree.Tree{"prefect/base/v1/a.yaml": []byte("a")}
	other := tree.Tree{"prefect/base/v1/a.yaml": []byte("b")}
	if problems := render.Collisions([]render.Rendering{{Environment: "a", Tree: same}, {Environment: "b", Tree: same}}); problems != nil {
		t.Errorf("Collisions = %v, want none", problems)
	}
	var got []string
	for _, problem := range render.Collisions([]render.Rendering{{Environment: "a", Tree: same}, {Environment: "b", Tree: other}}) {
		got = append(got, problem.Message)
	}
	if diff := cmp.Diff([]string{`the environment writes file prefect/base/v1/a.yaml, and environment "a" () writes it differently`}, got); diff != "" {
		t.Errorf("Collisions (-want +got):\n%s", diff)
	}
}
