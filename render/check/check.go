// Package check looks at the objects that a controller will apply for what
// takes installations down: hooks that wait for each other, images from the
// wrong place, singletons in plural. It takes renderings and gives findings,
// and like package render it never touches disk, network, clock or environment
// variables.
package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/trace"
)

// Check is one thing that is looked for.
type Check struct {
	ID       string           `json:"id"`       // kebab-case, and stable: environments name it
	Severity finding.Severity `json:"severity"` // of its findings where they say nothing else
	Title    string           `json:"title"`
	Why      string           `json:"why"`    // what it takes down, as a paragraph
	Fix      string           `json:"fix"`    // what to do in general, as a paragraph
	Source   string           `json:"source"` // a page or issue that the rule is from

	// each looks at a release, all at the whole environment; either may be nil.
	each func(*scope, *release)
	all  func(*scope)
	// asks reports whether a finding asks for a change of an object, so that its fix
	// may make it; nil: a fix changes none.
	asks func(*scope, finding.Finding, change) bool
	// unrendered: each looks at releases that do not render, too.
	unrendered bool
}

// All is every check, by ID.
func All() []Check {
	all := slices.Concat(migrationChecks(), hookChecks(), meshChecks(), workloadChecks(), imageChecks(), apiChecks(), valueChecks(), limitChecks(), referenceChecks(), secretChecks(), knownChecks(), entryChecks(), lockChecks(), environmentChecks())
	slices.SortFunc(all, func(a, b Check) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// ByID is the check of an ID.
func ByID(id string) (Check, bool) {
	for _, check := range All() {
		if check.ID == id {
			return check, true
		}
	}
	return Check{}, false
}

// Input is an environment with the objects that its charts make.
type Input struct {
	Environment render.Environment
	Plan        render.Plan   // of Environment
	Traits      render.Traits // of the target, for the plan's delivery
	// Manifests is what reaches the cluster for the target, of [render.Render].
	Manifests []render.Manifest
	// Releases is what is looked at, in the order of the plan: all of its
	// releases, or some.
	Releases []Release
}

// Release is a release with what its chart makes.
type Release struct {
	render.Release
	Chart    chart.Chart
	Rendered chart.Input // what Install was rendered with
	// Install is a first install, Again the same once more, and Upgrade an
	// upgrade; for a target to which every sync is an install, Upgrade is empty.
	Install, Again, Upgrade chart.Output
	// Trace is where the secret values land; TraceFailure why it is not known.
	Trace        trace.Trace
	TraceFailure error
	// Failure is why there are no renderings.
	Failure error
	// Judgement is what the chart says of the values; nil if nobody asked yet.
	Judgement *Judgement
}

// Run looks at an environment and gives what it found, sorted by release,
// check, object and field, each once. What the environment accepts is among
// it, with the reason. Texts of charts have their control characters written
// out, and what Secrets hold is in none. Of more than 200 findings of a check
// that are as bad as each other in a release the first are given, and behind
// those of the check one that counts the others. Fixes that set something are
// guesses, for none was tried.
func Run(in Input) ([]finding.Finding, error) {
	looked, err := Look(in)
	return looked.Findings, err
}

// Look looks at an environment as [Run] does, so that fixes can be tried.
func Look(in Input) (Looked, error) {
	s, err := newScope(in)
	if err != nil {
		return Looked{}, err
	}
	for _, check := range All() {
		s.check, s.added = check, map[finding.Severity]int{}
		if check.all != nil {
			check.all(s)
		}
		for _, r := range s.releases {
			s.added = map[finding.Severity]int{}
			if check.each != nil && (r.Failure == nil || check.unrendered) {
				check.each(s, r)
			}
		}
	}
	found := sortFindings(s.found)
	unused := s.ignore(found)
	s.found = sortFindings(append(found, unused...))
	return Looked{s.cut(s.found), s}, nil
}

// Page is what there is to know about a check, as Markdown: what it is, why it
// hurts, how to end it and how to accept it. Example is the message of a
// finding, empty for none.
func (c Check) Page(example string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s.\n\n", c.ID, c.Title)
	fmt.Fprintf(&b, "**Severity:** %s\n\n**Why:** %s\n\n", c.Severity, c.Why)
	if example != "" {
		fmt.Fprintf(&b, "**A finding:** `%s`\n\n", strings.ReplaceAll(example, "`", "'"))
	}
	fmt.Fprintf(&b, "**How to fix:** %s\n\n", c.Fix)
	switch c.ID {
	case unusedID:
	case render.PlaintextCheck:
		fmt.Fprintf(&b, "**How to accept:** in the environment file, under `spec.checks.ignore`, with the field that the finding names and a reason; every command accepts the value then:\n\n")
		fmt.Fprintf(&b, "```yaml\n- {check: %s, path: spec.values.prefect-cloud.gateway.peerSecret, reason: the name of a Secret}\n```\n\n", c.ID)
	default:
		fmt.Fprintf(&b, "**How to accept:** in the environment file, under `spec.checks.ignore`, with a reason, and if you like with `release` and `object` (`Kind/name`, with `*` for any characters):\n\n")
		fmt.Fprintf(&b, "```yaml\n- {check: %s, reason: why this is fine here}\n```\n\n", c.ID)
	}
	fmt.Fprintf(&b, "**Source:** <%s>\n", c.Source)
	return b.String()
}
