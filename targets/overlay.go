package targets

import (
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/pm-gitops/pm-gitops/render"
)

// kustomization is what our kustomization.yaml files say.
type kustomization struct {
	Namespace  string
	NamePrefix string
	Resources  []string
	Patches    []string
}

// overlay gives a folder that kustomize builds: its kustomization.yaml, then its
// other files.
func overlay(folder string, k kustomization, files ...render.File) []render.File {
	object := types.Kustomization{
		TypeMeta:   types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind},
		Namespace:  k.Namespace,
		NamePrefix: k.NamePrefix,
		Resources:  k.Resources,
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

// applied marks an overlay that a controller is pointed at, with where its
// objects go.
func applied(place string, files []render.File) []render.File {
	files[0].Applied = place
	return files
}

func fileOf(name string, objects ...any) render.File {
	return render.File{Path: name, Objects: objects}
}

// relative gives the way from one folder of the repository to another.
func relative(from, to string) string {
	a, b := strings.Split(from, "/"), strings.Split(to, "/")
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	return strings.Repeat("../", len(a)) + strings.Join(b, "/")
}

// namespaces gives the overlay of the prerequisites: the chart's own namespaces
// could not be labelled before the first pod is created. The annotations keep
// them when their manifests go away.
func namespaces(plan render.Plan, place string, annotations map[string]string) []render.File {
	var objects []any
	for _, namespace := range plan.Namespaces {
		objects = append(objects, corev1.Namespace{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
			ObjectMeta: metav1.ObjectMeta{Name: namespace.Name, Labels: namespace.Labels, Annotations: annotations},
		})
	}
	return applied(place, overlay(plan.Overlay(render.Prereqs), kustomization{Resources: []string{"namespaces.yaml"}}, fileOf("namespaces.yaml", objects...)))
}
