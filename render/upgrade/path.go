package upgrade

import (
	"fmt"
	"slices"
	"time"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// Question asks for the path of an environment to newer versions.
type Question struct {
	Now     Versions
	Catalog catalog.Catalog // the environment's own
	Known   Known           // nil where no registry was asked
	// Goal is a release line such as 1.3, a version of prefect-cloud such as 1.3.4, or
	// empty: the newest that can be had.
	Goal string
	At   time.Time // the day of the question, for the support of lines
}

// Path is the hops from the versions of an environment to a goal, in order. Its JSON form
// is an interface: fields are only ever added.
type Path struct {
	From    Stop     `json:"from"`
	Goal    Goal     `json:"goal"`
	Hops    []Hop    `json:"hops"`
	Remarks []Remark `json:"remarks"` // about the environment and the goal
}

// Stop is a release line on a path.
type Stop struct {
	Line string `json:"line"` // MAJOR.MINOR
	// Known says that the catalog has the line: otherwise nothing is documented of it.
	Known bool `json:"known"`
	// SupportEnds is the last day of the vendor's support, where that is known.
	SupportEnds string `json:"supportEnds,omitempty"`
	Notes       string `json:"notes,omitempty"` // address of the release notes
}

// Goal says where a path leads.
type Goal struct {
	Asked   string `json:"asked,omitempty"` // a line or a version; empty for the newest
	Line    string `json:"line"`
	Version string `json:"version,omitempty"` // of prefect-cloud, if one was asked for
	// Why is a sentence without a period: how the line was found.
	Why string `json:"why"`
}

// Kind of a hop.
type HopKind string

// The kinds of hops.
const (
	PatchHop HopKind = "patch" // within a release line
	LineHop  HopKind = "line"  // to the next release line
	// ReleaseHop is to another version of a further release, whose chart has no lines.
	ReleaseHop HopKind = "release"
)

// Hop is one step of a path: all that is upgraded at once.
type Hop struct {
	Kind     HopKind    `json:"kind"`
	From     Stop       `json:"from"`
	To       Stop       `json:"to"`
	Versions []Transfer `json:"versions"` // of every part that the environment has, in the order of [Parts]
	// Moves are the documented changes of values. They are all of them only if Documented.
	Moves []catalog.Move `json:"moves"`
	// Documented says that the catalog has what happens to values on this hop, if only
	// that nothing does. If not, they are not known to stay.
	Documented bool     `json:"documented"`
	Remarks    []Remark `json:"remarks"`
}

// Transfer is the version of a part before and after a hop.
type Transfer struct {
	Part Part `json:"part"`
	// From and To are versions, without digests. An empty one is not known, and never
	// means unchanged.
	From string `json:"from"`
	To   string `json:"to"`
	// Unknown says why To is not known: a clause without a period.
	Unknown string `json:"unknown,omitempty"`
	// Default is the tag that the chart after the hop has by default, where To is not known
	// and the chart was looked into: a hint, and no choice.
	Default string `json:"default,omitempty"`
}

// Rule names the reason for a remark, for machines.
type Rule string

// The rules.
const (
	Downgrade    Rule = "downgrade"     // the goal is older than the environment
	OneByOne     Rule = "one-by-one"    // lines are not skipped
	MixedLines   Rule = "mixed-lines"   // versions of several lines in one environment
	Swapped      Rule = "swapped-tags"  // tags of server and ui in each other's place
	NotSupported Rule = "support"       // the support of a line is over
	NotKnown     Rule = "not-known"     // a line or a version that nothing is known of
	NotThere     Rule = "not-there"     // a version or a line that no registry has
	NotCompared  Rule = "not-compared"  // versions that cannot be ordered
	Stays        Rule = "stays"         // why a part of a patch stays as it is
	Refused      Rule = "refused"       // why the version asked for is not taken
	Major        Rule = "major"         // a version that may break by its number
	Undocumented Rule = "undocumented"  // no change of values is documented
	OtherLine    Rule = "further-lines" // lines that the path leaves out
)

// Remark is something to know about a path or a hop. An error blocks it, a warning asks a
// person to decide, an info is good to know.
type Remark struct {
	Rule     Rule             `json:"rule"`
	Part     Part             `json:"part,omitempty"`
	Severity finding.Severity `json:"severity"`
	Message  string           `json:"message"`      // without a period
	Do       string           `json:"do,omitempty"` // what to do about it
}

// String is the remark on a line, with the name of its part before it, if it is about one.
func (r Remark) String() string {
	line := r.Message
	if r.Part != "" {
		line = r.Part.Title() + ": " + line
	}
	if r.Do != "" {
		line += ": " + r.Do
	}
	return line
}

// Blocks reports whether remarks keep a path or a hop from being taken.
func Blocks(remarks []Remark) bool {
	return slices.ContainsFunc(remarks, func(r Remark) bool { return r.Severity == finding.Error })
}

// FindPath finds the hops from the versions of an environment to a goal. A line is taken
// after the line before it and never skipped; one that registries have and the catalog
// does not is unknown. What blocks the way is in the remarks of the path or of its hop, and
// no error. The error is about the goal: it is no line and no version, or about the
// catalog.
func FindPath(q Question) (Path, error) {
	if err := CheckGoal(q.Goal); err != nil {
		return Path{}, err
	}
	if q.Now[PrefectCloud] == "" {
		return Path{}, fmt.Errorf("find the way to newer versions: the environment has no version of %s", render.PrefectCloud)
	}
	p := pathfinder{Question: q}
	if err := p.readLines(); err != nil {
		return Path{}, err
	}
	p.path = Path{From: p.stop(p.from), Hops: []Hop{}, Remarks: []Remark{}}
	p.findGoal()
	p.doubtNow()
	switch {
	case p.to < p.from:
		p.refuseDowngrade()
	case p.to == p.from:
		p.patch()
	default:
		p.hops()
	}
	p.doubtSupport()
	return p.path, nil
}

// pathfinder finds a path.
type pathfinder struct {
	Question
	lines    []stretch // in upgrade order
	from, to int       // indexes of lines
	path     Path
}

func (p *pathfinder) remark(rule Rule, part Part, severity finding.Severity, do, format string, args ...any) {
	p.path.Remarks = append(p.path.Remarks, Remark{rule, part, severity, fmt.Sprintf(format, args...), do})
}

// stop describes a line.
func (p *pathfinder) stop(i int) Stop {
	line := p.lines[i]
	stop := Stop{Line: line.name, Known: line.known, Notes: line.Notes}
	if support := line.Support(); !support.Ends.IsZero() {
		stop.SupportEnds = support.Ends.Format(time.DateOnly)
	}
	return stop
}
