package upgrade

import (
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// hops makes the hops through the lines of the path.
func (p *pathfinder) hops() {
	taken, left := p.stations()
	if len(taken) > 1 {
		p.remark(OneByOne, "", finding.Info, "", "line %s is %d hops away: the vendor upgrades one release line at a time", p.path.Goal.Line, len(taken))
	}
	p.doubtGoal()
	if left != nil {
		p.remark(OtherLine, "", finding.Info, "add them to a catalog if they have to be taken", "%s charts of %s, which the catalog does not have between the lines of this path", p.Known[PrefectCloud].have(), text.OneOf(left))
	}
	from, now := p.from, p.Now
	for _, to := range taken {
		hop := hopFinder{pathfinder: p, hop: Hop{Kind: LineHop, From: p.stop(from), To: p.stop(to), Moves: []catalog.Move{}, Remarks: []Remark{}}, line: p.lines[to], now: now}
		hop.find(to == p.to)
		p.path.Hops = append(p.path.Hops, hop.hop)
		from, now = to, hop.after()
	}
}

// hopFinder finds the versions of a hop to another line.
type hopFinder struct {
	*pathfinder
	hop  Hop
	line stretch
	now  Versions // of the parts that the environment has, empty where not known
}

func (h *hopFinder) remark(rule Rule, part Part, severity finding.Severity, do, format string, args ...any) {
	h.hop.Remarks = append(h.hop.Remarks, Remark{rule, part, severity, fmt.Sprintf(format, args...), do})
}

// find fills the hop; last says that it is the one to the goal.
func (h *hopFinder) find(last bool) {
	wanted := ""
	if last && isVersion(h.Goal) {
		wanted = h.Goal
	}
	for _, part := range Parts() {
		if _, has := h.Now[part]; !has {
			continue
		}
		transfer := Transfer{Part: part, From: plain(h.now[part])}
		switch {
		case part == PrefectIstiod:
			transfer.To, transfer.Unknown = h.istiod(wanted)
		case part == PrefectCloud && wanted != "":
			transfer.To = wanted
			h.lookFor(wanted)
		default:
			transfer.To, transfer.Unknown = h.newest(part)
		}
		h.hop.Versions = append(h.hop.Versions, transfer)
		h.checkOrder(transfer)
	}
	if !h.line.known {
		h.remark(NotKnown, "", finding.Warning, "compare the charts, and describe the line in a catalog", "the catalog has no line %q: nothing is documented of it", h.line.name)
		return
	}
	h.hop.Moves = append(h.hop.Moves, h.line.Moves...)
	h.hop.Documented = h.line.Moves != nil
	if !h.hop.Documented {
		h.remark(Undocumented, "", finding.Warning, "compare the charts", "the catalog has no change of values from line %s to %s, and does not say that there is none", h.hop.From.Line, h.line.name)
	}
}

// after gives the versions after the hop.
func (h *hopFinder) after() Versions {
	versions := Versions{}
	for _, transfer := range h.hop.Versions {
		versions[transfer.Part] = transfer.To
	}
	return versions
}

// istiod finds the version of prefect-istiod: the one that the vendor's guide pulls beside
// prefect-cloud, which has the same number, or else the newest of the line.
func (h *hopFinder) istiod(wanted string) (version, unknown string) {
	cloud := wanted
	if cloud == "" {
		cloud, _ = h.newestListed(PrefectCloud)
	}
	if cloud != "" && h.line.HasChart(PrefectIstiod.Title(), cloud) && slices.Contains(h.Known[PrefectIstiod].Versions, cloud) {
		return cloud, ""
	}
	return h.newest(PrefectIstiod)
}

// newest finds the newest version of a part on the line, or says why it is not known.
func (h *hopFinder) newest(part Part) (version, unknown string) {
	version, err := h.newestListed(part)
	listed := h.Known[part]
	_, hasRange := h.line.Charts[part.Title()]
	switch {
	case version != "":
		return version, ""
	case err != nil:
		unknown = err.Error()
		h.remark(NotCompared, part, finding.Warning, h.name(part), "%s", unknown)
		return "", unknown
	case part.IsChart() && listed.Complete && (part == PrefectCloud || hasRange):
		unknown = listed.none("a version of line " + h.line.name)
		h.remark(NotThere, part, finding.Error, "wait for the vendor's release, or look at the range in the catalog", "%s, and a line is not skipped", unknown)
		return "", unknown
	case part.IsChart() && len(listed.Versions) == 0:
		unknown = listed.silent()
	case part.IsChart():
		unknown = fmt.Sprintf("no version of line %s is listed", h.line.name)
	case len(h.patterns(part)) == 0:
		unknown = fmt.Sprintf("the catalog does not say which tags go with line %s", h.line.name)
	case listed.Folder != "":
		unknown = fmt.Sprintf("%s, and the catalog lists no whole tag of line %s, only %s", listed.partly(), h.line.name, text.OneOf(texts(h.patterns(part))))
	default:
		unknown = fmt.Sprintf("no registry lists a tag of line %s, which are %s", h.line.name, text.OneOf(texts(h.patterns(part))))
	}
	h.remark(NotKnown, part, finding.Warning, h.name(part), "not known which version the hop to line %s takes: %s", h.line.name, unknown)
	return "", unknown
}

// name says how a version gets known.
func (h *hopFinder) name(part Part) string {
	if part.IsChart() {
		return "find it in the vendor's release notes"
	}
	return fmt.Sprintf("list it for line %s under %s in a catalog", h.line.name, part)
}

// patterns gives the tags that the catalog lists for the line.
func (h *hopFinder) patterns(part Part) []catalog.Pattern {
	if part == UI {
		return h.line.UI
	}
	return h.line.Server
}

// newestListed finds the newest version of a part on the line that registries list or the
// catalog names: of charts no pre-releases, of tags those with as many numbers as the
// environment's has.
func (h *hopFinder) newestListed(part Part) (string, error) {
	listed := h.Known[part]
	fits := func(version string) bool {
		v, err := semver.StrictNewVersion(version)
		return err == nil && v.Prerelease() == "" && h.line.HasChart(part.Title(), version)
	}
	all := slices.Clone(listed.Versions)
	if !part.IsChart() {
		own, ownErr := parts(h.Now[part])
		fits = func(tag string) bool {
			numbers, err := parts(tag)
			return err == nil && (ownErr != nil || len(numbers) == len(own)) && catalog.Matches(h.patterns(part), tag)
		}
		for _, pattern := range h.patterns(part) {
			if tag := string(pattern); !strings.ContainsAny(tag, `*?[\`) && !listed.lacks(tag) {
				all = append(all, tag)
			}
		}
	}
	all = slices.DeleteFunc(all, func(version string) bool { return !fits(version) })
	slices.Sort(all)
	return newestOf(part, slices.Compact(all))
}

// lookFor refuses the version of a goal that no registry has.
func (h *hopFinder) lookFor(version string) {
	listed := h.Known[PrefectCloud]
	if !listed.lacks(version) {
		return
	}
	do := ""
	if near := text.Nearest(version, h.line.charts); near != "" {
		do = "did you mean " + near + "?"
	}
	h.remark(NotThere, PrefectCloud, finding.Error, do, "%s", listed.none(version))
}

// checkOrder refuses a hop that takes a part back, and says where that cannot be told. Tags
// of the ui are the days of builds, and say nothing across lines.
func (h *hopFinder) checkOrder(t Transfer) {
	if t.From == "" || t.To == "" || t.Part == UI {
		return
	}
	from, to := t.From, t.To
	if t.Part == Server && minor(from) != minor(to) {
		from, to = minor(from), minor(to)
	}
	switch order, err := compareOf(t.Part)(from, to); {
	case err != nil:
		h.remark(NotCompared, t.Part, finding.Warning, "compare them yourself", "%s", err)
	case order > 0:
		h.remark(Downgrade, t.Part, finding.Error, "look at the versions of the environment, and at the tags in the catalog", "%s, which the environment has, is newer than %s, the newest of line %s", t.From, t.To, h.line.name)
	}
}
