package check

import (
	"fmt"

	"github.com/pm-gitops/pm-gitops/render/chart/keys"
)

func knownChecks() []Check {
	return []Check{{
		ID: "unknown-value", Severity: Error,
		Title:  "The chart has no such value",
		Why:    "Helm ignores a value that no template reads, without a word: what is misspelt, or was renamed with a new version of the chart, does nothing, and the default is in force.",
		Fix:    "Write the name that the message proposes. Where the chart's templates cannot be followed, the finding is an info that says why.",
		Source: "https://github.com/helm/helm/issues/6422",
		each:   unknownValue,
	}, {
		ID: "inert-value", Severity: Warning,
		Title:  "No template reads a value",
		Why:    "The chart's defaults or its schema know the value, and it does nothing all the same.",
		Fix:    "Leave it out, or write the name that the message proposes.",
		Source: "https://github.com/helm/helm/issues/6422",
		each:   inertValue,
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
			f.Severity = Info
			f.Message += ", unless " + u.Doubtful
		}
		s.putPath(&f, r, u.Path)
		s.add(f)
	}
}
