package hop

import (
	"fmt"
	"slices"
)

// maxPasses limits how often what is open is tried again: a value may reach the objects
// only when another one, which switches them on, has its place.
const maxPasses = 5

// follow finds out what became of each value, until nothing more can be.
func (w *work) follow() {
	for range maxPasses {
		if !w.repair() {
			return
		}
		before := len(w.open()) + len(w.unset)
		w.switches()
		if !w.repair() {
			return
		}
		w.texts()
		w.others()
		if w.ctx.Err() != nil || len(w.open())+len(w.unset) == before {
			return
		}
	}
}

// reshape looks for texts that are an item of a list in the new chart: those that no
// other text of it does the same as.
func (w *work) reshape() {
	if w.failed != nil {
		return
	}
	for _, f := range w.open() {
		if _, there := get(w.now, f.path); !there && f.lands && len(f.closest) == 0 {
			w.probeAlone(f)
			w.elsewhere(f)
		}
	}
}

// followTwins goes on with what is open, now that it is known which objects have another
// name.
func (w *work) followTwins() {
	before, after, ok := w.sides()
	if !ok {
		return
	}
	w.unset = nil
	if w.pairs = pair(before, after); len(w.open()) > 0 && len(w.pairs) > 0 {
		w.twins, w.byTwins = w.pairs, true
		w.follow()
		w.byTwins = false
	}
}

// others follows, one by one, what is no text, and texts that choose among a few.
func (w *work) others() {
	for _, f := range w.open() {
		if at := w.retyped(f.path); at != nil && f.used() {
			w.inOtherType(f, at)
			continue
		}
		if f.effect.empty() || f.value == nil || f.lands {
			continue
		}
		if _, there := get(w.now, f.path); there {
			w.here(f)
			continue
		}
		if _, isSwitch := f.value.(bool); isSwitch {
			continue
		}
		w.elsewhere(f)
	}
}

// here compares what a value does in both charts at its own path.
func (w *work) here(f *fate) {
	changed := without(w.now, f.path)
	if f.other != nil {
		changed = with(w.now, f.path, f.other)
	}
	e, ok := w.effectOf(w.new, w.now, changed)
	if a := agree(f.effect, e, w.twins); ok && len(a.same) > 0 {
		w.settle(f, Landed, Certain, nil, "it does what it did, to the same fields", a.same)
	}
}

// effectOf renders a chart with two sets of values. What one of them needs besides, both
// get.
func (w *work) effectOf(s *side, a, b map[string]any) (effect, bool) {
	for _, values := range []map[string]any{a, b} {
		fills, err := w.completed(s, values)
		if err != nil {
			return effect{}, false
		}
		for _, f := range fills {
			a, b = with(a, f.path, f.value), with(b, f.path, f.value)
		}
	}
	first, err := w.render(s, a)
	if err != nil {
		return effect{}, false
	}
	second, err := w.render(s, b)
	if err != nil {
		return effect{}, false
	}
	return differ(first, second, s.random), true
}

// maxAlone limits at how many values of the new chart one that cannot be tried with
// others is tried.
const maxAlone = 6

// elsewhere looks for the value of the new chart that does what one of the old chart did.
func (w *work) elsewhere(f *fate) {
	type option struct {
		candidate
		form form
		at   []place
	}
	var proved []option
	left := maxAlone
	for _, c := range w.candidates(f.leaf) {
		for _, form := range formsOf(f.path, f.value, c.value) {
			if left == 0 || c.likely < 10 && form.how == "" {
				continue
			}
			left--
			changed := without(w.now, c.path)
			if f.other != nil {
				changed = with(w.now, c.path, form.of(f.other))
			}
			e, ok := w.effectOf(w.new, with(w.now, c.path, form.of(f.value)), changed)
			e.oneSided = f.effect.oneSided
			if a := agree(f.effect, e, w.twins); ok && a.proves() {
				proved = append(proved, option{c, form, a.same})
			}
		}
	}
	if said := w.said.to(f.path); said != nil && len(proved) > 1 {
		proved = slices.DeleteFunc(proved, func(o option) bool { return !slices.Equal(o.path, said) })
	}
	switch {
	case len(proved) == 1:
		o := proved[0]
		f.form = o.form
		w.settle(f, Placed, Certain, o.path, fmt.Sprintf("set at %s%s, and nowhere else, it does to %s what it did", o.path, spaced(o.form.how), theFields(len(o.at))), o.at)
	case len(proved) > 1:
		f.closest = nil
		for _, o := range proved {
			f.closest = append(f.closest, o.path)
		}
	}
}

func spaced(text string) string {
	if text == "" {
		return ""
	}
	return " " + text
}
