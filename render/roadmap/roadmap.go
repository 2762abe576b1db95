// Package roadmap is the result of pm-gitops plan: the hops of an environment to newer
// versions with a verdict, what to do before each, and the runbook; as text, JSON, Markdown
// and HTML. Like package render it never touches disk, network, clock or environment
// variables.
package roadmap

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/graph"
	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// Report is the roadmaps of a run. Its JSON form is an interface: fields are only ever
// added.
type Report struct {
	Verdict      Verdict   `json:"verdict"` // the worst of the environments
	Environments []Roadmap `json:"environments"`
	Errors       []string  `json:"errors"` // of what could not be planned
}

// Roadmap is the way of an environment, or of one of its further releases, to newer
// versions.
type Roadmap struct {
	Environment string `json:"environment"`
	File        string `json:"file"`
	Release     string `json:"release,omitempty"` // of spec.releases, if it is about one
	// Verdict is that of the next hop, or of what stands against all hops.
	Verdict Verdict          `json:"verdict"`
	From    upgrade.Stop     `json:"from"`
	Goal    upgrade.Goal     `json:"goal"`
	Remarks []upgrade.Remark `json:"remarks"` // about the environment and the goal
	Hops    []Hop            `json:"hops"`
	// Unseen is what could not be looked at, such as a registry that lists no versions.
	Unseen []string `json:"unseen"`
}

// Hop is a hop with what it means for the environment.
type Hop struct {
	upgrade.Hop
	Verdict Verdict `json:"verdict"`
	// Todo is what a person does before the hop, in order.
	Todo []Todo `json:"todo"`
	// Charts are those that have another version.
	Charts  []Chart `json:"charts"`
	Runbook Runbook `json:"runbook"`
	// Waves is those of the environment after the hop, for pages; nil if they are not known.
	Waves []graph.Wave `json:"-"`
}

// Chart is a chart that has another version after a hop.
type Chart struct {
	Release string `json:"release"` // the key
	From    string `json:"from"`
	To      string `json:"to"` // empty if it is not known
	// Analysis is what the other version means; nil if the charts were not compared, which
	// Unseen gives the reason for: a clause without a period.
	Analysis *hop.Analysis `json:"analysis,omitempty"`
	Unseen   string        `json:"unseen,omitempty"`
	// Effects is what the cluster does about the objects of the release, what wants a look
	// first.
	Effects []Effect `json:"effects,omitempty"`
	// Changes is the changes of these objects, for pages.
	Changes diff.Result `json:"-"`
}

// Effect is an action of the cluster, and the objects that it is about, such as
// "Deployment prefect/server", in order.
type Effect struct {
	Action  diff.Action `json:"action"`
	Objects []string    `json:"objects"`
}

// NewEffects gathers the effects of the changes of a release's objects.
func NewEffects(changes diff.Result) []Effect {
	var all []Effect
	for _, action := range diff.Actions() {
		effect := Effect{Action: action}
		for _, change := range changes.Changes {
			if change.Effect != nil && change.Effect.Action == action {
				effect.Objects = append(effect.Objects, change.Object.String())
			}
		}
		if effect.Objects != nil {
			slices.Sort(effect.Objects)
			all = append(all, effect)
		}
	}
	return all
}

// String writes the effect on a line, with at most twelve objects.
func (e Effect) String() string { return string(e.Action) + ": " + e.names() }

func (e Effect) names() string {
	const most = 12
	names := strings.Join(e.Objects[:min(most, len(e.Objects))], ", ")
	if more := len(e.Objects) - most; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return names
}

// Todo is something that a person does or decides before a hop.
type Todo struct {
	Text string `json:"text"`
	// File and Line are where in the environment, if it is about a place there.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Blocks: the hop must not be made before.
	Blocks bool `json:"blocks,omitempty"`
	// Breaks: a value of the environment has to change with the hop.
	Breaks bool `json:"breaks,omitempty"`
	// Source is where the fact comes from, if a catalog says it.
	Source string `json:"source,omitempty"`
}

// Verdict says what a hop asks of people.
type Verdict string

// The verdicts, the best first.
const (
	// Routine: nothing is to be decided.
	Routine Verdict = "routine"
	// Decisions: a person has to decide something.
	Decisions Verdict = "needs-decisions"
	// Unknown: something that matters could not be found out.
	Unknown Verdict = "unknown"
	// Breaking: values of the environment have to change.
	Breaking Verdict = "breaking"
	// Blocked: it cannot be made as things are.
	Blocked Verdict = "blocked"
)

// Verdicts lists the verdicts, the best first.
func Verdicts() []Verdict { return []Verdict{Routine, Decisions, Unknown, Breaking, Blocked} }

// Worst gives the worst of verdicts; Routine of none.
func Worst(all ...Verdict) Verdict {
	worst := 0
	for _, v := range all {
		worst = max(worst, slices.Index(Verdicts(), v))
	}
	return Verdicts()[worst]
}

// Words writes the verdict for people.
func (v Verdict) Words() string {
	if v == Decisions {
		return "needs decisions"
	}
	return string(v)
}

// Judge gives the hop its verdict, from its remarks, todos and charts.
func (h *Hop) Judge() {
	verdicts := []Verdict{h.remarks()}
	for _, todo := range h.Todo {
		switch {
		case todo.Blocks:
			verdicts = append(verdicts, Blocked)
		case todo.Breaks:
			verdicts = append(verdicts, Breaking)
		default:
			verdicts = append(verdicts, Decisions)
		}
	}
	for _, chart := range h.Charts {
		if chart.Analysis == nil || chart.Analysis.Unrendered != "" {
			verdicts = append(verdicts, Unknown)
		}
		if chart.Analysis != nil {
			verdicts = append(verdicts, judge(*chart.Analysis))
		}
	}
	if h.Kind == upgrade.LineHop { // maintenance, snapshots and migrations are nobody's routine
		verdicts = append(verdicts, Decisions)
	}
	h.Verdict = Worst(verdicts...)
}

// remarks judges the remarks. What is not documented of values counts as little as charts
// that were compared show it.
func (h *Hop) remarks() Verdict {
	worst := Routine
	for _, remark := range h.Remarks {
		switch {
		case remark.Severity == finding.Error:
			return Blocked
		case remark.Severity == finding.Info, remark.Rule == upgrade.Undocumented && h.Compared():
		case remark.Rule == upgrade.Undocumented, remark.Rule == upgrade.NotKnown, remark.Rule == upgrade.NotCompared:
			worst = Worst(worst, Unknown)
		default:
			worst = Worst(worst, Decisions)
		}
	}
	return worst
}

// Compared reports whether all charts that have another version were compared.
func (h Hop) Compared() bool {
	for _, transfer := range h.Versions {
		if transfer.To == "" && transfer.Part.IsChart() {
			return false
		}
	}
	for _, chart := range h.Charts {
		if chart.Analysis == nil {
			return false
		}
	}
	return true
}

// judge judges what the comparison of a chart found.
func judge(a hop.Analysis) Verdict {
	worst := Routine
	for _, f := range a.Findings {
		switch {
		case f.Blocks && len(f.Edits) == 0:
			return Blocked
		case f.Blocks, len(f.Edits) > 0, f.Severity == finding.Error:
			worst = Worst(worst, Breaking)
		case f.Certainty != hop.Certain, f.Severity == finding.Warning:
			worst = Worst(worst, Decisions)
		}
	}
	if a.Exhausted {
		worst = Worst(worst, Unknown)
	}
	return worst
}

// Judge gives the roadmap its verdict: that of the next hop, for the later ones are planned
// again once it is made.
func (r *Roadmap) Judge() {
	var verdicts []Verdict
	for _, remark := range r.Remarks {
		switch {
		case remark.Severity == finding.Error:
			verdicts = append(verdicts, Blocked)
		case remark.Severity == finding.Info:
		case remark.Rule == upgrade.Stays, remark.Rule == upgrade.NotKnown, remark.Rule == upgrade.NotCompared:
			verdicts = append(verdicts, Unknown)
		default:
			verdicts = append(verdicts, Decisions)
		}
	}
	for i := range r.Hops {
		r.Hops[i].Judge()
	}
	if len(r.Hops) > 0 {
		verdicts = append(verdicts, r.Hops[0].Verdict)
	}
	r.Verdict = Worst(verdicts...)
}

// NewReport makes the report of roadmaps, and of errors of what could not be planned.
func NewReport(roadmaps []Roadmap, errors []string) Report {
	report := Report{Verdict: Routine, Environments: roadmaps, Errors: errors}
	if roadmaps == nil {
		report.Environments = []Roadmap{}
	}
	if errors == nil {
		report.Errors = []string{}
	}
	for _, r := range roadmaps {
		report.Verdict = Worst(report.Verdict, r.Verdict)
	}
	if len(errors) > 0 {
		report.Verdict = Worst(report.Verdict, Unknown)
	}
	return report
}
