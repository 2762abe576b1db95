package text

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// maxListed limits how many names an error message lists.
const maxListed = 8

// Nearest compares at most maxCompared names with a name of at most maxLetters
// bytes: the time grows with both, and a hostile file has many and long names.
const (
	maxCompared = 200
	maxLetters  = 64
)

// Suggest ends a message about an unknown name: the nearest allowed one, or
// all of them where there are few, or nothing.
func Suggest(name string, allowed []string) string {
	if near := Nearest(name, allowed); near != "" {
		return `: did you mean "` + near + `"?`
	}
	switch {
	case len(allowed) == 0 || len(allowed) > maxListed:
		return ""
	default:
		return ": want " + OneOf(allowed)
	}
}

// OneOf lists names as a sentence does: a, b or c. There must be at least one.
func OneOf(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// Nearest returns the allowed name that name was most likely meant to be, or "":
// a few letters away, or beginning with name. Of several as near it takes the
// one that sorts first.
func Nearest(name string, allowed []string) string {
	if len(allowed) > maxCompared || len(name) > maxLetters {
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
