package edit

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// document is a YAML file between two edits.
type document struct {
	name  string
	data  []byte
	lines []int // where they begin
	root  *strictyaml.Value
}

func open(name string, data []byte) (*document, strictyaml.Problems) {
	root, problems := strictyaml.Load(name, data)
	if problems != nil {
		return nil, problems
	}
	return newDocument(name, data, root), nil
}

func newDocument(name string, data []byte, root *strictyaml.Value) *document {
	return &document{name, data, findLines(data), root}
}

// resolved is an edit whose paths are read.
type resolved struct {
	op     Op
	at, to []step
	value  *strictyaml.Value
}

// errMissing is the error of an edit of what is not there.
var errMissing = errors.New("no such value")

// attempt is one way to write an edit.
type attempt []splice

// edit changes the document, or gives an error and leaves it as it is. Each way to
// write the edit is read again, and the first one counts that reads as intended.
func (d *document) edit(e resolved) error {
	want := clone(d.root)
	if err := intend(want, e); err != nil {
		return err
	}
	if _, unchanged := same(d.root, want, ""); unchanged {
		return nil
	}
	if d.editParts(divide(find(d.root, e.at), e), want) {
		return nil
	}
	attempts, err := d.attempts(e)
	if err == nil {
		err = d.checkComments(e)
	}
	if err != nil {
		return err
	}
	refusal := errors.New("it cannot be written here without a change of something else: edit the file by hand")
	for _, a := range attempts {
		data := d.apply(a)
		if data == nil {
			continue
		}
		next, problems := open(d.name, data)
		if problems != nil {
			continue
		}
		at, ok := same(next.root, want, "")
		if ok {
			*d = *next
			return nil
		}
		refusal = d.sideEffect(at, e, refusal)
	}
	return refusal
}

// sideEffect says why an attempt was refused that changed another value.
func (d *document) sideEffect(path string, e resolved, otherwise error) error {
	other := d.root.Find(path)
	if other == nil {
		return otherwise
	}
	if at, err := resolve(d.root, path); err != nil || within(at, e.at) {
		return otherwise
	}
	if s, known := other.Source(); !known || !s.Elsewhere() && s.Anchored == nil {
		return otherwise
	}
	return fmt.Errorf("%s would change too, for it uses the anchor here: give it a value of its own first, or edit the file by hand", path)
}

// attempts gives the ways to write an edit, the best first.
func (d *document) attempts(e resolved) ([]attempt, error) {
	if err := d.checkShared(e.at, e.op == Remove || e.op == Move); err != nil {
		return nil, err
	}
	switch e.op {
	case Set:
		if find(d.root, e.at) != nil {
			return d.eachLayout(func(l layout) (attempt, error) { return d.replace(l, e.at, e.value) })
		}
		return d.add(e.at, e.value)
	case Append:
		list := find(d.root, e.at)
		if list.IsNull() {
			value := &strictyaml.Value{Kind: strictyaml.Sequence, Items: []*strictyaml.Value{e.value}}
			return d.attempts(resolved{op: Set, at: e.at, value: value})
		}
		return d.eachLayout(func(l layout) (attempt, error) { return d.append(l, e.at, list, e.value) })
	case Remove:
		return d.remove(e.at)
	default:
		if err := d.checkShared(e.to, false); err != nil {
			return nil, err
		}
		return d.move(e)
	}
}

// eachLayout writes an edit with the habits of the file, and then with all texts on
// one line: a block at the end of a file may get a line break that it has not.
func (d *document) eachLayout(write func(layout) (attempt, error)) ([]attempt, error) {
	l := d.layout()
	first, err := write(l)
	if err != nil {
		return nil, err
	}
	l.blocks = false
	second, err := write(l)
	return []attempt{first, second}, err
}

// checkShared refuses a path that leads through an alias or a merge key: what is
// written there is used elsewhere. The path itself may be an alias if the alias goes
// as a whole.
func (d *document) checkShared(at []step, whole bool) error {
	for i := range len(at) + 1 {
		v := find(d.root, at[:i])
		s, known := v.Source()
		switch {
		case !known, whole && i == len(at) && !s.Elsewhere():
		case s.Anchored != nil:
			return fmt.Errorf("%s is an alias of the anchor at %s: edit it there, or give it a value of its own", d.nameValue(at[:i]), d.place(s.Anchored.Node.Start))
		case s.Elsewhere():
			return fmt.Errorf("%s comes through the alias at %s from %s: edit it there, or give it a value of its own", d.nameValue(at[:i]), d.place(s.Via.Start), d.place(s.Node.Start))
		}
	}
	return nil
}

func (d *document) nameValue(at []step) string {
	if len(at) == 0 {
		return "the document"
	}
	return format(at)
}

// place gives the position of an offset.
func (d *document) place(at int) strictyaml.Position {
	return strictyaml.Position{File: d.name, Line: d.lineOf(at) + 1, Column: d.column(at) + 1}
}

// layout finds the habits of the file: those of most of its collections.
func (d *document) layout() layout {
	steps, dashes := map[int]int{}, map[int]int{}
	var visit func(v *strictyaml.Value)
	visit = func(v *strictyaml.Value) {
		s, known := v.Source()
		if !known || s.Style != strictyaml.BlockStyle || s.Elsewhere() {
			return
		}
		for _, e := range v.Entries {
			in, known := e.Value.Source()
			column := d.column(in.Content.Start)
			switch {
			case !known || in.Style != strictyaml.BlockStyle || in.Elsewhere():
			case e.Value.Kind == strictyaml.Mapping:
				steps[column-in.Indent]++
			default:
				dashes[column-in.Indent]++
			}
			visit(e.Value)
		}
		for _, item := range v.Items {
			visit(item)
		}
	}
	visit(d.root)
	return layout{step: most(steps, 2), dash: most(dashes, 0), blocks: true}
}

// most gives the number that was counted most often, the smaller one of two.
func most(counted map[int]int, otherwise int) int {
	best, times := otherwise, 0
	for n, count := range counted {
		if count > times || count == times && n < best {
			best, times = n, count
		}
	}
	return best
}

// headEnd finds the end of what stands before a value: the colon, the dash, or the
// anchor and tag.
func (d *document) headEnd(v *strictyaml.Value, key *strictyaml.Entry) (int, error) {
	s, known := v.Source()
	if !known {
		return 0, errPlace
	}
	if s.Node.Start < s.Content.Start {
		at := s.Node.Start
		for at < s.Content.Start && (d.is(at, '&') || d.is(at, '!')) {
			end := at
			for end < s.Content.Start && !bytes.ContainsRune([]byte(" \t\r\n\u0085\u2028\u2029"), rune(d.data[end])) {
				end++
			}
			if next := d.skipBlanks(end); d.is(next, '&') || d.is(next, '!') {
				at = next
				continue
			}
			return end, nil
		}
		return 0, errPlace
	}
	if key == nil {
		if !d.is(s.Entry.Start, '-') {
			return 0, errPlace
		}
		return s.Entry.Start + 1, nil
	}
	ks, known := key.KeySource()
	colon := d.skipBlanks(ks.Node.End)
	for ks.Entry.Start < ks.Node.Start && colon < len(d.data) && (d.is(colon, '#') || breakAt(d.data, colon) > 0) { // behind a question mark
		colon = d.skipBlanks(d.nextLine(colon))
	}
	if !known || !d.is(colon, ':') {
		return 0, errPlace
	}
	return colon + 1, nil
}

// errPlace is the error of a value whose bytes are not known, or in a form that
// is not edited.
var errPlace = errors.New("its place in the file cannot be told for sure: edit the file by hand")
