package main

import (
	"fmt"

	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/tree"
	"github.com/pm-gitops/pm-gitops/targets"
)

func (a app) remove(o renderOptions) error {
	root, err := openFolder(o.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	job := &publish.Removal{Environment: o.remove, Place: "folder " + o.dir}
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

// tellRemoved says what stays in the cluster, and how to uninstall it: with
// Helm alone, Flux would install it again.
func (a app) tellRemoved(removed *publish.Removed) {
	inventory := removed.Inventory
	fmt.Fprintln(a.err, "Take its environment file out as well: the next render of it would bring everything back.")
	if inventory.Target == (targets.Argo{}).Name() {
		a.tellRemovedArgo(inventory)
		return
	}
	fmt.Fprintln(a.err, "Once this is committed, protected releases and the namespaces stay in the cluster. To uninstall a release:")
	for _, key := range slices.Sorted(maps.Keys(inventory.Releases)) {
		fmt.Fprintf(a.err, "  kubectl -n %s delete helmrelease %s\n", text.Visible(inventory.Releases[key].Namespace), text.Visible(key))
	}
	for _, pointedAt := range removed.Emptied {
		fmt.Fprintf(a.err, "Nothing is left in %s. Git keeps no empty folder, and Flux deletes nothing while the one it is pointed at is missing: put a file there.\n", text.Visible(pointedAt))
	}
}

// tellRemovedArgo does so for Argo CD, which deletes nothing while a folder
// that it reads is gone. Without a finalizer, what an Application installed
// stays when it is deleted.
func (a app) tellRemovedArgo(inventory tree.Inventory) {
	environment := inventory.Environment
	var keeping, uninstalling []string
	for name := range inventory.Files {
		key := path.Base(path.Dir(name))
		if path.Base(name) != "kustomization.yaml" || path.Base(path.Dir(path.Dir(name))) != environment {
			continue
		}
		if _, protected := inventory.Releases[key]; protected || key == render.Prereqs {
			keeping = append(keeping, environment+"-"+key)
		} else {
			uninstalling = append(uninstalling, environment+"-"+key)
		}
	}
	slices.Sort(keeping)
	slices.Sort(uninstalling)
	say := func(format string, args ...any) { fmt.Fprintln(a.err, text.VisibleLines(fmt.Sprintf(format, args...))) }
	say("Once this is committed, everything stays in the cluster, the Applications too. Where your Argo CD is in another namespace than argocd, name that below. To end its care and keep what it installed:")
	say("  kubectl -n argocd delete application %s %s", environment, strings.Join(keeping, " "))
	if len(uninstalling) > 0 {
		say("This uninstalls:\n  kubectl -n argocd delete application %s", strings.Join(uninstalling, " "))
	}
	say("To uninstall a protected release, first:\n  argocd app delete %s-RELEASE --cascade", environment)
	say("At last:\n  kubectl -n argocd delete appproject %s %s-root", environment, environment)
}
