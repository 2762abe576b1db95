package importer

import (
	"fmt"
	"path"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// installed is what the files say about a release of the vendor.
type installed struct {
	key                  string
	values               *value // a mapping
	object               string // such as HelmRelease flux-system/prefect-cloud; empty for a values file
	at                   render.Position
	name, namespace      string // as Helm knows it; empty where nothing says
	chart                string // where it lies with its name behind, or the name alone, or nothing
	version              string // may be a range
	pullSecret, caSecret string
	destination          *value // an Application's
}

// reader collects what files say.
type reader struct {
	releases        map[string]*installed
	problems, notes render.Problems
	odd             map[*value]string // what is read as another number or key than is written
	fromArgo        bool
}

func (r *reader) problem(at render.Position, path, format string, args ...any) {
	r.problems = append(r.problems, render.Problem{Position: at, Path: path, Message: fmt.Sprintf(format, args...)})
}

func (r *reader) note(at render.Position, path, format string, args ...any) {
	r.notes = append(r.notes, render.Problem{Position: at, Path: path, Message: fmt.Sprintf(format, args...)})
}

// file reads a file of any kind.
func (r *reader) file(file File) {
	data := r.unheaded(file)
	if data == nil {
		return
	}
	documents, problems := strictyaml.LoadAll(file.Name, data)
	r.problems = append(r.problems, problems...)
	var objects, others []*value
	for _, document := range documents {
		for _, root := range items(r.asHelm(document)) {
			switch {
			case isObject(root):
				objects = append(objects, root)
			case !root.IsNull() || len(documents) == 1:
				others = append(others, root)
			}
		}
	}
	switch {
	case len(others) > 1 || len(others) == 1 && len(objects) > 0:
		r.problem(others[len(others)-1].Position, "", "want one document of chart values, or a stream of Kubernetes objects with apiVersion and kind")
	case len(others) == 1:
		r.valuesFile(file, others[0])
	case len(objects) > 0:
		r.objects(file, objects)
	}
}

// items is the objects of a List, as kubectl prints several, or the value.
func items(root *value) []*value {
	if all := root.Get("items"); isObject(root) && root.Get("kind").Text == "List" && all != nil && all.Kind == strictyaml.Sequence {
		return all.Items
	}
	return []*value{root}
}

func isObject(v *value) bool {
	return scalarText(v.Get("apiVersion")) != "" && scalarText(v.Get("kind")) != ""
}

// scalarText returns the text of a scalar, or the empty text for anything else.
func scalarText(v *value) string {
	if v.IsNull() || v.Kind != strictyaml.Scalar {
		return ""
	}
	return v.Text
}

// valuesFile takes a plain values file.
func (r *reader) valuesFile(file File, root *value) {
	key := file.Release
	if key == "" {
		key = render.PrefectCloud
	}
	switch {
	case root.IsNull(): // what `helm get values` prints for none
		root = &value{Position: root.Position, Kind: strictyaml.Mapping}
	case root.Kind != strictyaml.Mapping:
		r.problem(root.Position, "", "want chart values, a mapping, got %s", strictyaml.Describe(root))
		return
	}
	r.add(installed{key: key, values: root, at: root.Position})
}

// objects takes the releases of the vendor among Kubernetes objects.
func (r *reader) objects(file File, objects []*value) {
	found, before := 0, len(r.problems)
	releases := 0
	for _, object := range objects {
		if kind := scalarText(object.Get("kind")); kind == "HelmRelease" || kind == "Application" {
			releases++
		}
	}
	said := ""
	if releases == 1 {
		said = file.Release // about which of several would it be?
	}
	for _, object := range objects {
		switch scalarText(object.Get("kind")) {
		case "HelmRelease":
			found += r.helmRelease(object, objects, said)
		case "Application":
			found += r.application(object, said)
		case "Environment", "EnvironmentDefaults":
			r.problem(object.Position, "kind", "this is an environment file already")
		case "ApplicationSet":
			r.note(object.Position, "kind", "an ApplicationSet is a template: give the Application that it makes (kubectl get application -o yaml)")
		}
	}
	if found == 0 && len(r.problems) == before {
		r.problem(objects[0].Position, "", "no HelmRelease or Application of %s or %s is here; say whose the only one is with %s=%s", render.PrefectCloud, render.PrefectIstiod, render.PrefectCloud, strings.Replace(file.Name, "<stdin>", "-", 1))
	}
}

// add takes what was read about a release, laid over what was read before.
func (r *reader) add(in installed) {
	if in.values == nil || in.values.IsNull() {
		in.values = &value{Position: in.at, Kind: strictyaml.Mapping}
	}
	if in.values.Kind != strictyaml.Mapping {
		r.problem(in.values.Position, "values", "want chart values, a mapping, got %s", strictyaml.Describe(in.values))
		return
	}
	encrypted := false
	each(in.values, "", func(path string, v *value) {
		if strings.HasPrefix(v.Text, "ENC[AES256_GCM,") && !encrypted {
			r.problem(v.Position, path, "the file is encrypted with SOPS: decrypt it first")
			encrypted = true
		}
	})
	_, problems := strictyaml.Plain(in.values, "")
	r.problems = append(r.problems, problems...)
	have := r.releases[in.key]
	if have == nil {
		r.releases[in.key] = &in
		return
	}
	if have.object != "" && in.object != "" {
		r.problem(in.at, "", "%s installs %s, and so does %s (%s): give one of them", in.object, in.key, have.object, have.at)
		return
	}
	values := strictyaml.Merge(have.values, in.values)
	if in.object != "" {
		*have = in
	}
	have.values = values
}

// whose is the key of the vendor's release that a chart's name stands for.
// Only where no chart is known may the names of release and object say it:
// Istio's own chart is called istiod too.
func whose(said, chart string, names ...string) string {
	if said != "" {
		return said
	}
	if chart != "" {
		names = []string{path.Base(chart)}
	}
	for _, name := range names {
		for _, key := range []string{render.PrefectCloud, render.PrefectIstiod} {
			if name == key || chart == "" && name == string(render.DefaultNames(key).Release) {
				return key
			}
		}
	}
	return ""
}

// place is where a chart or a repository lies, without scheme.
func place(url string) string { return strings.TrimSuffix(strings.TrimPrefix(url, "oci://"), "/") }
