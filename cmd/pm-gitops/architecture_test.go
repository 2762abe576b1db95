package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// maxFiles is how many files, tests left out, a package may have: more is hard to
// find one's way in.
const maxFiles = 25

// crowded packages may have more: the commands, a file each.
var crowded = map[string]int{module + "cmd/internal/cli": 100}

// layer returns how far from the core a package is: it imports packages of its own
// layer or of those below, and nothing above. Packages for tests have no layer.
func layer(path string) (n int, ok bool) {
	switch name := strings.TrimPrefix(path, module); {
	case strings.HasSuffix(name, "test"), strings.Contains(name, "/gitops-engine/"), strings.HasPrefix(name, "cmd/internal/e2e"):
		return 0, false
	case strings.HasPrefix(name, "render"):
		return 1, true
	case strings.HasPrefix(name, "targets"):
		return 2, true
	case name == "cmd/internal/cli":
		return 4, true
	case strings.HasPrefix(name, "cmd/internal/"):
		return 3, true
	case strings.HasPrefix(name, "cmd/"):
		return 5, true
	}
	return 0, false
}

const module = "github.com/pm-gitops/pm-gitops/"

// TestArchitecture holds the direction of imports that docs/architecture.md shows,
// keeps the library for command lines out of all packages but the commands', keeps
// the targets out of all but main, and bounds the size of packages. The page's map
// has a line for every package.
func TestArchitecture(t *testing.T) {
	list := exec.Command("go", "list", "-json=ImportPath,Imports,GoFiles", "./...")
	list.Dir = filepath.Join("..", "..")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	packages := 0
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; packages++ {
		var p struct {
			ImportPath       string
			Imports, GoFiles []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, problem := range misplaced(p.ImportPath, p.Imports, len(p.GoFiles)) {
			t.Error(problem)
		}
		if _, known := layer(p.ImportPath); known && !strings.Contains(string(page), "\n| `"+strings.TrimPrefix(p.ImportPath, module)+"`") {
			t.Errorf("docs/architecture.md has no line for %s", p.ImportPath)
		}
	}
	if packages < 20 {
		t.Errorf("looked at %d packages", packages)
	}
}

// misplaced returns what a package must not have.
func misplaced(path string, imports []string, files int) (problems []string) {
	own, ok := layer(path)
	if !ok {
		return nil
	}
	if files > max(maxFiles, crowded[path]) {
		problems = append(problems, path+" has too many files")
	}
	for _, imported := range imports {
		switch to, known := layer(imported); {
		case strings.HasPrefix(imported, module) && strings.HasSuffix(imported, "test"):
			problems = append(problems, path+" imports "+imported+", which is for tests")
		case known && to > own:
			problems = append(problems, path+" imports "+imported+", which is above it")
		case imported == module+"targets" && own < 5:
			problems = append(problems, path+" imports "+imported+", which only main does")
		case imported == "github.com/spf13/cobra" && own < 4:
			problems = append(problems, path+" imports "+imported+", which only the commands do")
		}
	}
	return problems
}

func TestMisplaced(t *testing.T) {
	for _, tt := range []struct {
		path, imported string
		files, want    int
	}{
		{"cmd/internal/fleet", module + "render", 6, 0},
		{"cmd/internal/fleet", module + "cmd/internal/cli", 6, 1},
		{"cmd/internal/fleet", module + "targets", 6, 1},
		{"cmd/internal/fleet", "github.com/spf13/cobra", 6, 1},
		{"cmd/internal/fleet", module + "cmd/internal/giteatest", 6, 1},
		{"cmd/internal/cli", "github.com/spf13/cobra", 50, 0},
		{"cmd/pm-gitops", module + "targets", 1, 0},
		{"render/check", module + "cmd/internal/fleet", 26, 2},
		{"render", module + "targets", 25, 1},
		{"targets", module + "render/tree", 10, 0},
	} {
		if got := misplaced(module+tt.path, []string{tt.imported}, tt.files); len(got) != tt.want {
			t.Errorf("%s imports %s: %q, want %d problems", tt.path, tt.imported, got, tt.want)
		}
	}
}
