package folder_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// TestBeforeIsWhatWriteTouches: what a person put in the place of a file of
// ours is there too, their other files and those of other environments not.
func TestBeforeIsWhatWriteTouches(t *testing.T) {
	dir, root := folderWith(t,
		treeOf("dev", files("prefect/overlays/dev/same", "prefect/overlays/dev/lines", "prefect/overlays/dev/gone", "prefect/base/v1/shared", "prefect/base/v1/alone")),
		treeOf("other", files("prefect/overlays/other/a", "prefect/base/v1/shared"), installedAt("other", "other")),
	)
	put(t, dir, "prefect/overlays/dev/lines", "a\r\nb\r\n")
	put(t, dir, "prefect/overlays/dev/new", "a person's")
	put(t, dir, "prefect/overlays/dev/notes.md", "a person's")
	next := treeOf("dev", files("prefect/overlays/dev/same", "prefect/overlays/dev/lines=c\n", "prefect/overlays/dev/new", "prefect/overlays/dev/newer"))
	had, err := folder.Before(root.FS(), layouts, []tree.Tree{next})
	if err != nil {
		t.Fatal(err)
	}
	delete(had.Tree, devInventory)
	want := tree.Tree{
		"prefect/overlays/dev/same": []byte("prefect/overlays/dev/same"), "prefect/overlays/dev/lines": []byte("a\nb\n"),
		"prefect/overlays/dev/gone": []byte("prefect/overlays/dev/gone"), "prefect/base/v1/alone": []byte("prefect/base/v1/alone"),
		"prefect/overlays/dev/new": []byte("a person's"),
	}
	if d := cmp.Diff(want, had.Tree); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !slices.Equal(had.Others, []string{"other"}) {
		t.Errorf("others: %q", had.Others)
	}
	changes, err := folder.Write(t.Context(), root, layouts, []tree.Tree{next}, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(changes.Updated, changes.Removed) {
		if _, ok := had.Tree[name]; !ok && name != devInventory {
			t.Errorf("Write changed %s, which was not there before", name)
		}
	}
}

// TestBeforeWritesNothing, whatever it finds.
func TestBeforeWritesNothing(t *testing.T) {
	dir, root := folderWith(t, treeOf("dev", files("prefect/overlays/dev/a")))
	if _, err := folder.Before(root.FS(), layouts, []tree.Tree{treeOf("dev", files("prefect/overlays/dev/b"), forTarget("argo"))}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "prefect/overlays/dev/b")); err == nil {
		t.Error("it wrote a file")
	}
	if data, err := os.ReadFile(filepath.Join(dir, "prefect/overlays/dev/a")); err != nil || string(data) != "prefect/overlays/dev/a" {
		t.Errorf("it changed a file: %q, %v", data, err)
	}
}

func TestBeforeSaysWhatWriteWould(t *testing.T) {
	dir, root := folderWith(t, treeOf("dev", files("prefect/overlays/dev/a")))
	had, err := folder.Before(root.FS(), layouts, []tree.Tree{treeOf("dev", files("prefect/overlays/dev/a"), forTarget("argo"))})
	if want := (folder.TargetError{Environment: "dev", Old: "flux", New: "argo"}); err != nil || len(had.Refusals) != 1 || had.Refusals[0] != want {
		t.Errorf("%v, %v, want %v", had.Refusals, err, want)
	}
	link(t, dir, "prefect/overlays/dev/a", "/etc/hostname")
	if _, err := folder.Before(root.FS(), layouts, []tree.Tree{treeOf("dev", files("prefect/overlays/dev/a"))}); err == nil || !strings.Contains(err.Error(), "no plain file") {
		t.Errorf("a link: %v", err)
	}
	moved := treeOf("dev", files("elsewhere/overlays/dev/a"))
	moved["elsewhere/.pm-gitops/dev.json"] = moved[devInventory]
	delete(moved, devInventory)
	var elsewhere folder.PathError
	if _, err := folder.Before(root.FS(), layouts, []tree.Tree{moved}); !errors.As(err, &elsewhere) {
		t.Errorf("another delivery path: %v", err)
	}
}
