package diff

import (
	"encoding/json"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/plaintext"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// hidden stands for a secret value. It can be compared and never printed: not
// its length, and no hash that a guess could be tried against.
type hidden struct {
	value   any
	changed bool // from what the other side has
}

// What is printed in the place of a secret.
const (
	redacted      = "(redacted)"
	changedSecret = "(changed)"
)

// String is what is printed instead.
func (h *hidden) String() string {
	if h.changed {
		return changedSecret
	}
	return redacted
}

// MarshalJSON is String for whoever writes JSON or YAML.
func (h *hidden) MarshalJSON() ([]byte, error) { return json.Marshal(h.String()) }

// lastApplied is a copy of the object that kubectl apply leaves behind
// (https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/).
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// hide replaces what is secret in a document: what Secrets hold, also in
// lists; literals that kustomize makes Secrets of; and what looks like a secret
// that is written out.
func hide(value any) any {
	hideSecrets(value)
	tree, found := strictyaml.Of(value), map[*strictyaml.Value]bool{}
	for _, f := range plaintext.Find(tree, "") {
		found[f.Value] = !f.Rule.Inside() // see masked
	}
	return replaced(value, tree, found)
}

// replaced returns a value with what was found in its tree hidden.
func replaced(value any, tree *strictyaml.Value, found map[*strictyaml.Value]bool) any {
	if found[tree] {
		return &hidden{value: value}
	}
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = replaced(v[i], tree.Items[i], found)
		}
	case map[string]any:
		for _, entry := range tree.Entries {
			v[entry.Key] = replaced(v[entry.Key], entry.Value, found)
		}
	}
	return value
}

// hideSecrets hides what Secrets hold, wherever they are in a value.
func hideSecrets(value any) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			hideSecrets(item)
		}
	case map[string]any:
		hideSecret(v)
		for _, item := range v {
			hideSecrets(item)
		}
	}
}

// hideSecret hides what a Secret holds, and what a generator makes one of.
func hideSecret(tree map[string]any) {
	if kind, _ := tree["kind"].(string); strings.EqualFold(kind, "Secret") {
		hideFields(tree, "data", "stringData")
		metadata, _ := tree["metadata"].(map[string]any)
		if annotations, ok := metadata["annotations"].(map[string]any); ok && annotations[lastApplied] != nil {
			annotations[lastApplied] = &hidden{value: annotations[lastApplied]}
		}
	}
	generators, _ := tree["secretGenerator"].([]any)
	for _, generator := range generators {
		if one, ok := generator.(map[string]any); ok {
			hideFields(one, "literals")
		}
	}
}

// hideFields hides what mappings hold, key by key, and anything else whole.
func hideFields(tree map[string]any, fields ...string) {
	for _, field := range fields {
		switch values := tree[field].(type) {
		case nil:
		case map[string]any:
			for key, value := range values {
				values[key] = &hidden{value: value}
			}
		default:
			tree[field] = &hidden{value: values}
		}
	}
}

// masked is a text without what it gives to names of secrets, up to the end of
// the line, and without lines that have a credential in them.
func masked(text string) string {
	var b strings.Builder
	done := 0
	for _, span := range plaintext.Assigned(text) {
		if span.Start < done {
			continue
		}
		b.WriteString(text[done:span.Start] + redacted)
		done = span.End
		if line := strings.IndexByte(text[done:], '\n'); line < 0 {
			done = len(text)
		} else {
			done += line
		}
	}
	text = b.String() + text[done:]
	if plaintext.Format(text) == nil { // once for all lines
		return text
	}
	lines, whole := strings.Split(text, "\n"), true
	for i, line := range lines {
		if plaintext.Format(line) != nil {
			lines[i], whole = redacted, false
		}
	}
	if whole { // it spans lines
		return redacted
	}
	return strings.Join(lines, "\n")
}

// printable is edits without what texts say of secrets.
func printable(edits []Edit) []Edit {
	for i := range edits {
		e := &edits[i]
		e.Old, e.New = maskedValue(e.Old), maskedValue(e.New)
		before, isText := e.Old.(string)
		if after, both := e.New.(string); isText && both && before == after {
			e.New = changedSecret
		}
	}
	return edits
}

// maskedValue is a value with its texts masked.
func maskedValue(value any) any {
	switch v := value.(type) {
	case string:
		return masked(v)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = maskedValue(item)
		}
		return list
	case map[string]any:
		tree := make(map[string]any, len(v))
		for key, item := range v {
			tree[key] = maskedValue(item)
		}
		return tree
	}
	return value
}
