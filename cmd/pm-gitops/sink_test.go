package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rawCallers are the files that print bytes as they are, and what these are. Nothing
// else may: what a person reads goes through Say and Text.
var rawCallers = map[string]string{
	"capabilities.go":  "the file that an environment names",
	"check_print.go":   "annotations of GitHub, Markdown",
	"diff.go":          "JSON, Markdown",
	"graph.go":         "drawings",
	"images_print.go":  "a script",
	"init.go":          "an environment file, a workflow",
	"plan.go":          "Markdown, a page",
	"plan_catalog.go":  "a catalog",
	"prerequisites.go": "manifests",
	"preview_print.go": "manifests, JSON",
	"render_print.go":  "manifests",
	"secrets_print.go": "manifests",
	"status_watch.go":  "JSON",
	"validate.go":      "JSON",
	"values.go":        "documents of charts",
	"values_diff.go":   "JSON",
}

// TestOneSink: whatever the program prints goes through package console, whose
// streams are no writers. No file goes round it.
func TestOneSink(t *testing.T) {
	files, raw := 0, map[string]bool{}
	err := filepath.WalkDir(filepath.Join("..", ".."), func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if base := entry.Name(); strings.HasSuffix(base, "test") || base == "e2e" || base == "console" || base == ".git" || base == ".ci" || base == "gitops-engine" {
				return fs.SkipDir
			}
			return nil
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		files++
		found, isRaw, err := printsItself(filepath.Base(name), name, nil)
		for _, problem := range found {
			t.Errorf("%s: %s", name, problem)
		}
		if isRaw && filepath.Base(filepath.Dir(name)) == "cli" {
			raw[filepath.Base(name)] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 300 {
		t.Errorf("looked at %d files", files)
	}
	if got, want := slices.Sorted(maps.Keys(raw)), slices.Sorted(maps.Keys(rawCallers)); !slices.Equal(got, want) {
		t.Errorf("raw bytes are printed by %q, want %q: a new caller says here what they are", got, want)
	}
}

// elsewhere are the names by which a program prints past its sink, and the files that
// may use them: main hands the streams over, and app.go puts libraries on the sink.
var elsewhere = map[string][]string{
	"os.Stdout": {"main.go"}, "os.Stderr": {"main.go"}, "os.NewFile": nil, "syscall.Write": nil,
	"syscall.Stdout": nil, "syscall.Stderr": nil, "fmt.Print": nil, "fmt.Printf": nil, "fmt.Println": nil,
	"log.SetOutput": {"app.go", "worker.go"}, "log.New": nil, "log.Default": nil,
	".SetOut": {"app.go"}, ".SetErr": {"app.go"}, ".SetOutput": nil,
	".OutOrStdout": nil, ".OutOrStderr": nil, ".ErrOrStderr": nil, ".UsageString": nil,
	".Print": nil, ".Printf": nil, ".Println": nil, ".PrintErr": nil, ".PrintErrf": nil, ".PrintErrln": nil,
	"print": nil, "println": nil,
	"github.com/pm-gitops/pm-gitops/cmd/internal/console.New": {"app.go", "main.go"},
}

// printsItself returns what a file prints, or may print, past the sink, and whether it prints
// raw bytes. Base is its name, for exceptions.
func printsItself(base, name string, source any) (problems []string, raw bool, err error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, false, err
	}
	imports := map[string]string{}
	for _, one := range file.Imports {
		path, _ := strconv.Unquote(one.Path.Value)
		local := path[strings.LastIndex(path, "/")+1:]
		if one.Name != nil {
			local = one.Name.Name
		}
		imports[local] = path
		if local == "." && (path == "fmt" || path == "os" || path == "log") {
			problems = append(problems, "imports the names of "+path)
		}
	}
	refuse := func(node ast.Node, format string, args ...any) {
		problems = append(problems, fmt.Sprintf("%s: %s", set.Position(node.Pos()), fmt.Sprintf(format, args...)))
	}
	called := map[ast.Node]bool{}
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.CallExpr:
			called[n.Fun] = true
			used := ""
			if ident, ok := n.Fun.(*ast.Ident); ok {
				used = ident.Name
			}
			if _, known := elsewhere[used]; known {
				refuse(n, "%s prints past the sink", used)
			}
			if selected, ok := n.Fun.(*ast.SelectorExpr); ok && selected.Sel.Name == "Say" && !isLine(n.Args[0]) {
				refuse(n, "the format of Say is no line that is written there: what comes in is an argument")
			}
		case *ast.SelectorExpr:
			used := "." + n.Sel.Name
			if of, ok := n.X.(*ast.Ident); ok && imports[of.Name] != "" {
				used = imports[of.Name] + used
			}
			if allowed, known := elsewhere[used]; known && !slices.Contains(allowed, base) {
				refuse(n, "%s prints past the sink", used)
			}
			raw = raw || used == ".Raw"
			if used == ".Say" && !called[n] {
				refuse(n, "Say is called where its format is seen")
			}
		case *ast.BasicLit:
			if strings.Contains(n.Value, "/dev/std") || strings.Contains(n.Value, "/dev/tty") || strings.Contains(n.Value, "/dev/fd") {
				refuse(n, "a stream by its file")
			}
		}
		return true
	})
	return problems, raw, nil
}

// isLine reports whether an expression is a line that is written there.
func isLine(format ast.Expr) bool {
	literal, ok := format.(*ast.BasicLit)
	return ok && !strings.Contains(literal.Value, `\n`) && !strings.Contains(literal.Value, "\n")
}

func TestPrintsItself(t *testing.T) {
	for body, want := range map[string]int{
		`fmt.Fprintln(os.Stdout, "a")`:                  1,
		`fmt.Fprintln(o.Stderr, "a")`:                   1,
		`fmt.Println("a"); println("b")`:                2,
		`cmd.OutOrStdout().Write(nil)`:                  1,
		`cmd.PrintErr("a"); cmd.Printf("b")`:            2,
		`log.SetOutput(w); log.New(w, "", 0).Print(1)`:  3,
		`console.New(w)`:                                1,
		`a.err.Say(note); a.err.Say("a\nb %s", note)`:   2,
		`say := a.err.Say; say(note)`:                   1,
		`os.WriteFile("/dev/stderr", data, 0)`:          1,
		`a.err.Say("%s", note); a.out.Text(report)`:     0,
		`fmt.Fprintln(&b, "a"); fmt.Sprint(1); b.Err()`: 0,
		`log.Print("to the sink")`:                      0,
	} {
		source := `package cli
import ("fmt"; "log"; "os"; o "os"; "github.com/pm-gitops/pm-gitops/cmd/internal/console")
func f() { ` + body + ` }`
		if got, _, err := printsItself("x.go", "x.go", source); err != nil || len(got) != want {
			t.Errorf("%s: %q, %v, want %d problems", body, got, err, want)
		}
	}
	if _, raw, err := printsItself("x.go", "x.go", "package cli\nfunc f() { a.out.Raw(data) }"); err != nil || !raw {
		t.Errorf("raw bytes: %v, %v", raw, err)
	}
}
