package graph

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
)

// Mermaid is the graph as a Mermaid flowchart, which GitHub, GitLab and
// others draw where they find it in Markdown.
func (g Graph) Mermaid() []byte {
	var out bytes.Buffer
	line := func(depth int, format string, args ...any) {
		fmt.Fprintf(&out, strings.Repeat("  ", depth)+format+"\n", args...)
	}
	line(0, "flowchart LR")
	line(1, "accTitle: %s", mermaidText(g.title()))
	line(1, "accDescr: %s", mermaidText(g.description()))
	depth := 1
	for i, env := range g.Environments {
		ids := newIDs(i, env)
		if len(g.Environments) > 1 {
			line(1, `subgraph e%d ["%s"]`, i, mermaidText(env.Name))
			depth = 2
		}
		line(depth, `subgraph e%dw0 ["Prerequisites"]`, i)
		line(depth+1, `%s["%s"]`, ids[render.Prereqs], mermaidLines(append([]string{"namespaces"}, env.Namespaces...)))
		line(depth, "end")
		for j, wave := range env.Waves {
			line(depth, `subgraph e%dw%d ["Wave %d"]`, i, j+1, j+1)
			for _, release := range wave.Releases {
				label, class := []string{release.Key, release.Version, "in " + release.Namespace}, ""
				if release.Protected {
					label, class = append(label, "protected"), ":::protected"
				}
				line(depth+1, `%s["%s"]%s`, ids[release.Key], mermaidLines(label), class)
			}
			line(depth, "end")
		}
		for _, arrow := range env.Arrows {
			line(depth, "%s --> %s", ids[arrow.From], ids[arrow.To])
		}
		if depth == 2 {
			line(1, "end")
		}
	}
	line(1, "classDef protected stroke-width:3px")
	return out.Bytes()
}

// plainName is a name that can stand in an identifier once its dashes are
// underscores, without meeting another one.
var plainName = regexp.MustCompile(`^[a-z0-9-]+$`)

// newIDs is identifiers of an environment's boxes, which are no keyword of
// Mermaid, whatever the releases are called.
func newIDs(number int, env Environment) map[string]string {
	ids := map[string]string{render.Prereqs: fmt.Sprintf("e%dp", number)}
	for i, wave := range env.Waves {
		for j, release := range wave.Releases {
			if plainName.MatchString(release.Key) {
				ids[release.Key] = fmt.Sprintf("e%d_%s", number, strings.ReplaceAll(release.Key, "-", "_"))
			} else {
				ids[release.Key] = fmt.Sprintf("e%dn%dn%d", number, i, j)
			}
		}
	}
	return ids
}

func mermaidLines(lines []string) string {
	for i := range lines {
		lines[i] = mermaidText(lines[i])
	}
	return strings.Join(lines, "<br/>")
}

// mermaidText quotes a text by Mermaid's entity codes
// (https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters):
// everything that a quoted label, Markdown or HTML could take for something else.
func mermaidText(text string) string {
	var b strings.Builder
	for _, r := range oneLine(text) {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(" .,:-+/", r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
