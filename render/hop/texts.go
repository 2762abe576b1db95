package hop

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

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
	w.settleTexts(found, w.rivals(found, tried, options), options)
}

// rivals tries what did not prove to be the place of a text once more, without what did:
// a value may take the place of another one that does the same.
func (w *work) rivals(found batch, tried []leaf, options map[string][]candidate) batch {
	winners := map[string]bool{}
	for _, f := range w.open() {
		for _, c := range w.provedTexts(f, found, options[f.path.String()]) {
			winners[c.path.String()] = true
		}
	}
	rest := slices.DeleteFunc(slices.Clone(tried), func(l leaf) bool { return winners[l.path.String()] })
	if len(winners) == 0 {
		return batch{}
	}
	again, _ := w.inTwo(w.new, w.now, rest)
	return again
}

// settleTexts takes the texts to the only place that does the same, if there is one.
func (w *work) settleTexts(found, without batch, options map[string][]candidate) {
	var moved []*fate
	for _, f := range w.open() {
		own := options[f.path.String()]
		proved := w.provedTexts(f, found, own)
		for _, c := range w.provedTexts(f, without, own) {
			if said := w.said.to(f.path); len(proved) > 0 && !slices.ContainsFunc(proved, func(p candidate) bool { return slices.Equal(p.path, c.path) || slices.Equal(p.path, said) }) {
				proved = append(proved, c)
			}
		}
		if len(proved) == 1 {
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

// textCandidates gives what a text may have become.
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

// provedTexts gives the candidates that reach exactly the fields that the text reached in
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
