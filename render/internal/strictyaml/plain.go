package strictyaml

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Plain returns v as JSON knows it: map[string]any, []any, string, bool, int64 and
// float64. What would reach a chart as something else than was written is a
// problem: nulls, which Helm 3 and Helm 4 treat differently, and numbers
// whose text would change, such as 2025.10, 1.0, 0123 or 9007199254740993.
func Plain(v *Value, path string) (any, Problems) {
	switch v.Kind {
	case Mapping:
		return plainMapping(v, path)
	case Sequence:
		items, problems := make([]any, len(v.Items)), Problems(nil)
		for i, item := range v.Items {
			value, p := Plain(item, Index(path, i))
			items[i], problems = value, append(problems, p...)
		}
		return items, problems
	}
	value, message := plainScalar(v)
	if message != "" {
		return nil, Problems{{v.Position, path, message}}
	}
	return value, nil
}

// Of returns a plain value as a tree: what [Plain] gives, and what JSON knows.
// Numbers may be of any type, and anything else is null.
func Of(value any) *Value {
	switch v := value.(type) {
	case string:
		return &Value{Tag: "!!str", Text: v}
	case bool:
		return &Value{Tag: "!!bool", Text: strconv.FormatBool(v)}
	case []any:
		list := &Value{Kind: Sequence}
		for _, item := range v {
			list.Items = append(list.Items, Of(item))
		}
		return list
	case map[string]any:
		tree := &Value{Kind: Mapping}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			tree.Entries = append(tree.Entries, Entry{Key: key, Value: Of(v[key])})
		}
		return tree
	case json.Number, int, int64, float64:
		return &Value{Tag: "!!float", Text: fmt.Sprint(v)}
	}
	return &Value{Tag: "!!null"}
}

func plainMapping(v *Value, path string) (any, Problems) {
	m, problems := make(map[string]any, len(v.Entries)), Problems(nil)
	for _, entry := range v.Entries {
		at := Join(path, entry.Key)
		// kustomize reads such keys of a patch as its own directives
		// (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/patches/).
		if strings.HasPrefix(entry.Key, "$") || entry.Key == "<<" {
			problems = append(problems, Problem{entry.Position, at, "a key that begins with $, or is <<, is a directive of kustomize or YAML and cannot reach the chart"})
			continue
		}
		if entry.Key == "" || strings.ContainsFunc(entry.Key, unwritable) {
			problems = append(problems, Problem{entry.Position, at, "an empty key, or one with a control character, would not reach the chart as it is written"})
			continue
		}
		value, p := Plain(entry.Value, at)
		m[entry.Key], problems = value, append(problems, p...)
	}
	return m, problems
}

func plainScalar(v *Value) (value any, problem string) {
	switch v.Tag {
	case "!!str":
		if strings.ContainsFunc(v.Text, unwritable) {
			return nil, "a control character would not reach the chart as it is written"
		}
		return v.Text, ""
	case "!!bool":
		return strings.EqualFold(v.Text, "true"), ""
	case "!!null":
		return nil, "null is not written, since Helm 3 and Helm 4 treat it differently: give a value or leave the key out"
	case "!!int", "!!float":
		return plainNumber(v.Text)
	default:
		return nil, fmt.Sprintf("want a string, number, true or false, got %s%s", Describe(v), quoteHint(v))
	}
}

// unwritable reports whether a character is one that YAML readers drop,
// change or refuse.
func unwritable(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' || r == '\ufeff' || r == '\ufffe' || r == '\uffff'
}

// maxWhole is the number up to which every whole number is a float64.
const maxWhole = 1 << 53

// plainNumber reads a number that charts get as it is written. They get every
// number as a float64, which is how values are read from files and HelmReleases.
func plainNumber(text string) (value any, problem string) {
	f, err := strconv.ParseFloat(text, 64)
	finite := err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
	whole := !strings.ContainsAny(text, ".eE")
	switch {
	case finite && whole && math.Abs(f) <= maxWhole && strconv.FormatInt(int64(f), 10) == text:
		return int64(f), ""
	case finite && !whole && (strconv.FormatFloat(f, 'f', -1, 64) == text || strconv.FormatFloat(f, 'g', -1, 64) == strings.ToLower(text)):
		return f, ""
	}
	return nil, "the number would not reach the chart as it is written, since charts get 64-bit floats: put it in quotes, or write it in plain decimal digits, without needless ones"
}
