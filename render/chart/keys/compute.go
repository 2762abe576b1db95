package keys

import (
	"fmt"
	"slices"
	"strings"
)

// plain is what a function makes of texts that are written out.
func (c arguments) plain(name string) (value, bool) {
	var given []any
	for _, v := range c.values {
		constant, ok := v.constant()
		if !ok {
			return c.product(name)
		}
		given = append(given, constant)
	}
	made, ok := compute(name, given)
	if !ok || len(made) > maxText {
		return value{}, false
	}
	return literal(made), true
}

// product is what a function makes of arguments that are one of several texts.
func (c arguments) product(name string) (value, bool) {
	combinations := [][]any{nil}
	for _, v := range c.values {
		choices, ok := v.constants()
		if !ok || len(choices)*len(combinations) > maxAlternatives {
			return value{}, false
		}
		var more [][]any
		for _, before := range combinations {
			for _, choice := range choices {
				more = append(more, append(slices.Clone(before), choice))
			}
		}
		combinations = more
	}
	var all value
	for _, given := range combinations {
		made, ok := compute(name, given)
		if !ok || len(made) > maxText {
			return value{}, false
		}
		all = c.m.join(all, literal(made))
	}
	return all, true
}

// compute is those functions whose results serve as keys and names.
func compute(name string, given []any) (string, bool) {
	if name == "print" {
		return fmt.Sprint(given...), true
	}
	texts := make([]string, len(given))
	for i, g := range given {
		text, ok := g.(string)
		if !ok {
			return "", false
		}
		texts[i] = text
	}
	switch {
	case name == "printf" && len(texts) > 0 && !strings.ContainsAny(texts[0], "*0123456789"):
		return fmt.Sprintf(texts[0], given[1:]...), true
	case name == "lower" && len(texts) == 1:
		return strings.ToLower(texts[0]), true
	case name == "upper" && len(texts) == 1:
		return strings.ToUpper(texts[0]), true
	case name == "toString" && len(texts) == 1:
		return texts[0], true
	case name == "replace" && len(texts) == 3 && texts[0] != "":
		return strings.ReplaceAll(texts[2], texts[0], texts[1]), true
	case name == "trimSuffix" && len(texts) == 2:
		return strings.TrimSuffix(texts[1], texts[0]), true
	case name == "trimPrefix" && len(texts) == 2:
		return strings.TrimPrefix(texts[1], texts[0]), true
	default:
		return "", false
	}
}
