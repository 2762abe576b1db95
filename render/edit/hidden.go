package edit

import (
	"bytes"
	"reflect"
	"slices"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/internal/plaintext"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// Hidden stands for a value that looks like a secret.
const Hidden = "(redacted)"

// findSecrets calls visit with the values that may be secrets: those that look like
// some, and what stands where a reference to a Secret belongs and is none.
func findSecrets(root *strictyaml.Value, visit func(path string, v *strictyaml.Value)) {
	plaintext.Fields(root, "", func(_ string, f plaintext.Found) { visit(f.Path, f.Value) })
	findReferences(root, reflect.TypeFor[render.Environment](), "", visit)
}

// findReferences calls visit with what is no reference in the places of references.
func findReferences(v *strictyaml.Value, t reflect.Type, path string, visit func(path string, v *strictyaml.Value)) {
	if t == nil || v.IsNull() {
		return
	}
	unknown := func(e strictyaml.Entry) bool { return e.Key != "secret" && e.Key != "key" }
	if t == reflect.TypeFor[render.SecretRef]() && (v.Kind != strictyaml.Mapping || slices.ContainsFunc(v.Entries, unknown)) {
		visit(path, v)
		return
	}
	for _, e := range v.Entries {
		if inner, err := fieldIn(t, keyStep(e.Key)); err == nil {
			findReferences(e.Value, inner, strictyaml.Join(path, e.Key), visit)
		}
	}
	for i, item := range v.Items {
		if inner, err := fieldIn(t, step{"", i}); err == nil {
			findReferences(item, inner, strictyaml.Index(path, i), visit)
		}
	}
}

// describe writes a value at a path on one line, unless there may be a secret in it, or
// it is in one.
func describe(root *strictyaml.Value, at []step) string {
	v := find(root, at)
	if v == nil {
		return ""
	}
	hidden := false
	findSecrets(root, func(path string, _ *strictyaml.Value) {
		steps, err := resolve(root, path)
		hidden = hidden || err != nil || within(steps, at) || within(at, steps)
	})
	if hidden {
		return Hidden
	}
	return flow(v)
}

// Shown gives a file with all that may be a secret hidden, comments too, for a diff. Where its place
// is not known the whole document is.
func Shown(name string, data []byte) []byte {
	d, problems := open(name, data)
	if documents := bytes.SplitAfter(data, []byte("\n---\n")); problems != nil && len(documents) > 1 {
		for i, document := range documents {
			separator := []byte("---\n")
			body, more := bytes.CutSuffix(document, separator)
			if documents[i] = Shown(name, body); more {
				documents[i] = slices.Concat(documents[i], separator)
			}
		}
		return bytes.Join(documents, nil)
	}
	if problems != nil {
		return []byte(Hidden + "\n")
	}
	hidden, unknown, seen := attempt{}, false, map[int]bool{}
	findSecrets(d.root, func(_ string, v *strictyaml.Value) {
		s, known := v.Source()
		if s.Anchored != nil {
			s = *s.Anchored
		}
		if unknown = unknown || !known; seen[s.Content.Start] {
			return
		}
		text := Hidden
		if d.below(s.Content.End) == s.Content.End {
			text += d.breakNear(s.Content.Start)
		}
		hidden, seen[s.Content.Start] = append(hidden, splice{s.Content.Start, s.Content.End, text}), true
	})
	for _, comment := range d.findSecretComments() {
		hidden = append(hidden, splice{comment.Start, comment.End, "# " + Hidden})
	}
	if shown := d.apply(hidden); shown != nil && !unknown {
		return shown
	}
	return []byte(Hidden + "\n")
}
