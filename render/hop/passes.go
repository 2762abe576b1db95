package hop

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
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

// followTwins goes on with what is open, now that it is known which objects have another
// name.
func (w *work) followTwins() {
	before, after, ok := w.sides()
	if !ok {
		return
	}
	w.unset = nil
	if w.pairs = pair(before, after); len(w.open()) > 0 && len(w.pairs) > 0 {
		w.twins = w.pairs
		w.follow()
	}
}

// texts follows texts, all at once: each reaches the places where its token is.
func (w *work) texts() {
	var here, tried []leaf
	options := map[string][]candidate{}
	seen := map[string]bool{}
	try := func(l leaf) {
		if name := l.path.String(); !seen[name] {
			seen[name] = true
			tried = append(tried, l)
		}
	}
	for _, f := range w.open() {
		if !f.lands {
			continue
		}
		if value, there := get(w.now, f.path); there {
			here = append(here, leaf{f.path, value})
			try(leaf{f.path, value})
			continue
		}
		for _, c := range w.textCandidates(f.leaf) {
			value := c.value
			if now, there := get(w.now, c.path); there {
				value = now
			}
			options[f.path.String()] = append(options[f.path.String()], c)
			try(leaf{c.path, value})
		}
	}
	if len(tried) == 0 {
		return
	}
	found, _ := w.inTwo(w.new, w.now, tried)
	for _, l := range here {
		f := w.fates[l.path.String()]
		if a := w.reach(f, found, l.path); len(a.same) > 0 {
			w.settle(f, Landed, Certain, nil, "it reaches the same fields as before", a.same)
		}
	}
	var moved []*fate
	for _, f := range w.open() {
		if proved := w.provedTexts(f, found, options[f.path.String()]); len(proved) == 1 {
			at := w.reach(f, found, proved[0].path).same
			why := fmt.Sprintf("set at %s, it reaches %s in the new chart that it reached in the old one, and no others that both have", proved[0].path, theFields(len(at)))
			w.settle(f, Placed, Certain, proved[0].path, why, at)
			if f.state == Placed {
				moved = append(moved, f)
			}
		} else if len(proved) > 1 {
			f.closest = nil
			for _, c := range proved {
				f.closest = append(f.closest, c.path)
			}
		}
	}
	w.verify(moved)
}

// maxOptions limits how many values of the new chart an old one is tried at.
const maxOptions = 12

// textCandidates is what a text may have become.
func (w *work) textCandidates(l leaf) (all []candidate) {
	for _, c := range w.candidates(l) {
		text, isText := c.value.(string)
		fits := (isText || c.value == nil) && choices(w.new.schema, c.path) == nil
		if fits && len(all) < maxOptions && (c.likely > 0 || text == "") {
			all = append(all, c)
		}
	}
	return all
}

// provedTexts is the candidates that reach exactly the fields that the text reached in
// the old chart, of those that both charts have.
func (w *work) provedTexts(f *fate, found batch, options []candidate) (proved []candidate) {
	for _, c := range options {
		if w.reach(f, found, c.path).proves() {
			proved = append(proved, c)
		}
	}
	if said := w.said.to(f.path); said != nil && len(proved) > 1 {
		proved = slices.DeleteFunc(proved, func(c candidate) bool { return !slices.Equal(c.path, said) })
	}
	return proved
}

// reach compares the fields that a text reached in the old chart with those that another
// one reaches in the new.
func (w *work) reach(f *fate, found batch, at path) agreement {
	return agree(f.effect, found.marked(at), w.twins)
}

// verify renders with all texts that moved in their new places, and takes back what is
// not there then.
func (w *work) verify(moved []*fate) {
	if len(moved) == 0 || !w.repair() {
		return
	}
	before, _ := w.render(w.old, w.old.values)
	after, err := w.render(w.new, w.now)
	if err != nil {
		return
	}
	for _, f := range moved {
		value, equals := fmt.Sprint(f.value), 0
		for _, at := range f.at {
			is, _ := after.at(at)
			was, _ := before.at(at)
			if is == was {
				equals++
			} else if !strings.Contains(is, value) && !strings.Contains(is, url.QueryEscape(value)) && !strings.Contains(is, url.PathEscape(value)) {
				equals = -1
				break
			}
		}
		if equals < 0 {
			w.now = without(w.now, f.to)
			f.closest = append(f.closest, f.to)
			f.state, f.sure, f.to, f.at = "", "", nil, nil
		}
	}
}

func theFields(n int) string {
	if n == 1 {
		return "the field"
	}
	return fmt.Sprintf("the %d fields", n)
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
	e, ok := w.effectOf(w.now, changed)
	if a := agree(f.effect, e, w.twins); ok && len(a.same) > 0 {
		w.settle(f, Landed, Certain, nil, "it does what it did, to the same fields", a.same)
	}
}

// effectOf renders the new chart with two sets of values. What one of them needs
// besides, both get.
func (w *work) effectOf(a, b map[string]any) (effect, bool) {
	for _, values := range []map[string]any{a, b} {
		fills, err := w.completed(values)
		if err != nil {
			return effect{}, false
		}
		for _, f := range fills {
			a, b = with(a, f.path, f.value), with(b, f.path, f.value)
		}
	}
	first, err := w.render(w.new, a)
	if err != nil {
		return effect{}, false
	}
	second, err := w.render(w.new, b)
	if err != nil {
		return effect{}, false
	}
	return differ(first, second, w.new.random), true
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
			if left == 0 || c.likely < 15 {
				continue
			}
			left--
			changed := without(w.now, c.path)
			if f.other != nil {
				changed = with(w.now, c.path, form.of(f.other))
			}
			e, ok := w.effectOf(with(w.now, c.path, form.of(f.value)), changed)
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
