package edit

import (
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// replace writes a value in the place of another one, in its style if it can be.
func (d *document) replace(l layout, at []step, value *strictyaml.Value) (attempt, error) {
	old := find(d.root, at)
	s, known := old.Source()
	if !known {
		return nil, errPlace
	}
	if s.InFlow || s.Indent < 0 {
		style := d.flowStyle(at)
		text := flowAs(value, style)
		if value.Kind == strictyaml.Scalar && (style == strictyaml.PlainStyle || s.Style != strictyaml.PlainStyle) {
			text = flowScalar(value, s.Style)
		}
		return attempt{d.fill(s.Content, text)}, nil
	}
	key := d.entryOf(at)
	head, err := d.headEnd(old, key)
	if err != nil {
		return nil, err
	}
	var w written
	switch column := s.Indent; {
	case value.Kind == strictyaml.Scalar:
		w = l.scalar(value, s.Style, column)
	case s.Style == strictyaml.FlowStyle:
		w = written{inline: flowAs(value, d.flowStyle(at))}
	case key == nil:
		w = l.item(value, column)
	default:
		w = l.value(value, column)
	}
	if w.lines != nil && key != nil && s.Style == strictyaml.BlockStyle && value.Kind == old.Kind && value.Kind != strictyaml.Scalar { // the same column as before
		if column := d.column(s.Content.Start); value.Kind == strictyaml.Mapping {
			w.lines = l.entries(value, column)
		} else {
			w.lines = l.items(value, column)
		}
	}
	return d.overwrite(s, head, w), nil
}

// overwrite puts a written value in the place of one in block style: what is on the
// line of its head, and the lines below.
func (d *document) overwrite(s strictyaml.Source, head int, w written) attempt {
	inline, start, end := s.Content, d.below(s.Content.End), d.below(s.Content.End)
	switch s.Style {
	case strictyaml.LiteralStyle, strictyaml.FoldedStyle:
		inline.End = inline.Start + 1
		for inline.End < len(d.data) && strings.IndexByte("+-0123456789", d.data[inline.End]) >= 0 {
			inline.End++
		}
		start = d.nextLine(inline.End)
	case strictyaml.BlockStyle:
		if d.lineOf(head) < d.lineOf(s.Content.Start) {
			inline, start = strictyaml.Span{Start: head, End: head}, d.lineStart(s.Content.Start)
		}
	}
	if inline.End > inline.Start && d.lineStart(inline.End) == inline.End { // it ends with a block, which has the line break
		inline.End -= len(d.breakNear(inline.End - 1))
	}
	a := attempt{}
	if w.inline == "" && inline.End > inline.Start {
		inline.Start = head
	}
	if w.inline != "" || inline.End > inline.Start {
		a = append(a, d.fill(inline, w.inline))
	}
	if start < end || w.lines != nil {
		a = append(a, d.replaceLines(start, end, w.lines))
	}
	return a
}

// fill puts a text in the place of a span, with a blank before it where there was
// nothing.
func (d *document) fill(span strictyaml.Span, text string) splice {
	if text != "" && span.Start == span.End && !d.is(span.Start-1, ' ') && !d.is(span.Start-1, '\t') {
		text = " " + text
	}
	return splice{span.Start, span.End, text}
}

// entryOf gives the entry that steps lead to, or nil for an item of a list.
func (d *document) entryOf(at []step) *strictyaml.Entry {
	if len(at) == 0 {
		return nil
	}
	around, last := find(d.root, at[:len(at)-1]), at[len(at)-1]
	if around == nil || last.index >= 0 {
		return nil
	}
	for i := range around.Entries {
		if around.Entries[i].Key == last.key {
			return &around.Entries[i]
		}
	}
	return nil
}
