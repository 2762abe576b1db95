package check

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/structured-merge-diff/v6/schema"

	"github.com/pm-gitops/pm-gitops/render/finding"
)

func entryChecks() []Check {
	return []Check{{
		ID: "duplicate-entry", Severity: finding.Error,
		Title:  "A list has two entries with one key",
		Why:    "Kubernetes tells the entries of such lists apart by a key: variables by name, ports by number and protocol, mounts by path. Argo CD, and Flux from 2.8 for new releases, apply objects on the server's side, which refuses two entries with one key: the sync or the install fails. Flux before 2.8 merges lists itself: where the API server takes both entries, as it does for variables, the cluster loses both once the chart makes only one.",
		Fix:    "Take one of the two out in the chart's values.",
		Source: "https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy",
		each:   duplicateEntry,
	}}
}

// duplicateEntry looks at the objects of built-in kinds.
func duplicateEntry(s *scope, r *release) {
	for _, o := range r.objects {
		if !suspicious(o.tree, maxDepth) {
			continue
		}
		name, err := scheme.Scheme.ToOpenAPIDefinitionName(unstructuredOf(o.tree).GroupVersionKind())
		if err != nil {
			continue // its definition says which lists have keys, and the cluster has it
		}
		twice(schema.TypeRef{NamedType: &name}, o.tree, "", func(path, key string) {
			f := o.finding(path, "two entries have the key %s: %s applies the object on the server's side, which refuses it: duplicate entries for key %s", key, s.system(), key)
			if !s.Traits.AppliesServerSide {
				f.Message = fmt.Sprintf("two entries have the key %s, by which %s merges the list: where the API server takes both, the cluster loses both once the chart makes only one", key, s.system())
			}
			f.Fix = "take one of the two out"
			s.add(f)
		})
	}
}

func unstructuredOf(tree map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: tree}
}

// builtIn is the schema of Kubernetes' built-in kinds with the keys of their
// lists, as the Kubernetes libraries have it for server-side apply. Reading it
// takes longer than most checks.
var builtIn = sync.OnceValue(func() *schema.Schema {
	value, err := applyconfigurations.NewTypeConverter(scheme.Scheme).ObjectToTyped(unstructuredOf(map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}))
	if err != nil {
		return &schema.Schema{} // a test finds that it is not so
	}
	return value.Schema()
})

// identifying is the keys of lists of which each list has one at least, but in
// a status: entries which differ in all of them are no duplicates. A test
// compares it with the schema.
var identifying = []string{"containerPort", "devicePath", "ip", "mountPath", "name", "port", "topologyKey", "type", "uid"}

// suspicious reports whether a list has two entries that may have one key.
func suspicious(value any, left int) bool {
	switch value := value.(type) {
	case map[string]any:
		for _, below := range value {
			if left > 0 && suspicious(below, left-1) {
				return true
			}
		}
	case []any:
		seen := map[string]bool{}
		for _, item := range value {
			for _, id := range identities(item) {
				if seen[id] {
					return true
				}
				seen[id] = true
			}
			if left > 0 && suspicious(item, left-1) {
				return true
			}
		}
	}
	return false
}

// identities is what may be the key of an entry, or a part of it.
func identities(item any) []string {
	m := mapping(item)
	if m == nil {
		return []string{fmt.Sprint(item)}
	}
	var ids []string
	for _, key := range identifying {
		if value, ok := m[key]; ok {
			ids = append(ids, key+"="+fmt.Sprint(value))
		}
	}
	return ids
}

// twice calls see for each key that two entries of a list have in common, with
// the path of the list.
func twice(ref schema.TypeRef, value any, path string, see func(path, key string)) {
	atom, known := builtIn().Resolve(ref)
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if !known || atom.Map == nil {
				return
			}
			of := atom.Map.ElementType
			if field, ok := atom.Map.FindField(name); ok {
				of = field.Type
			}
			twice(of, value[name], join(path, name), see)
		}
	case []any:
		if !known || atom.List == nil {
			return
		}
		seen := map[string]int{}
		for i, item := range value {
			if atom.List.ElementRelationship == schema.Associative {
				key := keyOf(*atom.List, item)
				if seen[key]++; seen[key] == 2 && key != "" {
					see(path, key)
				}
			}
			twice(atom.List.ElementType, item, fmt.Sprintf("%s[%d]", path, i), see)
		}
	}
}

// keyOf is the key of an entry as the API server writes it, with the defaults
// of fields that the entry does not have: [port=80,protocol="TCP"]. It is empty
// for an entry without a field that has no default.
func keyOf(l schema.List, item any) string {
	if len(l.Keys) == 0 {
		text, _ := json.Marshal(item) // a plain value
		return "[=" + string(text) + "]"
	}
	entry, _ := builtIn().Resolve(l.ElementType)
	var parts []string
	for _, key := range slices.Sorted(slices.Values(l.Keys)) {
		value, ok := mapping(item)[key]
		if !ok && entry.Map != nil {
			field, _ := entry.Map.FindField(key)
			value = field.Default
		}
		if value == nil {
			return ""
		}
		text, _ := json.Marshal(value) // a plain value
		parts = append(parts, key+"="+string(text))
	}
	return "[" + strings.Join(parts, ",") + "]"
}
