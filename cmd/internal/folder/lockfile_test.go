package folder_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

const devLock = "prefect/.pm-gitops/dev.lock.yaml"

// A lock is written whole where it was as it was read; one that is the same is not touched,
// and the folder is made.
func TestPutLock(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	put := func(before, content string) error {
		var was []byte
		if before != "" {
			was = []byte(before)
		}
		return folder.PutLock(t.Context(), root, devLock, was, []byte(content))
	}
	file := filepath.Join(dir, filepath.FromSlash(devLock))
	holds := func(want string) os.FileInfo {
		t.Helper()
		got, err := os.ReadFile(file)
		if err != nil || string(got) != want {
			t.Fatalf("the lock is %q, %v: want %q", got, err, want)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	if err := put("", "a\n"); err != nil {
		t.Fatal(err)
	}
	first := holds("a\n")
	if err := put("", "a\n"); err != nil || !os.SameFile(first, holds("a\n")) {
		t.Errorf("the same lock was written once more: %v", err)
	}
	for _, before := range []string{"", "other\n"} {
		if err := put(before, "b\n"); !errors.Is(err, folder.ErrMeanwhile) {
			t.Errorf("PutLock over what was not read: %v", err)
		}
		holds("a\n")
	}
	if err := put("a\n", "b\n"); err != nil || os.SameFile(first, holds("b\n")) {
		t.Errorf("PutLock = %v, or the file was not replaced whole", err)
	}
	if err := os.WriteFile(file, []byte("b\r\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := put("b\r\n", "b\n"); err != nil {
		t.Error(err)
	}
	holds("b\r\n")
	if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 1 {
		t.Errorf("beside the lock there is %v", left)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), file); err != nil {
		t.Skip(err)
	}
	if err := put("", "c\n"); err == nil {
		t.Error("PutLock follows a link")
	}
}

// A lock is written with the rest of an environment and is its own whatever it holds; no
// write removes it, and it goes with the environment.
func TestLocksInTrees(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	files := map[string]string{"prefect/overlays/dev/a.yaml": "1"}
	pinned := treeOf("dev", files)
	pinned[devLock] = []byte("lock\n")
	if err := root.MkdirAll(filepath.Dir(devLock), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := root.WriteFile(devLock, []byte("another\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	changes, err := folder.Write(t.Context(), root, layouts, []tree.Tree{pinned}, false)
	if err != nil || !slices.Equal(changes.Updated, []string{devLock}) || len(changes.Created) != 2 {
		t.Fatalf("Write = %+v, %v", changes, err)
	}
	if changes, err = folder.Write(t.Context(), root, layouts, []tree.Tree{treeOf("dev", files)}, false); err != nil || !changes.Empty() {
		t.Errorf("Write without a lock = %+v, %v", changes, err)
	}
	if changes, err = folder.Write(t.Context(), root, layouts, []tree.Tree{treeOf("dev", map[string]string{"prefect/overlays/dev/b.yaml": "1"})}, false); err != nil || slices.Contains(changes.Removed, devLock) {
		t.Errorf("Write of other files = %+v, %v", changes, err)
	}
	changes, _, err = folder.Remove(t.Context(), root, layouts, devInventory, false)
	if err != nil || !slices.Contains(changes.Removed, devLock) {
		t.Errorf("Remove = %+v, %v", changes, err)
	}
	if _, err := root.Stat("prefect"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something of the environment is left: %v", err)
	}
}
