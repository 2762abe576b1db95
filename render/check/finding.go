package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// identify names an object for a finding.
func identify(apiVersion, kind, namespace, name string) *finding.Object {
	return &finding.Object{APIVersion: apiVersion, Kind: kind, Namespace: namespace, Name: name}
}

// maxText is how many characters of a text a finding has: names and values
// come from charts, and may be anything.
const maxText = 600

// clean makes a text safe to print on a line, and short.
func clean(foreign string) string {
	line := text.Visible(foreign)
	if runes := []rune(line); len(runes) > maxText {
		return string(runes[:maxText]) + "…"
	}
	return line
}

// sortFindings puts findings in the order in which they are told, each once.
func sortFindings(found []finding.Finding) []finding.Finding {
	found = slices.Clone(found)
	slices.SortStableFunc(found, func(a, b finding.Finding) int {
		return cmp.Or(
			strings.Compare(a.Environment, b.Environment),
			strings.Compare(a.Release, b.Release),
			strings.Compare(a.ID, b.ID),
			strings.Compare(locate(a), locate(b)),
			strings.Compare(a.Message, b.Message),
		)
	})
	return slices.CompactFunc(found, func(a, b finding.Finding) bool {
		return a.ID == b.ID && a.Release == b.Release && locate(a) == locate(b) && a.Message == b.Message
	})
}

// locate names the object and the field, or the place in the environment.
func locate(f finding.Finding) string {
	var object finding.Object
	if f.Object != nil {
		object = *f.Object
	}
	return fmt.Sprintf("%s\x00%s\x00%s\x00%s\x00%s:%06d:%06d", object.Kind, object.Namespace, object.Name, f.Field, f.File, f.Line, f.Column)
}
