package render

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render/tree"
)

// Build builds overlays of a tree as kustomize does, each by its folder. The
// tree may come from a repository: a kustomization that says anything but
// what [Render] writes, or leads out of the tree, is refused, for kustomize
// would fetch what it names from anywhere.
func Build(tree tree.Tree, folders []string) ([]Manifest, error) {
	for _, name := range tree.Paths() {
		if path.Base(name) == kustomizationFile {
			if err := ours(tree, name); err != nil {
				return nil, fmt.Errorf("build with %s: %w", name, err)
			}
		}
	}
	kustomize, err := newBuilder(tree)
	if err != nil {
		return nil, err
	}
	var manifests []Manifest
	for _, folder := range folders {
		built, _, err := kustomize.build(folder)
		if err != nil {
			return nil, err
		}
		manifests = append(manifests, Manifest{folder, built})
	}
	return manifests, nil
}

// written is everything that our kustomizations say.
type written struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Namespace  string   `json:"namespace"`
	NamePrefix string   `json:"namePrefix"`
	Resources  []string `json:"resources"`
	Patches    []struct {
		Path string `json:"path"`
	} `json:"patches"`
}

// ours refuses a kustomization that somebody made more of.
func ours(t tree.Tree, name string) error {
	var k written
	if err := yaml.UnmarshalStrict(t[name], &k); err != nil {
		return fmt.Errorf("it is not as it was written")
	}
	paths := slices.Clone(k.Resources)
	for _, patch := range k.Patches {
		paths = append(paths, patch.Path)
	}
	for _, said := range paths {
		to := path.Join(path.Dir(name), said)
		_, isFile := t[to]
		_, isFolder := t[path.Join(to, kustomizationFile)]
		if strings.Contains(said, ":") || path.IsAbs(said) || !isFile && !isFolder {
			return fmt.Errorf("%q is none of the files", said)
		}
	}
	return nil
}
