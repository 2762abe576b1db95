package cli

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// printRendered prints the files of environments, or what reaches the cluster.
func (a app) printRendered(members []fleet.Member, built bool) error {
	var manifests []render.Manifest
	for _, m := range members {
		if built {
			manifests = append(manifests, m.Rendering.Manifests...)
		} else {
			manifests = append(manifests, manifestsOf(m.Rendering.Tree)...)
		}
	}
	return a.printManifests(manifests)
}

// manifestsOf gives the YAML of a tree in the order of its paths. The inventory is
// bookkeeping between us and a folder.
func manifestsOf(all tree.Tree) []render.Manifest {
	var manifests []render.Manifest
	for _, name := range all.Paths() {
		if path.Base(path.Dir(name)) != tree.InventoryFolder {
			manifests = append(manifests, render.Manifest{Source: name, YAML: all[name]})
		}
	}
	return manifests
}

// flushed counts the bytes of manifests that are printed at a time: a fleet has a hundred MB.
const flushed = 1 << 16

// printManifests prints manifests as one YAML stream, each document with where it is from.
func (a app) printManifests(manifests []render.Manifest) error {
	var out bytes.Buffer
	for _, manifest := range manifests {
		for _, document := range strings.Split(string(manifest.YAML), "\n---\n") {
			fmt.Fprintf(&out, "---\n# Source: %s\n%s\n", manifest.Source, strings.TrimSuffix(document, "\n"))
		}
		if out.Len() > flushed {
			if err := a.out.Raw(out.Bytes()); err != nil {
				return err
			}
			out.Reset()
		}
	}
	return a.out.Raw(out.Bytes())
}
