package hop

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// path is the keys that lead to a value.
type path []string

func (p path) String() string {
	text := ""
	for _, key := range p {
		text = strictyaml.Join(text, key)
	}
	return text
}

func (p path) last() string { return p[len(p)-1] }

func (p path) parent() path { return p[:len(p)-1] }

// child returns the path of a key below.
func (p path) child(key string) path { return append(slices.Clip(p), key) }

// within reports whether p is another path or lies below it.
func (p path) within(other path) bool {
	return len(p) >= len(other) && slices.Equal(p[:len(other)], other)
}

// leaf is a value that holds no others, or an empty mapping or a list.
type leaf struct {
	path  path
	value any
}

// leavesOf gives the leaves of values, in the order of their paths. Null is none: it
// takes a default out.
func leavesOf(values map[string]any) (all []leaf) {
	var walk func(at path, values map[string]any)
	walk = func(at path, values map[string]any) {
		for _, key := range slices.Sorted(maps.Keys(values)) {
			below := at.child(key)
			if inner, ok := values[key].(map[string]any); ok && len(inner) > 0 {
				walk(below, inner)
			} else if values[key] != nil {
				all = append(all, leaf{below, values[key]})
			}
		}
	}
	walk(nil, values)
	return all
}

// get gives the value at a path, and whether there is one.
func get(values map[string]any, at path) (any, bool) {
	var value any = values
	for _, key := range at {
		inner, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = inner[key]; !ok {
			return nil, false
		}
	}
	return value, true
}

// with gives a copy of values with another value at a path: what is on the way there and
// no mapping becomes one.
func with(values map[string]any, at path, value any) map[string]any {
	changed := maps.Clone(values)
	if changed == nil {
		changed = map[string]any{}
	}
	if len(at) == 1 {
		changed[at[0]] = value
		return changed
	}
	inner, _ := changed[at[0]].(map[string]any)
	changed[at[0]] = with(inner, at[1:], value)
	return changed
}

// without gives a copy of values without that at a path, and without the mappings that
// nothing else was in.
func without(values map[string]any, at path) map[string]any {
	if _, ok := get(values, at); !ok {
		return values
	}
	changed := maps.Clone(values)
	inner, _ := changed[at[0]].(map[string]any)
	if len(at) > 1 {
		inner = without(inner, at[1:])
	}
	if len(at) == 1 || len(inner) == 0 {
		delete(changed, at[0])
	} else {
		changed[at[0]] = inner
	}
	return changed
}

// kindOf gives the type of a value; none of null, which may be any.
func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return ""
	case bool:
		return "boolean"
	case string:
		return "text"
	case map[string]any:
		return "mapping"
	case []any:
		return "list"
	}
	return "number"
}

// plain gives values as JSON has them: all numbers the same type, nothing shared.
func plain(values map[string]any) (map[string]any, error) {
	data, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	copied := map[string]any{}
	err = json.Unmarshal(data, &copied)
	return copied, err
}

// isEmpty reports whether a value is one that a chart has for nothing.
func isEmpty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == ""
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	}
	return false
}

// written writes a value on a line, as JSON.
func written(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(data)
}

// istioDefaults is where Istio's charts keep their defaults: users set them without that
// name (https://github.com/istio/istio/blob/1.28.3/manifests/charts/istio-control/istio-discovery/templates/zzz_profile.yaml).
const istioDefaults = "_internal_defaults_do_not_set"

// settable gives defaults at the paths at which users set them.
func settable(defaults map[string]any) map[string]any {
	all := map[string]any{}
	if hidden, ok := defaults[istioDefaults].(map[string]any); ok {
		all = settable(hidden)
	}
	for key, value := range defaults {
		inner, isMap := value.(map[string]any)
		if key == istioDefaults && isMap {
			continue
		}
		if isMap {
			value = settable(inner)
			if known, both := all[key].(map[string]any); both {
				value = over(known, value.(map[string]any))
			}
		}
		all[key] = value
	}
	return all
}

// over lays values over others.
func over(below, above map[string]any) map[string]any {
	all := maps.Clone(below)
	for key, value := range above {
		first, isMap := all[key].(map[string]any)
		if second, both := value.(map[string]any); isMap && both {
			value = over(first, second)
		}
		all[key] = value
	}
	return all
}

// standing says how defaults know a path.
type standing int

const (
	absent standing = iota
	free            // below an empty mapping or null, where any key may be
	known
)

// stands looks a path up in defaults.
func stands(defaults map[string]any, at path) standing {
	var value any = defaults
	for _, key := range at {
		inner, isMap := value.(map[string]any)
		switch {
		case value == nil || isMap && len(inner) == 0:
			return free
		case !isMap:
			return absent
		}
		var ok bool
		if value, ok = inner[key]; !ok {
			return absent
		}
	}
	return known
}

// equal reports whether two values are the same.
func equal(a, b any) bool { return reflect.DeepEqual(a, b) }

// parse reads a path as [path.String] writes it, and as people and catalogs do; nil for
// what gives no path of keys, such as an item of a list.
func parse(text string) (all path) {
	for text != "" {
		switch {
		case strings.HasPrefix(text, `["`):
			quoted, err := strconv.QuotedPrefix(text[1:])
			if err != nil || !strings.HasPrefix(text[1+len(quoted):], "]") {
				return nil
			}
			key, _ := strconv.Unquote(quoted)
			all, text = append(all, key), strings.TrimPrefix(text[2+len(quoted):], ".")
		case text[0] == '[' || text[0] == '.':
			return nil
		default:
			end := strings.IndexAny(text, ".[")
			if end < 0 {
				end = len(text)
			}
			all, text = append(all, text[:end]), strings.TrimPrefix(text[end:], ".")
		}
	}
	return all
}
