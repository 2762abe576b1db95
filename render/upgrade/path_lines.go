package upgrade

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/Masterminds/semver/v3"

	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// stretch is a release line that a path may go through.
type stretch struct {
	name   string
	known  bool // the catalog has it
	charts []string
	catalog.Line
}

var lineName = regexp.MustCompile(`^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})$`)

// CheckGoal refuses a goal that is neither a line nor a version.
func CheckGoal(goal string) error {
	if _, err := semver.StrictNewVersion(goal); err == nil || goal == "" || lineName.MatchString(goal) {
		return nil
	}
	return fmt.Errorf("%s is neither a release line nor a version: want one such as 1.3 or 1.3.4", text.Quoted(goal))
}

// isVersion reports whether a goal is a version, and not a line.
func isVersion(goal string) bool {
	_, err := semver.StrictNewVersion(goal)
	return err == nil
}

// readLines collects the lines: those of the catalog, the one of the environment, that of
// the goal, and those that only registries have.
func (p *pathfinder) readLines() error {
	names := map[string]bool{}
	for _, line := range p.Catalog.Lines {
		resolved, err := p.Catalog.Line(line.Name)
		if err != nil {
			return err
		}
		names[line.Name] = true
		p.lines = append(p.lines, stretch{name: line.Name, known: true, Line: resolved})
	}
	name := func(version string) string {
		for _, line := range slices.Backward(p.lines) {
			if line.known && line.Charts[PrefectCloud.Title()].Contains(version) {
				return line.name
			}
		}
		return minor(version)
	}
	add := func(line string) {
		if !names[line] && lineName.MatchString(line) {
			names[line] = true
			p.lines = append(p.lines, stretch{name: line, Line: catalog.Line{Name: line}})
		}
	}
	versions := p.Known[PrefectCloud].Versions
	own := name(plain(p.Now[PrefectCloud]))
	if !lineName.MatchString(own) && !names[own] {
		return fmt.Errorf("find the way to newer versions: %s of %s is of no release line: want a version such as 1.3.4", plain(p.Now[PrefectCloud]), PrefectCloud.Title())
	}
	add(own)
	goal := p.Goal
	if isVersion(goal) {
		goal = name(goal)
	}
	if goal != "" {
		add(goal)
	}
	var ordinary []string // versions that may be taken unasked
	for _, version := range versions {
		if v, err := semver.StrictNewVersion(version); err == nil && v.Prerelease() == "" {
			ordinary = append(ordinary, version)
			add(name(version))
		}
	}
	slices.SortStableFunc(p.lines, func(a, b stretch) int {
		return semver.MustParse(a.name).Compare(semver.MustParse(b.name))
	})
	for _, version := range ordinary {
		i := p.index(name(version))
		p.lines[i].charts = append(p.lines[i].charts, version)
	}
	p.from, p.to = p.index(own), p.index(goal)
	return nil
}

// index gives the place of a line, or -1.
func (p *pathfinder) index(name string) int {
	return slices.IndexFunc(p.lines, func(s stretch) bool { return s.name == name })
}

// findGoal says where the path leads: the line of the goal, or the newest that can be had.
func (p *pathfinder) findGoal() {
	goal := Goal{Asked: p.Goal}
	switch listed := p.Known[PrefectCloud]; {
	case p.Goal != "":
		goal.Why = "asked for"
		if isVersion(p.Goal) {
			goal.Version = p.Goal
		}
	case len(listed.Versions) == 0:
		p.to = max(p.from, p.newestLine(func(s stretch) bool { return s.known }))
		goal.Why = "the newest line that the catalog has; no registry listed versions"
		if listed.Folder != "" {
			goal.Why = "the newest line that the catalog has; " + listed.none(PrefectCloud.Title())
		}
	case !listed.Complete:
		p.to = max(p.from, p.newestLine(func(s stretch) bool { return s.known || len(s.charts) > 0 }))
		goal.Why = "the newest line that the catalog has, or a registry lists; not every registry lists its versions"
	default:
		p.to = max(p.from, p.newestLine(func(s stretch) bool { return len(s.charts) > 0 }))
		goal.Why = "the newest line that " + listed.have() + " a chart of"
	}
	goal.Line = p.lines[p.to].name
	p.path.Goal = goal
}

// doubtGoal says that the line of the goal is known from nowhere: a typing error, or a
// line that is not released yet.
func (p *pathfinder) doubtGoal() {
	goal, listed := p.lines[p.to], p.Known[PrefectCloud]
	if goal.known || len(goal.charts) > 0 || p.Goal == "" || isVersion(p.Goal) || p.Known == nil {
		return
	}
	severity, why := finding.Error, listed.none("a chart of it")
	if !listed.Complete {
		severity, why = finding.Warning, "not every registry lists its versions"
	}
	newest := max(p.from, p.newestLine(func(s stretch) bool { return s.known || len(s.charts) > 0 }))
	p.remark(NotThere, "", severity, "the newest known line is "+p.lines[newest].name, "the catalog does not have line %s, and %s", goal.name, why)
}

// newestLine gives the index of the last line that fits, or -1.
func (p *pathfinder) newestLine(fits func(stretch) bool) int {
	for i, line := range slices.Backward(p.lines) {
		if fits(line) {
			return i
		}
	}
	return -1
}

// stations gives the lines of the path after that of the environment, in order. Lines that
// only registries have are among them where they are newer than the catalog, or asked for:
// between lines of the catalog it takes the way that is documented.
func (p *pathfinder) stations() (taken []int, left []string) {
	newest := p.newestLine(func(s stretch) bool { return s.known })
	for i := p.from + 1; i <= p.to; i++ {
		switch {
		case p.lines[i].known, i == p.to, i > newest:
			taken = append(taken, i)
		default:
			left = append(left, p.lines[i].name)
		}
	}
	return taken, left
}
