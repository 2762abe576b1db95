package hop

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// begin chooses the values with which the new chart is rendered first: those of the
// environment without what the chart has no more.
func (w *work) begin() {
	w.now = w.new.values
	for _, l := range leavesOf(w.new.values) {
		if w.isGone(l.path) {
			w.now = without(w.now, l.path)
		}
	}
}

// isGone reports whether the old chart has a default that the new one has not.
func (w *work) isGone(at path) bool {
	return stands(w.new.defaults, at) == absent && stands(w.old.defaults, at) != absent || w.otherType(at)
}

// otherType reports whether the new chart has a value of another type at a path, or
// where a mapping around it was.
func (w *work) otherType(at path) bool {
	for i := range at {
		was, had := get(w.old.defaults, at[:i+1])
		is, has := get(w.new.defaults, at[:i+1])
		a, b := kindOf(was), kindOf(is)
		if had && has && a != b && a != "" && b != "" {
			return true
		}
	}
	return false
}

// maxRepairs limits how often values are completed until the new chart renders.
const maxRepairs = 12

// repair completes the values until the new chart renders with them: what its schema or
// its texts want to be set gets a text that stands for it.
func (w *work) repair() bool {
	fills, err := w.completed(w.new, w.now)
	w.failed = err
	for _, f := range fills {
		w.now = with(w.now, f.path, f.value)
		w.filled[f.path.String()] = f.why
	}
	return err == nil
}

// filling is a value that stands for one that must be set.
type filling struct {
	leaf
	why string
}

// completed gives what has to be filled in so that a chart renders with values, or the
// error that remains.
func (w *work) completed(s *side, values map[string]any) (fills []filling, err error) {
	tries := map[string]int{}
	for range maxRepairs {
		if _, err = w.render(s, values); err == nil || errors.Is(err, errMost) || w.ctx.Err() != nil {
			return fills, err
		}
		more := w.asked(s, values, err, tries)
		if len(more) == 0 {
			return fills, err
		}
		for _, f := range more {
			values = with(values, f.path, f.value)
			fills = slices.DeleteFunc(fills, func(old filling) bool { return slices.Equal(old.path, f.path) })
			fills = append(fills, f)
		}
	}
	return fills, err
}

// asked gives fillings for what an error or the schema asks for.
func (w *work) asked(s *side, values map[string]any, failure error, tries map[string]int) (fills []filling) {
	fill := func(at path, why string) {
		if at == nil || w.isSet(values, at, tries) {
			return
		}
		choices := w.fillings(s, at)
		n := tries[at.String()]
		if tries[at.String()]++; n < len(choices) {
			fills = append(fills, filling{leaf{at, choices[n]}, why})
		}
	}
	problems, _, err := s.chart.SchemaProblems(values)
	for _, p := range problems {
		if err == nil {
			fill(parse(p.Path), "the schema of the chart refuses the values without it: "+strings.TrimSpace(redacted(p.Message)))
		}
	}
	if len(fills) > 0 {
		return fills
	}
	for line := range strings.Lines(failure.Error()) {
		for _, word := range dotted().FindAllString(line, -1) {
			at := parse(strings.TrimPrefix(strings.TrimPrefix(word, "."), "Values."))
			if value, there := get(s.defaults, at); there && isEmpty(value) && len(fills) == 0 {
				fill(at, fmt.Sprintf("the chart says %q", strings.TrimSpace(redacted(lastClause(line)))))
			}
		}
	}
	return fills
}

var dotted = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\.?[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)+`) })

// lastClause gives what a template said, without where that was.
func lastClause(line string) string {
	if i := strings.LastIndex(line, ">: error calling "); i >= 0 {
		if _, said, ok := strings.Cut(line[i+len(">: error calling "):], ": "); ok {
			return said
		}
	}
	return line
}

// isSet reports whether a value is the environment's own, or was moved there: it is not
// to be changed.
func (w *work) isSet(values map[string]any, at path, tries map[string]int) bool {
	_, isFilled := w.filled[at.String()]
	value, there := get(values, at)
	return there && !isFilled && tries[at.String()] == 0 && !isEmpty(value)
}

// fillings gives what may stand for a value that must be set, the best first: what the
// environment set in the old chart under the same name, what the schema lists, texts of
// usual forms.
func (w *work) fillings(s *side, at path) (all []any) {
	list := false
	if value, there := get(s.defaults, at); there {
		switch value.(type) {
		case []any:
			list = true
		case bool:
			return []any{true, false}
		case float64:
			return []any{1.0, 443.0}
		}
	}
	texts := func(values ...any) {
		for _, v := range values {
			if !list {
				all = append(all, v)
			} else {
				all = append(all, []any{v})
			}
		}
	}
	for _, f := range w.open() {
		if text, ok := f.value.(string); ok && text != "" && (list && slices.Equal(f.path.parent(), at.parent()) || !list && strings.EqualFold(f.path.last(), at.last())) {
			texts(text)
		}
	}
	texts(choices(s.schema, at)...)
	texts(placeholder, "https://"+placeholder+".example.com", "203.0.113.9", placeholder+"@example.com")
	return append(all, 1.0, true)
}

// placeholder stands for a value that must be set and has none yet.
const placeholder = "pm9qmissing"

// open gives the leaves of the old values whose fate is not known yet.
func (w *work) open() (all []*fate) {
	for _, l := range w.leaves {
		if f := w.fates[l.path.String()]; f.state == "" {
			all = append(all, f)
		}
	}
	return all
}

// settle says what became of a leaf. Where it moved, the new chart has it from then on.
func (w *work) settle(f *fate, state Fate, sure Certainty, to path, why string, at []place) {
	if said := w.said.to(f.path); w.byTwins && state == Placed && !slices.Equal(said, to) {
		sure, state = Suspected, Lost // that objects have another name is suspected, too
	}
	f.state, f.sure, f.to, f.why, f.at = state, sure, to, why, at
	if to == nil {
		return
	}
	w.taken[to.String()] = true
	if sure == Certain && state == Placed && f.form.how != presence {
		w.now = with(w.now, to, f.form.of(f.value))
		delete(w.filled, to.String())
	}
}
