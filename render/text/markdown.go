package text

import (
	"fmt"
	"strings"
)

// MarkdownCell escapes a text for a cell of a Markdown table. In the cell the
// text is no markup, mentions no user and links to no issue.
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
