package upgrade

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// Note is something to say about the choice of a part's version. An error is a refusal;
// the others say why a part stays as it is although there may be a newer version, or what
// is doubtful about a version that is wanted. The message does not name the part.
type Note struct {
	Part     Part             `json:"part"`
	Severity finding.Severity `json:"severity"`
	Message  string           `json:"message"`

	reason string // the message without the flags of upgrade
}

// String is the note on a line, with the name of its part before it, if it is about one.
func (n Note) String() string {
	if n.Part == "" {
		return n.Message
	}
	return n.Part.Title() + ": " + n.Message
}

// Choose gives the versions that an environment is upgraded to within its release line,
// from those that it has. If any are wanted, only these change, and each of them is
// refused if it is of another line, older, or no version; otherwise each part gets the
// newest version of the line that registries or the catalog know. The ui's tags do not
// say their line: without a catalog line that lists them, the ui stays as it is.
//
// The catalog is the environment's own. Charts that change come without digest; what
// stays is as now has it. Notes are in the order of [Parts]. If one is an error, nothing
// changes.
func Choose(now Versions, cat catalog.Catalog, known Known, wanted Versions) (Versions, []Note) {
	c := chooser{now: now, catalog: cat, to: maps.Clone(now)}
	line, covered, err := cat.Find(render.PrefectCloud, plain(now[PrefectCloud]))
	switch {
	case err != nil && len(cat.Lines) > 0:
		c.note(PrefectCloud, finding.Error, "%s", err)
	case covered:
		c.line = line
	}
	for _, part := range Parts() {
		candidate := candidate{&c, part, now[part], known[part]}
		switch want := wanted[part]; {
		case want != "":
			candidate.take(want)
		case len(wanted) == 0 && now[part] != "":
			candidate.takeNewest()
		}
	}
	if slices.ContainsFunc(c.notes, func(n Note) bool { return n.Severity == finding.Error }) {
		return maps.Clone(now), c.notes
	}
	return c.to, c.notes
}

// chooser makes a choice.
type chooser struct {
	now, to Versions
	catalog catalog.Catalog
	line    catalog.Line // without a name where the catalog does not cover the chart
	notes   []Note
}

func (c *chooser) note(part Part, severity finding.Severity, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	c.notes = append(c.notes, Note{part, severity, message, message})
}

// candidate is a part whose version is chosen.
type candidate struct {
	*chooser
	part  Part
	now   string
	known Listed
}

func (c candidate) say(severity finding.Severity, format string, args ...any) {
	c.note(c.part, severity, format, args...)
}

// stay says why the part stays as it is, and which flag of upgrade changes that.
func (c candidate) stay(severity finding.Severity, flag, format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	c.notes = append(c.notes, Note{c.part, severity, reason + "; " + flag, reason})
}

// patterns gives the tags of the part that a line of the catalog lists.
func (c candidate) patterns(line catalog.Line) []catalog.Pattern {
	if c.part == UI {
		return line.UI
	}
	return line.Server
}

// matches reports whether a line of the catalog lists a tag.
func (c candidate) matches(line catalog.Line, tag string) bool {
	return slices.ContainsFunc(c.patterns(line), func(p catalog.Pattern) bool { return p.Matches(tag) })
}

// compare orders two versions of the part.
func (c candidate) compare(a, b string) (int, error) { return compareOf(c.part)(a, b) }

// plain is a chart's version without its digest; a tag has none.
func plain(version string) string { return render.ChartVersion(version).Version() }

// minor is MAJOR.MINOR of a chart's version, and the release line of a server's tag.
func minor(version string) string {
	split := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	return strings.Join(split[:min(2, len(split))], ".")
}
