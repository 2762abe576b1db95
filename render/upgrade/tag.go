package upgrade

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// errAmbiguous marks two tags of the same numbers in different texts.
var errAmbiguous = errors.New("nothing says which of them is newer")

// Compare orders two image tags as [strings.Compare] orders texts: dot-separated parts
// of digits, compared as whole numbers of any length. Of two tags of which one begins
// with the other's parts, the shorter one is lower. It never changes a tag's text.
//
// The error says which tag is no version, or that two tags are the same numbers in
// different texts, such as 2026.0105.1 and 2026.105.1.
func Compare(a, b string) (int, error) {
	as, err := parts(a)
	if err != nil {
		return 0, err
	}
	bs, err := parts(b)
	if err != nil {
		return 0, err
	}
	for i := range min(len(as), len(bs)) {
		if order := compareNumbers(as[i], bs[i]); order != 0 {
			return order, nil
		}
	}
	switch {
	case len(as) != len(bs):
		return compareLengths(len(as), len(bs)), nil
	case a != b:
		return 0, fmt.Errorf("%s and %s are the same numbers with different zeros: %w", text.Quoted(a), text.Quoted(b), errAmbiguous)
	}
	return 0, nil
}

// parts splits a tag into its numbers, as texts.
func parts(tag string) ([]string, error) {
	split := strings.Split(tag, ".")
	for _, part := range split {
		if part == "" || strings.Trim(part, "0123456789") != "" {
			return nil, fmt.Errorf("the tag %s is no version that can be compared: want numbers with dots between them, such as 2025.10.202511042343", text.Quoted(tag))
		}
	}
	return split, nil
}

// compareNumbers compares two texts of digits as numbers.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return compareLengths(len(a), len(b))
	}
	return strings.Compare(a, b)
}

func compareLengths(a, b int) int {
	if a < b {
		return -1
	}
	return min(a-b, 1)
}
