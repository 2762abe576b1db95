package strictyaml

import (
	"cmp"
	"reflect"
	"slices"
)

// Put sets a value below v, a mapping, and makes the mappings on the way to
// it. A value that is there already is replaced, and the new one says so,
// which changes it. A value on the way that is no mapping is replaced too.
func (v *Value) Put(keys []string, value *Value) {
	for _, key := range keys[:len(keys)-1] {
		next := v.Get(key)
		if next == nil || next.Kind != Mapping {
			next = &Value{Kind: Mapping, Replaces: next}
			v.set(key, next)
		}
		v = next
	}
	last := keys[len(keys)-1]
	if old := v.Get(last); old != nil {
		value.Replaces = old
	}
	v.set(last, value)
}

func (v *Value) set(key string, value *Value) {
	for i := range v.Entries {
		if v.Entries[i].Key == key {
			v.Entries[i].Value = value
			return
		}
	}
	v.Entries = append(v.Entries, Entry{Key: key, Value: value})
}

// Leaves calls visit with every value below v that holds no others: scalars
// that are not null, and empty mappings and lists. Replaced is what the leaf,
// or the nearest mapping or list around it, was laid over, or nil. Fields of
// t, the type that v decodes into or nil, come in the order of their type,
// other keys by name.
func (v *Value) Leaves(t reflect.Type, visit func(path string, leaf, replaced *Value)) {
	v.leaves(t, "", nil, visit)
}

func (v *Value) leaves(t reflect.Type, path string, replaced *Value, visit func(string, *Value, *Value)) {
	if v.IsNull() {
		return
	}
	if v.Replaces != nil {
		replaced = v.Replaces
	}
	if v.Kind == Scalar || len(v.Entries)+len(v.Items) == 0 {
		visit(path, v, replaced)
		return
	}
	types := fieldTypes(t)
	entries := slices.SortedFunc(slices.Values(v.Entries), func(a, b Entry) int {
		return cmp.Or(cmp.Compare(types.rank(a.Key), types.rank(b.Key)), cmp.Compare(a.Key, b.Key))
	})
	for _, entry := range entries {
		entry.Value.leaves(types.of(entry.Key), Join(path, entry.Key), replaced, visit)
	}
	for i, item := range v.Items {
		item.leaves(types.element, Index(path, i), replaced, visit)
	}
}

// childTypes is the types of what is inside a value, as far as they are known.
type childTypes struct {
	fields  []Field
	types   []reflect.Type
	element reflect.Type
}

func fieldTypes(t reflect.Type) childTypes {
	if t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == nil:
		return childTypes{}
	case t.Kind() == reflect.Map, t.Kind() == reflect.Slice:
		return childTypes{element: t.Elem()}
	case t.Kind() != reflect.Struct:
		return childTypes{}
	}
	c := childTypes{fields: Fields(t)}
	for _, field := range c.fields {
		c.types = append(c.types, t.FieldByIndex(field.Index).Type)
	}
	return c
}

// rank gives the place of a key: fields in their order, then the others.
func (c childTypes) rank(key string) int {
	if i := slices.IndexFunc(c.fields, func(f Field) bool { return f.Name == key }); i >= 0 {
		return i
	}
	return len(c.fields)
}

func (c childTypes) of(key string) reflect.Type {
	if i := c.rank(key); i < len(c.fields) {
		return c.types[i]
	}
	return c.element
}
