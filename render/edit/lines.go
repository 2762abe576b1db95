package edit

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// breaks lists the line breaks, the longest first. The YAML library keeps to YAML 1.1,
// where NEL, LS and PS are line breaks too (https://yaml.org/spec/1.1/#id871136).
var breaks = [][]byte{[]byte("\r\n"), []byte("\n"), []byte("\r"), []byte("\u0085"), []byte("\u2028"), []byte("\u2029")}

// breakAt gives the length of the line break at an offset, or 0.
func breakAt(data []byte, at int) int {
	for _, b := range breaks {
		if bytes.HasPrefix(data[at:], b) {
			return len(b)
		}
	}
	return 0
}

// findLines finds where the lines of a file begin: a byte order mark is before the first one.
func findLines(data []byte) []int {
	starts := []int{0}
	if bytes.HasPrefix(data, []byte("\ufeff")) {
		starts[0] = len("\ufeff")
	}
	for at := starts[0]; at < len(data); {
		if n := breakAt(data, at); n > 0 {
			at += n
			starts = append(starts, at)
		} else {
			at++
		}
	}
	return starts
}

// lineOf numbers the line of an offset, from 0.
func (d *document) lineOf(at int) int {
	line, exact := slices.BinarySearch(d.lines, at)
	if !exact {
		line--
	}
	return max(line, 0)
}

func (d *document) lineStart(at int) int { return d.lines[d.lineOf(at)] }

// lineEnd finds the line break of an offset's line, or the end of the file.
func (d *document) lineEnd(at int) int {
	for at < len(d.data) && breakAt(d.data, at) == 0 {
		at++
	}
	return at
}

// nextLine finds the beginning of the next line, or the end of the file.
func (d *document) nextLine(at int) int {
	end := d.lineEnd(at)
	return end + breakAt(d.data, end)
}

// below finds where lines can be inserted behind a text that ends at an offset: behind
// its line, unless the text has the line break itself.
func (d *document) below(end int) int {
	if end > 0 && d.lineStart(end) == end {
		return end
	}
	return d.nextLine(end)
}

// column counts the characters before an offset in its line.
func (d *document) column(at int) int { return utf8.RuneCount(d.data[d.lineStart(at):at]) }

// first finds the first character of an offset's line that is no blank.
func (d *document) first(at int) int { return d.skipBlanks(d.lineStart(at)) }

func (d *document) skipBlanks(at int) int {
	for at < len(d.data) && (d.data[at] == ' ' || d.data[at] == '\t') {
		at++
	}
	return at
}

func (d *document) is(at int, c byte) bool { return at >= 0 && at < len(d.data) && d.data[at] == c }

// breakNear gives the line break that lines around an offset end with.
func (d *document) breakNear(at int) string {
	for line := d.lineOf(at); line >= 0; line-- {
		if end := d.lineEnd(d.lines[line]); end < len(d.data) {
			return string(d.data[end : end+breakAt(d.data, end)])
		}
	}
	return "\n"
}

// open reports whether the file has no line break at its end.
func (d *document) open() bool {
	return d.lines[len(d.lines)-1] != len(d.data)
}

// splice is a text that takes the place of a range of bytes.
type splice struct {
	start, end int
	text       string
}

// insertLines puts lines at the beginning of a line, or behind the end of the file.
// There the last line break goes before them where the file ends without one.
func (d *document) insertLines(at int, lines []string) splice {
	return d.replaceLines(at, at, lines)
}

// replaceLines puts lines in the place of whole lines.
func (d *document) replaceLines(start, end int, lines []string) splice {
	br := d.breakNear(max(start-1, 0))
	var b bytes.Buffer
	if end == len(d.data) && d.open() { // the file stays without a line break at its end
		if start > d.lines[0] && d.lineStart(start) == start {
			start -= len(br)
		}
		for _, line := range lines {
			b.WriteString(br + line)
		}
		return splice{start, end, b.String()}
	}
	for _, line := range lines {
		b.WriteString(line + br)
	}
	return splice{start, end, b.String()}
}

// apply makes the changed bytes, or nil where splices overlap.
func (d *document) apply(splices []splice) []byte {
	splices = slices.Clone(splices)
	slices.SortStableFunc(splices, func(a, b splice) int { return a.start - b.start })
	var out []byte
	at := 0
	for _, s := range splices {
		if s.start < at || s.end < s.start {
			return nil
		}
		out = append(append(out, d.data[at:s.start]...), s.text...)
		at = s.end
	}
	return append(out, d.data[at:]...)
}
