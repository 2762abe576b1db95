package keys

import (
	"maps"
	"reflect"
	"slices"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// Changes is how the default values of a chart differ from those of another
// one, each list by path. Its JSON form is an interface: fields are only added.
type Changes struct {
	Added   []Default `json:"added"`
	Removed []Default `json:"removed"`
	Changed []Change  `json:"changed"`
	// Moved is values that seem to have another path now: what was there and
	// is gone has the same value as something new with a similar path.
	Moved []Move `json:"moved"`
	// NowRequired and NoLongerRequired are paths that the schemas require
	// whatever else is set.
	NowRequired      []string `json:"nowRequired"`
	NoLongerRequired []string `json:"noLongerRequired"`
}

// Default is a default value: a scalar, a list, or an empty map.
type Default struct {
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// Change is a default value that is another one now.
type Change struct {
	Path string `json:"path"`
	Old  any    `json:"old"`
	New  any    `json:"new"`
}

// Move is a default value that seems to have another path now.
type Move struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Value any    `json:"value"`
}

// None reports whether nothing differs.
func (c Changes) None() bool {
	return len(c.Added)+len(c.Removed)+len(c.Changed)+len(c.Moved)+len(c.NowRequired)+len(c.NoLongerRequired) == 0
}

// Compare compares the default values of two charts, those of the charts in
// them included as [chart.Chart.Defaults] has them, and what their schemas
// require. A global value that a chart in a chart only gets from around it
// counts once.
func Compare(from, to chart.Chart) (Changes, error) {
	before, err := leavesOf(from)
	if err != nil {
		return Changes{}, err
	}
	after, err := leavesOf(to)
	if err != nil {
		return Changes{}, err
	}
	c := Changes{[]Default{}, []Default{}, []Change{}, []Move{}, []string{}, []string{}}
	for _, path := range slices.Sorted(maps.Keys(before)) {
		switch now, ok := after[path]; {
		case !ok:
			c.Removed = append(c.Removed, Default{path, before[path]})
		case !reflect.DeepEqual(before[path], now):
			c.Changed = append(c.Changed, Change{path, before[path], now})
		}
	}
	for _, path := range slices.Sorted(maps.Keys(after)) {
		if _, ok := before[path]; !ok {
			c.Added = append(c.Added, Default{path, after[path]})
		}
	}
	c.findMoves(before, after)
	was, is := requiredBy(from), requiredBy(to)
	c.NowRequired, c.NoLongerRequired = without(is, was), without(was, is)
	return c, nil
}

// istioDefaults is where Istio's charts keep their defaults: users set them
// without that name, and what is beside it wins
// (https://github.com/istio/istio/blob/1.28.3/manifests/charts/istio-control/istio-discovery/templates/zzz_profile.yaml).
const istioDefaults = "_internal_defaults_do_not_set"

// leavesOf is the default values of a chart by path.
func leavesOf(c chart.Chart) (map[string]any, error) {
	defaults, err := c.Defaults()
	if err != nil {
		return nil, err
	}
	dropGlobals(c.Parts(), defaults)
	leaves := map[string]any{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		below, isMap := v.(map[string]any)
		if !isMap || len(below) == 0 && path != "" {
			leaves[path] = v
			return
		}
		if hidden, ok := below[istioDefaults].(map[string]any); ok && len(hidden) > 0 {
			walk(path, hidden)
		}
		for key, item := range below {
			if _, isMap := item.(map[string]any); key != istioDefaults || !isMap {
				walk(strictyaml.Join(path, key), item)
			}
		}
	}
	walk("", defaults)
	return leaves, nil
}

// dropGlobals takes the globals out of the values of the charts in a chart
// that are the same around them.
func dropGlobals(p chart.Part, values map[string]any) {
	around, _ := values["global"].(map[string]any)
	for _, inner := range p.Parts {
		own, _ := values[inner.Key].(map[string]any)
		dropGlobals(inner, own)
		global, _ := own["global"].(map[string]any)
		maps.DeleteFunc(global, func(key string, v any) bool {
			same, ok := around[key]
			return ok && reflect.DeepEqual(same, v)
		})
		if len(global) == 0 {
			delete(own, "global")
		}
	}
}

// requiredBy is what the schemas of a chart require, by path.
func requiredBy(c chart.Chart) []string {
	n := &node{}
	learnSchemas(c.Parts(), n)
	var all []string
	var walk func(path string, n *node)
	walk = func(path string, n *node) {
		for key, below := range n.children {
			at := strictyaml.Join(path, key)
			if below.required {
				all = append(all, at)
			}
			walk(at, below)
		}
	}
	walk("", n)
	slices.Sort(all)
	return all
}

func learnSchemas(p chart.Part, n *node) {
	learnSchema(p.Schema, n)
	for _, inner := range p.Parts {
		learnSchemas(inner, n.child(inner.Key))
	}
}

func without(all, some []string) []string {
	return slices.DeleteFunc(append([]string{}, all...), func(one string) bool { return slices.Contains(some, one) })
}
