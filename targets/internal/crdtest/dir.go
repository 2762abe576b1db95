package crdtest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Dir returns the folder with the CustomResourceDefinitions of one release of a
// controller, such as "flux-2.7", and skips the test where it is absent: the
// definitions belong to other projects and are no part of this repository.
// It is crds/name below the folder that the environment variable
// PM_GITOPS_SHARED names (an absolute path), or below the folder "shared" beside
// the repository.
func Dir(t testing.TB, name string) string {
	t.Helper()
	shared := os.Getenv("PM_GITOPS_SHARED")
	if shared == "" {
		shared = filepath.Join(filepath.Dir(root(t)), "shared")
	}
	dir := filepath.Join(shared, "crds", name)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("no CustomResourceDefinitions of %s: want %s (set PM_GITOPS_SHARED to the folder with crds)", name, dir)
	}
	return dir
}

// root returns the root of the repository: go test starts a test in the folder
// of its package, and go.mod is in the nearest folder above that has one.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("find repository root: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("find repository root: no go.mod in the working directory or above")
		}
		dir = parent
	}
}
