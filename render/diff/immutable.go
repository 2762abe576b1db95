package diff

import "strings"

// rule is a field that the API server lets nobody change.
type rule struct {
	group, kind string
	field       string // with the fields below it, lists left out
	// except is the fields below it that may change.
	except []string
	// usual is what it means where nothing is said.
	usual string
	// said: leaving the field out changes nothing.
	said bool
	// when is a field that must be true before: immutable, of a ConfigMap.
	when   string
	source string
}

const (
	validation = "https://github.com/kubernetes/kubernetes/blob/v1.35.4/pkg/apis/"
	appsRules  = validation + "apps/validation/validation.go"
	batchRules = validation + "batch/validation/validation.go"
	coreRules  = validation + "core/validation/validation.go"
	rbacRules  = validation + "rbac/validation/validation.go"
	netRules   = validation + "networking/validation/validation.go"
	rankRules  = validation + "scheduling/validation/validation.go"
	classRules = validation + "storage/validation/validation.go"
	crdRules   = "https://github.com/kubernetes/apiextensions-apiserver/blob/v0.37.0/pkg/apis/apiextensions/validation/validation.go"
)

// immutable is what the API server refuses to change, from its own validation
// of updates. A field that only a state of the cluster makes immutable is not
// here.
var immutable = []rule{
	{group: "apps", kind: "Deployment", field: "spec.selector", source: appsRules},
	{group: "apps", kind: "DaemonSet", field: "spec.selector", source: appsRules},
	{group: "apps", kind: "ReplicaSet", field: "spec.selector", source: appsRules},
	{group: "apps", kind: "StatefulSet", field: "spec.podManagementPolicy", usual: "OrderedReady", source: appsRules},
	{group: "apps", kind: "StatefulSet", field: "spec", except: []string{
		"replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
		"persistentVolumeClaimRetentionPolicy", "minReadySeconds", "podManagementPolicy",
	}, source: appsRules},
	{group: "batch", kind: "Job", field: "spec.selector", source: batchRules},
	{group: "batch", kind: "Job", field: "spec.template", source: batchRules},
	{group: "batch", kind: "Job", field: "spec.completions", source: batchRules},
	{group: "batch", kind: "Job", field: "spec.completionMode", usual: "NonIndexed", source: batchRules},
	{group: "batch", kind: "Job", field: "spec.podFailurePolicy", source: batchRules},
	{group: "batch", kind: "Job", field: "spec.backoffLimitPerIndex", source: batchRules},
	{group: "batch", kind: "Job", field: "spec.managedBy", source: batchRules},
	{group: "batch", kind: "Job", field: "spec.successPolicy", source: batchRules},
	{kind: "Pod", field: "spec", except: []string{
		"containers.image", "initContainers.image", "activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds",
	}, source: coreRules},
	{kind: "Service", field: "spec.clusterIP", said: true, source: coreRules},
	{kind: "PersistentVolumeClaim", field: "spec", except: []string{"resources.requests", "volumeAttributesClassName"}, source: coreRules},
	{kind: "PersistentVolume", field: "spec.volumeMode", usual: "Filesystem", source: coreRules},
	{kind: "PersistentVolume", field: "spec.csi", source: coreRules},
	{kind: "PersistentVolume", field: "spec.nfs", source: coreRules},
	{kind: "PersistentVolume", field: "spec.hostPath", source: coreRules},
	{kind: "PersistentVolume", field: "spec.local", source: coreRules},
	{kind: "Secret", field: "type", usual: "Opaque", source: coreRules},
	{kind: "Secret", field: "data", when: "immutable", source: coreRules},
	{kind: "Secret", field: "stringData", when: "immutable", source: coreRules},
	{kind: "Secret", field: "immutable", when: "immutable", source: coreRules},
	{kind: "ConfigMap", field: "data", when: "immutable", source: coreRules},
	{kind: "ConfigMap", field: "binaryData", when: "immutable", source: coreRules},
	{kind: "ConfigMap", field: "immutable", when: "immutable", source: coreRules},
	{group: "rbac.authorization.k8s.io", kind: "RoleBinding", field: "roleRef", source: rbacRules},
	{group: "rbac.authorization.k8s.io", kind: "ClusterRoleBinding", field: "roleRef", source: rbacRules},
	{group: "networking.k8s.io", kind: "IngressClass", field: "spec.controller", source: netRules},
	{group: "scheduling.k8s.io", kind: "PriorityClass", field: "value", source: rankRules},
	{group: "scheduling.k8s.io", kind: "PriorityClass", field: "preemptionPolicy", usual: "PreemptLowerPriority", source: rankRules},
	{group: "storage.k8s.io", kind: "StorageClass", field: "provisioner", source: classRules},
	{group: "storage.k8s.io", kind: "StorageClass", field: "parameters", source: classRules},
	{group: "storage.k8s.io", kind: "StorageClass", field: "reclaimPolicy", usual: "Delete", source: classRules},
	{group: "storage.k8s.io", kind: "StorageClass", field: "volumeBindingMode", usual: "Immediate", source: classRules},
	{group: "apiextensions.k8s.io", kind: "CustomResourceDefinition", field: "spec.scope", source: crdRules},
	{group: "apiextensions.k8s.io", kind: "CustomResourceDefinition", field: "spec.group", source: crdRules},
	{group: "apiextensions.k8s.io", kind: "CustomResourceDefinition", field: "spec.names.kind", source: crdRules},
	{group: "apiextensions.k8s.io", kind: "CustomResourceDefinition", field: "spec.names.plural", source: crdRules},
}

// forbids reports whether the API server refuses an edit of an object.
func (r rule) forbids(c Change, e Edit) bool {
	switch {
	case r.kind != c.Object.Kind || r.group != c.Object.Group() || !overlaps(e.Path.fields(), r.field):
		return false
	case r.when != "" && mapping(c.old.value)[r.when] != true:
		return false
	case r.said && (e.Op == Remove || e.New == nil || e.New == ""):
		return false
	case r.usual != "" && or(e.Old, r.usual) == or(e.New, r.usual):
		return false
	}
	below := strings.TrimPrefix(e.Path.fields(), r.field+".")
	for _, free := range r.except {
		if below == free || strings.HasPrefix(below, free+".") {
			return false
		}
	}
	return true
}

func or(value any, usual string) any {
	if value == nil {
		return usual
	}
	return value
}

// overlaps reports whether a path is a field, or below or above it.
func overlaps(path, field string) bool {
	return path == field || strings.HasPrefix(path, field+".") || strings.HasPrefix(field, path+".")
}

// mapping returns the mapping that a value is, or none.
func mapping(value any) map[string]any {
	t, _ := value.(map[string]any)
	return t
}

// at is the value at a path of fields.
func at(value any, fields ...string) any {
	for _, field := range fields {
		value = mapping(value)[field]
	}
	return value
}
