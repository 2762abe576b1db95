package check

import (
	"slices"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/chart/keys"
)

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
