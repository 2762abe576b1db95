package check

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// object is a Kubernetes object that was read.
type object struct {
	chart.Object
	release   *release
	tree      map[string]any
	namespace string // where it ends up; empty for what has none
	// onInstall and onUpgrade: the action applies it, or runs it.
	onInstall, onUpgrade bool
	occurrence           occurrence // of those of the install
	found                []pod
	looked               bool
}

// clusterWide is the kinds of Kubernetes that have no namespace
// (`kubectl api-resources --namespaced=false` of 1.34), by group.
var clusterWide = map[string][]string{
	"":                             {"Namespace", "Node", "PersistentVolume"},
	"admissionregistration.k8s.io": {"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration"},
	"apiextensions.k8s.io":         {"CustomResourceDefinition"},
	"apiregistration.k8s.io":       {"APIService"},
	"certificates.k8s.io":          {"CertificateSigningRequest", "ClusterTrustBundle"},
	"flowcontrol.apiserver.k8s.io": {"FlowSchema", "PriorityLevelConfiguration"},
	"networking.k8s.io":            {"IngressClass", "IPAddress", "ServiceCIDR"},
	"node.k8s.io":                  {"RuntimeClass"},
	"policy":                       {"PodSecurityPolicy"},
	"rbac.authorization.k8s.io":    {"ClusterRole", "ClusterRoleBinding"},
	"resource.k8s.io":              {"DeviceClass", "ResourceSlice"},
	"scheduling.k8s.io":            {"PriorityClass"},
	"storage.k8s.io":               {"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"},
}

// noteScope notes which kind a definition says is in no namespace.
func (o *object) noteScope(scopes map[string]string) {
	if o.Kind == "CustomResourceDefinition" {
		scopes[scalar(at(o.tree, "spec", "group"))+"/"+scalar(at(o.tree, "spec", "names", "kind"))] = scalar(at(o.tree, "spec", "scope"))
	}
}

// settle says which namespace the object ends up in.
func (o *object) settle(scopes map[string]string) {
	switch {
	case slices.Contains(clusterWide[o.Group()], o.Kind), scopes[o.Group()+"/"+o.Kind] == "Cluster":
	case o.Namespace != "":
		o.namespace = o.Namespace
	default:
		o.namespace = o.release.Namespace
	}
}

func (o *object) named() *finding.Object {
	return identify(o.APIVersion, o.Kind, o.namespace, o.Name)
}

// is reports whether the object is of one of the kinds.
func (o *object) is(kinds ...string) bool { return slices.Contains(kinds, o.Kind) }

func (o *object) annotation(key string) string {
	return scalar(at(o.tree, "metadata", "annotations", key))
}

// runs reports whether Helm runs the object for one of the events.
func (o *object) runs(events ...string) bool {
	return o.Hook != nil && o.Hook.Phases == nil && slices.ContainsFunc(events, o.Hook.Has)
}

// phase reports whether the object is a hook in one of Argo CD's phases.
func (o *object) phase(name string) bool {
	return o.Hook != nil && slices.Contains(o.Hook.Phases, name)
}

// tests reports whether the object is a hook for tests alone.
func (o *object) tests() bool { return o.Hook != nil && o.Hook.Tests() }

// hookField is where the object says when it runs.
func (o *object) hookField() string {
	return join("metadata.annotations", cmp.Or(o.Hook.Annotation, "helm.sh/hook"))
}

// pod is a pod, or a template of pods, in an object of any kind.
type pod struct {
	*object
	path                string // of the specification
	labels, annotations map[string]any
	spec                map[string]any
}

// maxDepth is how deep objects are looked into.
const maxDepth = 16

// pods is what pods the object is or makes.
func (o *object) pods() []pod {
	if !o.looked {
		o.looked, o.found = true, o.lookForPods()
	}
	return o.found
}

func (o *object) lookForPods() []pod {
	var found []pod
	if o.is("CustomResourceDefinition") {
		return nil
	}
	var look func(value any, path string, depth int)
	look = func(value any, path string, depth int) {
		m := mapping(value)
		if m == nil || depth > maxDepth {
			return
		}
		spec := mapping(m["spec"])
		if containers, ok := spec["containers"].([]any); ok && len(containers) > 0 {
			found = append(found, pod{o, join(path, "spec"), mapping(at(m, "metadata", "labels")), mapping(at(m, "metadata", "annotations")), spec})
			return
		}
		for _, key := range slices.Sorted(maps.Keys(m)) {
			look(m[key], join(path, key), depth+1)
		}
	}
	look(o.tree, "", 0)
	return found
}

// container is a container of a pod.
type container struct {
	path string
	spec map[string]any
}

// containers is the pod's containers, those that run first among them.
func (p pod) containers() []container {
	var all []container
	for _, list := range []string{"initContainers", "containers", "ephemeralContainers"} {
		entries, _ := p.spec[list].([]any)
		for i, entry := range entries {
			if spec := mapping(entry); spec != nil {
				all = append(all, container{fmt.Sprintf("%s.%s[%d]", p.path, list, i), spec})
			}
		}
	}
	return all
}

// at is what lies at a path of keys; nil if there is nothing.
func at(value any, keys ...string) any {
	for _, key := range keys {
		value = mapping(value)[key]
	}
	return value
}

func mapping(value any) map[string]any {
	m, _ := value.(map[string]any)
	return m
}

func list(value any) []any {
	l, _ := value.([]any)
	return l
}

// scalar writes a plain value as YAML would; it returns the empty text for any
// other value.
func scalar(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case bool, json.Number, float64, int64:
		return fmt.Sprint(value)
	}
	return ""
}

// number is a whole number; ok is whether it is one.
func number(value any) (n int64, ok bool) {
	switch value := value.(type) {
	case json.Number:
		n, err := value.Int64()
		return n, err == nil
	case float64:
		return int64(value), value == float64(int64(value))
	case int64:
		return value, true
	}
	return 0, false
}

// join is the path of a key below another path.
func join(path, key string) string {
	switch {
	case strings.ContainsAny(key, ".[]\"/ "):
		return fmt.Sprintf("%s[%q]", path, key)
	case path == "":
		return key
	}
	return path + "." + key
}

// leaves calls see with every plain value below another, in the order of the paths.
func leaves(value any, path string, see func(path, key string, value any)) {
	walk(value, path, "", maxDepth, see)
}

func walk(value any, path, key string, left int, see func(path, key string, value any)) {
	if left == 0 {
		return
	}
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			walk(value[name], join(path, name), name, left-1, see)
		}
	case []any:
		for i, item := range value {
			walk(item, fmt.Sprintf("%s[%d]", path, i), key, left-1, see)
		}
	default:
		see(path, key, value)
	}
}
