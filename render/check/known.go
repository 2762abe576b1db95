package check

import (
	"fmt"
	"slices"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/chart/keys"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

func knownChecks() []Check {
	return []Check{{
		ID: "unknown-value", Severity: finding.Error,
		Title:  "The chart has no such value",
		Why:    "Helm ignores a value that no template reads, without a word: what is misspelt, or was renamed with a new version of the chart, does nothing, and the default is in force.",
		Fix:    "Correct the name; one that the finding proposes is a guess. Where the chart's templates cannot be followed, the finding is an info that says why.",
		Source: "https://github.com/helm/helm/issues/6422",
		each:   unknownValue, unrendered: true,
	}, {
		ID: "inert-value", Severity: finding.Warning,
		Title:  "No template reads a value",
		Why:    "The chart's defaults or its schema know the value, and it does nothing all the same.",
		Fix:    "Leave it out, unless the chart's schema wants it, or take a version of the chart that reads it.",
		Source: "https://github.com/helm/helm/issues/6422",
		each:   inertValue, unrendered: true,
	}, {
		ID: "values-schema", Severity: finding.Error,
		Title:  "The chart's schema refuses a value",
		Why:    "Helm checks values before it renders, so nothing of the release is installed or upgraded.",
		Fix:    "Correct the value that the message names.",
		Source: "https://helm.sh/docs/topics/charts/#schema-files",
		each:   valuesSchema, unrendered: true,
	}}
}

// judge gives the judgement of the values. What cannot be read of the chart
// fails its render, which is found.
func (r *release) judge() Judgement {
	if r.Judgement == nil {
		judged := Judge(r.Chart, func() (keys.Tree, error) { return keys.Of(r.Chart) }, r.Rendered.Values, r.SecretInputs)
		r.Judgement = &judged
	}
	return *r.Judgement
}

func unknownValue(s *scope, r *release) {
	s.useless(r, keys.NotKnown, "chart %s has no value %s")
}

func inertValue(s *scope, r *release) {
	s.useless(r, keys.Inert, "no template of chart %s reads %s")
}

func (s *scope) useless(r *release, kind keys.Kind, format string) {
	for _, u := range r.judge().Unknown {
		if u.Kind != kind {
			continue
		}
		f := r.finding(format, r.Chart.Name()+" "+r.Chart.Version(), u.Path)
		refused := slices.ContainsFunc(r.judge().Refused, func(p chart.SchemaProblem) bool { return p.Path == u.Path })
		switch {
		case refused && u.Doubtful == "":
			f.Message += ", and its schema refuses it: nothing of the release is installed" + r.unchecked()
		case u.Doubtful != "":
			f.Severity = finding.Info
			f.Message += ": it does nothing, unless " + u.Doubtful
		default:
			f.Message += ": it does nothing"
		}
		said := s.putPath(&f, r, u.Path)
		switch {
		case u.Nearest != "":
			f.Fix, f.Certainty, f.Doubt = fmt.Sprintf("write %s instead", u.Nearest), finding.Guess, "the name is like it"
		case said == ownValue:
			f.Set = []finding.Proposal{{Field: f.Setting, Remove: true, Release: r.Key, Path: u.Path}}
			f.Fix, f.Otherwise = "leave "+f.Setting+" out", "correct the name, or take a version of the chart that reads it"
		default:
			f.Fix = said.advice()
		}
		s.add(f)
	}
}

// unchecked says of a release that does not render what was not looked at.
func (r *release) unchecked() string {
	if r.Failure == nil {
		return ""
	}
	return "; its objects were not checked"
}

func valuesSchema(s *scope, r *release) {
	for _, url := range r.judge().Unread {
		f := r.finding("the schema of chart %s %s refers to %s, which was not read: any value is valid there", r.Chart.Name(), r.Chart.Version(), url)
		f.Severity, f.Fix = finding.Info, "look at the values there yourself"
		s.add(f)
	}
	for _, problem := range r.judge().KnownRefused() {
		f := r.finding("the schema of chart %s %s refuses %s: %s%s", r.Chart.Name(), r.Chart.Version(), problem.Path, problem.Message, r.unchecked())
		f.Fix = "correct the value"
		s.putPath(&f, r, problem.Path)
		s.add(f)
	}
}

// Judgement is what a chart says of the values of a release.
type Judgement struct {
	// Unknown is the values that do nothing, or may do nothing, by path.
	Unknown []keys.Unknown
	// Refused is the values that the schemas refuse, by path, but for secret
	// ones: of these there is only a placeholder.
	Refused []chart.SchemaProblem
	// Unread is the schemas elsewhere that the chart's own refer to.
	Unread []string
	// Failure is why templates or schemas cannot be read.
	Failure error
}

// Judge judges the values of a release, secret ones as placeholders. Known is
// the values that its chart knows, or why they cannot be told.
func Judge(own chart.Chart, known func() (keys.Tree, error), values map[string]any, secret []render.SecretInput) Judgement {
	var found Judgement
	tree, failure := known()
	if failure == nil {
		found.Unknown = tree.Check(values)
	}
	refused, unread, err := own.SchemaProblems(values)
	if failure == nil {
		failure = err
	}
	found.Unread, found.Failure = unread, failure
	found.Refused = slices.DeleteFunc(refused, func(p chart.SchemaProblem) bool {
		return slices.ContainsFunc(secret, func(input render.SecretInput) bool { return input.Path == p.Path })
	})
	return found
}

// KnownRefused gives the refused values that are not told to be unknown.
func (j Judgement) KnownRefused() []chart.SchemaProblem {
	return slices.DeleteFunc(slices.Clone(j.Refused), func(p chart.SchemaProblem) bool { return j.unknown(p.Path) })
}

// unknown reports whether a value is told to be unknown.
func (j Judgement) unknown(path string) bool {
	return slices.ContainsFunc(j.Unknown, func(u keys.Unknown) bool {
		return u.Path == path && u.Kind == keys.NotKnown && u.Doubtful == ""
	})
}
