package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// YAML writes objects as a stream, in the form that manifests have.
func YAML(objects ...any) ([]byte, error) { return marshalAll(objects) }

// marshalAll writes objects as a YAML stream.
func marshalAll(objects []any) ([]byte, error) {
	var out bytes.Buffer
	for i, object := range objects {
		if i > 0 {
			out.WriteString("---\n")
		}
		if err := marshal(&out, object); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// marshal writes a typed object with just the fields that were set, its keys
// sorted. The types of Flux and Kubernetes print more than that: an empty
// status, empty references, intervals of 0s.
func marshal(out *bytes.Buffer, object any) error {
	tree := map[string]any{}
	if err := convert(object, &tree); err != nil {
		return err
	}
	clean(tree)
	if err := encode(out, tree); err != nil {
		return fmt.Errorf("marshal %T: %w", object, err)
	}
	return nil
}

// convert gives what an object says as JSON to another type.
func convert(object, into any) error {
	data, err := json.Marshal(object)
	if err != nil {
		return fmt.Errorf("marshal %T: %w", object, err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // an int64 of the values must not become a float
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("marshal %T: %w", object, err)
	}
	return nil
}

// encode writes a JSON tree as YAML, whole.
func encode(out *bytes.Buffer, tree map[string]any) error {
	encoder := yaml.NewEncoder(out)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	if err := encoder.Encode(yamlNode(tree)); err != nil {
		return err
	}
	return encoder.Close()
}

// freeForm is the keys below which everything is the user's: nothing there is
// dropped or rewritten.
var freeForm = map[string]bool{"values": true, "valuesObject": true, "labels": true, "annotations": true, "data": true, "stringData": true}

// required is the keys whose empty text says something: the core API group.
var required = map[string]bool{"group": true}

// durationKeys is the fields that Kubernetes types print as 30m0s.
var durationKeys = map[string]bool{"interval": true, "retryInterval": true, "timeout": true}

// clean drops what was not set from a map: nulls, empty texts, lists and
// maps, and intervals of zero.
func clean(m map[string]any) {
	for key, value := range m {
		if freeForm[key] {
			if value == nil {
				delete(m, key)
			}
			continue
		}
		switch value := value.(type) {
		case nil:
			delete(m, key)
		case map[string]any:
			if clean(value); len(value) == 0 {
				delete(m, key)
			}
		case []any:
			cleanList(value)
			if len(value) == 0 {
				delete(m, key)
			}
		case string:
			if durationKeys[key] {
				value = shortDuration(value)
				m[key] = value
			}
			if value == "" && !required[key] {
				delete(m, key)
			}
		}
	}
}

func cleanList(items []any) {
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			clean(m)
		}
	}
}

// shortDuration is 30m for 30m0s, and nothing for 0s.
func shortDuration(text string) string {
	d, err := time.ParseDuration(text)
	if err != nil {
		return text
	}
	if d == 0 {
		return ""
	}
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return text
}

// yamlNode is a JSON tree as YAML, keys sorted.
func yamlNode(value any) *yaml.Node {
	switch value := value.(type) {
	case map[string]any:
		node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		if len(value) == 0 {
			node.Style = yaml.FlowStyle
		}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			node.Content = append(node.Content, textNode(key), yamlNode(value[key]))
		}
		return node
	case []any:
		node := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		if len(value) == 0 {
			node.Style = yaml.FlowStyle
		}
		for _, item := range value {
			node.Content = append(node.Content, yamlNode(item))
		}
		return node
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(value)}
	case json.Number:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: value.String()}
	case int64:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: strconv.FormatInt(value, 10)}
	case float64:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: floatText(value)}
	case string:
		return textNode(value)
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	}
}

// floatText is a float as a text that YAML reads as the same float, and as
// one: the whole ones are no integers.
func floatText(f float64) string {
	if short := strconv.FormatFloat(f, 'g', -1, 64); strings.ContainsAny(short, ".e") {
		return short
	}
	return strconv.FormatFloat(f, 'f', -1, 64) + ".0"
}

// ambiguous is texts that some YAML reader takes for something else: the
// booleans, nulls and special numbers of YAML 1.1, and anything that begins
// like a number, a version or a tag.
var ambiguous = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|true|false|null|~|=|<<|[-+]?\.(inf|nan)|)$|^[-+.]?[0-9]|^v[0-9]+\.`)

// isAmbiguous reports whether a text is ambiguous. What is longer than any of
// the words and begins with a letter, as most texts do, need not be matched.
func isAmbiguous(text string) bool {
	if len(text) > len("falſe") && !strings.Contains("-+.0123456789v", text[:1]) {
		return false
	}
	return ambiguous.MatchString(text)
}

// textNode is a string that every YAML reader takes for one. Versions and
// tags are always quoted, so that a person who edits one sees that it is a
// text, and placeholders, so that what a person fills in stays one; lengths of
// time are not.
func textNode(text string) *yaml.Node {
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	switch {
	case strings.HasPrefix(text, "\t") && strings.Contains(text, "\n"):
		node.Style = yaml.DoubleQuotedStyle // kustomize cannot read a block that begins with a tab
	case strings.Contains(text, "\n"):
		node.Style = yaml.LiteralStyle
	case isAmbiguous(text) && !isDuration(text), strings.HasPrefix(text, FillIn):
		node.Style = yaml.DoubleQuotedStyle
	}
	return node
}

// isDuration reports whether a text is a length of time with a unit.
func isDuration(text string) bool {
	_, err := time.ParseDuration(text)
	return err == nil && text != "0"
}
