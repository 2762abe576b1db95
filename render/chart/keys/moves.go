package keys

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/pm-gitops/pm-gitops/render/internal/plaintext"
)

// maxMoves is how many values each side may have for moves to be looked for.
const maxMoves = 400

// Of paths that are less alike, and that lie in less alike maps, none is the
// other's new name.
const (
	leastAlike   = 0.5
	leastSupport = 0.75
)

// mover looks for values that have another path now.
type mover struct {
	before, after map[string]any
	known         map[[2]string]float64
}

// findMoves pairs what is gone with what is new, the likeliest first.
func (c *Changes) findMoves(before, after map[string]any) {
	if len(c.Removed) > maxMoves || len(c.Added) > maxMoves {
		return
	}
	type pair struct {
		from, to Default
		likeness float64
	}
	m := mover{before, after, map[[2]string]float64{}}
	var pairs []pair
	for _, gone := range c.Removed {
		for _, added := range c.Added {
			if !reflect.DeepEqual(gone.Value, added.Value) || !sameSecret(strings.ToLower(gone.Path), strings.ToLower(added.Path)) {
				continue
			}
			likeness, support := alike(gone.Path, added.Path), m.support(gone.Path, added.Path)
			if likeness >= leastAlike || support >= leastSupport {
				pairs = append(pairs, pair{gone, added, likeness + support})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(b.likeness, a.likeness) })
	gone, found := map[string]bool{}, map[string]bool{}
	for _, p := range pairs {
		if !gone[p.from.Path] && !found[p.to.Path] {
			gone[p.from.Path], found[p.to.Path] = true, true
			c.Moved = append(c.Moved, Move{p.from.Path, p.to.Path, p.from.Value})
		}
	}
	slices.SortFunc(c.Moved, func(a, b Move) int { return strings.Compare(a.From, b.From) })
	c.Removed = slices.DeleteFunc(c.Removed, func(d Default) bool { return gone[d.Path] })
	c.Added = slices.DeleteFunc(c.Added, func(d Default) bool { return found[d.Path] })
}

// sameSecret reports whether a path may be another one's new name as far as
// secrets go: those of one owner are never another one's.
func sameSecret(from, to string) bool {
	return plaintext.Key(from[strings.LastIndex(from, ".")+1:]) == nil || contains(from, to) || contains(to, from)
}

// support is how much two maps have in common, from 0 to 1, if it is only their
// own names that the paths differ in: what was services.a is services.b.
func (m mover) support(from, to string) float64 {
	x, y := strings.Split(from, "."), strings.Split(to, ".")
	if len(x) != len(y) {
		return 0
	}
	at := -1
	for i := range x {
		if x[i] != y[i] && at >= 0 {
			return 0
		}
		if x[i] != y[i] {
			at = i
		}
	}
	if at < 0 || at == len(x)-1 {
		return 0
	}
	maps := [2]string{strings.Join(x[:at+1], ".") + ".", strings.Join(y[:at+1], ".") + "."}
	if _, ok := m.known[maps]; !ok {
		m.known[maps] = m.inCommon(maps[0], maps[1])
	}
	return m.known[maps]
}

func (m mover) inCommon(from, to string) float64 {
	same, all := 0, 0
	for path, v := range m.before {
		if rest, ok := strings.CutPrefix(path, from); ok {
			all++
			if now, ok := m.after[to+rest]; ok && reflect.DeepEqual(v, now) {
				same++
			}
		}
	}
	for path := range m.after {
		rest, ok := strings.CutPrefix(path, to)
		if _, counted := m.before[from+rest]; ok && !counted {
			all++
		}
	}
	if same < 2 {
		return 0 // one value that is the same says nothing
	}
	return float64(same) / float64(all)
}

// alike is how much of the words of two paths is the same, from 0 to 1; 1 too
// if only their letters' case or punctuation differs.
func alike(a, b string) float64 {
	x, y := words(a), words(b)
	if strings.EqualFold(strings.Join(x, ""), strings.Join(y, "")) {
		return 1
	}
	same := 0
	for _, word := range x {
		if slices.Contains(y, word) {
			same++
		}
	}
	return float64(same) / float64(len(x)+len(y)-same)
}

// words is the words of a path, each once: redis.use_embedded is redis, use, embedded.
func words(path string) []string {
	var all []string
	for _, word := range strings.FieldsFunc(path, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		start := 0
		for i, r := range word {
			if i > start && unicode.IsUpper(r) && !unicode.IsUpper(rune(word[i-1])) {
				all = append(all, strings.ToLower(word[start:i]))
				start = i
			}
		}
		all = append(all, strings.ToLower(word[start:]))
	}
	return all
}
