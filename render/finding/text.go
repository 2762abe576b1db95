package finding

import (
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// Style is what a part of a text is, for the caller that paints it: a title, or a
// severity, whose style has its name.
type Style string

// Title is the style of what findings are grouped by.
const Title Style = "title"

// Paint gives a text its colour; nil leaves it as it is.
type Paint func(Style, string) string

func (p Paint) paint(style Style, text string) string {
	if p == nil {
		return text
	}
	return p(style, text)
}

// Text formats a report for a person, by release. The last line counts the
// findings, and in how many environments they are. Control characters are
// written out.
func Text(r Report, environments int, paint Paint) string {
	var b strings.Builder
	group := ""
	for _, alike := range groupAlike(r.Findings) {
		f := alike[0]
		if head := f.Environment + " " + f.Release; head != group {
			if group != "" {
				b.WriteString("\n")
			}
			group = head
			fmt.Fprintf(&b, "%s\n", paint.paint(Title, text.Visible(nameOwner(f))))
		}
		fmt.Fprintf(&b, "  %s %s\n", paint.paint(Style(f.Severity), string(f.Severity)), text.Visible(f.ID+prepend(" ", nameObject(f))))
		fmt.Fprintf(&b, "    %s\n", text.Visible(f.Message))
		if place := nameSetting(f); place != "" {
			fmt.Fprintf(&b, "    at  %s\n", place)
		}
		if fix := describeFix(f); fix != "" {
			fmt.Fprintf(&b, "    %s\n", text.Visible(fix))
		}
		writeOthers(&b, alike)
	}
	if len(r.Findings) > 0 {
		b.WriteString("\n")
	}
	for _, alike := range groupAlike(r.Ignored) {
		f := alike[0]
		fmt.Fprintln(&b, text.Visible(fmt.Sprintf("accepted in %s: %s%s: %s", nameOwner(f), f.ID, prepend(" ", nameObject(f)), f.Ignored)))
		writeOthers(&b, alike)
	}
	fmt.Fprintf(&b, "%s in %s", r.CountShown(), text.Count(environments, "environment"))
	if n := r.countHidden(); n > 0 {
		fmt.Fprintf(&b, "; %d less severe not shown", n)
	}
	if n := len(r.Ignored); n > 0 {
		fmt.Fprintf(&b, "; %d accepted", n)
	}
	b.WriteString("\n")
	return b.String()
}

// writeOthers writes a line about the objects of a group behind the first.
func writeOthers(b *strings.Builder, alike []Finding) {
	if more := listOthers(alike); more != "" {
		fmt.Fprintf(b, "    also %s\n", text.Visible(more))
	}
}

// prepend puts something before a text, if there is one.
func prepend(prefix, rest string) string {
	if rest == "" {
		return ""
	}
	return prefix + rest
}
