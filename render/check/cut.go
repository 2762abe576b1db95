package check

import (
	"cmp"
	"fmt"
	"slices"
)

// mostFindings is how many findings of a kind are given: nobody reads more.
// mostKept is how many are kept until it is known which of them the environment
// accepts.
const (
	mostFindings = 200
	mostKept     = 5000
)

// alike is what findings that are counted together have in common.
type alike struct {
	release, check string
	severity       Severity
	ignored        bool
}

func (f Finding) alike() alike { return alike{f.Release, f.ID, f.Severity, f.Ignored != ""} }

// cut gives the first of the findings that are alike, and behind those of
// their check one that counts the others. The findings are sorted.
func (s *scope) cut(found []Finding) []Finding {
	var kept, counts []Finding
	seen := map[alike]int{}
	for i, f := range found {
		kind := f.alike()
		if seen[kind]++; seen[kind] <= mostFindings {
			kept = append(kept, f)
		}
		if seen[kind] == mostFindings+1 {
			counts = append(counts, f)
		}
		if i+1 < len(found) && found[i+1].ID == f.ID && found[i+1].Release == f.Release {
			continue
		}
		slices.SortStableFunc(counts, func(a, b Finding) int { return cmp.Compare(severityIndex(a), severityIndex(b)) })
		for _, first := range counts {
			kept = append(kept, s.count(first, seen[first.alike()]-mostFindings))
		}
		counts = nil
	}
	return kept
}

func severityIndex(f Finding) int { return slices.Index(Severities(), string(f.Severity)) }

// count is the finding of n findings like one, and of those not even kept. An
// entry that accepts all of a check accepts these too.
func (s *scope) count(like Finding, n int) Finding {
	f := Finding{ID: like.ID, Severity: like.Severity, Environment: like.Environment, Release: like.Release, Ignored: like.Ignored}
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
func (s *scope) acceptsAll(like Finding) bool {
	for _, entry := range s.Environment.Spec.Checks.Ignore {
		if accepts(entry, Finding{ID: like.ID, Release: like.Release}) {
			return true
		}
	}
	return false
}
