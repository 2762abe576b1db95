package targets

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chartutil"
	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// Installed reads the releases of an environment back from its files, sorted
// by key: the HelmReleases of Flux or the Applications of Argo CD in the
// overlays of the plan's environment. The tree may be that of another version
// of the program or of the other target, or one that a person changed.
func (Flux) Installed(files tree.Tree, plan render.Plan) ([]render.Installation, error) {
	return installed(files, plan)
}

// Installed does the same as that of [Flux].
func (Argo) Installed(files tree.Tree, plan render.Plan) ([]render.Installation, error) {
	return installed(files, plan)
}

func installed(files tree.Tree, plan render.Plan) ([]render.Installation, error) {
	var folders []string
	own := tree.Tree{}
	for name := range files {
		if !strings.HasPrefix(name, plan.Overlay("")+"/") && !strings.HasPrefix(name, path.Join(plan.Path, "base")+"/") {
			continue
		}
		own[name] = files[name]
		folder, file := path.Split(name)
		if folder = path.Clean(folder); file == "kustomization.yaml" && path.Dir(folder) == plan.Overlay("") {
			folders = append(folders, folder)
		}
	}
	slices.Sort(folders)
	manifests, err := render.Build(own, folders)
	if err != nil {
		return nil, err
	}
	var found []render.Installation
	for _, manifest := range manifests {
		one, ok, err := installation(manifest.YAML, path.Base(manifest.Source))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", manifest.Source, err)
		}
		if ok {
			found = append(found, one)
		}
	}
	slices.SortFunc(found, func(a, b render.Installation) int { return strings.Compare(a.Key, b.Key) })
	return found, nil
}

// manifest is what matters of a HelmRelease, an OCIRepository or an
// Application.
type manifest struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Namespace   string            `json:"namespace"`
		Annotations map[string]string `json:"annotations"`
		Finalizers  []string          `json:"finalizers"`
		Name        string            `json:"name"`
	} `json:"metadata"`
	Spec struct {
		ReleaseName string           `json:"releaseName"`
		Values      map[string]any   `json:"values"`
		ValuesFrom  []map[string]any `json:"valuesFrom"`
		URL         string           `json:"url"`
		Ref         struct {
			Tag    string `json:"tag"`
			Digest string `json:"digest"`
		} `json:"ref"`
		Destination struct {
			Namespace string `json:"namespace"`
		} `json:"destination"`
		Source struct {
			RepoURL        string `json:"repoURL"`
			Chart          string `json:"chart"`
			TargetRevision string `json:"targetRevision"`
			Helm           struct {
				ReleaseName  string         `json:"releaseName"`
				ValuesObject map[string]any `json:"valuesObject"`
			} `json:"helm"`
		} `json:"source"`
	} `json:"spec"`
}

// installation gives the release that an overlay installs, if it does.
func installation(stream []byte, key string) (render.Installation, bool, error) {
	objects := map[string]manifest{}
	for _, text := range strings.Split("\n"+string(stream), "\n---\n") {
		var m manifest
		if err := yaml.Unmarshal([]byte(text), &m, exact); err != nil {
			return render.Installation{}, false, fmt.Errorf("it is not as it was written")
		}
		objects[m.Kind] = m
	}
	if release, ok := objects["HelmRelease"]; ok {
		one, err := fromFlux(release, objects["OCIRepository"], key)
		return one, true, err
	}
	if application, ok := objects["Application"]; ok {
		one, err := fromArgo(application, key)
		return one, true, err
	}
	return render.Installation{}, false, nil
}

// fromFlux undoes [Flux]. A digest stands alone in the repository's reference;
// the version is in its name.
func fromFlux(release, source manifest, key string) (render.Installation, error) {
	one := render.Installation{HasSecrets: len(release.Spec.ValuesFrom) > 0}
	chart := render.Chart{
		Repository: strings.TrimPrefix(source.Spec.URL, "oci://"),
		Version:    strings.ReplaceAll(source.Spec.Ref.Tag, "_", "+"),
		Digest:     source.Spec.Ref.Digest,
	}
	if digest := strings.TrimPrefix(chart.Digest, "sha256:"); len(digest) > 12 {
		chart.Version, _ = strings.CutSuffix(strings.TrimPrefix(source.Metadata.Name, key+"-"), "-"+digest[:12])
	}
	one.Release = render.Release{Key: key, Name: release.Spec.ReleaseName, Namespace: release.Metadata.Namespace, Chart: chart, Values: release.Spec.Values}
	one.Protected = release.Metadata.Annotations["kustomize.toolkit.fluxcd.io/prune"] == "disabled"
	return one, complete(one, "HelmRelease "+release.Metadata.Name)
}

// fromArgo undoes [Argo]. A native source says the digest, or the version.
func fromArgo(application manifest, key string) (render.Installation, error) {
	source := application.Spec.Source
	chart := render.Chart{Repository: strings.TrimPrefix(source.RepoURL, "oci://"), Version: source.TargetRevision}
	if source.Chart != "" {
		chart.Repository = path.Join(chart.Repository, source.Chart)
	}
	if strings.HasPrefix(chart.Version, "sha256:") {
		chart.Version, chart.Digest = "", chart.Version
	}
	chart.Version = strings.ReplaceAll(chart.Version, "_", "+")
	one := render.Installation{Release: render.Release{
		Key: key, Name: source.Helm.ReleaseName, Namespace: application.Spec.Destination.Namespace,
		Chart: chart, Values: source.Helm.ValuesObject, Protected: len(application.Metadata.Finalizers) == 0,
	}}
	return one, complete(one, "Application "+application.Metadata.Name)
}

// complete refuses what cannot have been written here: it would be rendered
// as something else.
func complete(i render.Installation, object string) error {
	switch {
	case i.Chart.Repository == "" || i.Chart.Version == "" && i.Chart.Digest == "":
		return fmt.Errorf("%s does not say its chart", object)
	case chartutil.ValidateReleaseName(i.Name) != nil || i.Namespace == "":
		return fmt.Errorf("%s does not say its Helm release", object)
	}
	return nil
}

// exact keeps whole numbers that no float has.
func exact(d *json.Decoder) *json.Decoder {
	d.UseNumber()
	return d
}
