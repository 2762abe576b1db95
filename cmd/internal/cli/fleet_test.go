package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/targets"
	"github.com/pm-gitops/pm-gitops/testdata"
)

// TestReadHint: a hint fits where the file was looked for, and where it is.
func TestReadHint(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("here.yaml", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	const (
		local  = "With --repo, files are those of the repository; --local takes those that are here."
		write  = "Write one with `pm-gitops init`, or name yours with -f FILE."
		shell  = "~ and $ in a path are the shell's to replace: take them out of single quotes, and write --flag ~/… with a space."
		deeper = "Take the folders in it with --recursive."
	)
	here := func(name string, err error) error { return &fleet.ReadError{Name: name, Err: err} }
	inRepository := func(name string, err error) error {
		return &fleet.ReadError{Name: name, InRepository: true, Err: err}
	}
	tests := []struct {
		err  error
		want string
	}{
		{here(fleet.DefaultFile, fs.ErrNotExist), write},
		{here(fleet.DefaultFile, fs.ErrPermission), ""},
		{here("prod.yaml", fs.ErrNotExist), ""},
		{here("~/prod.yaml", fs.ErrNotExist), shell},
		{here("$DIR/prod.yaml", fs.ErrNotExist), shell},
		{inRepository("here.yaml", fs.ErrNotExist), local},
		{inRepository("here.yaml", fs.ErrInvalid), ""},
		{inRepository("nowhere.yaml", fs.ErrNotExist), ""},
		{inRepository(fleet.DefaultFile, fs.ErrNotExist), ""},
		{inRepository("~/prod.yaml", fs.ErrNotExist), ""},
		{fmt.Errorf("folder x %w", fleet.ErrSubfolders), deeper},
		{fs.ErrNotExist, ""},
		{fleet.Failures{fs.ErrNotExist, here("prod.yaml", fs.ErrNotExist), here(fleet.DefaultFile, fs.ErrNotExist)}, write},
	}
	for _, tt := range tests {
		if got := readHint(tt.err); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.err, got, tt.want)
		}
	}
}

// TestRolloutsOfACollision: what is in a cluster can be looked at, whether or not all
// of it could be applied together.
func TestRolloutsOfACollision(t *testing.T) {
	source, err := testdata.Demo.ReadFile("demo/environment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"a.yaml", "b.yaml"} {
		if err := os.WriteFile(filepath.Join(dir, name), source, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	rollouts, _, err := app{}.rollouts(t.Context(), input{files: []string{dir}, jobs: 1}, render.Only(targets.Flux{}))
	if err != nil || len(rollouts) != 2 {
		t.Errorf("%d rollouts, %v", len(rollouts), err)
	}
}
