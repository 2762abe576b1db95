package graph

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
)

// DOT is the graph in the language of Graphviz: dot -Tsvg draws it.
func (g Graph) DOT() []byte {
	var out bytes.Buffer
	line := func(depth int, format string, args ...any) {
		fmt.Fprintf(&out, strings.Repeat("  ", depth)+format+"\n", args...)
	}
	line(0, "digraph waves {")
	// Without newrank, rank=same would tear a box out of its cluster.
	line(1, `graph [rankdir=LR, newrank=true, fontname="Helvetica", label=%s, labelloc=t];`, dotLabel(g.title()))
	line(1, `node [shape=box, style=rounded, fontname="Helvetica"];`)
	depth := 1
	for i, env := range g.Environments {
		id := func(key string) string { return dotID(fmt.Sprintf("%d/%s/%s", i, env.Name, key)) }
		if len(g.Environments) > 1 {
			line(1, "subgraph cluster_%d {", i)
			line(2, "label=%s;", dotLabel(env.Name))
			depth = 2
		}
		wave := func(number int, title string, boxes ...string) {
			line(depth, "subgraph cluster_%d_%d {", i, number)
			line(depth+1, `label=%s; style=dashed; rank=same;`, dotLabel(title))
			for _, box := range boxes {
				line(depth+1, "%s", box)
			}
			line(depth, "}")
		}
		wave(0, "Prerequisites", fmt.Sprintf("%s [label=%s];", id(render.Prereqs), dotLabel(append([]string{"namespaces"}, env.Namespaces...)...)))
		for j, w := range env.Waves {
			var boxes []string
			for _, release := range w.Releases {
				boxes = append(boxes, id(release.Key)+" "+dotRelease(release)+";")
			}
			wave(j+1, fmt.Sprintf("Wave %d", j+1), boxes...)
		}
		for _, arrow := range env.Arrows {
			line(depth, "%s -> %s;", id(arrow.From), id(arrow.To))
		}
		if depth == 2 {
			line(1, "}")
		}
	}
	line(0, "}")
	return out.Bytes()
}

// dotRelease is the attributes of a release's box.
func dotRelease(release Release) string {
	label := []string{release.Key, release.Version, "in " + release.Namespace}
	if release.Protected {
		return fmt.Sprintf("[label=%s, penwidth=2.5]", dotLabel(append(label, "protected")...))
	}
	return fmt.Sprintf("[label=%s]", dotLabel(label...))
}

// dotID quotes an identifier: in one only the double quote is escaped, and a
// backslash stands for itself, which at the end would take the quote with it
// (https://graphviz.org/doc/info/lang.html).
func dotID(text string) string {
	return `"` + strings.ReplaceAll(strings.ReplaceAll(oneLine(text), `\`, `\\`), `"`, `\"`) + `"`
}

// dotLabel quotes lines as a label, in which backslashes and entities mean
// something (https://graphviz.org/docs/attr-types/escString/).
func dotLabel(lines ...string) string {
	for i, text := range lines {
		lines[i] = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;").Replace(oneLine(text))
	}
	return `"` + strings.Join(lines, `\n`) + `"`
}
