package render

import (
	"fmt"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// kustomizationFile is the file that makes a folder a base or an overlay.
const kustomizationFile = "kustomization.yaml"

// builder builds overlays of a tree with kustomize's defaults, root-only load
// restrictions included: what builds here builds in Flux, in Argo CD and with
// kubectl kustomize.
type builder struct {
	files      filesys.FileSystem
	kustomizer *krusty.Kustomizer
}

func newBuilder(tree Tree) (builder, error) {
	files := filesys.MakeFsInMemory()
	for _, path := range tree.Paths() {
		if err := files.WriteFile("/"+path, tree[path]); err != nil {
			return builder{}, fmt.Errorf("lay out %s for kustomize: %w", path, err)
		}
	}
	return builder{files, krusty.MakeKustomizer(krusty.MakeDefaultOptions())}, nil
}

func (b builder) build(folder string) ([]byte, error) {
	resources, err := b.kustomizer.Run(b.files, "/"+folder)
	if err != nil {
		// The lines behind the first are the content of the files.
		reason, _, _ := strings.Cut(err.Error(), "\n")
		return nil, fmt.Errorf("build overlay %s with kustomize: %s", folder, strings.TrimSuffix(reason, ": node contents:"))
	}
	built, err := resources.AsYaml()
	if err != nil {
		return nil, fmt.Errorf("print overlay %s: %w", folder, err)
	}
	return built, nil
}
