package keys

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// What is looked at for a suggestion.
const (
	maxIndexed = 20_000 // places of a chart
	maxLevels  = 12
	maxMeant   = 3 // places that a key may have elsewhere, to be one of them
	maxLetters = 64
)

// index notes where keys are that a template reads.
func (t *Tree) index(n *node, path string, level int) {
	if level > maxLevels || len(t.names) > maxIndexed {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(n.children)) {
		below := n.children[key]
		if !below.used {
			continue
		}
		at := strictyaml.Join(path, key)
		t.names[key] = append(t.names[key], at)
		t.index(below, at, level+1)
	}
}

// nearest is the path that was most likely meant: the nearest key beside, or
// the same key elsewhere.
func (t Tree) nearest(path, key string, around spot) string {
	beside := around.names()
	for _, name := range beside {
		if strings.EqualFold(name, key) {
			return strictyaml.Join(path, name)
		}
	}
	if near := text.Nearest(key, likely(key, beside)); near != "" {
		return strictyaml.Join(path, near)
	}
	// What is deep in one part of the values was hardly meant for another one.
	elsewhere := slices.DeleteFunc(slices.Clone(t.names[key]), func(at string) bool {
		return path != "" && first(at) != first(path)
	})
	if len(elsewhere) == 0 || len(elsewhere) > maxMeant {
		return ""
	}
	slices.SortFunc(elsewhere, func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.Count(a, "."), strings.Count(b, ".")), strings.Compare(a, b))
	})
	return elsewhere[0]
}

func first(path string) string {
	key, _, _ := strings.Cut(path, ".")
	return key
}

// names is the keys beside, in order.
func (s spot) names() []string {
	known := map[string]bool{}
	for _, n := range s.at {
		for key, below := range n.children {
			known[key] = known[key] || below.used
		}
		for _, x := range n.shadows {
			for key, below := range x.children {
				known[key] = known[key] || below.inDefaults
			}
		}
	}
	maps.DeleteFunc(known, func(_ string, yes bool) bool { return !yes })
	return slices.Sorted(maps.Keys(known))
}

// likely is the names that are near enough: charts have many, and among many
// one is always somewhat like another.
func likely(key string, names []string) []string {
	if len(key) > maxLetters {
		return nil
	}
	far := max(2, len(key)/4+1)
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return len(name)-len(key) > far || len(key)-len(name) > far ||
			levenshtein.ComputeDistance(strings.ToLower(key), strings.ToLower(name)) > far
	})
}
