package edit

import (
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/plaintext"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// comments finds the comments of the file, each from its # to the end of its line.
func (d *document) comments() []strictyaml.Span {
	var texts []strictyaml.Span // in which a # is none
	var visit func(v *strictyaml.Value)
	add := func(s strictyaml.Source, known bool) {
		if known {
			texts = append(texts, s.Node)
		}
	}
	visit = func(v *strictyaml.Value) {
		if s, known := v.Source(); v.Kind == strictyaml.Scalar {
			add(s, known)
		}
		for _, e := range v.Entries {
			add(e.KeySource())
			visit(e.Value)
		}
		for _, item := range v.Items {
			visit(item)
		}
	}
	visit(d.root)
	slices.SortFunc(texts, func(a, b strictyaml.Span) int { return a.Start - b.Start })
	var all []strictyaml.Span
	for at := 0; at < len(d.data); at++ {
		for len(texts) > 0 && texts[0].End <= at {
			texts = texts[1:]
		}
		if len(texts) > 0 && texts[0].Start <= at {
			at = texts[0].End - 1
		} else if d.is(at, '#') && (d.is(at-1, ' ') || d.is(at-1, '\t') || d.lineStart(at) == at) {
			all = append(all, strictyaml.Span{Start: at, End: d.lineEnd(at)})
			at = d.lineEnd(at)
		}
	}
	return all
}

// hasComment reports whether a comment begins in a span of the file.
func (d *document) hasComment(in strictyaml.Span) bool {
	return slices.ContainsFunc(d.comments(), func(c strictyaml.Span) bool { return in.Start <= c.Start && c.Start < in.End })
}

// findSecretComments finds the comments that look like secrets, by the rules for texts.
// Comments in lines below each other are one text, as a value that is commented out may
// have several lines.
func (d *document) findSecretComments() (found []strictyaml.Span) {
	all := d.comments()
	for len(all) > 0 {
		n := 1
		for n < len(all) && d.continues(all[0], all[n-1], all[n]) {
			n++
		}
		var lines []string
		for _, c := range all[:n] {
			lines = append(lines, strings.TrimPrefix(strings.TrimLeft(string(d.data[c.Start:c.End]), "#"), " "))
		}
		if plaintext.Text(strings.Join(lines, "\n")) != nil {
			found = append(found, all[:n]...)
		}
		all = all[n:]
	}
	return found
}

// continues reports whether a comment is a line more of those from first to last: one
// behind a value goes on in its own column alone.
func (d *document) continues(first, last, next strictyaml.Span) bool {
	isLine := d.first(first.Start) == first.Start
	return d.first(next.Start) == next.Start && d.lineOf(next.Start) == d.lineOf(last.Start)+1 && (isLine || d.column(next.Start) == d.column(first.Start))
}
