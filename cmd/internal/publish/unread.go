package publish

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render"
)

// Unread finds what keeps Flux from applying what a repository has for environments:
// a file of ours in a folder that Flux applies, a flux-system/gotk-sync.yaml that
// applies another folder, and a kustomization.yaml that does not list our file.
// files is the repository, and top its folder on this machine, by which the names of
// environment files are judged; without one they are names in the repository.
// Other delivery systems apply no folder of clusters/, and get nothing.
func Unread(files fs.FS, top string, members []fleet.Member) render.Problems {
	var found render.Problems
	for _, m := range members {
		if m.Plan.Traits().Controller != render.FluxControllers {
			continue
		}
		look := lookout{files, m.Plan}
		found = append(found, slices.Concat(look.ownFiles(top, m), look.sync(), look.unlisted())...)
	}
	return found.Sorted()
}

// lookout looks through a repository for an environment.
type lookout struct {
	files fs.FS
	plan  render.Plan
}

func (l lookout) problem(file, format string, args ...any) render.Problems {
	return render.Problems{{Position: render.Position{File: file}, Message: fmt.Sprintf(format, args...)}}
}

// ownFiles finds the environment file and what it names in a folder that Flux applies.
func (l lookout) ownFiles(top string, m fleet.Member) (found render.Problems) {
	dir := path.Dir(m.File)
	for _, file := range []string{m.File, path.Join(dir, m.Environment.Extends), path.Join(dir, m.Environment.Spec.Catalog)} {
		name, err := file, error(nil)
		if top != "" {
			name, err = relative(top, file)
		}
		parts := strings.Split(path.Clean(name), "/")
		if info, missing := fs.Stat(l.files, path.Clean(name)); err != nil || missing != nil || info.IsDir() || len(parts) < 3 || parts[0] != "clusters" {
			continue
		}
		folder := path.Join(parts[:2]...)
		if kustomization, _, resources, _ := l.kustomization(folder); kustomization && !slices.Contains(resources, path.Join(parts[2:]...)) {
			continue
		}
		found = append(found, l.problem(file, "Flux applies every YAML file in %s, this one too: the API server does not know its kind, and then Flux applies nothing of the folder. Move the file, for example to environments/", folder)...)
	}
	return found
}

// sync finds that Flux is pointed at other folders than the cluster's, by what
// `flux bootstrap` wrote. Where it wrote nothing, nothing is known.
func (l lookout) sync() render.Problems {
	const pattern = "clusters/*/flux-system/gotk-sync.yaml"
	folder, pointed := path.Dir(l.plan.ClusterFile()), []string{}
	names, _ := fs.Glob(l.files, pattern)
	for _, name := range names {
		data, err := fs.ReadFile(l.files, name)
		if err != nil {
			return l.problem(name, "cannot read which folder Flux is pointed at: %v", err)
		}
		for document := range strings.SplitSeq(string(data), "\n---") {
			var object struct {
				Kind string
				Spec struct{ Path string }
			}
			if err := yaml.Unmarshal([]byte(document), &object); err != nil {
				return l.problem(name, "cannot read which folder Flux is pointed at: %v", err)
			}
			if object.Kind != "Kustomization" {
				continue
			}
			applied := path.Join("/", object.Spec.Path)
			if strings.HasPrefix("/"+folder+"/", strings.TrimSuffix(applied, "/")+"/") {
				return nil
			}
			pointed = append(pointed, strings.TrimPrefix(applied, "/"))
		}
	}
	if len(pointed) == 0 {
		return nil
	}
	return l.problem(names[0], "Flux is pointed at %s here, and %s is for %s: nothing reads it. Set spec.cluster.name to the cluster's folder, or run flux bootstrap with --path=%s", strings.Join(pointed, ", "), l.plan.ClusterFile(), folder, folder)
}

// unlisted finds that the cluster's folder has a kustomization without our file.
func (l lookout) unlisted() render.Problems {
	file := l.plan.ClusterFile()
	there, name, resources, err := l.kustomization(path.Dir(file))
	switch {
	case err != nil:
		return l.problem(name, "cannot read which files Flux applies: %v", err)
	case !there || slices.Contains(resources, path.Base(file)):
		return nil
	}
	return l.problem(name, "Flux applies only what this file lists, and %s is not listed: add it to resources", path.Base(file))
}

// kustomization reads what the kustomization of a folder lists, if there is one.
func (l lookout) kustomization(folder string) (there bool, name string, resources []string, err error) {
	entries, _ := fs.ReadDir(l.files, folder)
	for _, entry := range entries {
		if !slices.Contains([]string{"kustomization.yaml", "kustomization.yml", "Kustomization"}, entry.Name()) {
			continue
		}
		name = path.Join(folder, entry.Name())
		data, err := fs.ReadFile(l.files, name)
		if err != nil {
			return true, name, nil, err
		}
		var listed struct{ Resources []string }
		err = yaml.Unmarshal(data, &listed)
		for _, resource := range listed.Resources {
			resources = append(resources, path.Clean(resource))
		}
		return true, name, resources, err
	}
	return false, "", nil, nil
}
