package edit

import (
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// add writes a value where there is none, with the mappings that lead to it.
func (d *document) add(at []step, value *strictyaml.Value) ([]attempt, error) {
	depth := len(at) - 1
	for depth > 0 && find(d.root, at[:depth]).IsNull() {
		depth--
	}
	value = wrap(at[depth+1:], value)
	around := find(d.root, at[:depth])
	if find(d.root, at[:depth+1]) != nil { // it is null
		return d.eachLayout(func(l layout) (attempt, error) { return d.replace(l, at[:depth+1], value) })
	}
	if at[depth].index >= 0 {
		return d.eachLayout(func(l layout) (attempt, error) { return d.append(l, at[:depth], around, value) })
	}
	var all []attempt
	for _, order := range [][]string{orderAround(at[:depth+1]), nil} {
		some, err := d.eachLayout(func(l layout) (attempt, error) {
			style := d.flowStyle(at)
			return d.addEntry(around, at[depth].key, order, func(column int) written { return l.value(value, column) }, quote(at[depth].key, style, true)+": "+flowAs(value, style))
		})
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// wrap puts a value into the mappings and lists that steps lead through.
func wrap(steps []step, value *strictyaml.Value) *strictyaml.Value {
	for _, s := range slices.Backward(steps) {
		if s.index >= 0 {
			value = &strictyaml.Value{Kind: strictyaml.Sequence, Items: []*strictyaml.Value{value}}
		} else {
			value = &strictyaml.Value{Kind: strictyaml.Mapping, Entries: []strictyaml.Entry{{Key: s.key, Value: value}}}
		}
	}
	return value
}

// addEntry adds a key to a mapping: behind the nearest key before it in the order,
// else behind the last one. The value is given in both styles.
func (d *document) addEntry(around *strictyaml.Value, key string, order []string, value func(column int) written, inFlow string) (attempt, error) {
	s, known := around.Source()
	if !known {
		return nil, errPlace
	}
	if s.Style == strictyaml.FlowStyle {
		return d.addToFlow(s, around.Entries, inFlow)
	}
	column := d.column(s.Content.Start)
	lines := value(column).behind(writeKey(key, strictyaml.PlainStyle)+":", column)
	return attempt{d.insertLines(d.belowSibling(s, around, key, order), lines)}, nil
}

// belowSibling finds where a key goes in a mapping in block style.
func (d *document) belowSibling(s strictyaml.Source, around *strictyaml.Value, key string, order []string) int {
	end, rank := s.Content.End, slices.Index(order, key)
	best := -1
	for _, e := range around.Entries {
		before := slices.Index(order, e.Key)
		ks, known := e.KeySource()
		if known && !ks.Elsewhere() && rank >= 0 && before >= 0 && before < rank && before > best {
			best, end = before, ks.Entry.End
		}
	}
	return d.passComments(d.below(end), d.column(s.Content.Start))
}

// passComments passes the comments that belong to what stands before them: those that
// begin further right than a column.
func (d *document) passComments(at, column int) int {
	for next := at; next < len(d.data); {
		text := d.skipBlanks(next)
		if !d.is(text, '#') || text-next <= column {
			break
		}
		next = d.nextLine(next)
		at = next
	}
	return at
}

// append adds an item to the list at steps.
func (d *document) append(l layout, at []step, list, value *strictyaml.Value) (attempt, error) {
	s, known := list.Source()
	switch {
	case !known:
		return nil, errPlace
	case s.Style == strictyaml.FlowStyle:
		entries := make([]strictyaml.Entry, len(list.Items))
		for i, item := range list.Items {
			entries[i] = strictyaml.Entry{Value: item}
		}
		return d.addToFlow(s, entries, flowAs(value, d.flowStyle(at)))
	}
	column := d.column(s.Content.Start)
	lines := l.item(value, column).behind("-", column)
	return attempt{d.insertLines(d.passComments(d.below(s.Content.End), column), lines)}, nil
}

// addToFlow writes a text behind the last of the entries of a collection in flow style.
func (d *document) addToFlow(s strictyaml.Source, entries []strictyaml.Entry, text string) (attempt, error) {
	if !d.isClosed(s) {
		return nil, errPlace
	}
	if len(entries) == 0 {
		open := d.data[s.Content.Start : s.Content.Start+1]
		closing := s.Content.End - 1
		inside := string(d.data[s.Content.Start+1 : closing])
		if strings.TrimSpace(inside) == "" {
			return attempt{{s.Content.Start, s.Content.End, string(open) + text + string(d.data[closing])}}, nil
		}
		return attempt{{s.Content.Start + 1, s.Content.Start + 1, text}}, nil // before a comment
	}
	end := -1
	for _, e := range entries {
		in, known := e.KeySource()
		if !known {
			in, known = e.Value.Source()
		}
		if known && !in.Elsewhere() {
			end = max(end, in.Entry.End)
		}
	}
	if end < 0 {
		return nil, errPlace
	}
	return attempt{{end, end, ", " + text}}, nil
}

// flowStyle gives the style of keys and texts that are written at a place in flow style:
// JSON stays JSON, as the nearest keys there tell.
func (d *document) flowStyle(at []step) strictyaml.Style {
	for depth := len(at); depth >= 0; depth-- {
		v := find(d.root, at[:depth])
		if s, known := v.Source(); v == nil || known && v.Kind != strictyaml.Mapping && s.InFlow {
			continue
		} else if !known || s.Style != strictyaml.FlowStyle {
			break
		}
		for _, e := range v.Entries {
			if key, known := e.KeySource(); known && key.Style == strictyaml.DoubleQuotedStyle {
				return strictyaml.DoubleQuotedStyle
			}
			return strictyaml.PlainStyle
		}
	}
	return strictyaml.PlainStyle
}
