package edit

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// layout is the habits of a file.
type layout struct {
	step int // columns from a mapping to one in it
	dash int // columns from a key to the dashes of its list
	// blocks says that texts of several lines may be written as lines.
	blocks bool
}

// written is a value as text: what stands behind the colon or the dash, and the
// lines below, with their indentation.
type written struct {
	inline string
	lines  []string
}

// value writes a value in block style, for a key or a dash in a column.
func (l layout) value(v *strictyaml.Value, column int) written {
	switch {
	case v.Kind == strictyaml.Scalar:
		return l.scalar(v, strictyaml.PlainStyle, column)
	case len(v.Entries)+len(v.Items) == 0:
		return written{inline: flow(v)}
	case v.Kind == strictyaml.Sequence:
		return written{lines: l.items(v, column+l.dash)}
	}
	return written{lines: l.entries(v, column+l.step)}
}

// item writes a value behind a dash: a collection begins on the dash's line.
func (l layout) item(v *strictyaml.Value, column int) written {
	w := l.value(v, column)
	if v.Kind == strictyaml.Scalar || w.lines == nil {
		return w
	}
	if v.Kind == strictyaml.Sequence {
		w.lines = l.items(v, column+2)
	} else {
		w.lines = l.entries(v, column+2)
	}
	return written{strings.TrimLeft(w.lines[0], " "), w.lines[1:]}
}

func (l layout) entries(v *strictyaml.Value, column int) []string {
	var lines []string
	for _, e := range v.Entries {
		lines = append(lines, l.value(e.Value, column).behind(writeKey(e.Key, strictyaml.PlainStyle)+":", column)...)
	}
	return lines
}

func (l layout) items(v *strictyaml.Value, column int) []string {
	var lines []string
	for _, item := range v.Items {
		lines = append(lines, l.item(item, column).behind("-", column)...)
	}
	return lines
}

// behind gives the lines of a value with its key, or its dash, before it.
func (w written) behind(head string, column int) []string {
	if w.inline != "" {
		head += " " + w.inline
	}
	return append([]string{strings.Repeat(" ", column) + head}, w.lines...)
}

// scalar writes a scalar in a style as far as it can be, for a key in a column.
func (l layout) scalar(v *strictyaml.Value, style strictyaml.Style, column int) written {
	if v.Tag != "!!str" {
		return written{inline: v.Text}
	}
	isBlock := style == strictyaml.LiteralStyle || style == strictyaml.FoldedStyle
	if l.blocks && strings.Contains(v.Text, "\n") && (isBlock || style == strictyaml.PlainStyle) && fitsBlock(v.Text) {
		return block(v.Text, column+l.step)
	}
	return written{inline: quote(v.Text, style, false)}
}

// fitsBlock reports whether a text can be the lines of a block: no indentation to
// be said, nothing that needs an escape, and nothing that is easily lost.
func fitsBlock(text string) bool {
	odd := func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }
	return !strings.HasPrefix(text, " ") && !strings.HasPrefix(text, "\t") && !strings.HasPrefix(text, "\n") && !strings.ContainsFunc(text, odd)
}

// block writes a text as a literal block.
func block(text string, column int) written {
	w := written{inline: "|"}
	if !strings.HasSuffix(text, "\n") {
		w.inline = "|-"
	} else if text = text[:len(text)-1]; strings.HasSuffix(text, "\n") {
		w.inline = "|+"
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line != "" {
			line = strings.Repeat(" ", column) + line
		}
		w.lines = append(w.lines, line)
	}
	return w
}

// flow writes a value in flow style.
func flow(v *strictyaml.Value) string { return flowAs(v, strictyaml.PlainStyle) }

// flowAs writes a value in flow style, its keys and texts in a style if they can be.
func flowAs(v *strictyaml.Value, style strictyaml.Style) string {
	var parts []string
	switch v.Kind {
	case strictyaml.Mapping:
		for _, e := range v.Entries {
			parts = append(parts, quote(e.Key, style, true)+": "+flowAs(e.Value, style))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case strictyaml.Sequence:
		for _, item := range v.Items {
			parts = append(parts, flowAs(item, style))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return flowScalar(v, style)
}

func flowScalar(v *strictyaml.Value, style strictyaml.Style) string {
	switch {
	case v.IsNull():
		return "null"
	case v.Tag != "!!str":
		return v.Text
	}
	return quote(v.Text, style, true)
}

// writeKey writes the key of a mapping in block style.
func writeKey(key string, style strictyaml.Style) string { return quote(key, style, false) }

// quote writes a text on one line, in a style if it can be.
func quote(text string, style strictyaml.Style, inFlow bool) string {
	printable := !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
	switch {
	case printable && style == strictyaml.SingleQuotedStyle:
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	case printable && style != strictyaml.DoubleQuotedStyle && isPlain(text, inFlow):
		return text
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		b.WriteString(escape(r))
	}
	b.WriteByte('"')
	return b.String()
}

func escape(r rune) string {
	switch {
	case r == '"' || r == '\\':
		return `\` + string(r)
	case r == '\n':
		return `\n`
	case r == '\t':
		return `\t`
	case unicode.IsPrint(r):
		return string(r)
	case r > 0xffff:
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// isPlain reports whether a text without quotes is read as this text: by the YAML
// library, which also knows the words that readers of YAML 1.1 take for something
// else, and inside of brackets.
func isPlain(text string, inFlow bool) bool {
	if data, err := yaml.Marshal(text); err != nil || string(data) != text+"\n" {
		return false
	}
	if !inFlow {
		return true
	}
	root, problems := strictyaml.Load("", []byte("["+text+", "+text+"]"))
	is := func(v *strictyaml.Value) bool {
		return v.Kind == strictyaml.Scalar && v.Tag == "!!str" && v.Text == text
	}
	return problems == nil && len(root.Items) == 2 && !slices.ContainsFunc(root.Items, func(v *strictyaml.Value) bool { return !is(v) })
}
