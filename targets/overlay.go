package targets

import (
	"path"
	"strings"

	"sigs.k8s.io/kustomize/api/types"

	"github.com/pm-gitops/pm-gitops/render"
)

// kustomization is what our kustomization.yaml files say.
type kustomization struct {
	Namespace string
	Resources []string
	Patches   []string
}

// overlay is a folder that kustomize builds: its kustomization.yaml, then its
// other files.
func overlay(folder string, k kustomization, files ...render.File) []render.File {
	object := types.Kustomization{
		TypeMeta:  types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind},
		Namespace: k.Namespace,
		Resources: k.Resources,
	}
	for _, patch := range k.Patches {
		object.Patches = append(object.Patches, types.Patch{Path: patch})
	}
	all := []render.File{{Path: path.Join(folder, "kustomization.yaml"), Objects: []any{object}}}
	for _, file := range files {
		file.Path = path.Join(folder, file.Path)
		all = append(all, file)
	}
	return all
}

func fileOf(name string, objects ...any) render.File {
	return render.File{Path: name, Objects: objects}
}

// relative is the way from one folder of the repository to another.
func relative(from, to string) string {
	a, b := strings.Split(from, "/"), strings.Split(to, "/")
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	return strings.Repeat("../", len(a)) + strings.Join(b, "/")
}
