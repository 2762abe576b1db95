package hop

import (
	"context"
	"errors"
	"slices"
	"strings"
)

func analyze(ctx context.Context, in Input) (Analysis, error) {
	w, err := newWork(in)
	if err != nil {
		return Analysis{}, err
	}
	w.ctx = ctx
	if err := w.look(); err != nil {
		return Analysis{}, err
	}
	w.listen()
	w.findUnset()
	w.begin()
	w.follow()
	w.reshape()
	w.followTwins()
	w.conclude()
	found := slices.Concat(w.moves(), w.losses(), w.activated())
	var a Analysis
	if w.failed == nil {
		found = append(found, w.defaults()...)
		found = append(found, w.required()...)
	}
	if before, after, ok := w.sides(); ok {
		found = append(found, w.objects(before, after)...)
		var mirror []Finding
		mirror, a.Images = newImages(before, after)
		found = slices.Concat(found, hooks(before, after), newKeys(before, after), mirror, stateful(before, after), definitions(before, after), stored(before, after))
		a.Before, a.Objects = before.objects, after.objects
	} else if w.failed != nil {
		a.Unrendered = strings.TrimSpace(redacted(w.failed.Error()))
	}
	found = append(found, w.kubernetes()...)
	if ctx.Err() != nil {
		return Analysis{}, context.Cause(ctx)
	}
	sortFindings(found)
	a.Findings, a.Parity, a.Renders, a.Exhausted = found, w.parity(), w.renders, w.exhausted
	a.Values, err = edited(in.New.Values, a.Edits())
	return a, err
}

// listen reads what the catalog and the new chart say of values: also what it says when
// it gives rendered with those of today.
func (w *work) listen() {
	texts := templates(w.new.chart.Parts())
	if _, err := w.render(w.new, w.new.values); err != nil && !errors.Is(err, errMost) {
		texts += "\n" + redacted(err.Error())
	}
	w.said = readSayings(texts, w.in.Moves, w.old.defaults, w.new.defaults)
	w.learnRandom(w.new, w.new.values)
}

// edited gives values after edits.
func edited(values map[string]any, edits []Edit) (map[string]any, error) {
	changed, err := plain(values)
	if err != nil {
		return nil, err
	}
	for _, e := range edits {
		at := parse(e.Path)
		switch {
		case at == nil:
		case e.To != "":
			if value, there := get(changed, at); there {
				changed = with(without(changed, at), parse(e.To), value)
			}
		case e.Remove:
			changed = without(changed, at)
		default:
			changed = with(changed, at, e.Value)
		}
	}
	return changed, nil
}
