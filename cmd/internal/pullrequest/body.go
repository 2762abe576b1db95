package pullrequest

import (
	"fmt"
	"strings"
)

// footer gives the controls and the marker that end a body.
func footer(p Proposal, base string, m marker) string {
	return fmt.Sprintf(`

---

To decline %s, close this pull request: it stays closed until you reopen it. Another version opens a new pull request.

- [ ] %sMake the branch anew from %s, without commits of others. The label %s does the same.

%s`, code(p.Target), rebaseBox, code(base), code(RebaseLabel), m)
}

// code gives a text as code in a line of Markdown.
func code(text string) string {
	return "`" + strings.NewReplacer("`", "'", "\n", " ", "\r", " ").Replace(text) + "`"
}

// compose gives a whole body of at most limit characters.
func compose(p Proposal, base string, limit int, m marker) string {
	end := footer(p, base, m)
	room := limit - characters(end) - markerGrows
	text := []rune(harmless(strings.TrimRight(p.Body(room), "\n")))
	for cut := room; len(text) > room; cut -= len(opener) { // what is cut may open a comment, and writing that out takes room again
		text = []rune(harmless(string(text[:max(0, cut)])))
	}
	return string(text) + end
}

// opener stands for the beginning of a comment.
const opener = "&lt;!--"

// harmless gives a text without anything that is a marker or a checkbox of ours, or that
// would hide what stands behind it.
func harmless(text string) string {
	text = strings.ReplaceAll(text, "<!-- pm-gitops:", opener+" pm-gitops:")
	closed := 0 // behind this no comment ends
	if at := strings.LastIndex(text, "-->"); at >= 0 {
		closed = at + len("-->")
	}
	text = text[:closed] + strings.ReplaceAll(text[closed:], "<!--", opener)
	return text
}

// characters counts as the forges do.
func characters(text string) int { return len([]rune(text)) }
