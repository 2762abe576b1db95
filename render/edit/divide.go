package edit

import (
	"fmt"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// divide takes an edit that sets a collection apart into edits of the entries that
// differ, so that the others keep their form and their comments. It gives none where the
// two have no entry in common, or where items of a list would have to be put between
// others.
func divide(old *strictyaml.Value, e resolved) []resolved {
	if old == nil || e.op != Set || old.Kind != e.value.Kind {
		return nil
	}
	switch old.Kind {
	case strictyaml.Mapping:
		return divideMapping(old, e)
	case strictyaml.Sequence:
		return divideList(old, e)
	}
	return nil
}

func divideMapping(old *strictyaml.Value, e resolved) []resolved {
	var sets, removes []resolved
	shared := false
	for _, entry := range e.value.Entries {
		shared = shared || old.Get(entry.Key) != nil
		sets = append(sets, resolved{op: Set, at: below(e.at, keyStep(entry.Key)), value: entry.Value})
	}
	for _, entry := range old.Entries {
		if e.value.Get(entry.Key) == nil {
			removes = append(removes, resolved{op: Remove, at: below(e.at, keyStep(entry.Key))})
		}
	}
	if !shared {
		return nil
	}
	return append(sets, removes...)
}

func divideList(old *strictyaml.Value, e resolved) []resolved {
	was, is := old.Items, e.value.Items
	equal := func(i, j int) bool {
		_, ok := same(was[i], is[j], "")
		return ok
	}
	first, behind := 0, 0 // how many items are the same at the beginning, and at the end
	for first < min(len(was), len(is)) && equal(first, first) {
		first++
	}
	for behind < min(len(was), len(is))-first && equal(len(was)-1-behind, len(is)-1-behind) {
		behind++
	}
	taken, put := len(was)-first-behind, len(is)-first-behind
	var all []resolved
	switch {
	case taken == 0 && behind == 0 && first > 0:
		for _, item := range is[first:] {
			all = append(all, resolved{op: Append, at: e.at, value: item})
		}
	case put == 0 && len(is) > 0:
		for i := first + taken - 1; i >= first; i-- {
			all = append(all, resolved{op: Remove, at: below(e.at, step{"", i})})
		}
	case taken == put:
		for i := first; i < first+taken; i++ {
			if taken > 1 && !sameName(was[i], is[i]) {
				return nil
			}
			all = append(all, resolved{op: Set, at: below(e.at, step{"", i}), value: is[i]})
		}
	}
	return all
}

// sameName reports whether two items of a list have the same name.
func sameName(a, b *strictyaml.Value) bool {
	one, other := a.Get("name"), b.Get("name")
	return one != nil && other != nil && one.Text == other.Text
}

func below(at []step, s step) []step { return append(at[:len(at):len(at)], s) }

// editParts makes the edits that another one is divided into, if they come to the same.
func (d *document) editParts(parts []resolved, want *strictyaml.Value) bool {
	next := *d
	for _, part := range parts {
		if next.edit(part) != nil {
			return false
		}
	}
	_, ok := same(next.root, want, "")
	if ok && parts != nil {
		*d = next
	}
	return ok && parts != nil
}

// checkComments refuses to set a whole collection where comments of entries that stay
// would be lost.
func (d *document) checkComments(e resolved) error {
	old := find(d.root, e.at)
	s, known := old.Source()
	if e.op != Set || !known || old.Kind != e.value.Kind || !d.hasComment(s.Content) {
		return nil
	}
	for i, item := range old.Items {
		for _, other := range e.value.Items {
			if _, ok := same(item, other, ""); ok || sameName(item, other) {
				return fmt.Errorf("comments in the list would be lost: set, append or remove single items, such as %s", format(below(e.at, step{"", i})))
			}
		}
	}
	for _, entry := range old.Entries {
		if e.value.Get(entry.Key) != nil {
			return fmt.Errorf("comments in the mapping would be lost: set its values one by one, such as %s", format(below(e.at, keyStep(entry.Key))))
		}
	}
	return nil
}
