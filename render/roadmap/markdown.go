package roadmap

import (
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// Markdown writes the report for a forge, in the order of [Roadmap.Text].
func (r Report) Markdown() string {
	var parts []string
	for _, one := range r.Environments {
		parts = append(parts, one.markdown())
	}
	for _, failure := range r.Errors {
		parts = append(parts, "**could not be planned**: "+text.MarkdownText(failure)+"\n")
	}
	return strings.Join(parts, "\n")
}

func (r Roadmap) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s: %s\n\n**%s**. Goal: %s (%s).\n", text.MarkdownText(r.name()), text.MarkdownText(r.Title()), r.Verdict.Words(), text.MarkdownText(r.goal()), text.MarkdownText(r.Goal.Why))
	if todo := r.todo(); len(todo) > 0 {
		fmt.Fprintf(&b, "\n### To do before the next hop\n\n")
		for _, one := range todo {
			fmt.Fprintf(&b, "- [ ] %s\n", text.MarkdownText(one.String()))
		}
	}
	var lines []string
	for _, remark := range notes(r.Remarks) {
		lines = append(lines, fmt.Sprintf("- %s: %s", remark.Severity, text.MarkdownText(remark.String())))
	}
	for _, unseen := range r.Unseen {
		lines = append(lines, "- not looked at: "+text.MarkdownText(unseen))
	}
	if lines != nil {
		fmt.Fprintf(&b, "\n%s\n", strings.Join(lines, "\n"))
	}
	for i, h := range r.Hops {
		fmt.Fprintf(&b, "\n### Hop %d of %d: %s\n\n**%s**\n", i+1, len(r.Hops), text.MarkdownText(h.Title()), h.Verdict.Words())
		h.markdown(&b, i > 0)
	}
	if len(r.Hops) > 0 {
		r.Hops[0].Runbook.markdown(&b)
	}
	return b.String()
}

func (h Hop) markdown(b *strings.Builder, todos bool) {
	fmt.Fprintf(b, "\n| | from | to |\n|---|---|---|\n")
	for _, t := range h.Versions {
		to := text.MarkdownCode(t.To)
		if t.To == "" {
			to = "unknown: " + text.MarkdownText(unknown(t))
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", text.MarkdownText(t.Part.Title()), code(t.From), to)
	}
	fmt.Fprintln(b)
	if h.To.SupportEnds != "" {
		fmt.Fprintf(b, "- the support of line %s ends on %s at the latest\n", text.MarkdownText(h.To.Line), text.MarkdownText(h.To.SupportEnds))
	}
	if h.To.Notes != "" {
		fmt.Fprintf(b, "- release notes: %s\n", text.MarkdownText(h.To.Notes))
	}
	for _, remark := range notes(h.Remarks) {
		fmt.Fprintf(b, "- %s: %s\n", remark.Severity, text.MarkdownText(remark.String()))
	}
	for _, todo := range h.Todo {
		if todos {
			fmt.Fprintf(b, "- to do: %s\n", text.MarkdownText(todo.String()))
		}
	}
	for _, chart := range h.Charts {
		chart.markdown(b)
	}
}

func (c Chart) markdown(b *strings.Builder) {
	if c.Analysis == nil {
		fmt.Fprintf(b, "- not compared: the chart of %s, %s to %s: %s\n", text.MarkdownText(c.Release), code(c.From), code(c.To), text.MarkdownText(c.Unseen))
		return
	}
	for _, gap := range c.gaps() {
		fmt.Fprintf(b, "- %s\n", text.MarkdownText(gap))
	}
	if len(c.Analysis.Findings) > 0 {
		fmt.Fprintf(b, "\n| %s | class | how sure | what changes |\n|---|---|---|---|\n", text.MarkdownText(c.Release))
		for _, f := range c.Analysis.Findings {
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", f.Severity, text.MarkdownText(string(f.Class)), text.MarkdownText(string(f.Certainty)), text.MarkdownCell(f.Message))
		}
	}
	if effects := c.shown(); len(effects) > 0 {
		fmt.Fprintf(b, "\nIn the cluster:\n\n")
		for _, effect := range effects {
			fmt.Fprintf(b, "- %s\n", text.MarkdownText(effect.String()))
		}
	}
	if len(c.Analysis.Parity) > 0 {
		fmt.Fprintf(b, "\n| value of %s | becomes | why |\n|---|---|---|\n", text.MarkdownText(c.Release))
		for _, p := range c.Analysis.Parity {
			fate := text.MarkdownText(string(p.Fate))
			if p.To != "" {
				fate += " " + text.MarkdownCode(p.To)
			}
			fmt.Fprintf(b, "| %s | %s | %s |\n", text.MarkdownCode(p.Path), fate, text.MarkdownCell(p.Why))
		}
	}
}

func (r Runbook) markdown(b *strings.Builder) {
	steps := func(title string, steps []Step) {
		fmt.Fprintf(b, "\n### %s\n", title)
		for i, step := range steps {
			fmt.Fprintf(b, "\n**%d. %s**\n", i+1, text.MarkdownText(step.head()))
			if step.Why != "" {
				fmt.Fprintf(b, "\n%s\n", text.MarkdownText(step.Why))
			}
			if len(step.Commands) > 0 {
				fmt.Fprintf(b, "\n%s", text.MarkdownFence("sh", strings.Join(step.Commands, "\n")))
			}
			if len(step.Proof) > 0 {
				fmt.Fprintf(b, "\nProof, %s:\n\n%s", text.MarkdownText(step.Expect), text.MarkdownFence("sh", strings.Join(step.Proof, "\n")))
			}
		}
	}
	steps("Runbook of the next hop", r.Steps)
	fmt.Fprintln(b)
	for _, pods := range r.Restarts {
		fmt.Fprintf(b, "- restarts: %s\n", text.MarkdownText(pods))
	}
	for _, final := range r.Final {
		fmt.Fprintf(b, "- cannot be undone: %s\n", text.MarkdownText(final))
	}
	steps("The way back", r.Back)
}

// code writes a version, which may not be known.
func code(version string) string {
	if version == "" {
		return "unknown"
	}
	return text.MarkdownCode(version)
}
