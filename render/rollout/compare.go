package rollout

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// contains reports whether a value of the cluster has all that is wanted, and
// where it first has not.
func contains(have, want any, path string) (where string, ok bool) {
	switch want := want.(type) {
	case map[string]any:
		have, isMap := have.(map[string]any)
		if !isMap && len(want) > 0 {
			return path, false
		}
		for _, key := range slices.Sorted(maps.Keys(want)) {
			if where, ok := contains(have[key], want[key], path+"."+key); !ok {
				return where, false
			}
		}
		return "", true
	case []any:
		have, _ := have.([]any)
		if len(have) != len(want) {
			return path, false
		}
		for i := range want {
			if where, ok := contains(have[i], want[i], fmt.Sprintf("%s[%d]", path, i)); !ok {
				return where, false
			}
		}
		return "", true
	}
	return path, reflect.DeepEqual(number(have), number(want))
}

// number is a number as JSON has it: 1 and 1.0 are the same.
func number(value any) any {
	if whole, ok := value.(int64); ok {
		return float64(whole)
	}
	return value
}
