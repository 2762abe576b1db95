package main

import (
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/check"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// mostMarkdown is how many bytes a report has at most: GitHub takes 65,536
// characters for a comment.
const mostMarkdown = 60_000

// checkMarkdown is a report for a comment on a pull request. Whoever updates
// such a comment finds it by its first line.
func checkMarkdown(report checkReport) string {
	var b strings.Builder
	b.WriteString("<!-- pm-gitops check -->\n")
	fmt.Fprintf(&b, "### pm-gitops check: %s\n", report.counted())
	if len(report.Findings) > 0 {
		b.WriteString("\n| | check | where | what | fix |\n|---|---|---|---|---|\n")
		left := markdownRows(&b, together(report.Findings), mostMarkdown*3/4, func(alike []check.Finding) string {
			f := alike[0]
			where := strings.TrimSpace(f.Environment+" "+f.Release) + atObject(f) + "\n" + atSetting(f)
			if more := others(alike); more != "" {
				where += "\nalso " + more
			}
			return fmt.Sprintf("| %s | `%s` | %s | %s | %s |\n", f.Severity, f.ID, text.MarkdownCell(where), text.MarkdownCell(f.Message), text.MarkdownCell(f.Fix))
		})
		if left > 0 {
			fmt.Fprintf(&b, "\nand %d more.\n", left)
		}
	}
	if len(report.Ignored) > 0 {
		fmt.Fprintf(&b, "\n<details><summary>%d accepted</summary>\n\n| check | where | why |\n|---|---|---|\n", len(report.Ignored))
		left := markdownRows(&b, together(report.Ignored), mostMarkdown, func(alike []check.Finding) string {
			f := alike[0]
			where := strings.TrimSpace(f.Environment+" "+f.Release) + atObject(f)
			if more := others(alike); more != "" {
				where += "\nalso " + more
			}
			return fmt.Sprintf("| `%s` | %s | %s |\n", f.ID, text.MarkdownCell(where), text.MarkdownCell(f.Ignored))
		})
		if left > 0 {
			fmt.Fprintf(&b, "\nand %d more.\n", left)
		}
		b.WriteString("\n</details>\n")
	}
	if n := report.hidden(); n > 0 {
		fmt.Fprintf(&b, "\n%d less severe not shown.\n", n)
	}
	return b.String()
}

// markdownRows writes a row for each group of findings as long as a report may
// grow, and gives how many findings it left out.
func markdownRows(b *strings.Builder, groups [][]check.Finding, most int, row func([]check.Finding) string) (left int) {
	for _, alike := range groups {
		text := row(alike)
		if left > 0 || b.Len()+len(text) > most {
			left += len(alike)
			continue
		}
		b.WriteString(text)
	}
	return left
}
