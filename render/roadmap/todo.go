package roadmap

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// Plan fills in the todos of the hop, for an environment as it is explained. The line is
// that of the hop's goal in the catalog; it has no layout where the catalog does not know
// the line.
func (h *Hop) Plan(explained render.Explanation, line catalog.Line) {
	h.Todo = []Todo{}
	for _, remark := range h.Remarks {
		asks := remark.Severity == finding.Error || remark.Severity != finding.Info && remark.Do != ""
		if asks && !(remark.Rule == upgrade.Undocumented && h.Compared()) {
			h.Todo = append(h.Todo, Todo{Text: remark.String(), Blocks: remark.Severity == finding.Error})
		}
	}
	for _, move := range h.Moves {
		h.Todo = append(h.Todo, todosOf(move, explained, line)...)
	}
	for i := range h.Charts {
		if h.Charts[i].Analysis != nil {
			h.Charts[i].unmirrored(explained)
			h.Todo = append(h.Todo, found(h.Charts[i], explained, line)...)
		}
	}
	slices.SortStableFunc(h.Todo, func(a, b Todo) int { return b.rank() - a.rank() })
}

// rank orders todos: what blocks first, then what breaks.
func (t Todo) rank() int {
	switch {
	case t.Blocks:
		return 2
	case t.Breaks:
		return 1
	}
	return 0
}

// unmirrored leaves nothing to do about new images where the environment has no mirror: the
// cluster pulls them from where it pulls all others.
func (c *Chart) unmirrored(explained render.Explanation) {
	if slices.ContainsFunc(explained.Fields, func(e render.Explained) bool { return e.Path == "spec.registry.mirror" && e.Value != "" }) {
		return
	}
	analysis := *c.Analysis
	analysis.Findings = slices.Clone(analysis.Findings)
	for i, f := range analysis.Findings {
		if f.Class == hop.Images {
			f.Severity, f.Todo = finding.Info, ""
			analysis.Findings[i] = f
		}
	}
	c.Analysis = &analysis
}

// found gives what the comparison of a chart asks of a person, with the edits that it
// proves. What is only good to know is none of it.
func found(chart Chart, explained render.Explanation, line catalog.Line) (todos []Todo) {
	if says := chart.Analysis.Unrendered; says != "" {
		todos = append(todos, Todo{Text: fmt.Sprintf("%s: the new chart does not render with the values of the environment: %s", chart.Release, strings.ReplaceAll(says, "\n", " ")), Breaks: true})
	}
	for _, f := range chart.Analysis.Findings {
		if f.Todo != "" && f.Severity != finding.Info {
			todos = append(todos, Todo{Text: chart.Release + ": " + f.Message + ": " + f.Todo, Blocks: f.Blocks && len(f.Edits) == 0, Breaks: f.Severity == finding.Error})
		}
		for _, edit := range f.Edits {
			todo := Todo{Text: chart.Release + ": " + edit.String(), Breaks: true}
			for _, value := range valuesBelow(explained, chart.Release, edit.Path) {
				if value.Rule == nil {
					todo.File, todo.Line = value.Origin.File, value.Origin.Line
					break
				}
				todo.Text += ", in the layout of line " + line.Name + " of a catalog"
				if value.Origin.Field != "" {
					todo.Text += ": " + value.Origin.Field + " sets it"
				}
				break
			}
			todos = append(todos, todo)
		}
	}
	return todos
}

// todosOf gives what a documented change asks of an environment: nothing where it does not
// set the value, or where the layout of the new line takes the field there.
func todosOf(move catalog.Move, explained render.Explanation, line catalog.Line) (todos []Todo) {
	if move.Require != "" {
		return required(move, explained, line)
	}
	for _, value := range valuesBelow(explained, render.PrefectCloud, move.From) {
		if value.Rule != nil { // set by a field of the environment
			if takes(line, value.Origin.Field, move) {
				continue
			}
			todos = append(todos, Todo{
				Text: fmt.Sprintf("%s sets the chart value %s, which becomes %s: the layout of line %s has to say so", value.Origin.Field, value.Path, or(move.To, "nothing"), line.Name),
				File: value.Origin.File, Line: value.Origin.Line, Breaks: true, Source: move.Source,
			})
			continue
		}
		todo := Todo{File: value.Origin.File, Line: value.Origin.Line, Breaks: true, Source: move.Source}
		if move.To == "" {
			todo.Text = fmt.Sprintf("take out %s: the chart value is gone", or(value.Origin.Field, value.Path))
		} else {
			todo.Text = fmt.Sprintf("move %s: the chart value becomes %s", or(value.Origin.Field, value.Path), move.To+strings.TrimPrefix(value.Path, move.From))
		}
		if move.Why != "" {
			todo.Text += ": " + move.Why
		}
		todos = append(todos, todo)
	}
	return todos
}

// takes reports whether the layout of the new line takes a field to where its value moves.
func takes(line catalog.Line, field string, move catalog.Move) bool {
	return slices.ContainsFunc(line.Layout, func(rule catalog.Rule) bool {
		return "spec."+rule.Field == field && !isBelow(string(rule.Path), move.From)
	})
}

// required gives what an environment lacks that must be set: the field where the layout of
// the new line takes it to a chart value, or else that value.
func required(move catalog.Move, explained render.Explanation, line catalog.Line) []Todo {
	field := "spec." + move.Require
	section, _, _ := strings.Cut(move.Require, ".")
	uses := len(valuesBelow(explained, render.PrefectCloud, section)) > 0
	for _, one := range explained.Fields {
		if isBelow(one.Path, field) && one.Origin.From == render.FromEnvironment {
			return nil
		}
		uses = uses || isBelow(one.Path, "spec."+section) && one.Origin.From == render.FromEnvironment
	}
	if len(valuesBelow(explained, render.PrefectCloud, move.Require)) > 0 {
		return nil
	}
	text := "set " + field
	if !slices.ContainsFunc(line.Layout, func(rule catalog.Rule) bool { return "spec."+rule.Field == field }) {
		text = "set the chart value of " + move.Require + " under spec.values." + render.PrefectCloud
	}
	if move.Was != "" {
		text += " to " + move.Was + ", the default so far"
	}
	if move.Why != "" {
		text += ": " + move.Why
	}
	if !uses {
		text += " (the environment sets nothing of " + section + ": skip it if the installation has none)"
	}
	return []Todo{{Text: text, Breaks: uses, Source: move.Source}}
}

// valuesBelow gives the chart values of a release at a path and below it.
func valuesBelow(explained render.Explanation, key, path string) (all []render.Explained) {
	for _, release := range explained.Releases {
		for _, value := range release.Values {
			if release.Release == key && isBelow(value.Path, path) {
				all = append(all, value)
			}
		}
	}
	return all
}

// isBelow reports whether a dotted path is another one, or below it.
func isBelow(path, other string) bool {
	_, is := strictyaml.Under(path, other)
	return is
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
