package importer

import (
	"reflect"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// field is a field of an environment's spec, by its dotted name.
type field struct {
	name     string
	of       reflect.Type
	required bool // where the section around it is there
}

// fields is all fields, in the order of the types.
var fields = collect(reflect.TypeFor[render.Spec](), "")

func collect(t reflect.Type, prefix string) []field {
	var all []field
	for _, f := range strictyaml.Fields(t) {
		of := t.FieldByIndex(f.Index).Type
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		all = append(all, field{prefix + f.Name, of, f.Required})
		if of.Kind() == reflect.Struct && !whole(of) {
			all = append(all, collect(of, prefix+f.Name+".")...)
		}
	}
	return all
}

// whole reports whether a struct is one field and no section.
func whole(t reflect.Type) bool {
	return t == reflect.TypeFor[render.SecretRef]() || t == reflect.TypeFor[render.Switch]() || t == reflect.TypeFor[render.Mesh]()
}

// known is the field of a name, or the closest above it.
func known(name string) (field, bool) {
	name, _, _ = strings.Cut(name, "[")
	for ; name != ""; name = parent(name) {
		if i := slices.IndexFunc(fields, func(f field) bool { return f.name == name }); i >= 0 {
			return fields[i], true
		}
	}
	return field{}, false
}

func parent(name string) string { return name[:max(strings.LastIndex(name, "."), 0)] }

func isSecretRef(name string) bool {
	f, ok := known(name)
	return ok && f.name == name && f.of == reflect.TypeFor[render.SecretRef]()
}

// optional is the closest part of the spec, at or above a field, that an
// environment may leave out, or nothing. A provider under auth is optional by
// its type, and yet there must be one.
func optional(name string) string {
	for ; name != "" && parent(name) != "auth"; name = parent(name) {
		if f, ok := known(name); ok && f.name == name && !f.required {
			return name
		}
	}
	return ""
}

// leavesOf is the required fields below a field that is missing, or itself.
func leavesOf(name string) []string {
	var below []string
	for _, f := range fields {
		if parent(f.name) == name && f.required {
			below = append(below, leavesOf(f.name)...)
		}
	}
	if below == nil {
		return []string{name}
	}
	return below
}

// within reports whether a field is a part of the spec or lies in it.
func within(name, section string) bool {
	return name == section || strings.HasPrefix(name, section+".")
}

// put sets a field in a tree of the spec.
func put(spec *value, name string, v *value) {
	key, rest, deeper := strings.Cut(name, ".")
	if !deeper {
		spec.Entries = append(spec.Entries, strictyaml.Entry{Key: key, Position: v.Position, Value: v})
		return
	}
	next := spec.Get(key)
	if next == nil {
		next = &value{Position: v.Position, Kind: strictyaml.Mapping}
		spec.Entries = append(spec.Entries, strictyaml.Entry{Key: key, Position: v.Position, Value: next})
	}
	put(next, rest, v)
}

// get is the value at dotted keys, or nil.
func get(v *value, path string) *value {
	for _, key := range strings.Split(path, ".") {
		if v == nil {
			return nil
		}
		v = v.Get(key)
	}
	return v
}

func textValue(text string, at render.Position) *value {
	return &value{Position: at, Tag: "!!str", Text: text}
}

func refValue(ref render.SecretRef, at render.Position) *value {
	v := &value{Position: at, Kind: strictyaml.Mapping}
	put(v, "secret", textValue(string(ref.Secret), at))
	put(v, "key", textValue(string(ref.Key), at))
	return v
}

// standIns is texts that fields take, for checking an environment before its
// blanks are filled in.
var standIns = map[reflect.Type]string{
	reflect.TypeFor[render.URL]():          "https://fill-in.invalid",
	reflect.TypeFor[render.Authority]():    "https://fill-in.invalid",
	reflect.TypeFor[render.Email]():        "fill-in@fill-in.invalid",
	reflect.TypeFor[render.ChartVersion](): "0.0.0",
}

func standIn(f field) *value {
	switch text, ok := standIns[f.of]; {
	case f.of == reflect.TypeFor[render.SecretRef]():
		return refValue(render.SecretRef{Secret: "fill-in", Key: "fill-in"}, render.Position{})
	case ok:
		return textValue(text, render.Position{})
	default:
		return textValue("fill-in", render.Position{})
	}
}
