package hop

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// object tells objects apart: two versions of a chart make the same one if it has the
// same group, kind, namespace and name.
type object struct{ group, kind, namespace, name string }

// String names the object as messages do.
func (o object) String() string { return redacted(o.kind + "/" + o.name) }

// place is a field of an object. Items of lists are told by their names where they have
// some, and else by their position.
type place struct {
	object
	field string
}

func (p place) String() string { return p.object.String() + " " + redacted(p.field) }

// fields is the texts of an object by field; numbers and such are texts too, and what
// Secrets hold is decoded.
type fields map[string]string

// made holds the objects that a chart made of some values.
type made struct {
	objects []chart.Object
	texts   map[object]string // the YAML of all documents of an object
	parsed  map[object]fields
	trees   map[object]map[string]any
}

func newMade(objects []chart.Object) *made {
	m := &made{objects: objects, texts: map[object]string{}, parsed: map[object]fields{}, trees: map[object]map[string]any{}}
	for _, o := range objects {
		id := object{o.Group(), o.Kind, o.Namespace, o.Name}
		if text := string(o.YAML); m.texts[id] != text { // a hook may be there twice
			m.texts[id] += "\n---\n" + text
			if len(m.texts[id]) == len(text)+5 {
				m.texts[id] = text
			}
		}
	}
	return m
}

// fields gives the fields of an object; none if it is not there or is no YAML.
func (m *made) fields(id object) fields {
	if known, ok := m.parsed[id]; ok {
		return known
	}
	all := fields{}
	for i, tree := range m.documents(id) {
		prefix := ""
		if i > 0 {
			prefix = "(" + strconv.Itoa(i) + ")"
		}
		flatten(all, prefix, tree, id.kind == "Secret")
	}
	m.parsed[id] = all
	return all
}

func (m *made) documents(id object) (all []map[string]any) {
	text, there := m.texts[id]
	if !there {
		return nil
	}
	for part := range strings.SplitSeq(text, "\n---\n") {
		if tree, err := (chart.Object{YAML: []byte(part)}).Tree(); err == nil {
			all = append(all, tree)
		}
	}
	return all
}

// tree gives an object as JSON knows it.
func (m *made) tree(id object) map[string]any {
	if known, ok := m.trees[id]; ok {
		return known
	}
	if all := m.documents(id); len(all) > 0 {
		m.trees[id] = all[0]
	}
	return m.trees[id]
}

func (m *made) has(id object) bool { return m.texts[id] != "" }

// at gives the text of a field, and whether it is there.
func (m *made) at(p place) (string, bool) {
	if m == nil {
		return "", false
	}
	text, ok := m.fields(p.object)[p.field]
	return text, ok
}

// ids gives the objects, sorted.
func (m *made) ids() []object {
	return slices.SortedFunc(maps.Keys(m.texts), compareObjects)
}

func compareObjects(a, b object) int {
	return strings.Compare(a.kind+"\x00"+a.name+"\x00"+a.namespace+"\x00"+a.group, b.kind+"\x00"+b.name+"\x00"+b.namespace+"\x00"+b.group)
}

// flatten collects the texts of a value. Text that is a document of its own, such as a
// file in a ConfigMap, is one text.
func flatten(into fields, at string, value any, secret bool) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			below := strictyaml.Join(at, key)
			if text, ok := inner.(string); ok && secret && at == "data" {
				if data, err := base64.StdEncoding.DecodeString(text); err == nil {
					inner = string(data)
				}
			}
			flatten(into, below, inner, secret)
		}
		if len(value) == 0 {
			into[at] = "{}"
		}
	case []any:
		for i, inner := range value {
			step := strconv.Itoa(i)
			if item, ok := inner.(map[string]any); ok {
				if name, ok := item["name"].(string); ok && name != "" {
					step = "name=" + name
				}
			}
			flatten(into, at+"["+step+"]", inner, secret)
		}
		if len(value) == 0 {
			into[at] = "[]"
		}
	case nil:
		into[at] = "null"
	default:
		into[at] = fmt.Sprint(value)
	}
}
