package diff

import (
	"cmp"
	"slices"
	"strings"
)

// aligned is which item of one list belongs to which of the other; -1 where
// there is none.
type aligned struct {
	old, new int
	keys     string // what names the item, if its fields do
}

func (c *comparison) lists(at Path, old, new []any) {
	field := ""
	if len(at) > 0 {
		field = at[len(at)-1].Field
	}
	pairs, keyed := byKeys(field, old, new)
	if !keyed {
		pairs = byPlace(old, new)
	}
	if before, after := moved(pairs); before != nil {
		c.add(Move, at, before, after)
	}
	for _, p := range pairs {
		below := append(at[:len(at):len(at)], Step{Item: true, Keys: p.keys, Old: p.old, New: p.new})
		switch {
		case p.old < 0:
			c.add(Add, below, nil, new[p.new])
		case p.new < 0:
			c.add(Remove, below, old[p.old], nil)
		default:
			c.values(below, old[p.old], new[p.new])
		}
	}
}

// byKeys aligns lists whose items are named by their fields. The pairs are in
// the order of the new list, those that are gone behind.
func byKeys(field string, old, new []any) ([]aligned, bool) {
	for _, keys := range keysOf(field) {
		before, ok := named(old, keys)
		if !ok {
			continue
		}
		after, ok := named(new, keys)
		if !ok {
			continue
		}
		place := map[string]int{}
		for i, name := range before {
			place[name] = i
		}
		var pairs []aligned
		for i, name := range after {
			was, both := place[name]
			if !both {
				was = -1
			}
			pairs = append(pairs, aligned{was, i, name})
			delete(place, name)
		}
		for i, name := range before {
			if _, gone := place[name]; gone {
				pairs = append(pairs, aligned{i, -1, name})
			}
		}
		return pairs, true
	}
	return nil, false
}

// named is what names each item of a list; ok is whether every item has a name
// of its own.
func named(items []any, keys []key) (names []string, ok bool) {
	seen := map[string]bool{}
	for _, item := range items {
		tree, isMap := item.(map[string]any)
		if !isMap {
			return nil, false
		}
		var parts []string
		for _, k := range keys {
			text, has := k.of(tree)
			if !has {
				return nil, false
			}
			if text != "" {
				parts = append(parts, k.field+"="+text)
			}
		}
		name := strings.Join(parts, ",")
		if seen[name] || name == "" {
			return nil, false
		}
		seen[name] = true
		names = append(names, name)
	}
	return names, true
}

// moved is the names of the items that both lists have, in the order of each,
// if that is not the same.
func moved(pairs []aligned) (before, after any) {
	both := slices.DeleteFunc(slices.Clone(pairs), func(p aligned) bool { return p.old < 0 || p.new < 0 })
	if slices.IsSortedFunc(both, func(a, b aligned) int { return cmp.Compare(a.old, b.old) }) {
		return nil, nil
	}
	names := func() (list []any) {
		for _, p := range both {
			list = append(list, p.keys)
		}
		return list
	}
	after = names()
	slices.SortFunc(both, func(a, b aligned) int { return cmp.Compare(a.old, b.old) })
	return names(), after
}

// maxCells bounds the table that finds what two lists have in common. Longer
// lists are compared place by place between what they begin and end with.
const maxCells = 1 << 20

// byPlace aligns lists whose items have no names: the longest sequence that
// both have stays, and what stands in its gaps on both sides is one item that
// changed.
func byPlace(old, new []any) []aligned {
	before, after := canonicals(old), canonicals(new)
	first := 0
	for first < min(len(before), len(after)) && before[first] == after[first] {
		first++
	}
	last := 0
	for last < min(len(before), len(after))-first && before[len(before)-1-last] == after[len(after)-1-last] {
		last++
	}
	var pairs []aligned
	i, j := first, first
	gap := func(toOld, toNew int) {
		for ; i < toOld || j < toNew; i, j = i+1, j+1 {
			p := aligned{old: i, new: j}
			if i >= toOld {
				p.old = -1
			}
			if j >= toNew {
				p.new = -1
			}
			pairs = append(pairs, p)
		}
		i, j = toOld+1, toNew+1
	}
	for _, p := range common(before[first:len(before)-last], after[first:len(after)-last]) {
		gap(first+p.old, first+p.new)
	}
	gap(len(before)-last, len(after)-last)
	return pairs
}

func canonicals(items []any) []string {
	var all []string
	for _, item := range items {
		all = append(all, canonical(item))
	}
	return all
}

// common is the longest sequence that both lists have, or none where the lists
// are too long to find it in bounds.
func common(old, new []string) []aligned {
	if len(old) == 0 || len(new) == 0 || len(old) > maxCells/len(new) {
		return nil
	}
	width := len(new) + 1
	longest := make([]int32, (len(old)+1)*width)
	for i := len(old) - 1; i >= 0; i-- {
		for j := len(new) - 1; j >= 0; j-- {
			if old[i] == new[j] {
				longest[i*width+j] = longest[(i+1)*width+j+1] + 1
			} else {
				longest[i*width+j] = max(longest[(i+1)*width+j], longest[i*width+j+1])
			}
		}
	}
	var pairs []aligned
	for i, j := 0, 0; i < len(old) && j < len(new); {
		switch {
		case old[i] == new[j]:
			pairs = append(pairs, aligned{old: i, new: j})
			i, j = i+1, j+1
		case longest[(i+1)*width+j] >= longest[i*width+j+1]:
			i++
		default:
			j++
		}
	}
	return pairs
}
