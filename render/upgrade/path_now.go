package upgrade

import (
	"fmt"
	"slices"
	"time"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// refuseDowngrade says that the goal lies behind.
func (p *pathfinder) refuseDowngrade() {
	goal, now := "line "+p.path.Goal.Line, "line "+p.path.From.Line
	if p.to == p.from {
		goal, now = p.Goal, plain(p.Now[PrefectCloud])
	}
	p.remark(Downgrade, "", finding.Error, "to go back, restore the databases", "%s is older than %s, which the environment has: a downgrade is no upgrade", goal, now)
}

// patch makes the hop within the line of the environment, if there is one.
func (p *pathfinder) patch() {
	wanted := Versions{}
	if isVersion(p.Goal) {
		switch order, err := compareCharts(p.Goal, plain(p.Now[PrefectCloud])); {
		case err == nil && order < 0:
			p.refuseDowngrade()
			return
		case err == nil && order == 0:
			return
		}
		wanted[PrefectCloud] = p.Goal
		if p.istiodHas(p.Goal) {
			wanted[PrefectIstiod] = p.Goal
		}
	}
	to, notes := Choose(p.Now, p.Catalog, p.Known, wanted)
	changed := len(p.Now.Changed(to)) > 0
	for _, note := range notes {
		remark := Remark{Rule: Stays, Part: note.Part, Severity: note.Severity, Message: note.reason}
		switch {
		case note.Severity == finding.Error:
			remark.Rule = Refused
		case changed:
			remark.Severity = finding.Info
		}
		p.path.Remarks = append(p.path.Remarks, remark)
	}
	if !changed {
		return
	}
	hop := Hop{Kind: PatchHop, From: p.stop(p.from), To: p.stop(p.from), Moves: []catalog.Move{}, Remarks: []Remark{}}
	for _, part := range Parts() {
		if p.Now[part] != "" {
			hop.Versions = append(hop.Versions, Transfer{Part: part, From: plain(p.Now[part]), To: plain(to[part])})
		}
	}
	p.path.Hops = append(p.path.Hops, hop)
}

// istiodHas reports whether prefect-istiod is listed in a version that the environment can
// be upgraded to.
func (p *pathfinder) istiodHas(version string) bool {
	now := p.Now[PrefectIstiod]
	order, err := compareCharts(version, plain(now))
	return now != "" && err == nil && order > 0 && slices.Contains(p.Known[PrefectIstiod].Versions, version)
}

// doubtNow finds versions of the environment that do not belong together.
func (p *pathfinder) doubtNow() {
	line := p.lines[p.from]
	if istiod := plain(p.Now[PrefectIstiod]); istiod != "" {
		cloud := plain(p.Now[PrefectCloud])
		own := candidate{chooser: &chooser{line: line.Line}, part: PrefectIstiod, now: cloud}
		if !own.inChartLine(istiod) {
			p.remark(MixedLines, PrefectIstiod, finding.Error, "bring both to one line first", "%s is of another line than %s %s", istiod, render.PrefectCloud, cloud)
		}
	}
	server, ui := p.Now[Server], p.Now[UI]
	switch {
	case hasForm(UI, server) && hasForm(Server, ui):
		p.remark(Swapped, Server, finding.Error, "swap spec.versions.server and spec.versions.ui", "%s has the form of tags of the ui, and %s that of the server", server, ui)
		return
	case hasForm(UI, server):
		p.remark(Swapped, Server, finding.Warning, "look at spec.versions.server", "%s has the form of tags of the ui", server)
	case hasForm(Server, ui):
		p.remark(Swapped, UI, finding.Warning, "look at spec.versions.ui", "%s has the form of tags of the server", ui)
	}
	for _, part := range []Part{Server, UI} {
		p.doubtTag(part, p.Now[part])
	}
}

// doubtTag finds a tag of another line.
func (p *pathfinder) doubtTag(part Part, tag string) {
	listed := func(line catalog.Line) []catalog.Pattern {
		if part == UI {
			return line.UI
		}
		return line.Server
	}
	own := listed(p.lines[p.from].Line)
	if tag == "" || catalog.Matches(own, tag) {
		return
	}
	for _, line := range p.lines {
		if catalog.Matches(listed(line.Line), tag) {
			p.remark(MixedLines, part, finding.Error, "look at spec.versions."+string(part), "%s is of line %s, and %s %s of line %s", tag, line.name, render.PrefectCloud, plain(p.Now[PrefectCloud]), p.path.From.Line)
			return
		}
	}
	if len(own) > 0 {
		p.remark(NotKnown, part, finding.Warning, "look at spec.versions."+string(part)+", or list the tag in a catalog", "%s is not among the tags of line %s: want %s", tag, p.path.From.Line, text.OneOf(texts(own)))
	}
}

// doubtSupport says which lines of the path the vendor supports no more.
func (p *pathfinder) doubtSupport() {
	if says := Unsupported(p.lines[p.from].Line, p.At); says != "" {
		severity := finding.Info // the path leads away from it
		if len(p.path.Hops) == 0 || p.path.Hops[0].Kind == PatchHop {
			severity = finding.Warning
		}
		p.remark(NotSupported, "", severity, "", "%s", says)
	} else if p.lines[p.from].known && p.path.From.SupportEnds == "" {
		p.remark(NotSupported, "", finding.Info, "", "not known until when the vendor supports line %s: the catalog does not say when it was released", p.path.From.Line)
	}
	for i := range p.path.Hops {
		hop := &p.path.Hops[i]
		if says := Unsupported(p.lines[p.index(hop.To.Line)].Line, p.At); says != "" && hop.Kind == LineHop {
			severity := finding.Info // a later hop leads away from it
			if i == len(p.path.Hops)-1 {
				severity = finding.Warning
			}
			hop.Remarks = append(hop.Remarks, Remark{Rule: NotSupported, Severity: severity, Message: says})
		}
	}
}

// Unsupported says that the vendor supports a line no more at a time, or that the support
// may be over; it is empty otherwise, and where the release of the line is not known.
func Unsupported(line catalog.Line, at time.Time) string {
	const rule = "the vendor supports a release for six months"
	support := line.Support()
	switch {
	case support.Ends.IsZero():
		return ""
	case support.Over(at):
		return fmt.Sprintf("line %s is out of support since %s at the latest: %s", line.Name, support.Ends.Format(time.DateOnly), rule)
	case !support.Exact && at.After(support.Ends.AddDate(0, 0, -support.Ends.Day()+1)):
		return fmt.Sprintf("the support of line %s ends in this month, on a day that the catalog does not know: %s", line.Name, rule)
	}
	return ""
}
