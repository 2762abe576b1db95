package check

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/images"
)

// change is a place of an object that a fix changes. Path is empty for an object
// that comes or goes.
type change struct {
	object        finding.Object
	path          string
	before, after any
}

// changes gives the places at which what a release makes is another after a fix, but
// for what is random and for checksums.
func (r *release) changes(after *release) []change {
	type place struct {
		object finding.Object
		path   string
	}
	random := map[place]bool{}
	for _, c := range compare(r.Install.Objects, r.Again.Objects) {
		random[place{c.object, c.path}] = true
	}
	all := slices.Concat(
		compare(everything(r.Install), everything(after.Install)),
		compare(everything(r.Upgrade), everything(after.Upgrade)),
	)
	return slices.DeleteFunc(all, func(c change) bool {
		checksum := strings.Contains(c.path, "metadata.annotations") && strings.Contains(strings.ToLower(c.path), "checksum")
		return random[place{c.object, c.path}] || checksum
	})
}

// maxTexts limits how deep texts in texts are looked into.
const maxTexts = 4

// apart takes a change of a text that is a document, and of the texts in it, apart
// into those of the document. Any other change is left whole.
func (c change) apart(left int) []change {
	before, wasText := c.before.(string)
	after, isText := c.after.(string)
	if !wasText || !isText || left == 0 {
		return []change{c}
	}
	was, ok := images.Document(before)
	now, also := images.Document(after)
	if !ok || !also || was == nil {
		return []change{c}
	}
	var parts []change
	var see func(path string, a, b any)
	see = func(path string, a, b any) {
		if tree := mapping(b); a == nil && tree != nil { // its keys are told one by one
			differ(map[string]any{}, tree, path, maxDepth, see)
			return
		}
		parts = append(parts, change{c.object, c.path + ": " + path, a, b}.apart(left-1)...)
	}
	differ(was, now, "", maxDepth, see)
	if parts == nil { // it differs in comments alone, or in its form
		return []change{c}
	}
	return parts
}

// asksField reports whether a change is that of the field at which something was
// found.
func asksField(s *scope, f finding.Finding, c change) bool {
	namespace := cmp.Or(c.object.Namespace, s.find(f.Release).Namespace)
	return f.Object.Kind == c.object.Kind && f.Object.Namespace == namespace && f.Object.Name == c.object.Name && f.Field == c.path
}

// everything gives the objects of a rendering with those of later actions.
func everything(out chart.Output) []chart.Object { return slices.Concat(out.Objects, out.Later()) }

// compare gives the places at which objects differ.
func compare(before, after []chart.Object) []change {
	count := map[string]int{}
	for _, made := range before {
		count[string(made.YAML)]++
	}
	for _, made := range after {
		count[string(made.YAML)]--
	}
	was, now := index(before, count), index(after, count)
	ids := maps.Clone(was)
	maps.Copy(ids, now)
	var all []change
	for _, id := range slices.SortedFunc(maps.Keys(ids), occurrence.compare) {
		object := *identify("", id.kind, id.namespace, id.name)
		if was[id] == nil || now[id] == nil {
			all = append(all, change{object: object})
			continue
		}
		differ(was[id], now[id], "", maxDepth, func(path string, a, b any) {
			all = append(all, change{object, path, a, b})
		})
	}
	return all
}

// index gives the trees of objects, but for those that both renderings have.
func index(objects []chart.Object, count map[string]int) map[occurrence]map[string]any {
	trees, seen := map[occurrence]map[string]any{}, occurrences{}
	for _, made := range objects {
		if count[string(made.YAML)] == 0 {
			continue
		}
		items, err := made.Items()
		if err != nil {
			continue // the chart fails, which is found
		}
		for _, item := range items {
			if id := seen.next(item); len(item.Tree) > 0 {
				trees[id] = item.Tree
			}
		}
	}
	return trees
}

// differing gives the paths at which two trees differ, sorted.
func differing(a, b any) (paths []string) {
	differ(a, b, "", maxDepth, func(path string, _, _ any) { paths = append(paths, path) })
	return paths
}

// differ calls see for every place at which two trees differ, in the order of
// the paths.
func differ(a, b any, path string, left int, see func(path string, a, b any)) {
	first, second := mapping(a), mapping(b)
	items, others := list(a), list(b)
	switch {
	case reflect.DeepEqual(a, b):
	case left > 0 && first != nil && second != nil:
		keys := maps.Clone(first)
		maps.Copy(keys, second)
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			differ(first[key], second[key], join(path, key), left-1, see)
		}
	case left > 0 && items != nil && len(items) == len(others):
		for i := range items {
			differ(items[i], others[i], fmt.Sprintf("%s[%d]", path, i), left-1, see)
		}
	default:
		see(path, a, b)
	}
}
