package folder_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// TestUnknownTarget: which files are those of an environment, only its target
// says. An unknown target's environment is neither replaced nor removed, not by
// force either, and keeps its files when another one is written or removed.
func TestUnknownTarget(t *testing.T) {
	const shared = "prefect/base/a.yaml"
	newer := treeOf("dev", files(".newer/dev.yml", shared), forTarget("newer"), installedAt("dev", "dev"))
	prod := treeOf("prod", files("prefect/overlays/prod/a.yaml", shared))
	dir, root := folderWith(t, newer, prod)
	before := snapshot(t, dir)
	want := folder.UnknownTargetError{Inventory: devInventory, Environment: "dev", Target: "newer"}

	_, err := folder.Write(t.Context(), root, layouts, []tree.Tree{treeOf("dev", files("prefect/overlays/dev/a.yaml"))}, true)
	if !errors.Is(err, want) {
		t.Errorf("Write = %v, want %v", err, want)
	}
	if _, err := folder.Before(root.FS(), layouts, []tree.Tree{newer}); !errors.Is(err, want) {
		t.Errorf("Before = %v, want %v", err, want)
	}
	if _, _, err := folder.Remove(t.Context(), root, layouts, devInventory, true); !errors.Is(err, want) {
		t.Errorf("Remove = %v, want %v", err, want)
	}
	if diff := cmp.Diff(before, snapshot(t, dir)); diff != "" {
		t.Errorf("refused, and yet (-before +after):\n%s", diff)
	}

	changes, _, err := folder.Remove(t.Context(), root, layouts, "prefect/.pm-gitops/prod.json", false)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.Join(changes.Removed, " "), shared) {
		t.Errorf("Remove took out %q, which another environment has", changes.Removed)
	}
}

// TestLayoutsGuardFiles: an inventory that lists a file outside of its target's
// layout is refused before anything is written or removed.
func TestLayoutsGuardFiles(t *testing.T) {
	own := tree.Layouts{"flux": {Paths: []string{".ci/prefect-{environment}.yml"}}}
	_, root := folderWith(t)
	if _, err := folder.Write(t.Context(), root, own, []tree.Tree{treeOf("dev", files(".ci/prefect-dev.yml"))}, false); err != nil {
		t.Fatal(err)
	}
	if _, _, err := folder.Remove(t.Context(), root, layouts, devInventory, true); err == nil || !strings.Contains(err.Error(), "it lists .ci/prefect-dev.yml, which environment dev never writes") {
		t.Errorf("Remove = %v, want a refusal of .ci/prefect-dev.yml", err)
	}
	if changes, _, err := folder.Remove(t.Context(), root, own, devInventory, false); err != nil || len(changes.Removed) != 1 {
		t.Errorf("Remove = %v, %v, want the file removed", changes, err)
	}
}
