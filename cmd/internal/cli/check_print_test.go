package cli

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFindInRepository: code scanning wants paths from the top of the repository,
// wherever the program runs.
func TestFindInRepository(t *testing.T) {
	top := t.TempDir()
	if err := os.MkdirAll(filepath.Join(top, "envs", "eu"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(top, ".git"), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(top, "envs"))
	for file, want := range map[string]string{
		"eu/prod.yaml": "envs/eu/prod.yaml", "../prod.yaml": "prod.yaml", filepath.Join(top, "a.yaml"): "a.yaml",
		"<stdin>": "", "<embedded>/catalog.yaml": "", "": "",
	} {
		if got := findInRepository(file); got != want {
			t.Errorf("findInRepository(%q) = %q, want %q", file, got, want)
		}
	}
}
