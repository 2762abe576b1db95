package diff

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render"
)

// applied is what edits make of a value. It is the test's own reading of what
// an edit says, and knows nothing of how edits are found.
func applied(value any, edits []Edit, depth int) any {
	below := map[Step][]Edit{}
	var steps []Step
	var order []any
	for _, e := range edits {
		switch {
		case len(e.Path) == depth && e.Op == Move:
			order = e.New.([]any)
		case len(e.Path) == depth:
			return e.New
		default:
			step := e.Path[depth]
			if below[step] == nil {
				steps = append(steps, step)
			}
			below[step] = append(below[step], e)
		}
	}
	switch v := value.(type) {
	case map[string]any:
		return appliedMap(v, below, depth)
	case []any:
		return appliedList(v, appliedItems{steps, below, order}, depth)
	}
	return value
}

func appliedMap(v map[string]any, below map[Step][]Edit, depth int) any {
	tree := map[string]any{}
	for key, item := range v {
		tree[key] = item
	}
	for step, edits := range below {
		first := edits[0]
		if len(first.Path) == depth+1 && first.Op == Remove {
			delete(tree, step.Field)
			continue
		}
		tree[step.Field] = applied(tree[step.Field], edits, depth+1)
	}
	return tree
}

type appliedItems struct {
	steps []Step
	below map[Step][]Edit
	order []any
}

func appliedList(v []any, items appliedItems, depth int) any {
	kept, gone := slices.Clone(v), map[int]bool{}
	var added []Step
	for _, step := range items.steps {
		edits := items.below[step]
		switch first := edits[0]; {
		case len(first.Path) == depth+1 && first.Op == Remove:
			gone[step.Old] = true
		case len(first.Path) == depth+1 && first.Op == Add:
			added = append(added, step)
		default:
			kept[step.Old] = applied(v[step.Old], edits, depth+1)
		}
	}
	var list []any
	for i := range kept {
		if !gone[i] {
			list = append(list, kept[i])
		}
	}
	if items.order != nil {
		sorted := make([]any, 0, len(list))
		for _, name := range items.order {
			at := slices.IndexFunc(list, func(one any) bool { return carries(one, name.(string)) })
			sorted = append(sorted, list[at])
		}
		list = sorted
	}
	slices.SortFunc(added, func(a, b Step) int { return a.New - b.New })
	for _, step := range added {
		list = slices.Insert(list, step.New, items.below[step][0].New)
	}
	if list == nil {
		return []any{}
	}
	return list
}

// carries reports whether an item has the fields that name it: name=a, or
// port=80,protocol=TCP.
func carries(item any, names string) bool {
	for _, name := range strings.Split(names, ",") {
		field, value, _ := strings.Cut(name, "=")
		said := mapping(item)[field]
		if said == nil && field == "protocol" {
			said = "TCP"
		}
		if fmt.Sprint(said) != value {
			return false
		}
	}
	return true
}

// random makes values such as manifests have, keyed lists among them.
func random(r *rand.Rand, depth int) any {
	switch n := r.IntN(8); {
	case depth <= 0 || n < 2:
		return []any{"a", "b", "c", "", json.Number("1"), json.Number("2.5"), true, nil}[r.IntN(8)]
	case n < 5:
		tree := map[string]any{}
		for range r.IntN(5) {
			tree[string(rune('a'+r.IntN(5)))] = random(r, depth-1)
		}
		return tree
	case n < 6:
		list := []any{}
		for _, i := range r.Perm(6)[:r.IntN(6)] {
			list = append(list, map[string]any{"name": fmt.Sprint("n", i), "x": random(r, depth-1)})
		}
		return list
	}
	list := []any{}
	for range r.IntN(6) {
		list = append(list, random(r, depth-1))
	}
	return list
}

// altered is a value with some of it replaced.
func altered(r *rand.Rand, value any, depth int) any {
	if r.IntN(6) == 0 {
		return random(r, depth)
	}
	switch v := value.(type) {
	case map[string]any:
		tree := map[string]any{}
		for key, item := range v {
			if r.IntN(8) > 0 {
				tree[key] = altered(r, item, depth-1)
			}
		}
		return tree
	case []any:
		list := []any{}
		for _, item := range v {
			if r.IntN(6) > 0 {
				list = append(list, altered(r, item, depth-1))
			}
		}
		if r.IntN(4) == 0 {
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		}
		return list
	}
	return value
}

// TestEditsMakeNewOfOld tries it for values that a fixed seed makes; that of a
// value and itself is nothing.
func TestEditsMakeNewOfOld(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 4))
	different := 0
	for range 8000 {
		old := random(r, 5)
		changed := altered(r, old, 4)
		if edits := compare(old, old); edits != nil {
			t.Fatalf("%s and itself differ: %v", canonical(old), edits)
		}
		edits := compare(old, changed)
		if (edits == nil) != (canonical(old) == canonical(changed)) {
			t.Fatalf("%s and %s: %d edits", canonical(old), canonical(changed), len(edits))
		}
		if got := applied(old, edits, 0); canonical(got) != canonical(changed) {
			t.Fatalf("edits make\n%s of\n%s, want\n%s\n%+v", canonical(got), canonical(old), canonical(changed), edits)
		}
		if edits != nil {
			different++
		}
	}
	if different < 2000 {
		t.Errorf("only %d values differed", different)
	}
}

// TestCommonIsBounded: the table that finds what two lists have in common is
// never larger than it may be.
func TestCommonIsBounded(t *testing.T) {
	shifted := func(n int) (old, new []string) {
		for i := range n {
			old, new = append(old, fmt.Sprint(i)), append(new, fmt.Sprint(i+1))
		}
		return old, new
	}
	if got := common(shifted(1024)); len(got) != 1023 {
		t.Errorf("%d in common, want 1023", len(got))
	}
	if got := common(shifted(1025)); got != nil {
		t.Errorf("%d in common, though the lists are too long", len(got))
	}
}

// FuzzCompare takes any two texts: nothing panics, a text does not differ from
// itself, how its keys are ordered is nothing, and every format is bounded and
// cannot steer a terminal.
func FuzzCompare(f *testing.F) {
	f.Add("a: 1\n---\nkind: Secret\napiVersion: v1\nmetadata: {name: x}\ndata: {a: b}", "b: [1, {name: a}]\n")
	f.Add("a: [", "kind: List\nitems: [1, {kind: List, items: []}]")
	f.Add("- {name: a}\n- {name: b}", "- {name: b}\n- {name: a}\n- ```\x1b")
	f.Add("{1: 2, .inf: .nan, ? [a] : b}", "&a [*a]")
	f.Fuzz(func(t *testing.T, old, new string) {
		of := func(text string) []Document {
			return []Document{{Within: "w", Source: text[:min(len(text), 9)], YAML: []byte(text)}}
		}
		if r := Compare(of(old), of(old)); r.Changes != nil {
			t.Errorf("a text and itself: %+v", r.Changes)
		}
		if value, err := read(old); err == nil {
			if sorted, err := yaml.Marshal(value); err == nil && !strings.Contains(old, "---") {
				if again, err := read(string(sorted)); err == nil {
					if edits := compare(value, again); edits != nil {
						t.Errorf("written another way: %v", edits)
					}
				}
			}
		}
		r := Compare(of(old), of(new)).Effects(render.BySync)
		if _, err := JSON(r); err != nil {
			t.Error(err)
		}
		if text := Text(r, nil) + Unified(r, nil); strings.ContainsAny(text, "\x1b\x00\x07\r") {
			t.Errorf("it steers a terminal: %q", text)
		}
		if text := Markdown(r, 4000); len(text) > 4000 || strings.ContainsAny(text, "\x1b\x00") {
			t.Errorf("%d bytes of Markdown: %q", len(text), text)
		}
	})
}
