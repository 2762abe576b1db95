package diff

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/openapi"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// TestListKeys compares the table with what the Kubernetes API says of every
// list that has keys: an item that has them all is named by them, or by more.
func TestListKeys(t *testing.T) {
	openapi.ResetOpenAPI() // rendering charts does without the schema of built-in kinds
	openapi.SchemaForResourceType(kyaml.TypeMeta{APIVersion: "v1", Kind: "Pod"})
	definitions := openapi.Schema().Definitions
	lists := 0
	for _, name := range slices.Sorted(maps.Keys(definitions)) {
		if !strings.HasPrefix(name, "io.k8s.api") {
			continue
		}
		for field, property := range definitions[name].Properties {
			keys, _ := property.Extensions.GetStringSlice("x-kubernetes-list-map-keys")
			if merge, ok := property.Extensions.GetString("x-kubernetes-patch-merge-key"); ok && keys == nil {
				keys = []string{merge}
			}
			if keys == nil || !property.Type.Contains("array") {
				continue
			}
			lists++
			item := map[string]any{}
			for _, key := range keys {
				item[key] = "x"
			}
			if !namedBy(field, item, keys) {
				t.Errorf("%s.%s: no entry of the table names items by %s", name, field, keys)
			}
		}
	}
	if lists < 40 {
		t.Errorf("the API has only %d lists with keys", lists)
	}
}

// namedBy reports whether the first entry that fits an item has all the keys.
func namedBy(field string, item map[string]any, keys []string) bool {
	for _, candidate := range keysOf(field) {
		if _, ok := named([]any{item}, candidate); !ok {
			continue
		}
		var fields []string
		for _, k := range candidate {
			fields = append(fields, k.field)
		}
		return !slices.ContainsFunc(keys, func(key string) bool { return !slices.Contains(fields, key) })
	}
	return false
}
