package strictyaml

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// Plain returns v as JSON knows it: map[string]any, []any, string, bool, int64 and
// float64. What would reach a chart as something else than was written is a
// problem: nulls, which Helm 3 and Helm 4 treat differently, and numbers
// whose text would change, such as 2025.10, 0123 or 1_000.
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
	case "!!int":
		n, err := strconv.ParseInt(v.Text, 10, 64)
		if err != nil || strconv.FormatInt(n, 10) != v.Text {
			return nil, "the number would not reach the chart as it is written: put it in quotes, or write it in plain decimal digits"
		}
		return n, ""
	case "!!float":
		f, err := strconv.ParseFloat(v.Text, 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || !sameNumber(f, v.Text) {
			return nil, "the number would not reach the chart as it is written: put it in quotes, or write it without needless digits"
		}
		return f, ""
	default:
		return nil, fmt.Sprintf("want a string, number, true or false, got %s%s", Describe(v), quoteHint(v))
	}
}

// unwritable reports whether a character is one that YAML readers drop,
// change or refuse.
func unwritable(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' || r == '\ufeff' || r == '\ufffe' || r == '\uffff'
}

// sameNumber reports whether a float, written the short way, is its own text
// again. One trailing .0 is the usual way to say that a number is no integer.
func sameNumber(f float64, text string) bool {
	short := strconv.FormatFloat(f, 'f', -1, 64)
	return short == text || short+".0" == text || strconv.FormatFloat(f, 'g', -1, 64) == strings.ToLower(text)
}
