package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// ValueProblem is a problem at a chart value of a release, at a path such as
// redis.cache.host. Its place is where the value, or what lies in it, was said:
// under values it is the value's own, and for one that follows from a field or
// from the catalog it is theirs, and the message names the value and the rule.
// A value that nobody said is put where it would be said. Release must be of
// the plan's own [Plan.Explain].
func (p Plan) ValueProblem(release ExplainedRelease, path, format string, args ...any) Problem {
	prefix := strictyaml.Join("spec.values", release.Release)
	if p.env.extra(release.Release) != nil {
		prefix = p.env.releasePath(release.Release) + ".values"
	}
	message := fmt.Sprintf(format, args...)
	said := slices.DeleteFunc(slices.Clone(release.Values), func(e Explained) bool { return !overlaps(e.Path, path) })
	own := func(e Explained) bool { return e.Rule == nil && e.Secret == nil && e.Origin.From == FromEnvironment }
	if len(said) == 0 || slices.ContainsFunc(said, own) {
		return p.env.problem(below(prefix, path), "%s", message)
	}
	e := said[0]
	for _, other := range said {
		if e.Origin.File == "" && other.Origin.File != "" {
			e = other
		}
	}
	at := Position{File: e.Origin.File, Line: e.Origin.Line, Column: e.Origin.Column}
	if e.Origin.File == "" { // the program's default for a field
		at = p.env.problem(e.Origin.Field, "").Position
	}
	if e.Rule != nil && e.Origin.From != FromCatalog {
		message = fmt.Sprintf("%s (this field sets %s by rule %s:%d)", message, e.Path, e.Rule.File, e.Rule.Line)
	}
	field := e.Origin.Field
	if field == "" {
		field = "layout"
	}
	return Problem{Position: at, Path: field, Message: message}
}

// overlaps reports whether one of two paths is the other or lies in it.
func overlaps(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	rest, ok := strings.CutPrefix(b, a)
	return ok && (rest == "" || a == "" || rest[0] == '.' || rest[0] == '[')
}
