package finding

import (
	"encoding/json"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
)

// TestProblem: a problem is a finding at a setting, in both JSON forms.
func TestProblem(t *testing.T) {
	for _, test := range []struct {
		problem         render.Problem
		inFile, finding string
	}{{
		render.Problem{Position: render.Position{File: "a.yaml", Line: 3, Column: 5}, Path: "spec.a", Message: "is wrong"},
		`{"severity":"error","file":"a.yaml","line":3,"column":5,"field":"spec.a","message":"is wrong"}`,
		`{"check":"","severity":"error","environment":"","file":"a.yaml","line":3,"column":5,"setting":"spec.a","message":"is wrong"}`,
	}, {
		render.Problem{Message: "is wrong"},
		`{"severity":"error","file":"","message":"is wrong"}`,
		`{"check":"","severity":"error","environment":"","message":"is wrong"}`,
	}} {
		f := FromProblem(Error, test.problem)
		if f.Position() != test.problem.Position {
			t.Errorf("position %v", f.Position())
		}
		inFile, err := json.Marshal(f.InFile())
		if err != nil || string(inFile) != test.inFile {
			t.Errorf("got %s, %v\nwant %s", inFile, err, test.inFile)
		}
		whole, err := json.Marshal(f)
		if err != nil || string(whole) != test.finding {
			t.Errorf("got %s, %v\nwant %s", whole, err, test.finding)
		}
	}
}
