package render

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render/internal/kustomize"
	"github.com/pm-gitops/pm-gitops/render/tree"
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

// ready has kustomize read what it reads once, its own configuration, by way
// of an overlay that no environment has: that takes longer than building one of
// ours, and needs nothing that we find out before.
var ready = sync.OnceFunc(func() {
	kustomize.Ready()
	files := filesys.MakeFsInMemory()
	for name, content := range map[string]string{
		"/kustomization.yaml": "resources: [object.yaml]",
		"/object.yaml":        "{apiVersion: v1, kind: ConfigMap, metadata: {name: nothing}}",
	} {
		_ = files.WriteFile(name, []byte(content)) // into memory
	}
	_, _ = krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, "/") // what fails here fails again, and is said then
})

func newBuilder(tree tree.Tree) (builder, error) {
	ready()
	files := filesys.MakeFsInMemory()
	for _, path := range tree.Paths() {
		if err := files.WriteFile("/"+path, tree[path]); err != nil {
			return builder{}, fmt.Errorf("lay out %s for kustomize: %w", path, err)
		}
	}
	return builder{files, krusty.MakeKustomizer(krusty.MakeDefaultOptions())}, nil
}

// build gives an overlay as YAML, and the objects in it.
func (b builder) build(folder string) ([]byte, []identity, error) {
	resources, err := b.kustomizer.Run(b.files, "/"+folder)
	if err != nil {
		// The lines behind the first are the content of the files.
		reason, _, _ := strings.Cut(err.Error(), "\n")
		return nil, nil, fmt.Errorf("build overlay %s with kustomize: %s", folder, strings.TrimSuffix(reason, ": node contents:"))
	}
	built, err := resources.AsYaml()
	if err != nil {
		return nil, nil, fmt.Errorf("print overlay %s: %w", folder, err)
	}
	var objects []identity
	for _, resource := range resources.Resources() {
		objects = append(objects, identity{resource.GetKind(), resource.GetNamespace(), resource.GetName()})
	}
	return built, objects, nil
}

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
	builds, err := newBuilder(tree)
	if err != nil {
		return nil, err
	}
	var manifests []Manifest
	for _, folder := range folders {
		built, _, err := builds.build(folder)
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
