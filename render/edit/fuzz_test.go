package edit

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
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
		checkRead(t, data, d.data, r)
	})
}

// checkRead compares what the YAML library reads.
func checkRead(t *testing.T, before, after []byte, r resolved) {
	var want, got, value any
	if yaml.Unmarshal(before, &want) != nil {
		return
	}
	if err := yaml.Unmarshal(after, &got); err != nil {
		t.Fatalf("%v\n%q\n%q", err, before, after)
	}
	if r.value != nil {
		if err := yaml.Unmarshal([]byte(flow(r.value)), &value); err != nil {
			t.Fatalf("%v: %q", err, flow(r.value))
		}
	}
	want = edited(want, r.at, func(old any) (any, bool) {
		switch list, _ := old.([]any); r.op {
		case Append:
			return append(slices.Clone(list), value), true
		case Set:
			return value, true
		default:
			value = old
			return nil, false
		}
	})
	if r.op == Move {
		want = edited(want, r.to, func(any) (any, bool) { return value, true })
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s %s: (-want +got)\n%s\n%q\n%q", r.op, format(r.at), diff, before, after)
	}
}

// edited changes what is at steps, or takes it out.
func edited(in any, at []step, change func(old any) (any, bool)) any {
	if len(at) == 0 {
		changed, _ := change(in)
		return changed
	}
	s := at[0]
	if s.index >= 0 {
		list := slices.Clone(in.([]any))
		if len(at) == 1 {
			changed, keep := change(list[s.index])
			if !keep {
				return slices.Delete(list, s.index, s.index+1)
			}
			list[s.index] = changed
			return list
		}
		list[s.index] = edited(list[s.index], at[1:], change)
		return list
	}
	all := map[string]any{}
	old, _ := in.(map[string]any)
	for key, value := range old {
		all[key] = value
	}
	if len(at) > 1 {
		all[s.key] = edited(all[s.key], at[1:], change)
		return all
	}
	changed, keep := change(all[s.key])
	if all[s.key] = changed; !keep {
		delete(all, s.key)
	}
	return all
}

// checkBytes holds an edit of a value to the lines of the value.
func checkBytes(t *testing.T, before, after *document, r resolved) {
	if r.op != Set && r.op != Append || find(before.root, r.at) == nil {
		return
	}
	s, known := find(before.root, r.at).Source()
	if !known {
		t.Fatalf("edited a value whose place is not known: %q", before.data)
	}
	first, last := before.lineStart(s.Entry.Start), before.passComments(before.below(s.Entry.End), max(s.Indent, 0))
	above, below := before.data[:first], before.data[last:]
	if !bytes.HasPrefix(after.data, above) || !bytes.HasSuffix(after.data, below) || len(after.data) < len(above)+len(below) {
		t.Fatalf("%s %s changed bytes outside of its lines, %d to %d\n%q\n%q", r.op, format(r.at), first, last, before.data, after.data)
	}
}
