package edit

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// checkRead holds an edited file to a YAML library: it reads what it read before, with
// the edits made to it. A file that it does not read is not for it.
func checkRead(t *testing.T, unmarshal func([]byte, any) error, before, after []byte, edits ...resolved) {
	t.Helper()
	var want, got any
	if unmarshal(before, &want) != nil {
		return
	}
	if err := unmarshal(after, &got); err != nil {
		t.Fatalf("%v\n%q\n%q", err, before, after)
	}
	for _, r := range edits {
		want = changed(t, unmarshal, want, r)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("a library reads (-want +got)\n%s\n%q\n%q", diff, before, after)
	}
}

// changed makes an edit to what a library read.
func changed(t *testing.T, unmarshal func([]byte, any) error, want any, r resolved) any {
	t.Helper()
	var value any
	if r.value != nil {
		if err := unmarshal([]byte(flow(r.value)), &value); err != nil {
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
	return want
}

// edited changes what is at steps, or takes it out.
func edited(in any, at []step, change func(old any) (any, bool)) any {
	if len(at) == 0 {
		changed, _ := change(in)
		return changed
	}
	s := at[0]
	if s.index >= 0 {
		list, _ := in.([]any)
		if list = slices.Clone(list); s.index == len(list) {
			list = append(list, nil)
		}
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
