package strictyaml_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// checkEdits replaces the text of each scalar, in the file, by another one:
// that changes this value and, if it has an anchor, what stands for it, and
// nothing else.
func checkEdits(t testing.TB, data []byte) {
	t.Helper()
	root, problems := strictyaml.Load("f.yaml", data)
	if problems != nil {
		return
	}
	before := leaves(root)
	for _, path := range slices.Sorted(maps.Keys(before)) {
		v := root.Find(path)
		s, known := v.Source()
		if !known || v.Kind != strictyaml.Scalar || s.Node != s.Content || s.Style == strictyaml.AliasStyle || s.Elsewhere() {
			continue
		}
		text := " \"new\""
		if s.Style == strictyaml.PlainStyle && s.Content.End > s.Content.Start {
			text = "new" // the library lets tabs follow plain scalars only
		}
		if s.Style == strictyaml.LiteralStyle || s.Style == strictyaml.FoldedStyle {
			text += "\n"
		}
		edited := slices.Concat(data[:s.Content.Start], []byte(text), data[s.Content.End:])
		again, problems := strictyaml.Load("f.yaml", edited)
		if problems != nil {
			t.Fatalf("%s: the edited file is refused: %v\n%q\n%q", path, problems, data, edited)
		}
		after := leaves(again)
		for other, was := range before {
			want := was
			if other == path {
				want = "new"
			}
			if got, ok := after[other]; !ok || got != want && root.Find(other) != nil && !shared(root, other) {
				t.Fatalf("%s: edited, and %s is %q, want %q\n%q\n%q", path, other, got, want, data, edited)
			}
		}
		if len(after) != len(before) {
			t.Fatalf("%s: edited, and there are %d values, want %d\n%q\n%q", path, len(after), len(before), data, edited)
		}
	}
}

// shared reports whether a value is written elsewhere.
func shared(root *strictyaml.Value, path string) bool {
	s, _ := root.Find(path).Source()
	return s.Elsewhere() || s.Style == strictyaml.AliasStyle
}

// leaves lists the scalars of a file, by path.
func leaves(root *strictyaml.Value) map[string]string {
	found := map[string]string{}
	var visit func(v *strictyaml.Value, path string)
	visit = func(v *strictyaml.Value, path string) {
		if v.Kind == strictyaml.Scalar {
			found[path] = v.Text
		}
		for i, item := range v.Items {
			visit(item, strictyaml.Index(path, i))
		}
		for _, entry := range v.Entries {
			visit(entry.Value, strictyaml.Join(path, entry.Key))
		}
	}
	visit(root, "")
	return found
}
