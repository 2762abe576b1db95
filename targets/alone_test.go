package targets_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/targets"
)

// TestTargetsAnswerForThemselves: outside of this package, code asks a
// target's traits. It neither says the name of a target nor compares one, and
// main alone chooses targets.
func TestTargetsAnswerForThemselves(t *testing.T) {
	looked := 0
	for _, root := range []string{"../cmd", "../render"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			switch name := filepath.ToSlash(path); {
			case err != nil:
				return err
			case name == "../cmd/internal/e2e": // it builds the delivery systems themselves
				return fs.SkipDir
			case entry.IsDir(), !strings.HasSuffix(name, ".go"), strings.HasSuffix(name, "_test.go"):
				return nil
			}
			looked++
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for _, found := range askingForNames(filepath.ToSlash(path), file) {
				t.Errorf("%s: %s", files.Position(found.Pos()), "it asks for the name of a target: want a trait (render.Traits)")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if looked < 100 {
		t.Errorf("%d files were looked at: where are the others?", looked)
	}
}

// TestNamesAreFound holds askingForNames to what it is for.
func TestNamesAreFound(t *testing.T) {
	for source, want := range map[string]int{
		`target == "argo"`:                                1,
		`i.Target != "flux"`:                              1,
		`map[string]int{"flux": 1}`:                       1,
		`target.Name() == other`:                          1,
		`o.target.Name() != o.name`:                       1,
		`title == "Argo CD"`:                              1,
		`old == (targets.Argo{}).Name()`:                  2,
		`plan(targets.Flux{})`:                            1,
		`"the flux target" + target.Name()`:               0,
		`target.Traits(d).Applier == render.BySync`:       0,
		`inventory.Target != next.Target`:                 0,
		`func() { switch name { case "flux", "argo": } }`: 2,
	} {
		expression, err := parser.ParseExpr(source)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(askingForNames("../cmd/x.go", expression)); got != want {
			t.Errorf("%s: found %d, want %d", source, got, want)
		}
	}
}

// askingForNames returns the places in code that say a target's name or
// compare one.
func askingForNames(path string, code ast.Node) (found []ast.Node) {
	names, titles := map[string]bool{}, map[string]bool{}
	for _, target := range []render.Target{targets.Flux{}, targets.Argo{}} {
		names[target.Name()], titles[target.Traits(render.Delivery{}).Title] = true, true
	}
	table := path == "../render/chart/renderer.go" // renderers have names of their own
	ast.Inspect(code, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.BasicLit:
			if text, err := strconv.Unquote(node.Value); err == nil && names[text] && !table {
				found = append(found, node)
			}
		case *ast.SelectorExpr:
			if from, ok := node.X.(*ast.Ident); ok && from.Name == "targets" && names[strings.ToLower(node.Sel.Name)] && path != "../cmd/pm-gitops/main.go" {
				found = append(found, node)
			}
		case *ast.BinaryExpr: // but for render.Targets.ByName
			if path != "../render/traits.go" && (node.Op == token.EQL || node.Op == token.NEQ) && (isName(node.X, titles) || isName(node.Y, titles)) {
				found = append(found, node)
			}
		}
		return true
	})
	return found
}

// isName reports whether an expression is the name of a target, or a title.
func isName(e ast.Expr, titles map[string]bool) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return err == nil && titles[text]
	case *ast.CallExpr:
		called, ok := e.Fun.(*ast.SelectorExpr)
		if !ok || called.Sel.Name != "Name" {
			return false
		}
		switch of := called.X.(type) {
		case *ast.Ident:
			return of.Name == "target"
		case *ast.SelectorExpr:
			return of.Sel.Name == "target"
		case *ast.ParenExpr:
			return true
		}
	}
	return false
}
