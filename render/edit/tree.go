package edit

import (
	"fmt"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// clone copies a tree, so that the copy can be changed.
func clone(v *strictyaml.Value) *strictyaml.Value {
	if v == nil {
		return nil
	}
	c := *v
	c.Replaces, c.Entries, c.Items = nil, nil, nil
	for _, e := range v.Entries {
		e.Value = clone(e.Value)
		c.Entries = append(c.Entries, e)
	}
	for _, item := range v.Items {
		c.Items = append(c.Items, clone(item))
	}
	return &c
}

// same compares trees, whatever the order of their keys, and gives the path of the
// first difference.
func same(a, b *strictyaml.Value, path string) (difference string, ok bool) {
	if a == nil || b == nil || a.Kind != b.Kind || len(a.Items) != len(b.Items) {
		return path, a == b
	}
	if a.Kind == strictyaml.Scalar {
		return path, a.Tag == b.Tag && (a.Text == b.Text || a.IsNull())
	}
	for i := range a.Items {
		if at, ok := same(a.Items[i], b.Items[i], strictyaml.Index(path, i)); !ok {
			return at, false
		}
	}
	for _, e := range a.Entries {
		if at, ok := same(e.Value, b.Get(e.Key), strictyaml.Join(path, e.Key)); !ok {
			return at, false
		}
	}
	for _, e := range b.Entries {
		if a.Get(e.Key) == nil {
			return strictyaml.Join(path, e.Key), false
		}
	}
	return path, true
}

// intend changes a tree as an edit wants it. The edit may name keys that are not
// there yet, and the item behind a list's last one.
func intend(root *strictyaml.Value, e resolved) error {
	switch e.op {
	case Set:
		return put(root, e.at, clone(e.value))
	case Append:
		list := find(root, e.at)
		if list.IsNull() {
			return put(root, e.at, &strictyaml.Value{Kind: strictyaml.Sequence, Items: []*strictyaml.Value{clone(e.value)}})
		}
		if list.Kind != strictyaml.Sequence {
			return fmt.Errorf("want a list to append to, got %s", strictyaml.Describe(list))
		}
		list.Items = append(list.Items, clone(e.value))
		return nil
	case Remove:
		return take(root, e.at)
	default:
		moved := clone(find(root, e.at))
		if moved == nil {
			return errMissing
		}
		if find(root, e.to) != nil {
			return fmt.Errorf("%s is there already: remove it first", format(e.to))
		}
		if within(e.to, e.at) {
			return fmt.Errorf("%s lies inside it", format(e.to))
		}
		if err := put(root, e.to, moved); err != nil {
			return err
		}
		return take(root, e.at)
	}
}

// put sets a value, and makes the mappings and lists on the way to it.
func put(v *strictyaml.Value, at []step, value *strictyaml.Value) error {
	if len(at) == 0 {
		*v = *value
		return nil
	}
	s := at[0]
	if v.IsNull() {
		*v = strictyaml.Value{Kind: strictyaml.Mapping}
		if s.index >= 0 {
			v.Kind = strictyaml.Sequence
		}
	}
	switch {
	case s.index < 0 && v.Kind != strictyaml.Mapping:
		return fmt.Errorf("want a mapping around %s, got %s", s.key, strictyaml.Describe(v))
	case s.index < 0:
		if v.Get(s.key) == nil {
			v.Entries = append(v.Entries, strictyaml.Entry{Key: s.key, Value: &strictyaml.Value{Tag: "!!null"}})
		}
		return put(v.Get(s.key), at[1:], value)
	case v.Kind != strictyaml.Sequence:
		return fmt.Errorf("want a list around item %d, got %s", s.index, strictyaml.Describe(v))
	case s.index > len(v.Items):
		return fmt.Errorf("the list has %d items: item %d would leave a gap", len(v.Items), s.index)
	case s.index == len(v.Items):
		v.Items = append(v.Items, &strictyaml.Value{Tag: "!!null"})
	}
	return put(v.Items[s.index], at[1:], value)
}

// take removes a key or an item.
func take(root *strictyaml.Value, at []step) error {
	around, last := find(root, at[:len(at)-1]), at[len(at)-1]
	if find(root, at) == nil {
		return errMissing
	}
	if last.index >= 0 {
		around.Items = append(around.Items[:last.index:last.index], around.Items[last.index+1:]...)
		return nil
	}
	for i, e := range around.Entries {
		if e.Key == last.key {
			around.Entries = append(around.Entries[:i:i], around.Entries[i+1:]...)
			break
		}
	}
	return nil
}
