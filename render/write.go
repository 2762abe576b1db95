package render

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// Blank is a field that nobody has filled in yet.
type Blank struct {
	Field string // such as spec.versions.server
	Hint  string // what belongs there, on one line
}

// YAML writes the environment as a file, fields in the order of the types. In
// the place of each blank, which must be a field that is not set, stands a
// comment. Without blanks, [Parse] gives the same environment back for the
// file, but for two things: what the environment extends is written out, and
// so extends is not; and the paths of a catalog and of public keys are as the
// environment has them, which the file it comes from may have been in another folder for.
func (e Environment) YAML(blanks ...Blank) ([]byte, error) {
	w := writer{blanks: blanks}
	e.Extends = ""
	w.structure(reflect.ValueOf(e), "", "")
	if w.err != nil {
		return nil, fmt.Errorf("write the environment %s: %w", e.Metadata.Name, w.err)
	}
	return w.out.Bytes(), nil
}

// writer writes structs as blocks, line by line, so that comments can stand
// in the place of what is not there.
type writer struct {
	blanks []Blank
	out    bytes.Buffer
	err    error
}

func (w *writer) structure(v reflect.Value, path, indent string) {
	for _, f := range strictyaml.Fields(v.Type()) {
		at, value := strictyaml.Join(path, f.Name), v.FieldByIndex(f.Index)
		below := false
		for _, blank := range w.blanks {
			if blank.Field == at {
				fmt.Fprintf(&w.out, "%s# %s: %s\n", indent, f.Name, blank.Hint)
			}
			below = below || strings.HasPrefix(blank.Field, at+".")
		}
		if value.IsZero() && !below {
			continue
		}
		if value.Kind() == reflect.Pointer {
			if value.IsNil() {
				value = reflect.New(value.Type().Elem())
			}
			value = value.Elem()
		}
		if value.Kind() == reflect.Struct && (below || !onOneLine(value) && !value.IsZero()) {
			fmt.Fprintf(&w.out, "%s%s:\n", indent, f.Name)
			w.structure(value, at, indent+"  ")
			continue
		}
		w.entry(f.Name, value, indent)
	}
}

// entry writes a key with its value. Lines inside texts move with the rest.
func (w *writer) entry(key string, value reflect.Value, indent string) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	err := encoder.Encode(&yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{textNode(key), fieldNode(value)}})
	if err == nil {
		err = encoder.Close()
	}
	if w.err == nil {
		w.err = err
	}
	for line := range bytes.Lines(out.Bytes()) {
		if len(bytes.TrimSpace(line)) > 0 {
			w.out.WriteString(indent)
		}
		w.out.Write(line)
	}
}

// onOneLine reports whether a struct is written as {key: value}: references
// and what reads itself from more than one shape.
func onOneLine(v reflect.Value) bool {
	switch v.Interface().(type) {
	case SecretRef, SecretValue, Switch, Mesh, DatabaseUser, RedisInstance, IngressTLS, ReleaseNames, UpgradeAfter, GroupKind, ArgoDestination, Git:
		return true
	}
	return false
}

// fieldNode is what a field says, as YAML.
func fieldNode(v reflect.Value) *yaml.Node {
	switch value := v.Interface().(type) {
	case Switch:
		return yamlNode(value.Value)
	case Values:
		return yamlNode(map[string]any(value))
	case Mesh:
		if value.Revision == "" {
			return textNode(string(value.Mode))
		}
		revision := flow(textNode("revision"), textNode(string(value.Revision)))
		return flow(textNode("existing"), revision)
	case Tag: // quoted, so that whoever edits one sees that it is a text
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: string(value), Style: yaml.DoubleQuotedStyle}
	}
	switch v.Kind() {
	case reflect.Pointer:
		return fieldNode(v.Elem())
	case reflect.Struct:
		return structNode(v)
	case reflect.Map:
		return mapNode(v)
	case reflect.Slice:
		node := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for i := range v.Len() {
			node.Content = append(node.Content, fieldNode(v.Index(i)))
		}
		if v.Len() == 0 || v.Type().Elem().Kind() == reflect.String {
			node.Style = yaml.FlowStyle
		}
		return node
	case reflect.String:
		return textNode(v.String())
	default:
		return yamlNode(v.Interface())
	}
}

func flow(content ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Style: yaml.FlowStyle, Content: content}
}

func structNode(v reflect.Value) *yaml.Node {
	node := flow()
	if !onOneLine(v) && !v.IsZero() {
		node.Style = 0
	}
	for _, f := range strictyaml.Fields(v.Type()) {
		if value := v.FieldByIndex(f.Index); !value.IsZero() {
			node.Content = append(node.Content, textNode(f.Name), fieldNode(value))
		}
	}
	return node
}

func mapNode(v reflect.Value) *yaml.Node {
	node := flow()
	if v.Len() > 0 {
		node.Style = 0
	}
	keys := make(map[string]reflect.Value, v.Len())
	for _, key := range v.MapKeys() {
		keys[key.String()] = v.MapIndex(key)
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		node.Content = append(node.Content, textNode(key), fieldNode(keys[key]))
	}
	return node
}
