package check

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/structured-merge-diff/v6/schema"
)

// keyedList is a list with keys in a built-in kind.
type keyedList struct {
	path []string // of keys; "[]" for the item of a list
	list schema.List
}

// keyedLists is the lists with keys of a type, each once for the types on the
// way to it. Those of a status are left out: no chart writes one.
func keyedLists(ref schema.TypeRef, path []string, above []string) []keyedList {
	if ref.NamedType != nil {
		if slices.Contains(above, *ref.NamedType) {
			return nil
		}
		above = append(above[:len(above):len(above)], *ref.NamedType)
	}
	atom, _ := builtIn().Resolve(ref)
	var found []keyedList
	below := func(of schema.TypeRef, step string) {
		found = append(found, keyedLists(of, append(path[:len(path):len(path)], step), above)...)
	}
	if atom.List != nil {
		if atom.List.ElementRelationship == schema.Associative {
			found = append(found, keyedList{path, *atom.List})
		}
		below(atom.List.ElementType, "[]")
	}
	if atom.Map != nil {
		for _, field := range atom.Map.Fields {
			if field.Name != "status" {
				below(field.Type, field.Name)
			}
		}
	}
	return found
}

// entries is two entries for a list, with one key or with two. The second of
// those with one key leaves out what has a default.
func entries(l schema.List, same bool) []any {
	differ := 1
	if same {
		differ = 0
	}
	plain := func(of schema.TypeRef, i int) any {
		if atom, _ := builtIn().Resolve(of); atom.Scalar != nil && *atom.Scalar == schema.Numeric {
			return 80 + i*differ
		}
		return fmt.Sprint("a", i*differ)
	}
	if len(l.Keys) == 0 {
		return []any{plain(l.ElementType, 0), plain(l.ElementType, 1)}
	}
	element, _ := builtIn().Resolve(l.ElementType)
	var all []any
	for i := range 2 {
		entry := map[string]any{}
		for _, key := range l.Keys {
			field, _ := element.Map.FindField(key)
			filled := field.Default != nil && field.Default != "" && fmt.Sprint(field.Default) != "0"
			switch {
			case filled && i == 0:
				entry[key] = field.Default
			case !filled:
				entry[key] = plain(field.Type, i)
			}
		}
		all = append(all, entry)
	}
	return all
}

// around is an object with a value at a path.
func around(path []string, value any) any {
	for _, step := range slices.Backward(path) {
		if step == "[]" {
			value = []any{value}
		} else {
			value = map[string]any{step: value}
		}
	}
	return value
}

// TestDuplicateEntries holds the search for entries with one key to what the
// API server's own code says, for every list of every built-in kind.
func TestDuplicateEntries(t *testing.T) {
	converter := applyconfigurations.NewTypeConverter(scheme.Scheme)
	kinds, lists := 0, 0
	for gvk := range scheme.Scheme.AllKnownTypes() {
		name, err := scheme.Scheme.ToOpenAPIDefinitionName(gvk)
		if _, known := builtIn().Resolve(schema.TypeRef{NamedType: &name}); err != nil || !known {
			continue
		}
		kinds++
		for _, found := range keyedLists(schema.TypeRef{NamedType: &name}, nil, nil) {
			lists++
			for _, same := range []bool{true, false} {
				tree := around(found.path, entries(found.list, same)).(map[string]any)
				tree["apiVersion"], tree["kind"] = gvk.ToAPIVersionAndKind()
				var got []string
				if suspicious(tree, 99) {
					twice(schema.TypeRef{NamedType: &name}, tree, "", func(_, key string) { got = append(got, key) })
				}
				data, _ := json.Marshal(tree)
				var read map[string]any
				_ = json.Unmarshal(data, &read)
				_, err := converter.ObjectToTyped(unstructuredOf(read))
				if !same && (err != nil || got != nil) {
					t.Errorf("%s %v: two keys: got %v, and the API server's code says %v", gvk, found.path, got, err)
				}
				if same && (len(got) != 1 || err == nil || !strings.HasSuffix(err.Error(), "duplicate entries for key "+got[0])) {
					t.Errorf("%s %v: one key: got %v, and the API server's code says %v", gvk, found.path, got, err)
				}
			}
		}
	}
	if kinds < 80 || lists < 500 {
		t.Errorf("looked at %d lists of %d kinds only", lists, kinds)
	}
}

// TestIdentifyingKeys: every list with keys has one of those by which entries
// are told apart without the schema, and each of these is needed.
func TestIdentifyingKeys(t *testing.T) {
	needed := map[string]bool{}
	for gvk := range scheme.Scheme.AllKnownTypes() {
		name, err := scheme.Scheme.ToOpenAPIDefinitionName(gvk)
		if err != nil {
			continue
		}
		for _, found := range keyedLists(schema.TypeRef{NamedType: &name}, nil, nil) {
			if len(found.list.Keys) == 0 {
				continue
			}
			has := slices.DeleteFunc(slices.Clone(found.list.Keys), func(key string) bool { return !slices.Contains(identifying, key) })
			if len(has) == 0 {
				t.Errorf("%s %v: none of the keys %v is among %v", gvk, found.path, found.list.Keys, identifying)
			}
			for _, key := range has {
				needed[key] = true
			}
		}
	}
	if got := slices.Sorted(maps.Keys(needed)); !slices.Equal(got, identifying) {
		t.Errorf("needed are %v, and there are %v", got, identifying)
	}
}
