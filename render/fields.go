package render

import (
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// fields is what a catalog's layout can copy to chart values or ask about:
// the dotted names of an environment's spec, such as database.primary, and
// what they say (text, bool, a map of texts, or a SecretRef; true for a
// section that is there). What is not set is not in it.
type fields map[string]any

// computed is the fields that no file has: they follow from others.
var computed = []string{"auth.type", "images.server.repository", "images.ui.repository"}

// chartSections is the parts of a spec that say nothing unless they reach the
// chart: a field here that no layout copies is a mistake.
var chartSections = []string{"instance", "auth", "database", "redis", "ingress"}

// fields is the fields that are set. The delivery system decides how the
// chart gets its secrets where the environment does not.
func (e Environment) fields(into SecretsInto) fields {
	f := fields{}
	walk(reflect.TypeFor[Spec](), reflect.ValueOf(e.Spec), "", func(name string, value any) {
		if value != nil {
			f[name] = value
		}
	})
	f["secrets.into"] = string(into)
	f["mesh"] = string(e.mesh())
	registry := e.Spec.Registry
	f["images.server.repository"] = registry.locate(registry.source() + "/server")
	f["images.ui.repository"] = registry.locate(registry.source() + "/ui")
	for _, kind := range []string{"okta", "adfs", "entra"} {
		if f["auth."+kind] != nil {
			f["auth.type"] = kind
		}
	}
	return f
}

// fieldNames is the names of all fields, set or not. They are the same for
// every environment, and not to be changed.
var fieldNames = sync.OnceValue(func() []string {
	names := append([]string{}, computed...)
	walk(reflect.TypeFor[Spec](), reflect.Value{}, "", func(name string, _ any) { names = append(names, name) })
	return names
})

// Fields lists what a catalog's layout can copy to chart values or ask about: all fields of an
// environment's spec, and those that follow from others.
func Fields() []string { return slices.Clone(fieldNames()) }

// walk calls visit with every field of a type and, if v is valid, what v says
// there: nil where it is not set. Lists and maps by release are no fields.
func walk(t reflect.Type, v reflect.Value, prefix string, visit func(name string, value any)) {
	for _, f := range strictyaml.Fields(t) {
		name, ft := prefix+f.Name, t.FieldByIndex(f.Index).Type
		fv := reflect.Value{}
		if v.IsValid() {
			fv = v.FieldByIndex(f.Index)
		}
		if ft.Kind() == reflect.Pointer {
			ft = ft.Elem()
			if fv.IsValid() {
				fv = fv.Elem() // the zero Value for nil
			}
		}
		switch {
		case ft == reflect.TypeFor[SecretRef](), ft == reflect.TypeFor[Switch](), ft.Kind() == reflect.String,
			ft.Kind() == reflect.Bool, ft == reflect.TypeFor[map[string]string]():
			visit(name, leaf(fv))
		case ft == reflect.TypeFor[Mesh]():
			visit(name, nil) // computed by the caller
		case ft.Kind() == reflect.Struct:
			if fv.IsValid() && !fv.IsZero() {
				visit(name, true)
			} else {
				visit(name, nil)
			}
			walk(ft, fv, name+".", visit)
		}
	}
}

// leaf is what a field says, or nil where it is not set.
func leaf(v reflect.Value) any {
	if !v.IsValid() {
		return nil
	}
	switch value := v.Interface().(type) {
	case SecretRef:
		if value == (SecretRef{}) {
			return nil
		}
		return value
	case Switch:
		return value.Value
	case map[string]string:
		if value == nil {
			return nil
		}
		m := make(map[string]any, len(value))
		for k, text := range value {
			m[k] = text
		}
		return m
	case bool:
		return value
	}
	if v.Kind() != reflect.String || v.String() == "" {
		return nil
	}
	return v.String()
}

// inChart reports whether a field says nothing unless it reaches the chart.
func inChart(name string) bool {
	for _, section := range chartSections {
		if strings.HasPrefix(name, section+".") {
			return true
		}
	}
	return false
}
