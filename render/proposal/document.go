package proposal

import (
	"fmt"
	"strings"
)

// document is a body in the making. It never grows beyond its limit, and every part that
// is added is whole.
type document struct {
	strings.Builder
	limit int // bytes, of which every character has at least one
}

// left gives the bytes that are left.
func (d *document) left() int { return d.limit - d.Len() }

// add adds a part if it fits.
func (d *document) add(part string) bool {
	if len(part) > d.left() {
		return false
	}
	d.WriteString(part)
	return true
}

// rows are lines under a head, such as items of a list.
type rows struct {
	head  string // ends with a line's end
	lines []string
	of    string // what the lines are, for those that are left out
}

// write writes as many lines as fit into some bytes, and counts the others.
func (r rows) write(most int) string {
	if len(r.lines) == 0 {
		return ""
	}
	more := func(n int) string { return fmt.Sprintf("\nand %d more %s.\n", n, r.of) }
	var b strings.Builder
	b.WriteString(r.head)
	for i, line := range r.lines {
		reserve := 0
		if i < len(r.lines)-1 {
			reserve = len(more(len(r.lines)))
		}
		if b.Len()+len(line)+1+reserve > most {
			if i == 0 && len(r.head)+len(more(len(r.lines))) > most {
				return ""
			}
			b.WriteString(more(len(r.lines) - i))
			break
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
