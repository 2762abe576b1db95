package diff

import "strings"

// Line is a line of a unified diff. Its style is [Plus], [Minus] or [Tilde], or empty for
// what is the same on both sides.
type Line struct {
	Style Style
	Text  string
}

// Lines gives the diff of the change, as [Unified] does: secrets redacted, control
// characters written out.
func (c Change) Lines() []Line {
	var all []Line
	style := Style("")
	note := Paint(func(s Style, text string) string {
		style = s
		return text
	})
	for line := range strings.Lines(c.hunks()) {
		style = ""
		text := note.line(strings.TrimSuffix(line, "\n"))
		all = append(all, Line{style, text})
	}
	return all
}

// Name names the object, or says that the document is none.
func (c Change) Name() string { return c.name() }

// IsRoutine reports whether nothing changed but the labels by which charts put their own
// version on every object.
func (c Change) IsRoutine() bool { return c.routine() }
