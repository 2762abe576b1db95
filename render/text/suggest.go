package text

import (
	"slices"
	"strings"
	"unicode"

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
	return SuggestFor(Name{Text: name}, Names(allowed))
}

// SuggestFor does as [Suggest] for names of which more is known.
func SuggestFor(meant Name, names []Name) string {
	if near := Closest(meant, names); near.Text != "" {
		return `: did you mean "` + near.Text + `"?`
	}
	allowed := make([]string, len(names))
	for i, name := range names {
		allowed[i] = name.Text
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

// Kind is the type of a value, as far as a name's says it.
type Kind string

// The kinds. Scalar is a text, a number or a boolean, and which is not known.
const (
	Mapping Kind = "mapping"
	List    Kind = "list"
	Text    Kind = "text"
	Number  Kind = "number"
	Boolean Kind = "boolean"
	Scalar  Kind = "scalar"
)

// fits reports whether values of two kinds may be the same one. What is not
// known fits any.
func (k Kind) fits(other Kind) bool {
	plain := func(k Kind) bool { return k != Mapping && k != List }
	return k == "" || other == "" || k == other || (k == Scalar || other == Scalar) && plain(k) && plain(other)
}

// Name is a name with what it stands for.
type Name struct {
	Text string
	Kind Kind // of its value, empty if not known
	// Secret is whether its value is a secret, or holds one: one secret's name is
	// never proposed for another one's.
	Secret bool
}

// Names gives names of which nothing else is known.
func Names(texts []string) []Name {
	names := make([]Name, len(texts))
	for i, text := range texts {
		names[i].Text = text
	}
	return names
}

// Nearest returns the allowed name that name was most likely meant to be, or
// "", as [Closest] does.
func Nearest(name string, allowed []string) string {
	return Closest(Name{Text: name}, Names(allowed)).Text
}

// Closest returns the allowed name that a name was most likely meant to be, or
// no name: a few letters away, or beginning with it, and of a kind that fits.
// Where one of the two is a secret's, only case and punctuation may differ. Of
// several as near it takes the one that sorts first. Every proposal of a name
// comes from here.
func Closest(meant Name, allowed []Name) Name {
	var best Name
	if len(allowed) > maxCompared || len(meant.Text) > maxLetters {
		return best
	}
	bestDistance := len(meant.Text)/4 + 2
	byText := func(a, b Name) int { return strings.Compare(a.Text, b.Text) }
	for _, candidate := range slices.SortedFunc(slices.Values(allowed), byText) {
		if distance := tellApart(meant, candidate); distance < bestDistance && distance < len(candidate.Text) {
			best, bestDistance = candidate, distance
		}
	}
	return best
}

// far is a distance at which nothing is near.
const far = maxLetters

// tellApart gives the number of letters in which two names differ: none where
// only case and punctuation do, one where one begins with the other or where
// two letters are swapped.
func tellApart(meant, candidate Name) int {
	a, b := strings.ToLower(meant.Text), strings.ToLower(candidate.Text)
	switch {
	case !meant.Kind.fits(candidate.Kind):
		return far
	case plain(a) == plain(b) && plain(a) != "":
		return 0
	case meant.Secret || candidate.Secret:
		return far
	case len(a) > 2 && strings.HasPrefix(b, a), slices.Equal(slices.Sorted(slices.Values([]byte(a))), slices.Sorted(slices.Values([]byte(b)))):
		return 1
	}
	return levenshtein.ComputeDistance(a, b)
}

// plain returns the letters and digits of a name.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, name)
}
