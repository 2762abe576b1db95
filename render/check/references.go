package check

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pm-gitops/pm-gitops/render/finding"
)

func referenceChecks() []Check {
	return []Check{{
		ID: "missing-reference", Severity: finding.Warning,
		Title:  "A pod names a Secret, ConfigMap or ServiceAccount that nothing makes",
		Why:    "Such a pod does not start, and a wave that waits for it stays closed. Neither a chart of the environment makes the object, nor is it among those that `pm-gitops secrets list` asks for.",
		Fix:    "Create the object in the namespace, add the chart that makes it, or correct the name in the chart's values.",
		Source: "https://kubernetes.io/docs/concepts/configuration/secret/#restriction-secret-must-exist",
		each:   missingReference,
	}, {
		ID: "selects-nothing", Severity: finding.Warning,
		Title:  "A selector selects no pods",
		Why:    "A Service that selects nothing answers nobody, and a PodDisruptionBudget or NetworkPolicy that selects nothing protects nothing.",
		Fix:    "Correct the labels in the chart's values.",
		Source: "https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/#does-the-service-have-any-endpointslices",
		each:   selectsNothing,
	}, {
		ID: "selector-mismatch", Severity: finding.Error,
		Title:  "A workload does not select its own pods",
		Why:    "The API server refuses a Deployment, StatefulSet, DaemonSet or ReplicaSet whose template lacks a label of its selector, and with it the whole release.",
		Fix:    "Correct the labels in the chart's values; labels of pods that a value overrides are the usual reason.",
		Source: "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#selector",
		each:   selectorMismatch,
	}}
}

// reference is a name in a pod of another object in its namespace.
type reference struct{ kind, name, path string }

// references is what the pods of an object need to start.
func (o *object) references() []reference {
	var all []reference
	add := func(kind string, from any, key, path string) {
		if name := scalar(at(from, key)); name != "" && at(from, "optional") != true {
			all = append(all, reference{kind, name, path})
		}
	}
	for _, p := range o.pods() {
		add("ServiceAccount", p.spec, "serviceAccountName", p.path+".serviceAccountName")
		for i, volume := range list(p.spec["volumes"]) {
			path := fmt.Sprintf("%s.volumes[%d]", p.path, i)
			add("Secret", at(volume, "secret"), "secretName", path+".secret.secretName")
			add("ConfigMap", at(volume, "configMap"), "name", path+".configMap.name")
			add("PersistentVolumeClaim", at(volume, "persistentVolumeClaim"), "claimName", path+".persistentVolumeClaim.claimName")
			for j, source := range list(at(volume, "projected", "sources")) {
				below := fmt.Sprintf("%s.projected.sources[%d]", path, j)
				add("Secret", at(source, "secret"), "name", below+".secret.name")
				add("ConfigMap", at(source, "configMap"), "name", below+".configMap.name")
			}
		}
		for _, c := range p.containers() {
			for i, from := range list(c.spec["envFrom"]) {
				path := fmt.Sprintf("%s.envFrom[%d]", c.path, i)
				add("Secret", at(from, "secretRef"), "name", path+".secretRef.name")
				add("ConfigMap", at(from, "configMapRef"), "name", path+".configMapRef.name")
			}
			for i, env := range list(c.spec["env"]) {
				path := fmt.Sprintf("%s.env[%d].valueFrom", c.path, i)
				add("Secret", at(env, "valueFrom", "secretKeyRef"), "name", path+".secretKeyRef.name")
				add("ConfigMap", at(env, "valueFrom", "configMapKeyRef"), "name", path+".configMapKeyRef.name")
			}
		}
	}
	return all
}

// madeElsewhere is what every namespace has: Kubernetes makes it, or istiod.
var madeElsewhere = map[string][]string{
	"ServiceAccount": {"default"},
	"ConfigMap":      {"kube-root-ca.crt", "istio-ca-root-cert"},
}

// makers is where objects of other kinds name a Secret that their controller
// makes of them: cert-manager's Certificate, External Secrets, Sealed Secrets.
var makers = map[string][]string{
	"Certificate":    {"spec", "secretName"},
	"ExternalSecret": {"spec", "target", "name"},
	"SealedSecret":   {"metadata", "name"},
}

// made reports whether something makes an object in a namespace.
func (s *scope) made(kind, namespace, name string) bool {
	if slices.Contains(madeElsewhere[kind], name) {
		return true
	}
	if kind == "Secret" {
		for _, required := range s.Plan.RequiredSecrets() {
			if required.Namespace == namespace && required.Name == name {
				return true
			}
		}
	}
	return s.index()[kind+"/"+namespace+"/"+name]
}

// index is what the charts make, and the Secrets that controllers make of it.
func (s *scope) index() map[string]bool {
	if s.makes != nil {
		return s.makes
	}
	s.makes = map[string]bool{}
	for _, r := range s.releases {
		for _, o := range r.objects {
			s.makes[o.Kind+"/"+o.namespace+"/"+o.Name] = true
			if where, known := makers[o.Kind]; known {
				s.makes["Secret/"+o.namespace+"/"+scalar(at(o.tree, where...))] = true
				s.makes["Secret/"+o.namespace+"/"+o.Name] = true
			}
		}
	}
	return s.makes
}

// partial reports whether the objects of a release of the environment are not
// known: what is not among the others may be among them.
func (s *scope) partial() bool {
	failed := slices.ContainsFunc(s.releases, func(r *release) bool { return r.Failure != nil })
	return failed || len(s.releases) < len(s.Plan.Releases())
}

func missingReference(s *scope, r *release) {
	if s.partial() {
		return // another release may make it
	}
	seen := map[string]bool{}
	for _, o := range r.objects {
		for _, ref := range o.references() {
			id := ref.kind + "/" + o.namespace + "/" + ref.name
			if seen[id] || o.tests() || ref.kind == "PersistentVolumeClaim" || s.made(ref.kind, o.namespace, ref.name) {
				continue
			}
			seen[id] = true
			f := o.finding(ref.path, "nothing makes the %s %s in namespace %s, and without it the pod does not start", ref.kind, ref.name, o.namespace)
			f.Fix = "create it before the release, or correct its name"
			s.putValue(&f, r, func(_ string, value any) bool { return scalar(value) == ref.name })
			s.add(f)
		}
	}
}

// selects reports whether pods have all labels that a selector wants; one with
// expressions is taken to fit.
func selects(selector any, labels map[string]any) bool {
	for key, value := range mapping(selector) {
		if scalar(labels[key]) != scalar(value) {
			return false
		}
	}
	return true
}

func selectorMismatch(s *scope, r *release) {
	for _, o := range r.objects {
		if o.Group() != "apps" || !o.is("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet") {
			continue
		}
		if !selects(at(o.tree, "spec", "selector", "matchLabels"), mapping(at(o.tree, "spec", "template", "metadata", "labels"))) {
			f := o.finding("spec.selector.matchLabels", "the template of the pods lacks a label that the selector wants: the API server refuses the object")
			f.Fix = "give the pods the labels of the selector"
			s.add(f)
		}
	}
}

// selectors is where kinds have the labels of the pods that they are for.
var selectors = map[string][]string{
	"/Service":                        {"spec", "selector"},
	"policy/PodDisruptionBudget":      {"spec", "selector", "matchLabels"},
	"networking.k8s.io/NetworkPolicy": {"spec", "podSelector", "matchLabels"},
}

// givenLater is the labels that Kubernetes gives pods, which no template has
// (https://kubernetes.io/docs/reference/labels-annotations-taints/).
var givenLater = []string{
	"apps.kubernetes.io/pod-index", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-completion-index",
	"batch.kubernetes.io/job-name", "controller-revision-hash", "controller-uid", "job-name", "pod-template-hash",
	"statefulset.kubernetes.io/pod-name",
}

func selectsNothing(s *scope, r *release) {
	if s.partial() {
		return // another release may make the pods
	}
	for _, o := range r.objects {
		where, known := selectors[o.Group()+"/"+o.Kind]
		selector := maps.Clone(mapping(at(o.tree, where...)))
		maps.DeleteFunc(selector, func(key string, _ any) bool { return slices.Contains(givenLater, key) })
		if !known || len(selector) == 0 || len(list(at(o.tree, "spec", "selector", "matchExpressions"))) > 0 || len(list(at(o.tree, "spec", "podSelector", "matchExpressions"))) > 0 {
			continue
		}
		if !s.anyPod(o.namespace, selector) {
			field := where[0]
			for _, key := range where[1:] {
				field = join(field, key)
			}
			f := o.finding(field, "no pod of the environment in namespace %s has these labels, so the %s is for nothing", o.namespace, o.Kind)
			f.Fix = "correct the labels, unless another program makes the pods"
			s.add(f)
		}
	}
}

// anyPod reports whether the environment makes a pod with labels.
func (s *scope) anyPod(namespace string, selector map[string]any) bool {
	for _, r := range s.releases {
		for _, o := range r.objects {
			if o.namespace == namespace && slices.ContainsFunc(o.pods(), func(p pod) bool { return selects(selector, p.labels) }) {
				return true
			}
		}
	}
	return false
}
