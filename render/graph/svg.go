package graph

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pm-gitops/pm-gitops/render"
)

// Sizes in the drawing, in pixels. A character of a monospaced font is 0.6 as
// wide as it is high, in every such font: so texts can be measured here.
const (
	charWidth   = 8 // at 13px
	lineHeight  = 18
	textPad     = 12
	lockWidth   = 16
	columnLeast = 116 // so that a heading fits
	margin      = 24
	headHeight  = 32 // of a wave's heading
	nameHeight  = 34 // of an environment's name
	maxChars    = 42 // of a line in a box
)

// box is a rectangle with lines of text.
type box struct {
	key           string
	lines         []string
	protected     bool
	width, height int
}

func newBox(key string, lines []string, protected bool) box {
	b := box{key: key, protected: protected, height: len(lines)*lineHeight + textPad + textPad/2}
	for i, line := range lines {
		line = shortened(oneLine(line))
		width := columns(line)*charWidth + 2*textPad
		if i == 0 && protected {
			width += lockWidth
		}
		b.lines, b.width = append(b.lines, line), max(b.width, width)
	}
	return b
}

// columns is how many characters wide a text is; those of East Asia count twice.
func columns(text string) int {
	n := 0
	for _, r := range text {
		n++
		if r >= 0x1100 {
			n++
		}
	}
	return n
}

// shortened is a text with its middle taken out where it is too long.
func shortened(text string) string {
	if columns(text) <= maxChars {
		return text
	}
	runes, half := []rune(text), maxChars/4
	if utf8.RuneCountInString(text) == columns(text) {
		half = maxChars / 2
	}
	return string(runes[:half]) + "…" + string(runes[len(runes)-half+1:])
}

// style makes the drawing readable on light and dark pages alike.
const style = `
    text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328; }
    .page { fill: #ffffff; }
    .band { fill: #eef1f4; }
    .name { font-size: 16px; font-weight: bold; }
    .head, .more, .legend { fill: #59636e; }
    .key { font-weight: bold; }
    .box { fill: #ffffff; stroke: #818b98; }
    .protected .box { stroke: #0969da; stroke-width: 2; }
    .lock { fill: none; stroke: #0969da; stroke-width: 1.5; }
    .arrow { fill: none; stroke: #59636e; stroke-width: 1.5; }
    .tip { fill: #59636e; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .page { fill: #0d1117; }
      .band { fill: #191f27; }
      .head, .more, .legend { fill: #9198a1; }
      .box { fill: #0d1117; stroke: #656c76; }
      .protected .box, .lock { stroke: #4493f8; }
      .arrow { stroke: #9198a1; }
      .tip { fill: #9198a1; }
    }
  `

// SVG is the graph as a picture that stands alone: no script, no font and no
// image from elsewhere.
func (g Graph) SVG() []byte {
	var body bytes.Buffer
	y, width, protected := margin, 0, false
	for _, env := range g.Environments {
		l := newLayout(columnsOf(env), env.Arrows)
		d := drawing{out: &body, env: env, layout: l, x: margin, y: y + nameHeight + headHeight}
		d.draw()
		last := len(l.columns) - 1
		width = max(width, l.left[last]+l.width[last]+bandPad, columns(env.Name)*10)
		y += nameHeight + headHeight + l.height + bandPad + margin
		for _, n := range l.nodes {
			protected = protected || n.box != nil && n.box.protected
		}
	}
	if protected {
		const legend = "protected: stays in the cluster when its files go"
		fmt.Fprintf(&body, "  %s\n", lock(margin, y))
		fmt.Fprintf(&body, "  <text class=\"legend\" x=\"%d\" y=\"%d\">%s</text>\n", margin+lockWidth+4, y+12, legend)
		width, y = max(width, columns(legend)*charWidth+lockWidth), y+lineHeight+margin
	}
	width += 2 * margin
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-labelledby="title desc">`+"\n", width, y, width, y)
	fmt.Fprintf(&out, "  <title id=\"title\">%s</title>\n  <desc id=\"desc\">%s</desc>\n", escaped(g.title()), escaped(g.description()))
	fmt.Fprintf(&out, "  <style>%s</style>\n", style)
	out.WriteString(`  <defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>` + "\n")
	fmt.Fprintf(&out, "  <rect class=\"page\" width=\"%d\" height=\"%d\"/>\n", width, y)
	out.Write(body.Bytes())
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// escaped is a text for XML, attributes included.
func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(oneLine(text))) // a Builder takes everything
	return b.String()
}

// lock is a padlock whose upper left corner is at x and y.
func lock(x, y int) string {
	return fmt.Sprintf(`<path class="lock" d="M%d %dh10v7h-10zm2 0v-2a3 3 0 0 1 6 0v2"/>`, x, y+6)
}

// drawing writes an environment; x and y is where its columns begin.
type drawing struct {
	layout
	out  *bytes.Buffer
	env  Environment
	x, y int
}

func (d drawing) line(format string, args ...any) { fmt.Fprintf(d.out, "    "+format+"\n", args...) }

func (d drawing) draw() {
	fmt.Fprintf(d.out, "  <g class=\"environment\" data-environment=\"%s\">\n", escaped(d.env.Name))
	d.line(`<text class="name" x="%d" y="%d">%s</text>`, d.x, d.y-headHeight-12, escaped(d.env.Name))
	for c := range d.columns {
		title := fmt.Sprintf("Wave %d", c)
		if c == 0 {
			title = "Prerequisites"
		}
		x := d.x + d.left[c]
		d.line(`<rect class="band" x="%d" y="%d" width="%d" height="%d" rx="8"/>`, x-bandPad, d.y-headHeight, d.width[c]+2*bandPad, d.height+headHeight+bandPad)
		d.line(`<text class="head" x="%d" y="%d">%s</text>`, x, d.y-11, title)
	}
	for i, path := range d.arrows {
		arrow := d.env.Arrows[i]
		d.line(`<path class="arrow" data-from="%s" data-to="%s" marker-end="url(#tip)" d="%s"/>`, escaped(arrow.From), escaped(arrow.To), d.route(path))
	}
	for _, n := range d.nodes {
		if n.box != nil {
			d.box(n)
		}
	}
	d.out.WriteString("  </g>\n")
}

func (d drawing) box(n node) {
	class, b := "release", n.box
	if b.key == render.Prereqs {
		class = "prerequisites"
	}
	if b.protected {
		class += " protected"
	}
	x, y := d.x+d.left[n.column], d.y+n.middle-n.height/2
	d.line(`<g class="%s" data-key="%s">`, class, escaped(b.key))
	d.line(`  <rect class="box" x="%d" y="%d" width="%d" height="%d" rx="5"/>`, x, y, d.width[n.column], n.height)
	if b.protected {
		d.line("  %s", lock(x+d.width[n.column]-textPad-10, y+8))
	}
	for i, line := range b.lines {
		kind := "more"
		if i == 0 {
			kind = "key"
		}
		d.line(`  <text class="%s" x="%d" y="%d">%s</text>`, kind, x+textPad, y+textPad/2+(i+1)*lineHeight-2, escaped(line))
	}
	d.line(`</g>`)
}

// route is the path of an arrow. Between waves, where no box is, it bends;
// through a wave it goes level, in the place that its point has among the boxes.
func (d drawing) route(path []int) string {
	from, to := path[0], path[len(path)-1]
	x, y := d.right(from), d.port(from, path[1], false)
	var b strings.Builder
	fmt.Fprintf(&b, "M%d %d", x, y)
	for i, n := range path[1:] {
		nextX, nextY := d.x+d.left[d.nodes[n].column], d.y+d.nodes[n].middle
		if n == to {
			nextY = d.port(to, path[i], true)
		}
		bend := (x + nextX) / 2
		fmt.Fprintf(&b, "C%d %d %d %d %d %d", bend, y, bend, nextY, nextX, nextY)
		if x, y = nextX, nextY; n != to {
			x = d.right(n)
			fmt.Fprintf(&b, "H%d", x)
		}
	}
	return b.String()
}

func (d drawing) right(n int) int {
	column := d.nodes[n].column
	return d.x + d.left[column] + d.width[column]
}

// port is the height at which an arrow between a box and a neighbour meets the
// box: each arrow at its own, in the order of what they lead to.
func (d drawing) port(n, other int, in bool) int {
	all := slices.Clone(d.nodes[n].neighbours(in))
	slices.SortFunc(all, func(a, b int) int { return d.nodes[a].middle - d.nodes[b].middle })
	step := d.nodes[n].height * (slices.Index(all, other) + 1) / (len(all) + 1)
	return d.y + d.nodes[n].middle - d.nodes[n].height/2 + step
}
