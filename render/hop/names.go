package hop

import (
	"slices"
	"strings"
	"unicode"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// words takes the keys of a path apart: use_embedded and useEmbedded are two words.
func words(at path) (all []string) {
	for _, key := range at {
		var word []rune
		flush := func() {
			if len(word) > 0 {
				all = append(all, strings.ToLower(string(word)))
				word = nil
			}
		}
		for i, r := range key {
			letter := unicode.IsLetter(r) || unicode.IsDigit(r)
			if !letter || i > 0 && unicode.IsUpper(r) && len(word) > 0 && unicode.IsLower(word[len(word)-1]) {
				flush()
			}
			if letter {
				word = append(word, r)
			}
		}
		flush()
	}
	return all
}

// squeezed gives the letters and digits of a path.
func squeezed(at path) string { return strings.Join(words(at), "") }

// likeness says how much two paths look like each other, from 0 to 100.
func likeness(a, b path) int {
	if squeezed(a) == squeezed(b) {
		return 100
	}
	first, second := words(a), words(b)
	shared := 0
	for _, word := range first {
		if i := slices.IndexFunc(second, func(other string) bool { return other == word || near(word, other) }); i >= 0 {
			shared++
			second = slices.Delete(slices.Clone(second), i, i+1)
		}
	}
	score := 80 * 2 * shared / (len(words(a)) + len(words(b)))
	if strings.EqualFold(a.last(), b.last()) {
		score += 15
	}
	return min(score, 99)
}

// near reports whether two words are forms of one.
func near(a, b string) bool {
	return len(a) > 3 && len(b) > 3 && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a) || text.Nearest(a, []string{b}) == b)
}

// candidate is a value of the new chart that an old one may have become.
type candidate struct {
	path   path
	value  any  // its default, or what the environment sets for the new chart
	set    bool // by the environment
	likely int  // likeness to the old path, with what else speaks for it
}

// candidates gives what an old value may have become, the most likely first: only what
// the old chart has not.
func (w *work) candidates(l leaf) (all []candidate) {
	add := func(at path, value any, set bool) {
		if stands(w.old.defaults, at) == known || w.taken[at.String()] {
			return
		}
		c := candidate{at, value, set, likeness(l.path, at)}
		was, _ := get(w.old.defaults, l.path)
		if equal(was, value) && !isEmpty(value) {
			c.likely += 10
		}
		if slices.Equal(l.path.parent(), at.parent()) {
			c.likely += 10
		}
		if said := w.said.to(l.path); said != nil && (at.within(said) || slices.Equal(at, said)) {
			c.likely += 200
		}
		all = append(all, c)
	}
	for _, other := range leavesOf(w.new.defaults) {
		add(other.path, other.value, false)
	}
	for _, other := range leavesOf(w.new.values) {
		if _, before := get(w.old.values, other.path); !before && stands(w.new.defaults, other.path) != known {
			add(other.path, other.value, true)
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		if a.likely != b.likely {
			return b.likely - a.likely
		}
		return strings.Compare(a.path.String(), b.path.String())
	})
	return all
}
