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

// maxFindings bounds how many findings of a kind are given: a longer list is not read.
// maxKept is how many are kept until it is known which of them the environment
// accepts.
const (
	maxFindings = 200
	maxKept     = 5000
)

// alike is what findings that are counted together have in common.
type alike struct {
	release, check string
	severity       finding.Severity
	ignored        bool
}

// classify returns what a finding is counted by.
func classify(f finding.Finding) alike {
	return alike{f.Release, f.ID, f.Severity, f.Ignored != ""}
}

// cut gives the first of the findings that are alike, and behind those of
// their check one that counts the others. The findings are sorted.
func (s *scope) cut(found []finding.Finding) []finding.Finding {
	var kept, counts []finding.Finding
	seen := map[alike]int{}
	for i, f := range found {
		kind := classify(f)
		if seen[kind]++; seen[kind] <= maxFindings {
			kept = append(kept, f)
		}
		if seen[kind] == maxFindings+1 {
			counts = append(counts, f)
		}
		if i+1 < len(found) && found[i+1].ID == f.ID && found[i+1].Release == f.Release {
			continue
		}
		slices.SortStableFunc(counts, func(a, b finding.Finding) int { return a.Severity.Compare(b.Severity) })
		for _, first := range counts {
			kept = append(kept, s.count(first, seen[classify(first)]-maxFindings))
		}
		counts = nil
	}
	return kept
}

// count is the finding of n findings like one, and of those not even kept. An
// entry that accepts all of a check accepts these too.
func (s *scope) count(like finding.Finding, n int) finding.Finding {
	f := finding.Finding{ID: like.ID, Severity: like.Severity, Environment: like.Environment, Release: like.Release, Ignored: like.Ignored}
	kept := alike{like.Release, like.ID, like.Severity, false}
	if like.Ignored == "" || s.acceptsAll(like) {
		n += s.beyond[kept]
	}
	f.Message = fmt.Sprintf("and %d more like these", n)
	field := "metadata.name"
	if f.Release != "" {
		field = s.releaseField(f.Release)
	}
	s.put(&f, field)
	return f
}

// acceptsAll reports whether the environment accepts a check of a release,
// whatever the object.
func (s *scope) acceptsAll(like finding.Finding) bool {
	for _, entry := range s.Environment.Spec.Checks.Ignore {
		if accepts(entry, finding.Finding{ID: like.ID, Release: like.Release}) {
			return true
		}
	}
	return false
}
