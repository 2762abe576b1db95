package render

import (
	"fmt"
	"strings"
)

// MarkdownCell is a text that is a cell of a Markdown table, and nothing else:
// no markup, no mention of anybody, no link to an issue.
func MarkdownCell(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n':
			b.WriteString("<br>")
		case r == '@' || r == '#':
			b.WriteRune(r)
			b.WriteString("<!-- -->")
		case strings.ContainsRune("\\`*_{}[]()<>&|~!$", r):
			fmt.Fprintf(&b, "&#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return strings.ReplaceAll(b.String(), "://", ":<!-- -->//")
}
