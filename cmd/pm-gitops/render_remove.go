package main

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

func (a app) remove(o renderOptions) error {
	root, err := openFolder(o.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	job := &publish.Removal{Environment: o.remove, Place: "folder " + o.dir, Layouts: a.targets.Layouts()}
	changes, removed, err := publish.ToFolder(root, publish.FolderRequest{Job: job, Force: o.force, DryRun: o.dryRun})
	if err != nil {
		return forceHint(err)
	}
	if !o.quiet && !o.dryRun {
		defer a.tellRemoved(removed)
	}
	return a.printChanges(o, changes)
}

// completeWritten names the environments that were written into a folder, for completion.
func completeWritten(dir string) []string {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil
	}
	defer root.Close()
	found, _ := folder.FindAll(root.FS())
	return slices.Sorted(maps.Keys(found))
}

// tellRemoved says what stays: the environment file, and in the cluster what
// the target names.
func (a app) tellRemoved(removed *publish.Removed) {
	fmt.Fprintln(a.err, "Take its environment file out as well: the next render of it would bring everything back.")
	target, err := a.targets.ByName(removed.Inventory.Target)
	if told, ok := target.(afterRemoval); err == nil && ok {
		for _, line := range told.AfterRemoval(removed.Inventory, removed.Emptied) {
			fmt.Fprintln(a.err, line)
		}
	}
}

// afterRemoval is a target that knows what stays in the cluster when the files
// of an environment go.
type afterRemoval interface {
	AfterRemoval(had tree.Inventory, emptied []string) []string
}
