package importer

import (
	"regexp"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
)

// helmRelease takes a HelmRelease of Flux if it is one of the vendor's, and
// gives how many that makes.
func (r *reader) helmRelease(object *value, all []*value, said string) int {
	meta, spec := object.Get("metadata"), object.Get("spec")
	name, namespace, target := scalarText(meta.Get("name")), scalarText(meta.Get("namespace")), scalarText(spec.Get("targetNamespace"))
	in := installed{object: "HelmRelease " + namespace + "/" + name, at: object.Position, values: spec.Get("values")}
	r.fluxChart(&in, object, all)
	in.name, in.namespace = scalarText(spec.Get("releaseName")), first(target, namespace)
	switch { // https://fluxcd.io/flux/components/helm/helmreleases/#release-name
	case in.name == "" && target != "":
		in.name = target + "-" + name
	case in.name == "":
		in.name = name
	}
	if in.key = whose(said, in.chart, name, in.name); in.key == "" {
		r.note(object.Position, "", "%s is not of %s or %s: not imported", in.object, render.PrefectCloud, render.PrefectIstiod)
		return 0
	}
	if storage := first(scalarText(spec.Get("storageNamespace")), namespace); storage != in.namespace && storage != "" {
		r.note(object.Position, "", "Helm keeps the history of this release in namespace %s, and that of an environment is in the release's own, %s: move its Secrets sh.helm.release.v1.%s.* there first, or Helm installs a second time", storage, in.namespace, in.name)
	}
	if renderers := spec.Get("postRenderers"); !renderers.IsNull() {
		r.note(renderers.Position, "spec.postRenderers", "not imported: an environment has no such thing")
	}
	for _, from := range list(spec.Get("valuesFrom")) {
		r.note(from.Position, "spec.valuesFrom", "the values of %s %s are not here: give them too, with a further --from", scalarText(from.Get("kind")), scalarText(from.Get("name")))
	}
	if in.values != nil {
		each(in.values, "", func(path string, v *value) {
			if strings.Contains(v.Text, "${") {
				r.note(v.Position, path, "where a Kustomization of Flux fills in ${…}, this is not what the chart gets: import what is in the cluster (kubectl get helmrelease -o yaml)")
			}
		})
	}
	r.add(in)
	return 1
}

// list is the items of a list, or none.
func list(v *value) []*value {
	if v == nil {
		return nil
	}
	return v.Items
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// fluxChart finds the chart of a HelmRelease: in its own spec with the
// HelmRepository it names, or in an OCIRepository.
func (r *reader) fluxChart(in *installed, object *value, all []*value) {
	spec := object.Get("spec")
	chart, ref := spec.Get("chart").Get("spec"), spec.Get("chartRef")
	if name := scalarText(chart.Get("chart")); name != "" {
		in.chart, in.version = name, scalarText(chart.Get("version"))
		ref = chart.Get("sourceRef")
	}
	source := find(all, scalarText(ref.Get("kind")), scalarText(ref.Get("name")), first(scalarText(ref.Get("namespace")), scalarText(object.Get("metadata").Get("namespace"))))
	from := source.Get("spec")
	url := scalarText(from.Get("url"))
	switch {
	case source == nil:
	case in.chart != "":
		in.chart = place(url) + "/" + in.chart
	default:
		in.chart = place(url)
		tag := from.Get("ref")
		in.version = pinned(first(scalarText(tag.Get("tag")), scalarText(tag.Get("semver"))), scalarText(tag.Get("digest")))
	}
	in.pullSecret, in.caSecret = scalarText(from.Get("secretRef").Get("name")), scalarText(from.Get("certSecretRef").Get("name"))
	if render.ChartVersion(in.version).Validate() != nil {
		if ran := scalarText(firstItem(object.Get("status").Get("history")).Get("chartVersion")); ran != "" {
			in.version = fluxSuffix.ReplaceAllString(ran, "")
		}
	}
}

// fluxSuffix is the digest that Flux puts behind the version of a chart from
// an OCIRepository.
var fluxSuffix = regexp.MustCompile(`\+[0-9a-f]{12}$`)

// pinned is a tag as a chart version; registries know no +
// (https://helm.sh/docs/topics/registries/).
func pinned(tag, digest string) string {
	version := strings.ReplaceAll(tag, "_", "+")
	if version != "" && digest != "" {
		return version + "@" + digest
	}
	return version
}

func firstItem(v *value) *value {
	if v == nil || len(v.Items) == 0 {
		return nil
	}
	return v.Items[0]
}

// find is the object of a kind and a name, in a namespace if both have one.
func find(all []*value, kind, name, namespace string) *value {
	for _, object := range all {
		meta := object.Get("metadata")
		in := scalarText(meta.Get("namespace"))
		if kind != "" && scalarText(object.Get("kind")) == kind && scalarText(meta.Get("name")) == name && (in == namespace || in == "" || namespace == "") {
			return object
		}
	}
	return nil
}
