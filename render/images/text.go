package images

import (
	"encoding/json"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// What is looked through of texts, so that no chart takes all of the time: a
// ConfigMap holds 1 MiB
// (https://kubernetes.io/docs/concepts/configuration/configmap/).
const (
	maxText     = 16 << 20 // bytes of all texts
	maxDocument = 1 << 20  // bytes of one
	deepestText = 4        // texts in texts
)

// text looks through a text: the documents that it holds, or its lines.
func (f *finder) text(value string, at *path) {
	if f.read += len(value); f.read > maxText || len(value) > maxDocument || at.texts() > deepestText {
		f.unread()
		return
	}
	before := f.how
	defer func() { f.how = before }()
	f.how = Text
	var documents []any
	for _, document := range strings.Split(value, "\n---") {
		parsed, ok := Document(document)
		if !ok {
			f.lines(value, at)
			return
		}
		documents = append(documents, parsed)
	}
	for i, document := range documents {
		below := at
		if len(documents) > 1 {
			below = at.index(i)
		}
		f.value("", document, below)
	}
}

func (f *finder) unread() {
	if !slices.Contains(f.result.Unread, f.item.Object) {
		f.result.Unread = append(f.result.Unread, f.item.Object)
	}
}

// Document reads a text as a JSON or YAML document with structure, as [Find] does; of
// an empty text it gives nil. The reader bounds what aliases make of it.
func Document(document string) (value any, ok bool) {
	defer func() {
		if recover() != nil {
			value, ok = nil, false
		}
	}()
	trimmed := strings.TrimSpace(document)
	if trimmed == "" {
		return nil, true
	}
	if json.Unmarshal([]byte(trimmed), &value) != nil && yaml.Unmarshal([]byte(document), &value) != nil {
		return nil, false
	}
	switch value.(type) {
	case map[string]any, []any:
		return value, true
	}
	return nil, false
}
