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
	var b strings.Builder
	b.WriteString(marker)
	fmt.Fprintf(&b, "### pm-gitops diff: %s\n", r.Summary())
	if len(r.Changes) == 0 {
		return b.String()
	}
	const more = 160 // for what is counted, and how many were left out, twice
	shown := slices.DeleteFunc(slices.Clone(r.Changes), Change.routine)
	if n := len(r.Changes) - len(shown); n > 0 {
		fmt.Fprintf(&b, "\n%d changed in nothing but the labels %s.\n", n, strings.Join(versionLabels, " and "))
	}
	if len(shown) == 0 {
		return b.String()
	}
	b.WriteString("\n| | object | where | effect |\n|---|---|---|---|\n")
	left := parts(&b, shown, most/2-more, func(c Change) string {
		effect := ""
		if c.Effect != nil {
			effect = c.Effect.String()
		}
		where := text.Visible(c.Within)
		if c.Source != c.Within {
			where += "\n" + text.Visible(c.Source)
		}
		return fmt.Sprintf("| %s | %s | %s | %s |\n", c.Kind, text.MarkdownCell(c.name()), text.MarkdownCell(where), text.MarkdownCell(effect))
	})
	if left > 0 {
		fmt.Fprintf(&b, "\nand %d more.\n", left)
	}
	left = parts(&b, shown, most-more, func(c Change) string {
		hunks := c.hunks()
		fence := strings.Repeat("`", max(3, longest(hunks)+1))
		return fmt.Sprintf("\n<details><summary>%s %s</summary>\n\n%sdiff\n%s\n%s\n\n</details>\n", c.Kind, text.MarkdownCell(c.name()), fence, strings.TrimSuffix(hunks, "\n"), fence)
	})
	if left > 0 {
		fmt.Fprintf(&b, "\nThe diffs of %d more are too long for a comment.\n", left)
	}
	return b.String()
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

// longest is the longest run of backticks in a text.
func longest(text string) int {
	most, run := 0, 0
	for _, r := range text {
		if r != '`' {
			run = 0
			continue
		}
		run++
		most = max(most, run)
	}
	return most
}
