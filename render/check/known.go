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
		Fix:    "Write the name that the message proposes. Where the chart's templates cannot be followed, the finding is an info that says why.",
		Source: "https://github.com/helm/helm/issues/6422",
		each:   unknownValue, unrendered: true,
	}, {
		ID: "inert-value", Severity: finding.Warning,
		Title:  "No template reads a value",
		Why:    "The chart's defaults or its schema know the value, and it does nothing all the same.",
		Fix:    "Leave it out, or write the name that the message proposes.",
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

// unknowns is the values of a release that its chart does not know, or does
// not read. A chart that cannot be read fails to render, which is found.
func (r *release) unknowns() []keys.Unknown {
	if !r.judged {
		r.judged = true
		if tree, err := keys.Of(r.Chart); err == nil {
			r.unknown = tree.Check(r.Rendered.Values)
		}
	}
	return r.unknown
}

func unknownValue(s *scope, r *release) {
	s.useless(r, keys.NotKnown, "chart %s has no value %s: it does nothing")
}

func inertValue(s *scope, r *release) {
	s.useless(r, keys.Inert, "no template of chart %s reads %s: it does nothing")
}

func (s *scope) useless(r *release, kind keys.Kind, format string) {
	for _, u := range r.unknowns() {
		if u.Kind != kind {
			continue
		}
		f := r.finding(format, r.Chart.Name()+" "+r.Chart.Version(), u.Path)
		f.Fix = "leave it out"
		if u.Nearest != "" {
			f.Fix = fmt.Sprintf("write %s instead", u.Nearest)
		}
		if u.Doubtful != "" {
			f.Severity = finding.Info
			f.Message += ", unless " + u.Doubtful
		}
		s.putPath(&f, r, u.Path)
		s.add(f)
	}
}

// refused is the values that the chart's schemas refuse. Of a secret there is
// only a placeholder: what a schema says of that is of no use.
func (r *release) refused() []chart.SchemaProblem {
	if r.checked {
		return r.refusals
	}
	r.checked = true
	problems, _, _ := r.Chart.SchemaProblems(r.Rendered.Values) // a schema that cannot be used fails the render
	r.refusals = slices.DeleteFunc(problems, func(p chart.SchemaProblem) bool {
		return slices.ContainsFunc(r.SecretInputs, func(input render.SecretInput) bool { return input.Path == p.Path })
	})
	return r.refusals
}

// isUnknown reports whether a value is told to be unknown.
func (r *release) isUnknown(path string) bool {
	return slices.ContainsFunc(r.unknowns(), func(u keys.Unknown) bool {
		return u.Path == path && u.Kind == keys.NotKnown && u.Doubtful == ""
	})
}

func valuesSchema(s *scope, r *release) {
	for _, problem := range r.refused() {
		if r.isUnknown(problem.Path) {
			continue
		}
		f := r.finding("the schema of chart %s %s refuses %s: %s", r.Chart.Name(), r.Chart.Version(), problem.Path, problem.Message)
		f.Fix = "correct the value"
		s.putPath(&f, r, problem.Path)
		s.add(f)
	}
}
