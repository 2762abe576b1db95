package folder_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/killtest"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

const fluxBase, argoBase = "prefect/base/v1/flux/a.yaml", "prefect/base/v1/argo/a.yaml"

// fleetOf gives the trees of environments that share a base.
func fleetOf(base, content string, environments ...string) []tree.Tree {
	var trees []tree.Tree
	for _, name := range environments {
		var change []func(*tree.Inventory)
		if base == argoBase {
			change = append(change, forTarget("argo"))
		}
		change = append(change, installedAt(name, name))
		trees = append(trees, treeOf(name, files(base, "clusters/x/prefect-"+name+".yaml", "prefect/overlays/"+name+"/cloud/a.yaml="+content), change...))
	}
	return trees
}

func texts(trees []tree.Tree) map[string]string {
	all := map[string]string{}
	for _, tree := range trees {
		maps.Copy(all, text(tree))
	}
	return all
}

func TestWriteOfAFleet(t *testing.T) {
	dir, root := folderWith(t)
	first := fleetOf(fluxBase, "1", "dev", "prod", "test")
	changes, err := folder.Write(t.Context(), root, layouts, first, false)
	if err != nil || len(changes.Created) != 10 {
		t.Fatalf("Write = %+v, %v, want 10 files", changes, err)
	}
	expect(t, dir, snapshotOf(texts(first)))

	// One that changes leaves the others as they are.
	second := slices.Concat(first[:1], fleetOf(fluxBase, "2", "prod"), first[2:])
	changes, err = folder.Write(t.Context(), root, layouts, second, false)
	want := folder.Changes{Updated: []string{"prefect/.pm-gitops/prod.json", "prefect/overlays/prod/cloud/a.yaml"}, Unchanged: 8}
	if diff := cmp.Diff(want, changes); diff != "" || err != nil {
		t.Errorf("Write: %v, changes (-want +got):\n%s", err, diff)
	}
	expect(t, dir, snapshotOf(texts(second)))

	// A base stays as long as one environment has it, also one that is not written.
	third := fleetOf(argoBase, "3", "dev", "prod")
	if changes, err = folder.Write(t.Context(), root, layouts, third, true); err != nil || len(changes.Removed) > 0 {
		t.Errorf("Write = %+v, %v, want the base to stay", changes, err)
	}
	expect(t, dir, snapshotOf(texts(third), text(second[2])))

	// All of them leave it: it goes.
	fourth := fleetOf(argoBase, "3", "dev", "prod", "test")
	if changes, err = folder.Write(t.Context(), root, layouts, fourth, true); err != nil || !slices.Equal(changes.Removed, []string{fluxBase}) {
		t.Errorf("Write = %+v, %v, want the base to go", changes, err)
	}
	expect(t, dir, snapshotOf(texts(fourth)))
}

func TestAFleetIsWrittenWhollyOrNotAtAll(t *testing.T) {
	first := fleetOf(fluxBase, "1", "dev", "prod")
	dir, root := folderWith(t, first...)
	put(t, dir, "prefect/overlays/prod/cloud/a.yaml", "mine")
	before := snapshot(t, dir)
	_, err := folder.Write(t.Context(), root, layouts, fleetOf(argoBase, "2", "dev", "prod", "test"), false)
	var conflict folder.ConflictError
	if !errors.As(err, &conflict) || !errors.Is(err, folder.TargetError{Environment: "dev", Old: "flux", New: "argo"}) || !errors.Is(err, folder.TargetError{Environment: "prod", Old: "flux", New: "argo"}) {
		t.Errorf("Write = %v, want the conflict and both targets", err)
	}
	expect(t, dir, before)
}

// TestAFleetMayChangePlaces: what one leaves another of the same write may take.
func TestAFleetMayChangePlaces(t *testing.T) {
	of := func(name, at string) tree.Tree {
		return treeOf(name, files("clusters/x/prefect-"+name+".yaml", "prefect/overlays/"+name+"/a.yaml"), installedAt(at, at))
	}
	_, root := folderWith(t, of("dev", "one"))
	if _, err := folder.Write(t.Context(), root, layouts, []tree.Tree{of("prod", "one")}, false); !errors.Is(err, folder.DuplicateReleaseError{Environment: "prod", Release: "cloud", Other: "dev", At: tree.InstalledAt{Name: "one", Namespace: "one"}}) {
		t.Errorf("Write = %v, want a DuplicateReleaseError", err)
	}
	_, err := folder.Write(t.Context(), root, layouts, []tree.Tree{of("prod", "one"), of("dev", "two")}, false)
	if move := (folder.MoveError{Environment: "dev", Release: "cloud", Old: tree.InstalledAt{Name: "one", Namespace: "one"}, New: tree.InstalledAt{Name: "two", Namespace: "two"}}); !errors.Is(err, move) {
		t.Errorf("Write = %v, want a MoveError", err)
	}
	var twin folder.DuplicateReleaseError
	if errors.As(err, &twin) {
		t.Errorf("Write = %v: dev leaves the place", err)
	}
}

// fleets is what writeFleetsForever writes in turn: two targets, so that bases
// come and go.
var fleets = [][]tree.Tree{
	fleetOf(fluxBase, "1", "dev", "prod", "test"),
	fleetOf(argoBase, "2", "dev", "prod", "test"),
	fleetOf(fluxBase, "3", "dev", "prod", "test"),
}

func writeFleetsForever(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		fmt.Println("write")
		if _, err := folder.Write(context.Background(), root, layouts, fleets[i%len(fleets)], true); err != nil {
			return err
		}
	}
}

func TestKilledFleetsLeaveWholeFiles(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, root := folderWith(t)
	random, midway := rand.New(rand.NewPCG(3, 4)), 0
	for round := range killtest.Rounds(50, func() bool { return midway > 0 }) {
		killWriter(t, program, "FOLDER_TEST_WRITE_FLEETS="+dir, random.IntN(5), time.Duration(random.IntN(4000))*time.Microsecond)
		for name, content := range snapshot(t, dir) {
			switch {
			case strings.HasSuffix(name, "/"):
			case isLeftover(name):
				midway++
			case !slices.ContainsFunc(fleets, func(fleet []tree.Tree) bool { whole, ok := texts(fleet)[name]; return ok && whole == content }):
				t.Errorf("%s = %q, want it wholly old or wholly new", name, content)
			}
		}
		if round%3 != 0 {
			after := fleets[random.IntN(len(fleets))]
			if _, err := folder.Write(t.Context(), root, layouts, after, true); err != nil {
				t.Fatalf("round %d: Write: %v", round, err)
			}
			expect(t, dir, snapshotOf(texts(after)))
		}
	}
	if midway == 0 {
		t.Error("no kill came in the middle of a write: nothing was tested")
	}
}

// What a fleet becomes is split into what each environment becomes; what they
// share comes with the first and goes with the last.
func TestCompareEach(t *testing.T) {
	old, shared := fstest.MapFS{}, fleetOf(fluxBase, "1", "dev", "prod")
	for name, content := range texts(shared) {
		old[name] = &fstest.MapFile{Data: []byte(content)}
	}
	each, err := folder.CompareEach(old, layouts, shared, false)
	if diff := cmp.Diff([]folder.Changes{{Unchanged: 4}, {Unchanged: 4}}, each); diff != "" || err != nil {
		t.Errorf("CompareEach: %v, changes (-want +got):\n%s", err, diff)
	}
	moved := fleetOf("prefect/base/v2/flux/a.yaml", "2", "dev", "prod")
	each, err = folder.CompareEach(old, layouts, moved, false)
	want := []folder.Changes{
		{Created: []string{"prefect/base/v2/flux/a.yaml"}, Updated: []string{"prefect/.pm-gitops/dev.json", "prefect/overlays/dev/cloud/a.yaml"}, Unchanged: 1},
		{Updated: []string{"prefect/.pm-gitops/prod.json", "prefect/overlays/prod/cloud/a.yaml"}, Removed: []string{fluxBase}, Unchanged: 2},
	}
	if diff := cmp.Diff(want, each); diff != "" || err != nil {
		t.Errorf("CompareEach: %v, changes (-want +got):\n%s", err, diff)
	}
	whole, err := folder.Compare(old, layouts, moved, false)
	if err != nil || len(whole.Created) != 1 || len(whole.Updated) != 4 || !slices.Equal(whole.Removed, []string{fluxBase}) {
		t.Errorf("Compare = %+v, %v", whole, err)
	}
	gone, had, err := folder.CompareRemoval(old, layouts, "prefect/.pm-gitops/prod.json", false)
	if err != nil || had.Environment != "prod" || !slices.Equal(gone.Removed, []string{"clusters/x/prefect-prod.yaml", "prefect/overlays/prod/cloud/a.yaml"}) {
		t.Errorf("CompareRemoval = %+v, %+v, %v", gone, had, err)
	}
	old[fluxBase].Data = []byte("changed")
	var conflict folder.ConflictError
	if _, err := folder.Compare(old, layouts, moved, false); !errors.As(err, &conflict) {
		t.Errorf("Compare with a file that a person changed: %v", err)
	}
}
