package hop

import (
	"context"
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
	w.follow()
	if ctx.Err() != nil {
		return Analysis{}, context.Cause(ctx)
	}
	return Analysis{Renders: w.renders, Exhausted: w.exhausted}, nil
}

// listen reads what the catalog and the new chart say of values: also what it says when
// it is rendered with those of today.
func (w *work) listen() {
	texts := templates(w.new.chart.Parts())
	if _, err := w.render(w.new, w.new.values); err != nil {
		texts += "\n" + redacted(err.Error())
	}
	w.said = readSayings(texts, w.in.Moves, w.old.defaults, w.new.defaults)
}
