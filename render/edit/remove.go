package edit

import (
	"bytes"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// remove takes out a key with its value, or an item. The lines go as a whole, with
// the comments that stand in them; comments above stay. The last entry of a collection
// leaves {} or [].
func (d *document) remove(at []step) ([]attempt, error) {
	above := at[:len(at)-1]
	around := find(d.root, above)
	entry, outer, err := d.entrySpan(at)
	if err != nil {
		return nil, err
	}
	if outer.Style == strictyaml.FlowStyle && !d.isClosed(outer) {
		return nil, errPlace
	}
	if d.isOnly(entry, outer) {
		if len(above) == 0 {
			return nil, errPlace
		}
		a, err := d.replace(d.layout(), above, &strictyaml.Value{Kind: around.Kind})
		return []attempt{a}, err
	}
	if outer.Style == strictyaml.FlowStyle {
		return d.removeFromFlow(entry, outer), nil
	}
	if d.first(entry.Start) == entry.Start {
		return []attempt{{d.replaceLines(d.lineStart(entry.Start), d.below(entry.End), nil)}}, nil
	}
	// The first one of several, behind a dash: the next one takes its place, unless
	// comments stand between them.
	below := d.below(entry.End)
	next := d.first(below)
	for next < len(d.data) && breakAt(d.data, next) > 0 {
		next = d.first(d.nextLine(next))
	}
	if !d.is(next, '#') {
		return []attempt{{{start: entry.Start, end: next}}}, nil
	}
	dash := bytes.TrimRight(d.data[:entry.Start], " \t")
	return []attempt{{{len(dash), below, d.breakNear(entry.Start)}}}, nil
}

// isClosed reports whether a collection in flow style has brackets or braces: the
// mapping in [key: value] has none.
func (d *document) isClosed(s strictyaml.Source) bool {
	last := s.Content.End - 1
	return d.is(s.Content.Start, '{') && d.is(last, '}') || d.is(s.Content.Start, '[') && d.is(last, ']')
}

// isOnly reports whether an entry is all that is written in a collection.
func (d *document) isOnly(entry strictyaml.Span, outer strictyaml.Source) bool {
	if outer.Style != strictyaml.FlowStyle {
		return entry == outer.Content
	}
	before := string(d.data[outer.Content.Start+1 : entry.Start])
	behind := string(d.data[entry.End : outer.Content.End-1])
	return strings.TrimSpace(before) == "" && strings.Trim(behind, ", \t\r\n") == ""
}

// entrySpan finds the bytes of an entry, and the source of what it is in.
func (d *document) entrySpan(at []step) (strictyaml.Span, strictyaml.Source, error) {
	outer, known := find(d.root, at[:len(at)-1]).Source()
	if !known {
		return strictyaml.Span{}, outer, errPlace
	}
	s, known := find(d.root, at).Source()
	if e := d.entryOf(at); e != nil {
		s, known = e.KeySource()
	}
	if !known || s.Elsewhere() {
		return strictyaml.Span{}, outer, errPlace
	}
	return s.Entry, outer, nil
}

// removeFromFlow takes an entry out of brackets or braces: with the comma behind it, or
// with the one before it where it is the last.
func (d *document) removeFromFlow(entry strictyaml.Span, outer strictyaml.Source) []attempt {
	behind := splice{start: entry.Start, end: entry.End}
	comma := d.skipBlanks(entry.End)
	if d.is(comma, ',') {
		if behind.end = d.skipBlanks(comma + 1); d.is(behind.end, '#') {
			behind.end = comma + 1 // a comment begins behind a blank
		}
	}
	lineStart := d.lineStart(entry.Start)
	rest := d.skipBlanks(behind.end)
	alone := d.first(entry.Start) == entry.Start && lineStart > outer.Content.Start && (rest == d.lineEnd(rest) || d.is(rest, '#'))
	if alone {
		return []attempt{{{start: lineStart, end: d.nextLine(rest)}}, {behind}}
	}
	before := splice{start: entry.Start, end: entry.End}
	for before.start > outer.Content.Start && slices.Contains([]byte(" \t\r\n"), d.data[before.start-1]) {
		before.start--
	}
	if d.is(before.start-1, ',') {
		before.start--
	}
	isLast := strings.Trim(string(d.data[entry.End:outer.Content.End-1]), ", \t\r\n") == ""
	if d.is(comma, ',') && !isLast {
		behind.end = min(behind.end, d.lineEnd(comma))
		return []attempt{{behind}, {before}}
	}
	return []attempt{{before}, {behind}}
}
