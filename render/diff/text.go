package diff

import (
	"fmt"
	"slices"
	"strings"

	lines "github.com/rogpeppe/go-internal/diff"
	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// Style is what a part of a text is, for whoever paints it.
type Style string

// The styles of [Text] and [Unified].
const (
	Title    Style = "title"
	Plus     Style = "plus"
	Minus    Style = "minus"
	Tilde    Style = "tilde"
	Attended Style = "attended" // what wants a look first
)

// Paint gives a text its colour; nil leaves it as it is.
type Paint func(Style, string) string

func (p Paint) paint(style Style, text string) string {
	if p == nil {
		return text
	}
	return p(style, text)
}

// signs is how kinds and operations are marked, and painted.
var (
	signs     = map[Kind]string{Added: "+", Removed: "-", Changed: "~"}
	opSigns   = map[Op]string{Add: "+", Remove: "-", Replace: "~", Move: "~"}
	signStyle = map[string]Style{"+": Plus, "-": Minus, "~": Tilde}
)

// Text is the differences for a person: per file, or per release, the objects,
// and of those that changed every path. Control characters are written out.
func Text(r Result, paint Paint) string {
	var b strings.Builder
	routine := r.routine()
	for i, c := range r.Changes {
		if i == 0 || c.Within != r.Changes[i-1].Within || c.first != r.Changes[i-1].first {
			if i > 0 {
				b.WriteString("\n")
			}
			title := text.Visible(c.Within)
			if c.first {
				title += ": data may be lost"
			}
			fmt.Fprintln(&b, paint.paint(Title, title))
			if n := routine[c.Within]; n > 0 && !c.first {
				fmt.Fprintf(&b, "  %s\n", paint.paint(Tilde, fmt.Sprintf("~ %d changed in nothing but the labels %s", n, strings.Join(versionLabels, " and "))))
			}
		}
		if c.routine() {
			continue
		}
		sign := signs[c.Kind]
		fmt.Fprintf(&b, "  %s%s\n", paint.paint(signStyle[sign], sign+" "+c.name()), c.place())
		if e := c.Effect; e != nil {
			style := e.style()
			if c.first {
				style = Attended
			}
			fmt.Fprintf(&b, "      %s\n", paint.paint(style, e.String()))
		}
		for _, e := range c.Edits {
			e.text(&b, paint)
		}
	}
	if len(r.Changes) > 0 {
		b.WriteString("\n")
	}
	fmt.Fprintln(&b, r.Summary())
	return b.String()
}

// versionLabels is the labels by which charts put their own version on every
// object (https://helm.sh/docs/chart_best_practices/labels/): with a new chart
// they differ everywhere, and nobody would find the rest.
var versionLabels = []string{"app.kubernetes.io/version", "helm.sh/chart"}

// routine reports whether nothing but such labels changed.
func (c Change) routine() bool {
	for _, e := range c.Edits {
		p := e.Path
		if len(p) != 3 || p[0].Field != "metadata" || p[1].Field != "labels" || !slices.Contains(versionLabels, p[2].Field) {
			return false
		}
	}
	return c.Kind == Changed && len(c.Edits) > 0
}

// routine is how many objects of each file or release are.
func (r Result) routine() map[string]int {
	counts := map[string]int{}
	for _, c := range r.Changes {
		if c.routine() {
			counts[c.Within]++
		}
	}
	return counts
}

// name is what changed: the object, or what is none.
func (c Change) name() string {
	if c.Object.Kind != "" {
		return c.Object.String()
	}
	return "document"
}

// place is the source, where the heading does not say it.
func (c Change) place() string {
	if c.Source == c.Within {
		return ""
	}
	return " (" + text.Visible(c.Source) + ")"
}

// String is the effect on a line: restart: all pods stop first.
func (e Effect) String() string {
	line := string(e.Action)
	if e.Why != "" {
		line += ": " + e.Why
	}
	if e.Action == Refuse || e.Action == Recreate {
		line += " (" + strings.Join(e.Fields, ", ") + ")"
	}
	return text.Visible(line)
}

func (e Effect) style() Style {
	switch e.Action {
	case Refuse, Recreate, Delete, Restart:
		return Attended
	}
	return Tilde
}

// Summary is how much changed, on a line: 1 added, 2 changed, 30 unchanged; 1 restart.
func (r Result) Summary() string {
	if len(r.Changes) == 0 {
		return fmt.Sprintf("no differences, %d unchanged", r.Unchanged)
	}
	var parts, effects []string
	for _, kind := range []Kind{Added, Removed, Changed} {
		if n := r.Count(kind); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, kind))
		}
	}
	parts = append(parts, fmt.Sprintf("%d unchanged", r.Unchanged))
	for action, n := range r.actions() {
		effects = append(effects, fmt.Sprintf("%d %s", n, action))
	}
	if effects == nil {
		return strings.Join(parts, ", ")
	}
	return strings.Join(parts, ", ") + "; " + strings.Join(effects, ", ")
}

// actions gives how many changes have each effect, those that want a look first.
func (r Result) actions() func(yield func(Action, int) bool) {
	counts := map[Action]int{}
	for _, c := range r.Changes {
		if c.Effect != nil {
			counts[c.Effect.Action]++
		}
	}
	return func(yield func(Action, int) bool) {
		for _, action := range Actions() {
			if n := counts[action]; n > 0 && !yield(action, n) {
				return
			}
		}
	}
}

// text writes an edit: on a line where both values have one, else below it.
func (e Edit) text(b *strings.Builder, paint Paint) {
	const margin = "      "
	sign := opSigns[e.Op]
	say := func(text string) { fmt.Fprintf(b, "%s%s\n", margin, paint.paint(signStyle[sign], sign+" "+text)) }
	path := e.Path.String()
	before, after := blockOf(e.Old), blockOf(e.New)
	one := func(block string) bool { return !strings.Contains(block, "\n") }
	switch {
	case e.Op == Move:
		say(path + ": another order: " + names(e.Old) + " -> " + names(e.New))
		return
	case e.Op == Replace && one(before) && one(after):
		say(path + ": " + before + " -> " + after)
		return
	case e.Op == Add && one(after):
		say(path + ": " + after)
		return
	case e.Op == Remove && one(before):
		say(path + ": " + before)
		return
	}
	say(path + ":")
	for line := range strings.Lines(hunks(textOf(e.Op != Add, e.Old), textOf(e.Op != Remove, e.New))) {
		line = strings.TrimSuffix(line, "\n")
		fmt.Fprintf(b, "%s    %s\n", margin, paint.line(line))
	}
}

// names is the items of a list on a line.
func names(list any) string {
	var all []string
	items, _ := list.([]any)
	for _, item := range items {
		all = append(all, fmt.Sprint(item))
	}
	return text.Visible(strings.Join(all, ", "))
}

// blockOf is a value as YAML, masked and visible, without the last line's end.
func blockOf(value any) string {
	return strings.TrimSuffix(textOf(true, value), "\n")
}

// textOf is a value for a person, the empty text for one that is not there: a
// text of several lines is itself.
func textOf(there bool, value any) string {
	if !there {
		return ""
	}
	if lines, ok := value.(string); ok && strings.Contains(lines, "\n") {
		return text.VisibleLines(masked(strings.TrimSuffix(lines, "\n")) + "\n")
	}
	return yamlOf(value)
}

// yamlOf is a value as YAML, keys sorted, masked and visible.
func yamlOf(value any) string {
	if lines, ok := value.(string); ok && strings.Contains(lines, "\n") {
		return text.VisibleLines(masked(lines))
	}
	data, err := yaml.Marshal(value)
	if err != nil { // what was read as JSON can be written
		return "(unreadable)\n"
	}
	return text.VisibleLines(masked(string(data)))
}

// hunks is a unified diff of two texts without its head.
func hunks(old, new string) string {
	if old == "" || new == "" {
		return signed("-", old) + signed("+", new)
	}
	text := string(lines.Diff("a", []byte(old), "b", []byte(new)))
	for range 3 { // diff a b, --- a, +++ b
		_, text, _ = strings.Cut(text, "\n")
	}
	return text
}

func signed(sign, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(sign + line)
	}
	return b.String()
}

// line paints a line of a unified diff.
func (p Paint) line(line string) string {
	switch {
	case strings.HasPrefix(line, "+"):
		return p.paint(Plus, line)
	case strings.HasPrefix(line, "-"):
		return p.paint(Minus, line)
	case strings.HasPrefix(line, "@@"):
		return p.paint(Tilde, line)
	}
	return line
}
