package finding

import (
	"cmp"
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

// TestLine: the line of an error is that of the problem that it was made of.
func TestLine(t *testing.T) {
	at := render.Position{File: "a.yaml", Line: 3, Column: 5}
	for _, problem := range []render.Problem{
		{Position: at, Path: "spec.a", Message: "is wrong"},
		{Position: at, Message: "is \x1b[31m wrong"},
		{Position: render.Position{File: "a.yaml"}, Path: "spec.a", Message: "is wrong"},
	} {
		if got, want := Line(FromProblem(Error, problem)), problem.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	warnings := FromProblems(Warning, render.Problems{{Position: at, Path: "spec.a", Message: "is odd"}, {Position: at, Message: "is odd"}})
	const want = "a.yaml:3:5: warning: spec.a: is odd\na.yaml:3:5: warning: is odd"
	if got := Errors(warnings).Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestComparePlaces(t *testing.T) {
	inOrder := []Finding{{File: "a", Line: 2, Column: 9}, {File: "b", Line: 1, Column: 7}, {File: "b", Line: 2, Column: 1}, {File: "b", Line: 2, Column: 3}}
	for i, a := range inOrder {
		for j, b := range inOrder {
			if got := ComparePlaces(a, b); got != cmp.Compare(i, j) {
				t.Errorf("ComparePlaces(%+v, %+v) = %d", a, b, got)
			}
		}
	}
}
