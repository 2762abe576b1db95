package edit

import (
	"errors"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// move renames a key, or takes it with its value, and the comments in it, to another
// mapping.
func (d *document) move(e resolved) ([]attempt, error) {
	from, to := e.at[:len(e.at)-1], e.to[:len(e.to)-1]
	entry, last := d.entryOf(e.at), e.to[len(e.to)-1]
	if entry == nil || last.index >= 0 {
		return nil, errors.New("only a key can be moved, and to a key: append the item where it should be, and remove it here")
	}
	key, known := entry.KeySource()
	if !known {
		return nil, errPlace
	}
	if slices.Equal(from, to) {
		return []attempt{{{key.Content.Start, key.Content.End, quote(last.key, key.Style, key.InFlow)}}}, nil
	}
	taken, err := d.remove(e.at)
	if err != nil {
		return nil, err
	}
	put, err := d.paste(e, key)
	if err != nil {
		return nil, err
	}
	var both []attempt
	for _, t := range taken {
		for _, p := range put {
			both = append(both, slices.Concat(t, p))
		}
	}
	return both, nil
}

// paste writes a value a second time: its lines with another key and indentation, and
// where they cannot be taken as they are, anew.
func (d *document) paste(e resolved, key strictyaml.Source) ([]attempt, error) {
	again, err := d.add(e.to, find(d.root, e.at))
	start, end := d.lineStart(key.Entry.Start), d.below(key.Entry.End)
	anew := func() ([]attempt, error) {
		lost := key.Entry
		if !key.InFlow {
			lost.End = end
		}
		if err == nil && d.hasComment(lost) {
			err = errors.New("the comments in it would be lost there: move it by hand")
		}
		return again, err
	}
	if key.InFlow || d.first(start) != key.Entry.Start || key.Entry.Start != key.Node.Start {
		return anew()
	}
	if err != nil {
		return nil, err
	}
	head := writeKey(e.to[len(e.to)-1].key, key.Style) + string(d.data[key.Node.End:d.lineEnd(key.Node.End)])
	var rest []string
	for at := d.nextLine(start); at < end; at = d.nextLine(at) {
		rest = append(rest, string(d.data[at:d.lineEnd(at)]))
	}
	lines := func(column int) []string {
		moved := []string{strings.Repeat(" ", column) + head}
		for _, line := range rest {
			moved = append(moved, shift(line, column-key.Indent))
		}
		return moved
	}
	depth := len(e.to) - 1
	for depth > 0 && find(d.root, e.to[:depth]) == nil {
		depth--
	}
	around := find(d.root, e.to[:depth])
	s, known := around.Source()
	if !known || s.Style != strictyaml.BlockStyle || around.Kind != strictyaml.Mapping {
		return anew()
	}
	column, step := d.column(s.Content.Start), d.layout().step
	var all []string
	for i := depth; i < len(e.to)-1; i++ {
		if e.to[i].index >= 0 {
			return anew()
		}
		all = append(all, strings.Repeat(" ", column)+writeKey(e.to[i].key, strictyaml.PlainStyle)+":")
		column += step
	}
	at := d.belowSibling(s, around, e.to[depth].key, orderAround(e.to[:depth+1]))
	return []attempt{{d.insertLines(at, append(all, lines(column)...))}}, nil
}

// shift changes the indentation of a line by some columns, as far as it has them.
func shift(line string, by int) string {
	if strings.TrimSpace(line) == "" {
		return line
	}
	if by >= 0 {
		return strings.Repeat(" ", by) + line
	}
	for ; by < 0 && strings.HasPrefix(line, " "); by++ {
		line = line[1:]
	}
	return line
}
