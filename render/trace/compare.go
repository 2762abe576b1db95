package trace

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// change is a field that two renderings have differently.
type change struct {
	Field
	steps []string // the path, list items as [0]
	was   string
}

type changes []change

func (c changes) set() map[Field]bool {
	all := map[Field]bool{}
	for _, one := range c {
		all[one.Field] = true
	}
	return all
}

// compare is the fields of what was rendered that another rendering has
// differently or lacks. What no longer parses is the whole object.
func compare(was, is []chart.Object) changes {
	var all changes
	for i, other := range pair(was, is) {
		if other == nil || bytes.Equal(was[i].YAML, other.YAML) {
			continue
		}
		before, err := was[i].Items()
		after, otherErr := other.Items()
		if err != nil || otherErr != nil || len(before) != len(after) {
			all = append(all, change{Field: Field{Object: was[i].ID()}, was: string(was[i].YAML)})
			continue
		}
		for j := range before {
			all = append(all, compareItems(before[j], after[j])...)
		}
	}
	return all
}

// key is what an object is told from others by. Objects with the same one are
// told by their order, and those of which the other rendering has none, whose
// names have changed, by their template and kind.
type key struct {
	chart.ID
	nth int
}

// pair finds for each object the same one of another rendering, or nil.
func pair(was, is []chart.Object) []*chart.Object {
	pairs := make([]*chart.Object, len(was))
	used := make([]bool, len(is))
	for _, of := range []func(chart.Object) chart.ID{
		chart.Object.ID,
		func(o chart.Object) chart.ID { return chart.ID{Source: o.Source, Kind: o.Kind} },
	} {
		free := map[key]int{}
		seen := map[chart.ID]int{}
		for i := range is {
			if !used[i] {
				id := of(is[i])
				free[key{id, seen[id]}] = i
				seen[id]++
			}
		}
		seen = map[chart.ID]int{}
		for i := range was {
			if pairs[i] != nil {
				continue
			}
			id := of(was[i])
			if j, ok := free[key{id, seen[id]}]; ok {
				pairs[i], used[j] = &is[j], true
			}
			seen[id]++
		}
	}
	return pairs
}

func compareItems(was, is chart.Item) []change {
	after := map[string]string{}
	leaves(is, func(path string, _ []string, value string) { after[path] = value })
	var all []change
	leaves(was, func(path string, steps []string, value string) {
		if other, ok := after[path]; !ok || other != value {
			all = append(all, change{Field{was.ID, path}, slices.Clone(steps), value})
		}
	})
	return all
}

// How deep fields are looked at, and how long their paths are. No object that
// a cluster takes comes near.
const (
	deepestField = 200
	longestPath  = 4096
)

// leaves visits every text of an object, numbers and such as texts too, those
// of a Secret decoded.
func leaves(item chart.Item, visit func(path string, steps []string, value string)) {
	var walk func(value any, path string, steps []string)
	walk = func(value any, path string, steps []string) {
		if len(steps) > deepestField || len(path) > longestPath {
			return
		}
		switch value := value.(type) {
		case map[string]any:
			for key, below := range value {
				walk(below, strictyaml.Join(path, key), append(steps, key))
			}
		case []any:
			for i, below := range value {
				walk(below, strictyaml.Index(path, i), append(steps, "["+strconv.Itoa(i)+"]"))
			}
		case string:
			visit(path, steps, decoded(item.ID, steps, value))
		default:
			visit(path, steps, fmt.Sprint(value))
		}
	}
	start := ""
	for _, i := range item.In {
		start = strictyaml.Index(strictyaml.Join(start, "items"), i)
	}
	walk(item.Tree, start, nil)
}

// decoded is what a Secret holds, and any other text as it is.
func decoded(id chart.ID, steps []string, value string) string {
	if isSecret(id, steps) && steps[0] == "data" {
		if data, err := base64.StdEncoding.DecodeString(value); err == nil {
			return string(data)
		}
	}
	return value
}
