package diff

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/plaintext"
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
// lists; literals that kustomize makes Secrets of; and whatever looks like a
// secret that somebody wrote out.
func hide(value any) any {
	switch v := value.(type) {
	case string:
		if plaintext.Text(v) != "" {
			return &hidden{value: v}
		}
	case []any:
		for i := range v {
			v[i] = hide(v[i])
		}
	case map[string]any:
		hideSecret(v)
		hideMap(v)
	}
	return value
}

// hideMap hides what the keys of a mapping say is secret.
func hideMap(tree map[string]any) {
	name, _ := tree["name"].(string)
	for key, value := range tree {
		switch {
		case key == "value" && plaintext.Key(name) && scalar(value), plaintext.Key(key) && scalars(value):
			tree[key] = &hidden{value: value}
		default:
			tree[key] = hide(value)
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

// scalar reports whether a value is a text or number that could be a secret.
func scalar(value any) bool {
	switch v := value.(type) {
	case string:
		return v != ""
	case json.Number:
		return true
	}
	return false
}

// scalars does so for lists of them, too.
func scalars(value any) bool {
	list, _ := value.([]any)
	for _, item := range list {
		if scalar(item) {
			return true
		}
	}
	return scalar(value)
}

// written is a line of a text, such as a file in a ConfigMap or an argument of
// a program, that gives a name a value.
var written = regexp.MustCompile(`^([-+ \t]*["']?)([A-Za-z0-9_.\-]+)(["']?[ \t]*[:=][ \t]*)(\S.*)$`)

// masked is a text without the values of lines that name a secret.
func masked(text string) string {
	if !strings.ContainsAny(text, ":=") {
		return text
	}
	found := plaintext.Text(text) != "" // once for all lines: none of it spans several
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		m := written.FindStringSubmatch(line)
		switch {
		case m == nil:
		case plaintext.Key(m[2]) && !plain[strings.Trim(m[4], `"' `)]:
			lines[i] = m[1] + m[2] + m[3] + redacted
		}
		if found && plaintext.Text(lines[i]) != "" {
			lines[i] = redacted
		}
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

// plain is values that are no secret whatever their name.
var plain = map[string]bool{"true": true, "false": true, "null": true, "{}": true, "[]": true, "": true, "|": true, redacted: true, changedSecret: true}
