package hop

import (
	"context"
	"fmt"
)

// newWork begins an analysis.
func newWork(in Input) (*work, error) {
	w := &work{
		in: in, secret: newSecrets(in.Secrets), numbers: map[string]int{},
		fates: map[string]*fate{}, taken: map[string]bool{}, filled: map[string]string{}, explained: map[object]bool{},
	}
	if w.in.Most == 0 {
		w.in.Most = MostRenders
	}
	var err error
	if w.old, err = newSide(in.Old, w.secret); err != nil {
		return nil, err
	}
	if w.new, err = newSide(in.New, w.secret); err != nil {
		return nil, err
	}
	for _, l := range leavesOf(w.old.values) {
		w.leaves = append(w.leaves, l)
		w.fates[l.path.String()] = &fate{leaf: l, secret: w.secret.has(l.path)}
	}
	return w, nil
}

// look finds out what each value of the environment does in the old chart.
func (w *work) look() error {
	if _, err := w.render(w.old, w.old.values); err != nil {
		if w.ctx.Err() != nil {
			return context.Cause(w.ctx)
		}
		return fmt.Errorf("render the chart of today: %s", redacted(err.Error()))
	}
	w.learnRandom(w.old, w.old.values)
	var texts, alone []leaf
	for _, l := range w.leaves {
		if w.isPlainText(w.old, l) {
			texts = append(texts, l)
		} else {
			alone = append(alone, l)
		}
	}
	first, failed := w.inTwo(w.old, w.old.values, texts)
	alone = append(alone, failed...)
	var silent []leaf
	for _, l := range texts {
		f := w.fates[l.path.String()]
		if _, tried := first.tokens[l.path.String()]; tried {
			f.probed, f.effect = true, first.marked(l.path)
			f.lands = f.used()
		}
		if f.probed && !f.lands {
			silent = append(silent, l)
		}
	}
	// What reaches no place as it is may do something all the same: a checksum is made of
	// it, or it decides something.
	if again, _ := w.together(w.old, w.old.values, silent); !again.effect.empty() {
		alone = append(alone, silent...)
	}
	for _, l := range alone {
		w.probeAlone(w.fates[l.path.String()])
	}
	return context.Cause(w.ctx)
}

// isPlainText reports whether a value is a text that can be anything, as far as its chart
// says.
func (w *work) isPlainText(s *side, l leaf) bool {
	text, ok := l.value.(string)
	return ok && (text == "" || alternatives(s.defaults, s.schema, l) == nil)
}

// inTwo tries texts together, and those that are empty in a second go: setting one may
// switch others off.
func (w *work) inTwo(s *side, values map[string]any, all []leaf) (batch, []leaf) {
	var full, empty []leaf
	for _, l := range all {
		if l.value == "" {
			empty = append(empty, l)
		} else {
			full = append(full, l)
		}
	}
	first, failed := w.together(s, values, full)
	second, others := w.together(s, values, empty)
	return first.joined(second), append(failed, others...)
}

// probeAlone tries other values in the place of one, until the chart takes one and makes
// something else of it.
func (w *work) probeAlone(f *fate) {
	f.probed, f.lands, f.effect = false, false, effect{}
	for _, other := range w.tried(w.old.defaults, w.old.schema, f.leaf) {
		e, ok := w.effectOf(w.old, w.old.values, with(w.old.values, f.path, other))
		if !ok {
			continue
		}
		f.probed, f.other, f.effect = true, other, e
		if !e.empty() {
			return
		}
	}
	if is, _ := get(w.old.defaults, f.path); f.probed || equal(is, f.value) {
		return
	}
	if e, ok := w.effectOf(w.old, w.old.values, without(w.old.values, f.path)); ok { // no other value is taken
		f.probed, f.effect = true, e
		f.effect.oneSided = true
	}
}
