package hop

import (
	"fmt"
	"slices"
)

// flip is a switch that the environment does not set, and whose default may be another
// one in the new chart.
type flip struct {
	fate
	set bool // the new chart's switch has to be set so that it stays as it was
}

// findUnset collects the switches of the old chart that the environment does not set,
// and that have no place or another default in the new chart.
func (w *work) findUnset() {
	for _, l := range leavesOf(w.old.defaults) {
		value, isSwitch := l.value.(bool)
		_, isSet := get(w.old.values, l.path)
		now, there := get(w.new.defaults, l.path)
		if !isSwitch || isSet || there && equal(now, l.value) || !there && !w.isGone(l.path) {
			continue
		}
		f := &flip{fate: fate{leaf: l, other: !value, probed: true}}
		f.effect, _ = w.effectOf(w.old, w.old.values, with(w.old.values, l.path, !value))
		if !f.effect.empty() {
			w.unset = append(w.unset, f)
		}
	}
}

// switches follows what is on or off: what the environment sets, and what it does not.
func (w *work) switches() {
	for _, f := range w.open() {
		if _, isSwitch := f.value.(bool); !isSwitch || f.effect.empty() {
			continue
		}
		if _, there := get(w.now, f.path); !there {
			w.switchOf(f, func(c candidate, form form, at []place) {
				f.form = form
				w.settle(f, Placed, Certain, c.path, fmt.Sprintf("switched at %s%s, and nowhere else, it does to %s what it did", c.path, spaced(form.how), theFields(len(at))), at)
			})
		}
	}
	left := w.unset
	w.unset = nil
	for _, f := range left {
		done := false
		w.switchOf(&f.fate, func(c candidate, form form, at []place) {
			done = true
			w.taken[c.path.String()] = true
			f.to, f.form, f.at, f.state, f.sure = c.path, form, at, Placed, Certain
			wanted := form.of(f.value)
			if now, there := get(w.now, c.path); !there && !equal(c.value, wanted) || there && !c.set && w.filled[c.path.String()] != "" && !equal(now, wanted) {
				f.set = true
				w.now = with(w.now, c.path, wanted)
				delete(w.filled, c.path.String())
			}
			w.flips = append(w.flips, f)
		})
		if !done {
			w.unset = append(w.unset, f)
		}
	}
}

// switchOf finds the switch of the new chart that does what one of the old chart did.
func (w *work) switchOf(f *fate, found func(candidate, form, []place)) {
	type option struct {
		candidate
		form form
		at   []place
	}
	var proved []option
	options := w.candidates(f.leaf)
	if value, there := get(w.new.defaults, f.path); there && kindOf(value) == "boolean" {
		options = []candidate{{path: f.path, value: value}} // the same name, another default
	}
	for _, c := range options {
		if kindOf(c.value) != "boolean" {
			continue
		}
		for _, form := range formsOf(f.path, f.value, c.value) {
			on, off := with(w.now, c.path, form.of(f.value)), with(w.now, c.path, form.of(f.other))
			e, ok := w.effectOf(w.new, w.near(on, c), w.near(off, c))
			if a := agree(f.effect, e, w.twins); ok && a.proves() {
				proved = append(proved, option{c, form, a.same})
			}
		}
	}
	if said := w.said.to(f.path); said != nil && len(proved) > 1 {
		proved = slices.DeleteFunc(proved, func(o option) bool { return !slices.Equal(o.path, said) })
	}
	if len(proved) == 1 {
		found(proved[0].candidate, proved[0].form, proved[0].at)
		return
	}
	f.closest = nil
	for _, o := range proved {
		f.closest = append(f.closest, o.path)
	}
}

// near gives the values that are known already for a switch that has its default: what
// was rendered is not rendered again.
func (w *work) near(values map[string]any, c candidate) map[string]any {
	value, _ := get(values, c.path)
	if _, set := get(w.now, c.path); !set && equal(value, c.value) {
		return w.now
	}
	return values
}
