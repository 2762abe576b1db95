package edit

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// fieldType gives the type of a field of the environment, or nil where any value may
// be. An unknown field is an error that names the nearest one.
func fieldType(at []step) (reflect.Type, error) {
	t := reflect.TypeFor[render.Environment]()
	for i, s := range at {
		if t == nil {
			return nil, nil
		}
		next, err := fieldIn(t, s)
		if errors.Is(err, errNoFields) {
			err = fmt.Errorf("%s %w %s; a key with dots is written as in annotations[\"a.b/c\"]", format(at[:i]), err, text.Quoted(s.key))
		}
		if err != nil {
			return nil, cmp.Or(errBelow(at, i), err)
		}
		t = next
	}
	return t, nil
}

// fieldIn gives the type of what a step into a type leads to.
func fieldIn(t reflect.Type, s step) (reflect.Type, error) {
	switch t.Kind() {
	case reflect.Struct:
		if s.index >= 0 {
			return nil, fmt.Errorf("want a field, not item %d: this is no list", s.index)
		}
		for _, f := range strictyaml.Fields(t) {
			if f.Name == s.key {
				return simple(t.FieldByIndex(f.Index).Type), nil
			}
		}
		return nil, fmt.Errorf("unknown field %s%s", text.Quoted(s.key), text.SuggestFor(text.Name{Text: s.key}, strictyaml.Names(t)))
	case reflect.Slice:
		if s.index < 0 {
			return nil, fmt.Errorf("want an item of the list such as [0], got %s", text.Quoted(s.key))
		}
		return simple(t.Elem()), nil
	case reflect.Map:
		if s.index >= 0 {
			return nil, fmt.Errorf("want a key, not item %d: this is no list", s.index)
		}
		return simple(t.Elem()), nil
	}
	return nil, errNoFields
}

// errNoFields is the error of a path into a field that holds one value.
var errNoFields = errors.New("has no field")

// simple takes the pointer from a type. A type that reads itself from other shapes
// than a mapping of fields is nil: any value may be there.
func simple(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	reads := reflect.PointerTo(t).Implements(reflect.TypeFor[strictyaml.Unmarshaler]())
	if reads && (t.Kind() != reflect.Struct || len(strictyaml.Fields(t)) == 0) {
		return nil
	}
	return t
}

// errBelow names spec.FIELD where a path lacks spec, or gives nil.
func errBelow(at []step, depth int) error {
	longer := append([]step{keyStep("spec")}, at...)
	if depth > 0 || own(at[0].key) {
		return nil
	}
	if _, err := fieldType(longer); err != nil {
		return nil
	}
	return fmt.Errorf("unknown field %s: did you mean %q?", text.Quoted(at[0].key), format(longer))
}

// orderAround gives the keys of the mapping that a path leads into, in the order of
// the documentation, where they are known.
func orderAround(at []step) []string {
	t, err := fieldType(at[:len(at)-1])
	if err != nil || t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	for _, f := range strictyaml.Fields(t) {
		keys = append(keys, f.Name)
	}
	return keys
}

// typed gives a value as a field takes it: a field that is a text takes a number, a
// date, true and false as they are written.
func typed(t reflect.Type, v *strictyaml.Value, item bool) *strictyaml.Value {
	if item && t != nil && t.Kind() == reflect.Slice {
		t = simple(t.Elem())
	}
	if t == nil || v.IsNull() {
		return v
	}
	c := *v
	switch {
	case v.Kind == strictyaml.Scalar && t.Kind() == reflect.String:
		c.Tag = "!!str"
	case v.Kind == strictyaml.Sequence && t.Kind() == reflect.Slice:
		c.Items = slices.Clone(v.Items)
		for i, inner := range c.Items {
			c.Items[i] = typed(simple(t.Elem()), inner, false)
		}
	case v.Kind == strictyaml.Mapping:
		c.Entries = slices.Clone(v.Entries)
		for i, e := range c.Entries {
			if inner, err := fieldIn(t, keyStep(e.Key)); err == nil {
				c.Entries[i].Value = typed(inner, e.Value, false)
			}
		}
	}
	return &c
}

// Paths lists paths that can be set: the environment's values, and the fields that it
// has not set, sorted. It is for the completion of command lines.
func (env *Environment) Paths() []string {
	var all []string
	root := env.merged()
	root.Leaves(reflect.TypeFor[render.Environment](), func(path string, _, _ *strictyaml.Value) { all = append(all, path) })
	listFields(reflect.TypeFor[render.Environment](), "", &all)
	slices.Sort(all)
	return slices.Compact(all)
}

// listFields lists the paths of the fields of a type, as far as no key or item of the
// user's is on the way.
func listFields(t reflect.Type, path string, all *[]string) {
	for _, f := range strictyaml.Fields(t) {
		inner, at := simple(t.FieldByIndex(f.Index).Type), strictyaml.Join(path, f.Name)
		if inner != nil && inner.Kind() == reflect.Struct {
			listFields(inner, at, all)
		} else {
			*all = append(*all, at)
		}
	}
}
