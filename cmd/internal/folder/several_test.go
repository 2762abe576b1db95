package folder_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// TestNothingIsRemovedBeforeEverythingNewIsThere: a controller that sees a
// write which failed in the middle must not take anything out of the cluster.
func TestNothingIsRemovedBeforeEverythingNewIsThere(t *testing.T) {
	dir, root := folderWith(t, treeOf("dev", files("prefect/overlays/dev/old.yaml")))
	_, err := folder.Write(t.Context(), root, layouts, []tree.Tree{
		treeOf("dev", files("prefect/overlays/dev/new.yaml")),
		treeOf("test", files("prefect/overlays/test/full", "prefect/overlays/test/full/disk"), installedAt("test", "test")),
	}, false)
	if err == nil {
		t.Fatal("Write = nil, want an error in the middle")
	}
	if _, err := os.Stat(filepath.Join(dir, "prefect/overlays/dev/old.yaml")); err != nil {
		t.Error(err)
	}
}

// TestEveryEnvironmentOfAFleetIsRefused, and not the first alone.
func TestEveryEnvironmentOfAFleetIsRefused(t *testing.T) {
	_, root := folderWith(t, treeOf("b", files("clusters/y/prefect-b.yaml")), treeOf("other", files("clusters/x/prefect-other.yaml")))
	_, err := folder.Write(t.Context(), root, layouts, []tree.Tree{
		treeOf("a", files("clusters/x/prefect-a.yaml")),
		treeOf("b", files("clusters/y/prefect-b.yaml"), forTarget("argo")),
		treeOf("c", files("clusters/x/prefect-c.yaml")),
	}, false)
	at := tree.InstalledAt{Name: "prefect-cloud", Namespace: "prefect"}
	for _, want := range []error{
		folder.DuplicateReleaseError{Environment: "a", Release: "cloud", Other: "other", At: at},
		folder.TargetError{Environment: "b", Old: "flux", New: "argo"},
		folder.DuplicateReleaseError{Environment: "c", Release: "cloud", Other: "other", At: at},
	} {
		if !errors.Is(err, want) {
			t.Errorf("Write = %v, want %v", err, want)
		}
	}
}

// TestATwinOfAWriteThatDied: what its new inventory says may be in the cluster.
func TestATwinOfAWriteThatDied(t *testing.T) {
	dir, root := folderWith(t, treeOf("dev", files("clusters/x/prefect-dev.yaml"), installedAt("old", "old")))
	dead := treeOf("dev", files("clusters/x/prefect-dev.yaml"))
	put(t, dir, devInventory+".0123456789ab.pending", string(dead[devInventory]))
	want := folder.DuplicateReleaseError{Environment: "prod", Release: "cloud", Other: "dev", At: tree.InstalledAt{Name: "prefect-cloud", Namespace: "prefect"}}
	if _, err := folder.Write(t.Context(), root, layouts, []tree.Tree{treeOf("prod", files("clusters/x/prefect-prod.yaml"))}, false); !errors.Is(err, want) {
		t.Errorf("Write = %v, want %v", err, want)
	}
}

// TestOthers are the environments beside those that were written, for their
// target alone.
func TestOthers(t *testing.T) {
	_, root := folderWith(t,
		treeOf("argo", files("clusters/a/prefect-argo.yaml"), forTarget("argo")),
		treeOf("dev", files("clusters/d/prefect-dev.yaml")),
		treeOf("prod", files("clusters/p/prefect-prod.yaml")))
	changes := write(t, root, treeOf("prod", files("clusters/p/prefect-prod.yaml")), false)
	if diff := cmp.Diff([]string{"dev"}, changes.Others); diff != "" {
		t.Errorf("Others (-want +got):\n%s", diff)
	}
}

// TestManyWriteAtOnce: whoever is last has the whole folder.
func TestManyWriteAtOnce(t *testing.T) {
	dir, _ := folderWith(t)
	for range 20 {
		var writers sync.WaitGroup
		for _, next := range trees {
			root := open(t, dir)
			writers.Go(func() {
				if _, err := folder.Write(t.Context(), root, layouts, []tree.Tree{next}, true); err != nil {
					t.Error(err)
				}
			})
		}
		writers.Wait()
		got := snapshot(t, dir)
		if !slices.ContainsFunc(trees, func(whole tree.Tree) bool { return cmp.Equal(got, snapshotOf(text(whole))) }) {
			t.Fatalf("the files of several writers, mixed: %v", slices.Sorted(maps.Keys(got)))
		}
	}
}
