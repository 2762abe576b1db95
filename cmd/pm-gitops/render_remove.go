package main

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

func (a app) remove(o renderOptions) error {
	root, err := openFolder(o.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	work := removal{environment: o.remove, place: "folder " + o.dir, layouts: a.targets.Layouts()}
	changes, err := work.try(root, o)
	if err != nil {
		return forceHint(err)
	}
	if !o.quiet && !o.dryRun {
		defer a.tellRemoved(&work)
	}
	return a.printChanges(o, changes)
}

// written is the environments that were written into a folder, for completion.
func written(dir string) []string {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil
	}
	defer root.Close()
	found, _ := folder.FindAll(root.FS())
	return slices.Sorted(maps.Keys(found))
}

// tellRemoved says what stays: environment files, and in the cluster what the
// target names.
func (a app) tellRemoved(work *removal) {
	inventory := work.had
	fmt.Fprintln(a.err, "Take its environment file out as well: the next render of it would bring everything back.")
	target, err := a.targets.ByName(inventory.Target)
	if told, ok := target.(afterRemoval); err == nil && ok {
		for _, line := range told.AfterRemoval(inventory, work.emptied) {
			fmt.Fprintln(a.err, line)
		}
	}
}

// afterRemoval is a target that knows what stays in the cluster when the files
// of an environment go.
type afterRemoval interface {
	AfterRemoval(had tree.Inventory, emptied []string) []string
}
