package targets

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// AfterRemoval returns lines for a person who took an environment's files
// out, and left nothing in the folders emptied: what stays in the cluster, and
// how to uninstall it. With Helm alone, Flux would install it again.
func (Flux) AfterRemoval(had tree.Inventory, emptied []string) []string {
	lines := []string{"Once this is committed, protected releases and the namespaces stay in the cluster. To uninstall a release:"}
	for _, key := range slices.Sorted(maps.Keys(had.Releases)) {
		lines = append(lines, fmt.Sprintf("  kubectl -n %s delete helmrelease %s", text.Argument(had.Releases[key].Namespace), text.Argument(key)))
	}
	for _, pointedAt := range emptied {
		lines = append(lines, fmt.Sprintf("Nothing is left in %s. Git keeps no empty folder, and Flux deletes nothing while the one it is pointed at is missing: put a file there.", pointedAt))
	}
	return lines
}

// AfterRemoval does the same as that of [Flux] for Argo CD, which deletes
// nothing while a folder that it reads is gone. Without a finalizer, what an
// Application installed stays when it is deleted.
func (Argo) AfterRemoval(had tree.Inventory, _ []string) []string {
	environment := had.Environment
	var keeping, uninstalling []string
	for name := range had.Files {
		key := path.Base(path.Dir(name))
		if path.Base(name) != "kustomization.yaml" || path.Base(path.Dir(path.Dir(name))) != environment {
			continue
		}
		if _, protected := had.Releases[key]; protected || key == render.Prereqs {
			keeping = append(keeping, text.Argument(environment+"-"+key))
		} else {
			uninstalling = append(uninstalling, text.Argument(environment+"-"+key))
		}
	}
	slices.Sort(keeping)
	slices.Sort(uninstalling)
	var lines []string
	say := func(format string, args ...any) {
		lines = append(lines, fmt.Sprintf(format, args...))
	}
	say("Once this is committed, everything stays in the cluster, the Applications too. Where your Argo CD is in another namespace than argocd, name that below. To end its care and keep what it installed:")
	say("  kubectl -n argocd delete application %s %s", environment, strings.Join(keeping, " "))
	if len(uninstalling) > 0 {
		say("This uninstalls:")
		say("  kubectl -n argocd delete application %s", strings.Join(uninstalling, " "))
	}
	say("To uninstall a protected release, first:")
	say("  argocd app delete %s-RELEASE --cascade", environment)
	say("At last:")
	say("  kubectl -n argocd delete appproject %s %s-root", environment, environment)
	return lines
}
