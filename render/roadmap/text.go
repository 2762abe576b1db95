package roadmap

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// Title is the roadmap in a sentence, without its verdict and without a period.
func (r Roadmap) Title() string {
	switch n := len(r.Hops); {
	case n == 0 && r.Verdict == Routine:
		return "nothing to do: it has " + r.goal()
	case n == 0 && r.Verdict == Blocked:
		return "no hop to " + r.goal()
	case n == 0:
		return "nothing newer is known than it has"
	case r.Release != "":
		return "one hop to " + r.Release + " " + r.Goal.Version
	case r.Hops[0].Kind == upgrade.PatchHop:
		return "a patch of line " + r.From.Line
	default:
		return fmt.Sprintf("%s from line %s to line %s", text.Count(n, "hop"), r.From.Line, r.Goal.Line)
	}
}

// goal names the goal.
func (r Roadmap) goal() string {
	switch {
	case r.Release != "":
		return r.Release + " " + r.Goal.Version
	case r.Goal.Version != "":
		return "version " + r.Goal.Version
	case r.Goal.Asked == "":
		return "the newest of line " + r.Goal.Line
	}
	return "line " + r.Goal.Line
}

// name is the environment, with the release if the roadmap is about one.
func (r Roadmap) name() string {
	if r.Release != "" {
		return r.Environment + " " + r.Release
	}
	return r.Environment
}

// Title names the hop.
func (h Hop) Title() string {
	switch h.Kind {
	case upgrade.PatchHop:
		return "patch of line " + h.From.Line
	case upgrade.ReleaseHop:
		return h.Versions[0].Part.Title() + " " + h.Versions[0].From + " -> " + h.Versions[0].To
	}
	return "line " + h.From.Line + " -> " + h.To.Line
}

// todo writes a todo with its place.
func (t Todo) String() string {
	place := ""
	if t.File != "" && t.Line > 0 {
		place = fmt.Sprintf("%s:%d: ", t.File, t.Line)
	} else if t.File != "" {
		place = t.File + ": "
	}
	return place + t.Text
}

// Text writes the roadmap for a terminal: the verdict, what to do before the next hop, then
// the details of each hop and the runbook of the next one.
func (r Roadmap) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %s\n", r.name(), r.Verdict.Words(), r.Title())
	fmt.Fprintf(&b, "goal: %s (%s)\n", r.goal(), r.Goal.Why)
	if todo := r.todo(); len(todo) > 0 {
		fmt.Fprintf(&b, "\nto do before the next hop:\n")
		for i, one := range todo {
			fmt.Fprintf(&b, "%3d. %s\n", i+1, one)
		}
	}
	for _, remark := range notes(r.Remarks) {
		fmt.Fprintf(&b, "%s: %s\n", remark.Severity, remark)
	}
	for _, unseen := range r.Unseen {
		fmt.Fprintf(&b, "not looked at: %s\n", unseen)
	}
	for i, h := range r.Hops {
		fmt.Fprintf(&b, "\nhop %d of %d: %s: %s\n", i+1, len(r.Hops), h.Title(), h.Verdict.Words())
		h.write(&b, i > 0)
	}
	if len(r.Hops) > 0 {
		r.Hops[0].Runbook.write(&b)
	}
	return b.String()
}

// todo gives what to do before the next hop.
func (r Roadmap) todo() []Todo {
	var all []Todo
	for _, remark := range r.Remarks {
		if remark.Severity == finding.Error || remark.Severity == finding.Warning && remark.Do != "" {
			all = append(all, Todo{Text: remark.String(), Blocks: remark.Severity == finding.Error})
		}
	}
	if len(r.Hops) > 0 {
		all = append(all, r.Hops[0].Todo...)
	}
	return all
}

// notes gives the remarks that ask nothing of a person: the others are todos.
func notes(remarks []upgrade.Remark) []upgrade.Remark {
	return slices.DeleteFunc(slices.Clone(remarks), func(r upgrade.Remark) bool {
		return r.Severity == finding.Error || r.Severity == finding.Warning && r.Do != ""
	})
}

// write writes the details of the hop, with its todos if they are not written elsewhere.
func (h Hop) write(b *strings.Builder, todos bool) {
	for _, t := range h.Versions {
		fmt.Fprintf(b, "  %-15s %s\n", t.Part.Title(), transfer(t))
	}
	if h.To.SupportEnds != "" {
		fmt.Fprintf(b, "  the support of line %s ends on %s at the latest\n", h.To.Line, h.To.SupportEnds)
	}
	if h.To.Notes != "" {
		fmt.Fprintf(b, "  release notes: %s\n", h.To.Notes)
	}
	for _, remark := range notes(h.Remarks) {
		fmt.Fprintf(b, "  %s: %s\n", remark.Severity, remark)
	}
	for _, todo := range h.Todo {
		if todos {
			fmt.Fprintf(b, "  to do: %s\n", todo)
		}
	}
	for _, chart := range h.Charts {
		if chart.Analysis == nil {
			fmt.Fprintf(b, "  not compared: the chart of %s, %s -> %s: %s\n", chart.Release, or(chart.From, "unknown"), or(chart.To, "unknown"), chart.Unseen)
			continue
		}
		for _, gap := range chart.gaps() {
			fmt.Fprintf(b, "  %s\n", gap)
		}
		for _, f := range chart.Analysis.Findings {
			fmt.Fprintf(b, "  %s: %s: %s (%s, %s)\n", f.Severity, chart.Release, f.Message, f.Class, f.Certainty)
		}
		for _, effect := range chart.shown() {
			fmt.Fprintf(b, "  cluster: %s\n", effect)
		}
		fmt.Fprintf(b, "  values of %s: %s\n", chart.Release, fates(chart.Analysis.Parity))
	}
}

// fates counts values by their fates.
func fates(values []hop.Parity) string {
	counts := map[hop.Fate]int{}
	for _, parity := range values {
		counts[parity.Fate]++
	}
	return fmt.Sprintf("%d stay, %d move, %d go, %d unknown", counts[hop.Landed], counts[hop.Placed], counts[hop.Gone], counts[hop.Lost])
}

// gaps says which part of the comparison is missing.
func (c Chart) gaps() (all []string) {
	if c.Analysis.Unrendered != "" {
		all = append(all, fmt.Sprintf("not compared: the objects of %s: the new chart does not render with the values of the environment", c.Release))
	}
	if c.Analysis.Exhausted {
		all = append(all, fmt.Sprintf("not complete: the comparison of %s ended after %s: values that it did not try are unknown or suspected", c.Release, text.Count(c.Analysis.Renders, "render")))
	}
	return all
}

// shown gives the effects that people want to see: neither what is only updated nor what
// stays.
func (c Chart) shown() []Effect {
	return slices.DeleteFunc(slices.Clone(c.Effects), func(e Effect) bool { return e.Action == diff.Update || e.Action == diff.Keep })
}

// unknown says why a version is not known, and what the chart has by default.
func unknown(t upgrade.Transfer) string {
	if t.Default == "" {
		return t.Unknown
	}
	return t.Unknown + "; the default of the chart is " + t.Default
}

// transfer writes the versions of a part before and after a hop.
func transfer(t upgrade.Transfer) string {
	switch {
	case t.To == "":
		return or(t.From, "unknown") + " -> unknown: " + unknown(t)
	case t.From == t.To:
		return t.From + ", unchanged"
	}
	return or(t.From, "unknown") + " -> " + t.To
}

func (r Runbook) write(b *strings.Builder) {
	steps := func(title string, steps []Step) {
		fmt.Fprintf(b, "\n%s:\n", title)
		for i, step := range steps {
			fmt.Fprintf(b, "%3d. %s\n", i+1, step.head())
			if step.Why != "" {
				fmt.Fprintf(b, "     %s\n", step.Why)
			}
			for _, command := range step.Commands {
				fmt.Fprintf(b, "     $ %s\n", command)
			}
			for i, command := range step.Proof {
				if i == 0 {
					fmt.Fprintf(b, "     proof, %s:\n", step.Expect)
				}
				fmt.Fprintf(b, "     $ %s\n", command)
			}
		}
	}
	steps("runbook of the next hop", r.Steps)
	for _, pods := range r.Restarts {
		fmt.Fprintf(b, "restarts: %s\n", pods)
	}
	for _, final := range r.Final {
		fmt.Fprintf(b, "cannot be undone: %s\n", final)
	}
	steps("the way back", r.Back)
}

// head is the title of a step, with its limit of time.
func (s Step) head() string {
	if s.Limit != "" {
		return s.Title + " (at most " + s.Limit + ")"
	}
	return s.Title
}

// Text writes the report for a terminal.
func (r Report) Text() string {
	var parts []string
	for _, one := range r.Environments {
		parts = append(parts, one.Text())
	}
	return strings.Join(parts, "\n")
}
