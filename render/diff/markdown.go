package diff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// MaxMarkdown is how many bytes a comment may have: GitHub takes 65,536
// characters.
const MaxMarkdown = 60_000

// marker is the first line of a comment, by which the next run finds it.
const marker = "<!-- pm-gitops diff -->\n"

// Markdown is the differences for a comment on a pull request, in at most that
// many bytes: a table of the objects, then each as a folded diff. What does
// not fit is counted. Nothing in a manifest is markup there, mentions anybody
// or ends a block. Whoever updates such a comment finds it by its first line.
func Markdown(r Result, most int) string {
	title := fmt.Sprintf("%s### pm-gitops diff: %s\n", marker, r.Summary())
	title += r.unseen(most / 4)
	part, _ := r.MarkdownPart(most-len(title), true)
	return title + part
}

// unseen lists what could not be compared, in at most that many bytes.
func (r Result) unseen(most int) string {
	var b strings.Builder
	left := 0
	for _, one := range r.Errors {
		item := "- " + text.MarkdownText(text.Visible(one)) + "\n"
		if b.Len()+len(item) > most {
			left++
			continue
		}
		b.WriteString(item)
	}
	if left > 0 {
		fmt.Fprintf(&b, "- and %d more\n", left)
	}
	if b.Len() == 0 {
		return ""
	}
	return "\nCould not be compared:\n\n" + b.String()
}

// MarkdownPart gives the differences for a part of a Markdown text, in at most that many
// bytes, as [Markdown] does without its title, and whether that is all of them. Where nothing
// folds, each diff has its object as a line before it.
func (r Result) MarkdownPart(most int, folds bool) (part string, isWhole bool) {
	var b strings.Builder
	const more = 160 // for what is counted, and how many were left out, twice
	if len(r.Changes) == 0 || most < 3*more {
		return "", len(r.Changes) == 0
	}
	shown := slices.DeleteFunc(slices.Clone(r.Changes), Change.routine)
	if n := len(r.Changes) - len(shown); n > 0 {
		fmt.Fprintf(&b, "\n%d changed in nothing but the labels %s.\n", n, text.MarkdownText(strings.Join(versionLabels, " and ")))
	}
	if len(shown) == 0 {
		return b.String(), true
	}
	b.WriteString("\n| | object | where | effect |\n|---|---|---|---|\n")
	unlisted := parts(&b, shown, most/2-more, Change.row)
	if unlisted > 0 {
		fmt.Fprintf(&b, "\nand %d more.\n", unlisted)
	}
	left := parts(&b, shown, most-more, func(c Change) string { return c.block(folds) })
	if left > 0 {
		fmt.Fprintf(&b, "\nThe diffs of %d more are too long for a comment.\n", left)
	}
	return b.String(), unlisted+left == 0
}

// row writes a change as a row of a table.
func (c Change) row() string {
	effect := ""
	if c.Effect != nil {
		effect = c.Effect.String()
	}
	where := text.Visible(c.Within)
	if c.Source != c.Within {
		where += "\n" + text.Visible(c.Source)
	}
	return fmt.Sprintf("| %s | %s | %s | %s |\n", c.Kind, text.MarkdownCell(c.name()), text.MarkdownCell(where), text.MarkdownCell(effect))
}

// block writes the diff of a change, folded or not.
func (c Change) block(folds bool) string {
	fence := text.MarkdownFence("diff", c.hunks())
	if !folds {
		return fmt.Sprintf("\n%s %s:\n\n%s", c.Kind, text.MarkdownCode(c.name()), fence)
	}
	return fmt.Sprintf("\n<details><summary>%s %s</summary>\n\n%s\n</details>\n", c.Kind, text.HTMLCode(c.name()), fence)
}

// parts writes as many parts as fit, and gives how many it left out.
func parts(b *strings.Builder, changes []Change, most int, write func(Change) string) (left int) {
	for _, c := range changes {
		text := write(c)
		if b.Len()+len(text) > most {
			left++
			continue
		}
		b.WriteString(text)
	}
	return left
}
