package hop

import (
	"fmt"
	"slices"
	"strings"
)

// conclude says of each value that rendering alone did not follow what is known of it
// otherwise: by what the catalog or the chart says, by its name, or not at all.
func (w *work) conclude() {
	active := w.awake()
	for _, f := range w.open() {
		_, there := get(w.now, f.path)
		switch {
		case there && w.failed != nil:
			w.settle(f, Lost, Unknown, nil, "the new chart was not rendered", nil)
		case there && f.used():
			w.concludeHere(f)
		case there && !f.probed:
			w.settle(f, Landed, Suspected, nil, "both charts have it; what it does was not found out", nil)
		case there:
			w.settle(f, Landed, Certain, nil, "it does nothing for this environment in either version", nil)
			if places := active[f.path.String()]; len(places) > 0 {
				f.active = true
				w.settle(f, Landed, Certain, nil, fmt.Sprintf("no other value changed anything in the old chart, and it reaches %s in the new one", theFields(len(places))), places)
			}
		default:
			w.concludeGone(f)
		}
	}
}

// awake gives where values land in the new chart that did nothing in the old one.
func (w *work) awake() map[string][]place {
	found := map[string][]place{}
	if w.failed != nil {
		return found
	}
	var texts []leaf
	for _, f := range w.open() {
		if value, there := get(w.now, f.path); there && !f.used() {
			if w.isPlainText(w.new, leaf{f.path, value}) {
				texts = append(texts, leaf{f.path, value})
			} else if e, ok := w.effectOf(w.new, w.now, w.changed(f)); ok && !e.empty() {
				found[f.path.String()] = e.sorted()
			}
		}
	}
	b, _ := w.inTwo(w.new, w.now, texts)
	var silent []leaf
	for _, l := range texts {
		if e := b.marked(l.path); !e.empty() {
			found[l.path.String()] = e.sorted()
		} else {
			silent = append(silent, l)
		}
	}
	// A text may choose what is made, and be in none of it.
	if again, _ := w.together(w.new, w.now, silent); again.effect.empty() {
		return found
	}
	for _, l := range silent {
		if e, ok := w.effectOf(w.new, w.now, w.changed(w.fates[l.path.String()])); ok && !e.empty() {
			found[l.path.String()] = e.sorted()
		}
	}
	return found
}

// changed gives the values with another one in the place of one.
func (w *work) changed(f *fate) map[string]any {
	if f.other != nil {
		return with(w.now, f.path, f.other)
	}
	for _, other := range w.tried(w.new.defaults, w.new.schema, f.leaf) {
		return with(w.now, f.path, other)
	}
	return without(w.now, f.path)
}

// concludeHere settles a value that the new chart has too, and that did something.
func (w *work) concludeHere(f *fate) {
	e, ok := w.effectOf(w.new, w.now, w.changed(f))
	switch a := agree(f.effect, e, w.twins); {
	case !ok:
		w.settle(f, Lost, Unknown, nil, "the new chart does not render with another value, so nothing shows what it does", nil)
	case !e.empty() && a.other == 0:
		w.settle(f, Landed, Certain, nil, "the objects that it reached are gone, and it reaches others", e.sorted())
	case !e.empty():
		w.settle(f, Landed, Suspected, nil, "it does something, and not the same as before", e.sorted())
	case w.vanished(f):
		w.settle(f, Gone, Certain, nil, "what it reached is gone from the objects of the new chart, which has a value of its name and makes nothing of it", nil)
	default:
		w.settle(f, Lost, Unknown, nil, "the new chart has a value of its name and makes nothing of it", nil)
	}
}

// alike is the likeness from which on a name is suspected to be the old one's successor.
const alike = 55

// concludeGone settles a value that the new chart has not.
func (w *work) concludeGone(f *fate) {
	said, isSaid := w.said.about(f.path)
	to := w.said.to(f.path)
	value, there := get(w.new.defaults, to)
	switch {
	case isSaid && to == nil:
		w.settle(f, Gone, Certain, nil, said.by, nil)
	case isSaid && f.used() && w.failed == nil && (there || stands(w.new.defaults, to) == free):
		w.settle(f, Lost, Suspected, to, said.by+", and rendering does not show it", nil)
	case isSaid && w.failed == nil && !f.probed:
		w.settle(f, Lost, Suspected, to, said.by+"; what it does was not found out", nil)
	case isSaid && (kindOf(value) == kindOf(f.value) || value == nil):
		w.settle(f, Placed, Certain, to, said.by, nil)
	case isSaid:
		w.settle(f, Lost, Suspected, to, said.by+": in which form is not known", nil)
	case len(f.closest) > 0 && f.secret:
		w.settle(f, Lost, Unknown, nil, "which of these it became is not certain, and for a secret nothing is guessed: "+enumerate(f.closest), nil)
	case len(f.closest) > 1:
		w.settle(f, Lost, Suspected, f.closest[0], "several values of the new chart do what it did: "+enumerate(f.closest), nil)
	case len(f.closest) == 1:
		w.settle(f, Lost, Suspected, f.closest[0], "it does nearly what it did", nil)
	case !f.used() && !f.secret && w.alongside(f):
	default:
		w.guess(f)
	}
}

// alongside takes a value that does nothing to where the values beside it went, if the
// new chart has one of its name there. It is as sure as those are.
func (w *work) alongside(f *fate) bool {
	for _, other := range w.all() {
		if other.to == nil || other.form.how != "" {
			continue
		}
		from, to := other.path, other.to
		for len(from) > 1 && len(to) > 1 && from.last() == to.last() {
			from, to = from.parent(), to.parent()
		}
		if !f.path.within(from) || len(from) == len(f.path) {
			continue
		}
		there := append(slices.Clip(to), f.path[len(from):]...)
		value, _ := get(w.new.defaults, there)
		if stands(w.new.defaults, there) == absent || value != nil && kindOf(value) != kindOf(f.value) {
			continue
		}
		state := Placed
		if other.sure != Certain {
			state = Lost
		}
		w.settle(f, state, other.sure, there, fmt.Sprintf("it did nothing for this environment, and what is beside it became %s", to), nil)
		return true
	}
	return false
}

// guess settles a value of which nothing but its name says what became of it.
func (w *work) guess(f *fate) {
	least := alike
	if f.secret {
		least = 100 // the same but for case and signs
	}
	for _, c := range w.candidates(f.leaf) {
		likely := likeness(f.path, c.path)
		fits := kindOf(c.value) == kindOf(f.value) || c.value == nil
		if fits && (likely >= least || !f.secret && likely >= 35 && slices.Equal(c.path.parent(), f.path.parent())) {
			w.settle(f, Lost, Suspected, c.path, "its name, type and place are the most like it among what is new", nil)
			return
		}
	}
	vanished := w.vanished(f)
	switch {
	case !f.used() && (f.secret || !f.probed || w.otherType(f.path) || w.mayBe(f)):
		w.settle(f, Lost, Unknown, nil, "it did nothing for this environment that could be compared, and the new chart has no such value", nil)
	case !f.used():
		w.settle(f, Gone, Certain, nil, "it did nothing for this environment, and the new chart has no such value", nil)
	case vanished && !w.otherType(f.path):
		w.settle(f, Gone, Certain, nil, "the new chart has no such value, and none of the fields that it reached: "+list(placesOf(f.effect.sorted())), nil)
	default:
		w.settle(f, Lost, Unknown, nil, fmt.Sprintf("the new chart has no such value, and no other one does to %s what it did", theFields(len(f.effect.places))), nil)
	}
}

// mayBe reports whether a new value of the chart is of the same kind, so that an old one
// may have become it.
func (w *work) mayBe(f *fate) bool {
	return slices.ContainsFunc(w.candidates(f.leaf), func(c candidate) bool {
		return kindOf(c.value) == kindOf(f.value) && strings.EqualFold(c.path.last(), f.path.last())
	})
}

// vanished reports whether all fields that a value reached are gone from objects that are
// still there. Where an object is gone, something that is not known may have it back.
func (w *work) vanished(f *fate) bool {
	_, after, rendered := w.sides()
	if !rendered || w.exhausted || !f.probed {
		return false
	}
	for at := range f.effect.places {
		at = at.renamed(w.twins)
		if _, there := after.at(at); there || !after.has(at.object) {
			return false
		}
	}
	return true
}

func enumerate(paths []path) string {
	var all []string
	for _, p := range paths {
		all = append(all, p.String())
	}
	slices.Sort(all)
	return list(few(slices.Compact(all)))
}
