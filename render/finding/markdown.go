package finding

import (
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// maxMarkdown limits the bytes of a report: GitHub takes 65,536
// characters for a comment.
const maxMarkdown = 60_000

// Markdown formats a report for a comment on a pull request. The name is that
// of the command whose report it is: it is in the title, and in the first line,
// by which a program that updates the comment finds it. No text of a finding is
// markup there or mentions a user. What does not fit into a comment is counted.
func Markdown(r Report, name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- %s -->\n### %s: %s\n", name, name, r.CountShown())
	if len(r.Findings) > 0 {
		b.WriteString("\n| | check | where | what | what to do |\n|---|---|---|---|---|\n")
		writeRows(&b, groupAlike(r.Findings), maxMarkdown*3/4, func(alike []Finding) string {
			f := alike[0]
			where := nameOwner(f) + prepend(" ", nameObject(f)) + "\n" + nameSetting(f) + prepend("\nalso ", listOthers(alike))
			return fmt.Sprintf("| %s | `%s` | %s | %s | %s |\n", f.Severity, f.ID, text.MarkdownCell(where), text.MarkdownCell(f.Message), text.MarkdownCell(titleFix(f)))
		})
	}
	if len(r.Ignored) > 0 {
		fmt.Fprintf(&b, "\n<details><summary>%d accepted</summary>\n\n| check | where | why |\n|---|---|---|\n", len(r.Ignored))
		writeRows(&b, groupAlike(r.Ignored), maxMarkdown, func(alike []Finding) string {
			f := alike[0]
			where := nameOwner(f) + prepend(" ", nameObject(f)) + prepend("\nalso ", listOthers(alike))
			return fmt.Sprintf("| `%s` | %s | %s |\n", f.ID, text.MarkdownCell(where), text.MarkdownCell(f.Ignored))
		})
		b.WriteString("\n</details>\n")
	}
	if n := r.countHidden(); n > 0 {
		fmt.Fprintf(&b, "\n%d less severe not shown.\n", n)
	}
	return b.String()
}

// writeRows writes a row for each group of findings until the report has limit
// bytes, and counts the findings that it leaves out.
func writeRows(b *strings.Builder, groups [][]Finding, limit int, row func([]Finding) string) {
	left := 0
	for _, alike := range groups {
		line := row(alike)
		if left > 0 || b.Len()+len(line) > limit {
			left += len(alike)
			continue
		}
		b.WriteString(line)
	}
	if left > 0 {
		fmt.Fprintf(b, "\nand %d more.\n", left)
	}
}
