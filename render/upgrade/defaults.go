package upgrade

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// Default is a default of a chart that another version of it changes.
type Default struct {
	Key string // the dotted chart value
	// From and To are its values as JSON, which is YAML on a line; empty where the version
	// has no such default.
	From, To string
}

// ChangedDefaults compares the values.yaml of two versions of a chart, and gives what
// differs by key: scalars and lists, and mappings that only one of them has. What the
// environment sets is left out: it has the same value with both. So is null, which is no
// default.
func ChangedDefaults(old, new, set map[string]any) []Default {
	return changedDefaults("", old, new, set)
}

func changedDefaults(path string, old, new, set map[string]any) (changed []Default) {
	keys := maps.Clone(old)
	if keys == nil {
		keys = map[string]any{}
	}
	maps.Copy(keys, new)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		from, to, at := old[key], new[key], strictyaml.Join(path, key)
		own, isSet := set[key]
		below, setsBelow := own.(map[string]any)
		fromMap, wasMap := from.(map[string]any)
		toMap, isMap := to.(map[string]any)
		switch {
		case reflect.DeepEqual(from, to), isSet && !setsBelow:
		case wasMap && isMap, setsBelow && (wasMap || from == nil) && (isMap || to == nil):
			changed = append(changed, changedDefaults(at, fromMap, toMap, below)...)
		default:
			changed = append(changed, Default{at, oneLine(from), oneLine(to)})
		}
	}
	return changed
}

// oneLine writes a default on a line.
func oneLine(value any) string {
	if value == nil {
		return ""
	}
	data, _ := json.Marshal(value) // chart values are what JSON has
	return string(data)
}
