package edit

import (
	"bytes"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// FuzzEdit edits a place of any file. What is not refused is read by the YAML library
// itself as it was before, with the edit made to it; and no byte is changed outside of
// the lines of what was edited.
func FuzzEdit(f *testing.F) {
	for _, c := range readCorpus(f) {
		for i := range c.edits {
			f.Add(c.in["env.yaml"], uint8(i*7), uint8(i), "text")
			f.Add(variants["CRLF"](c.in["env.yaml"]), uint8(i*3), uint8(i+1), "{a: [1, 'x: y']}")
			f.Add(variants["open"](c.in["env.yaml"]), uint8(i*5), uint8(i+2), "\"two\\nlines\\n\"")
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, place, op uint8, value string) {
		v, err := YAML(value)
		if len(data) > 2000 || len(value) > 200 || err != nil {
			t.Skip()
		}
		d, problems := open("f.yaml", data)
		if problems != nil {
			t.Skip()
		}
		var places [][]step
		collectPaths(d.root, nil, func(at []step, _ *strictyaml.Value) { places = append(places, at) })
		if places == nil {
			t.Skip()
		}
		at := places[int(place)%len(places)]
		r := resolved{op: []Op{Set, Append, Remove, Move, Set}[op%5], at: at, value: v.tree}
		if op%5 == 4 {
			r.at = append(slices.Clone(at), keyStep("in"), keyStep("new"))
		}
		if r.op == Move {
			r.to = append(slices.Clone(at[:len(at)-1]), keyStep("to"))
			if place%2 == 0 {
				r.to = []step{keyStep("to"), keyStep("new")}
			}
		}
		before := *d
		if d.edit(r) != nil {
			return
		}
		checkBytes(t, &before, d, r)
		checkRead(t, func(data []byte, into any) error { return yaml.Unmarshal(data, into) }, data, d.data, r)
	})
}

// checkBytes holds an edit to the lines of the value, or of what is around one that
// is added or removed; what is added to a mapping or list changes no byte of it.
func checkBytes(t *testing.T, before, after *document, r resolved) {
	at := r.at
	if r.op == Move {
		return
	}
	if r.op == Remove || find(before.root, at) == nil {
		for at = at[:len(at)-1]; find(before.root, at) == nil; {
			at = at[:len(at)-1]
		}
	}
	v := find(before.root, at)
	s, known := v.Source()
	if !known {
		t.Fatalf("edited a value whose place is not known: %q", before.data)
	}
	first, last := before.lineStart(s.Entry.Start), before.passComments(before.below(s.Entry.End), max(s.Indent, 0))
	above, below := before.data[:first], before.data[last:]
	if !bytes.HasPrefix(after.data, above) || !bytes.HasSuffix(after.data, below) || len(after.data) < len(above)+len(below) {
		t.Fatalf("%s %s changed bytes outside of its lines, %d to %d\n%q\n%q", r.op, format(r.at), first, last, before.data, after.data)
	}
	if adds := r.op == Append || len(at) < len(r.at); r.op != Remove && adds && len(v.Entries)+len(v.Items) > 0 && !inserted(before.data, after.data) {
		t.Fatalf("%s %s changed more than it added\n%q\n%q", r.op, format(r.at), before.data, after.data)
	}
}

// inserted reports whether one text is the other with something put in.
func inserted(before, after []byte) bool {
	n := 0
	for n < min(len(before), len(after)) && before[n] == after[n] {
		n++
	}
	return len(after) >= len(before) && bytes.HasSuffix(after, before[n:])
}
