package keys

import (
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// Unset gives the differing defaults that a release with these values gets, by path: Old
// is nil where only the new chart has such a default, and New where only the old one has.
// What the values set is the same with both charts, so it is left out, as is a null, which
// is no default.
func (c Changes) Unset(values map[string]any) []Change {
	all := slices.Clone(c.Changed)
	for _, gone := range c.Removed {
		all = append(all, Change{Path: gone.Path, Old: gone.Value})
	}
	for _, added := range c.Added {
		all = append(all, Change{Path: added.Path, New: added.Value})
	}
	for _, moved := range c.Moved {
		all = append(all, Change{Path: moved.From, Old: moved.Value}, Change{Path: moved.To, New: moved.Value})
	}
	set := ends("", values)
	all = slices.DeleteFunc(all, func(one Change) bool {
		return one.Old == nil && one.New == nil || slices.ContainsFunc(set, func(path string) bool {
			_, below := strictyaml.Under(one.Path, path)
			_, above := strictyaml.Under(path, one.Path)
			return below || above
		})
	})
	slices.SortFunc(all, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// ends lists the paths of values that are no mappings, or empty ones.
func ends(path string, v any) (all []string) {
	below, isMap := v.(map[string]any)
	if path != "" && len(below) == 0 {
		return []string{path}
	}
	if isMap {
		for key, item := range below {
			all = append(all, ends(strictyaml.Join(path, key), item)...)
		}
	}
	return all
}
