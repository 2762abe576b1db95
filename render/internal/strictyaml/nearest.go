package strictyaml

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// mostListed is how many names an error message lists before it becomes a wall.
const mostListed = 8

// The nearest name is looked for among so many, for one that is so long:
// comparing costs the product of it all, and hostile files have many.
const (
	mostCompared = 100
	mostLetters  = 64
)

// Suggest ends a message about an unknown name: the nearest allowed one, or
// all of them where there are few, or nothing.
func Suggest(name string, allowed []string) string {
	if near := Nearest(name, allowed); near != "" {
		return `: did you mean "` + near + `"?`
	}
	switch {
	case len(allowed) == 0 || len(allowed) > mostListed:
		return ""
	default:
		return ": want " + OneOf(allowed)
	}
}

// OneOf lists names the way a sentence does: a, b or c.
func OneOf(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// Nearest is the allowed name that name was most likely meant to be, or "": a
// few letters away, or the whole of which it is the start. Ties go to the
// name that sorts first.
func Nearest(name string, allowed []string) string {
	if len(allowed) > mostCompared || len(name) > mostLetters {
		return ""
	}
	name = strings.ToLower(name)
	best, bestDistance := "", len(name)/3+2
	for _, candidate := range slices.Sorted(slices.Values(allowed)) {
		distance := levenshtein.ComputeDistance(name, strings.ToLower(candidate))
		if len(name) > 2 && strings.HasPrefix(strings.ToLower(candidate), name) {
			distance = 1
		}
		if distance < bestDistance && distance < len(candidate) {
			best, bestDistance = candidate, distance
		}
	}
	return best
}
