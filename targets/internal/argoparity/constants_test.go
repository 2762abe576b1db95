package argoparity

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/argoproj/gitops-engine/pkg/sync/common"
	"github.com/google/go-cmp/cmp"
)

// TestSmallModuleHasTheRealConstants compares names, types and values. The small
// module cannot be imported beside the real one, whose path it has, so its
// source is read.
func TestSmallModuleHasTheRealConstants(t *testing.T) {
	want := map[string]string{}
	for name, value := range map[string]any{
		"health.HealthStatusUnknown":        health.HealthStatusUnknown,
		"health.HealthStatusProgressing":    health.HealthStatusProgressing,
		"health.HealthStatusHealthy":        health.HealthStatusHealthy,
		"health.HealthStatusSuspended":      health.HealthStatusSuspended,
		"health.HealthStatusDegraded":       health.HealthStatusDegraded,
		"health.HealthStatusMissing":        health.HealthStatusMissing,
		"common.ResultCodePruneSkipped":     common.ResultCodePruneSkipped,
		"common.AnnotationDeletionApproved": common.AnnotationDeletionApproved,
	} {
		want[name] = fmt.Sprintf("%T %q", value, value)
	}
	if diff := cmp.Diff(want, constants(t, "../gitops-engine")); diff != "" {
		t.Errorf("constants of the small module (-real +small):\n%s", diff)
	}
}

// constants is the constants of all packages below a folder, each with its type
// and value: health.HealthStatusHealthy: health.HealthStatusCode "Healthy".
func constants(t *testing.T, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declaration := range file.Decls {
			group, ok := declaration.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, spec := range group.Specs {
				if err := addConstant(found, file.Name.Name, spec.(*ast.ValueSpec)); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// addConstant takes one name with one string literal, which is all that the
// small module has.
func addConstant(found map[string]string, pkg string, spec *ast.ValueSpec) error {
	name := spec.Names[0].Name
	if len(spec.Names) != 1 || len(spec.Values) != 1 {
		return fmt.Errorf("constant %s: want one name and one value", name)
	}
	literal, ok := spec.Values[0].(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return fmt.Errorf("constant %s: want a string literal", name)
	}
	typeName := "string"
	if named, ok := spec.Type.(*ast.Ident); ok {
		typeName = pkg + "." + named.Name
	}
	found[pkg+"."+name] = typeName + " " + literal.Value
	return nil
}
