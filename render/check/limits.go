package check

import (
	"encoding/base64"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/reads"
)

func limitChecks() []Check {
	return []Check{{
		ID: "bad-name", Severity: finding.Error,
		Title:  "The API server refuses a name or a label",
		Why:    "Names of objects, and values of labels, have a form and a greatest length: 63 characters for labels and for the names of Services, 253 for most others. One that is too long, or has a + from a chart version in it, fails the whole install.",
		Fix:    "Shorten the release's name (spec.names), or set fullnameOverride or the like in the chart's values.",
		Source: "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/",
		each:   badName,
	}, {
		ID: "annotations-size", Severity: finding.Error,
		Title:  "An object has too much in its annotations",
		Why:    "All annotations of an object together have at most 256 KiB. What is applied from the client's side keeps a copy of the object there.",
		Fix:    "Let the chart put the text into a ConfigMap.",
		Source: "https://github.com/kubernetes/kubernetes/issues/82292",
		each:   annotationsSize,
	}, {
		ID: "object-size", Severity: finding.Error,
		Title:  "An object is too large",
		Why:    "A ConfigMap or Secret holds at most 1 MiB, and etcd takes no object above 1.5 MiB.",
		Fix:    "Make it smaller in the chart's values.",
		Source: "https://kubernetes.io/docs/concepts/configuration/configmap/",
		each:   objectSize,
	}, {
		ID: "release-size", Severity: finding.Error,
		Title:  "The release is too large for Helm to keep",
		Why:    "Helm keeps chart, values and manifests of each revision in a Secret, compressed, and a Secret holds at most 1 MiB. An install beyond that fails at its end, with everything applied. Argo CD keeps none.",
		Fix:    "Split the chart, or take large files out of it.",
		Source: "https://github.com/helm/helm/issues/8281",
		each:   releaseSize,
	}, {
		ID: "duplicate-object", Severity: finding.Error,
		Title:  "A chart makes one object twice",
		Why:    "Helm applies both, and the last one wins; Argo CD calls the application out of sync, or shows a warning and takes either.",
		Fix:    "Switch one of them off in the chart's values.",
		Source: "https://argo-cd.readthedocs.io/en/stable/user-guide/diffing/",
		each:   duplicateObject,
	}, {
		ID: "shared-object", Severity: finding.Error,
		Title:  "Two releases make one object",
		Why:    "Flux takes an object over from whoever had it, so each of the two undoes what the other one does; Argo CD refuses, or warns of a shared resource. If one release goes, the object goes from both.",
		Fix:    "Give one of the releases another name (spec.names), or switch the object off in its values.",
		Source: "https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#fail-the-sync-if-a-shared-resource-is-found",
		all:    sharedObject,
	}, {
		ID: "foreign-namespace", Severity: finding.Info,
		Title:  "An object goes to another namespace than the release's",
		Why:    "It is neither labelled nor kept with the namespaces of the environment, and nobody looks for it there. For Argo CD a namespace that is not the environment's is an error: its project does not allow it.",
		Fix:    "Switch it off in the chart's values, or install the release where the object goes.",
		Source: "https://argo-cd.readthedocs.io/en/stable/user-guide/projects/",
		each:   foreignNamespace,
	}}
}

// shortNames is the kinds whose names are DNS labels of 63 characters.
var shortNames = []string{"Service", "Namespace"}

func badName(s *scope, r *release) {
	for _, o := range r.objects {
		s.badObjectName(o)
		for _, p := range slices.Concat([]pod{{o, reads.Pod{Labels: mapping(at(o.tree, "metadata", "labels"))}}}, o.pods()) {
			prefix := "metadata.labels"
			if p.Path != "" {
				prefix = strings.TrimPrefix(strings.TrimSuffix(p.Path, "spec")+prefix, ".")
			}
			for _, key := range slices.Sorted(maps.Keys(p.Labels)) {
				wrong := slices.Concat(content.IsLabelKey(key), validation.IsValidLabelValue(scalar(p.Labels[key])))
				if len(wrong) > 0 && !strings.Contains(scalar(p.Labels[key]), render.FillIn) {
					f := o.finding(join(prefix, key), "the API server refuses the label %s: %s: %s", key, scalar(p.Labels[key]), wrong[0])
					f.Fix = "shorten it, or leave out what it is made of"
					s.add(f)
				}
			}
		}
	}
}

func (s *scope) badObjectName(o *object) {
	var wrong []string
	switch {
	case o.Kind == "" || o.APIVersion == "":
		s.add(o.finding("kind", "the API server refuses an object without kind and apiVersion"))
		return
	case o.is("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"):
		wrong = content.IsPathSegmentName(o.Name)
	case slices.Contains(shortNames, o.Kind) && o.Group() == "":
		wrong = validation.IsDNS1035Label(o.Name)
		if o.is("Namespace") {
			wrong = validation.IsDNS1123Label(o.Name)
		}
	default:
		wrong = validation.IsDNS1123Subdomain(o.Name)
	}
	if len(wrong) == 0 && o.is("Job", "CronJob") {
		// A Job's name is a label of its pods; a CronJob's gets eleven characters more.
		if most := map[string]int{"Job": 63, "CronJob": 52}[o.Kind]; len(o.Name) > most {
			wrong = []string{fmt.Sprintf("must be no more than %d characters", most)}
		}
	}
	if len(wrong) > 0 && scalar(at(o.tree, "metadata", "generateName")) == "" && !strings.Contains(o.Name, render.FillIn) {
		f := o.finding("metadata.name", "the API server refuses the name: %s", wrong[0])
		override := s.putValue(&f, o.release, func(path string, value any) bool {
			return strings.HasSuffix(lastKey(path), "ameOverride") && scalar(value) != "" && strings.Contains(o.Name, scalar(value))
		})
		if f.Fix = "correct " + override.Field; override.Field == "" {
			f.Fix = "shorten the release's name, or set fullnameOverride or the like"
			s.put(&f, s.Plan.ReleasePath(o.release.Key))
		}
		s.add(f)
	}
}

// The sizes that the API server takes
// (TotalAnnotationSizeLimitB in k8s.io/apimachinery/pkg/api/validation,
// MaxSecretSize in k8s.io/api/core/v1, --max-request-bytes of etcd).
const (
	maxAnnotations = 256 << 10
	maxData        = 1 << 20
	maxObject      = 3 << 19
)

func annotationsSize(s *scope, r *release) {
	for _, o := range r.objects {
		total := 0
		for key, value := range mapping(at(o.tree, "metadata", "annotations")) {
			total += len(key) + len(scalar(value))
		}
		if total > maxAnnotations {
			f := o.finding("metadata.annotations", "the annotations have %d bytes, and the API server takes %d", total, maxAnnotations)
			f.Fix = "make them smaller"
			s.add(f)
		}
	}
}

func objectSize(s *scope, r *release) {
	for _, o := range r.objects {
		data := 0
		for _, field := range []string{"data", "binaryData", "stringData"} {
			for _, value := range mapping(o.tree[field]) {
				size := len(scalar(value))
				if field == "binaryData" || field == "data" && o.is("Secret") {
					size = base64.StdEncoding.DecodedLen(size)
				}
				data += size
			}
		}
		switch {
		case o.is("ConfigMap", "Secret") && data > maxData:
			s.add(o.finding("data", "it holds %d bytes, and a %s holds at most %d", data, o.Kind, maxData))
		case len(o.YAML) > maxObject:
			s.add(o.finding("", "it has %d bytes, and etcd takes at most %d", len(o.YAML), maxObject))
		}
	}
}

func releaseSize(s *scope, r *release) {
	if !s.byHelm() {
		return
	}
	size, err := r.Chart.StoredSize(r.Rendered, r.Install)
	if err == nil && size > maxData {
		f := r.finding("Helm keeps the release in a Secret of %d bytes, and a Secret holds at most %d: the install fails at its end", size, maxData)
		f.Fix = "split the chart, or take large files out of it"
		s.add(f)
	}
}

func duplicateObject(s *scope, r *release) {
	seen := map[string]chart.Object{}
	for _, made := range r.Install.Objects {
		if made.Hook != nil {
			continue // it runs at another time than its twin
		}
		namespace := made.Namespace
		if namespace == "" {
			namespace = r.Namespace
		}
		id := made.Group() + "/" + made.Kind + "/" + namespace + "/" + made.Name
		first, twice := seen[id]
		if seen[id] = made; !twice || made.Name == "" || strings.HasSuffix(made.Kind, "List") {
			continue
		}
		f := r.finding("the chart makes the object in %s, and in %s too: one of them is lost", made.Source, first.Source)
		f.Object, f.Source, f.Fix = identify(made.APIVersion, made.Kind, namespace, made.Name), made.Source, "switch one of them off"
		s.add(f)
	}
}

func sharedObject(s *scope) {
	owners := map[string]*object{}
	for _, r := range s.releases {
		for _, o := range r.objects {
			if !o.onInstall {
				continue
			}
			id := o.Group() + "/" + o.Kind + "/" + o.namespace + "/" + o.Name
			owner := owners[id]
			if owner == nil {
				owners[id] = o
			}
			if owner == nil || owner.release == r || o.Name == "" || owner.CRD && o.CRD && reflect.DeepEqual(owner.tree["spec"], o.tree["spec"]) {
				continue // a definition that comes with two charts is one; Flux labels it by release
			}
			f := o.finding("metadata.name", "release %s makes the object too: each undoes what the other one does", owner.release.Key)
			f.Fix = "give one of them another name, or switch the object off in its values"
			s.add(f)
		}
	}
}

func foreignNamespace(s *scope, r *release) {
	for _, o := range r.objects {
		if o.namespace == "" || o.namespace == r.Namespace {
			continue
		}
		f := o.finding("metadata.namespace", "the object goes to namespace %s, and the release to %s", o.namespace, r.Namespace)
		f.Fix = "switch it off, or install the release there"
		if _, confined := s.allowedKinds(); confined && !s.hasNamespace(o.namespace) {
			f.Severity = finding.Error
			f.Message += ": the project of the environment does not allow it, and Argo CD's sync fails"
		}
		s.add(f)
	}
}

func (s *scope) hasNamespace(name string) bool {
	for _, n := range s.Plan.Namespaces {
		if n.Name == name {
			return true
		}
	}
	return false
}
