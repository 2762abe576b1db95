package upgrade

import (
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// take takes a version that is wanted, or says why not.
func (c candidate) take(want string) {
	refusal := c.refuseForm(want)
	if refusal == "" && c.part.IsChart() {
		refusal = c.refuseChartLine(want)
	} else if refusal == "" {
		refusal = c.refuseTagLine(want)
	}
	if refusal == "" {
		refusal = c.refuseOrder(want)
	}
	switch {
	case refusal != "":
		c.say(finding.Error, "%s", refusal)
	case want != plain(c.now):
		c.to[c.part] = want
	}
}

// refuseForm refuses what is no version of the part at all.
func (c candidate) refuseForm(want string) string {
	if c.now == "" {
		return "the environment does not have it: see mesh in its file"
	}
	if c.part.IsChart() {
		if strings.Contains(want, "@") {
			return "want the version without its digest, which the registry says"
		}
		if err := render.ChartVersion(want).Validate(); err != nil {
			return err.Error()
		}
		return ""
	}
	if err := render.Tag(want).Validate(); err != nil {
		return err.Error()
	}
	other := map[Part]Part{Server: UI, UI: Server}[c.part]
	if hasForm(other, want) && !hasForm(other, c.now) {
		return want + " has the form of tags of the " + other.Title() + ": were --server and --ui swapped?"
	}
	if _, err := parts(want); err != nil {
		return err.Error()
	}
	return ""
}

// hasForm reports whether a tag has the form that the tags of an image have in the
// vendor's guide.
func hasForm(image Part, tag string) bool {
	if image == Server {
		return render.Tag(tag).IsServer()
	}
	return render.Tag(tag).IsUI()
}

// planner points to the command for upgrades to other lines.
const planner = `: "pm-gitops plan" plans upgrades to other lines`

// refuseChartLine refuses a chart of another release line.
func (c candidate) refuseChartLine(want string) string {
	if c.inChartLine(want) {
		return ""
	}
	sentence := want + " is of another release line than " + plain(c.now)
	if c.line.Name != "" {
		sentence += `, which is of line "` + c.line.Name + `"`
	}
	if other, covered, err := c.catalog.Find(c.part.Title(), want); err == nil && covered {
		sentence += `, and that of line "` + other.Name + `"`
	}
	return sentence + planner
}

// inChartLine reports whether a chart's version is of the environment's release line: by
// the catalog, or else by its first two numbers.
func (c candidate) inChartLine(version string) bool {
	if covers := c.line.Charts[c.part.Title()]; covers != "" {
		return covers.Contains(version)
	}
	return minor(version) == minor(plain(c.now))
}

// refuseTagLine refuses the tag of another release line. What the catalog lists for no
// line may be newer than the catalog.
func (c candidate) refuseTagLine(want string) string {
	if c.part == Server {
		order, err := Compare(minor(want), minor(c.now))
		switch {
		case err != nil:
			return err.Error()
		case order != 0:
			return want + " is of release line " + minor(want) + ", and " + c.now + " of " + minor(c.now) + planner
		}
	}
	if len(c.patterns(c.line)) == 0 || c.matches(c.line, want) {
		return ""
	}
	for _, other := range c.catalog.Lines {
		if c.matches(other, want) {
			return want + ` is of line "` + other.Name + `" of the catalog, and the environment of line "` + c.line.Name + `"` + planner
		}
	}
	c.say(finding.Warning, "%s is not among the tags that the catalog lists for line %q: %s", want, c.line.Name, text.OneOf(texts(c.patterns(c.line))))
	return ""
}

func texts(patterns []catalog.Pattern) []string {
	all := make([]string, len(patterns))
	for i, pattern := range patterns {
		all[i] = string(pattern)
	}
	return all
}

// refuseOrder refuses a version that is older than the environment's, or that does not
// exist.
func (c candidate) refuseOrder(want string) string {
	order, err := c.compare(want, plain(c.now))
	switch {
	case err != nil:
		return err.Error()
	case order < 0:
		return want + " is older than " + plain(c.now) + ", which the environment has: a downgrade may need a restore of the database, and is no upgrade"
	case order > 0 && c.known.lacks(want):
		near := text.Nearest(want, c.known.Versions)
		if near == "" {
			near, _ = c.newest()
		}
		if near == "" {
			return c.known.none(want)
		}
		return c.known.none(want) + ": did you mean " + near + "?"
	}
	return ""
}
