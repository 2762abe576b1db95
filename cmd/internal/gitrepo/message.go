package gitrepo

import (
	"regexp"
	"strings"
)

// Trailer is a line at the end of a commit's message, "Key: value".
type Trailer struct{ Key, Value string }

var (
	trailerLine = regexp.MustCompile(`^[A-Za-z0-9-]+[ \t]*:`)
	// What git itself writes marks a paragraph as trailers even if a quarter of
	// it only is of their form.
	gitTrailer = regexp.MustCompile(`^(Signed-off-by: |\(cherry picked from commit )`)
)

// String is the message as it is stored: lines without white space at their
// ends, one empty line between paragraphs, and the trailers at the end, in the
// way of git interpret-trailers: in the paragraph of trailers that is there, or
// in one of their own; a trailer that repeats the last one is left out.
// https://git-scm.com/docs/git-interpret-trailers
func (m Message) String() string {
	lines := cleanLines(m.Text)
	start := trailerBlock(lines)
	if len(m.Trailers) > 0 && start == len(lines) && len(lines) > 0 {
		lines = append(lines, "")
	}
	for _, trailer := range m.Trailers {
		line := trailer.Key + ": " + strings.Join(strings.Fields(trailer.Value), " ")
		if len(lines) == 0 || lines[len(lines)-1] != line {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

// subject is the message's first paragraph in one line, as reflogs have it.
func (m Message) subject() string {
	first, _, _ := strings.Cut(m.String(), "\n\n")
	return strings.Join(strings.Fields(first), " ")
}

// cleanLines does what git stripspace does.
func cleanLines(text string) []string {
	var lines []string
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\x00", ""), "\n") {
		line = strings.TrimRight(line, " \t\r\v\f")
		if line == "" && (len(lines) == 0 || lines[len(lines)-1] == "") {
			continue
		}
		lines = append(lines, line)
	}
	if len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// trailerBlock is where the last paragraph starts if it is one of trailers, or
// else the end. The first paragraph, the title, never is.
func trailerBlock(lines []string) int {
	start := len(lines)
	for start > 0 && lines[start-1] != "" {
		start--
	}
	if start == 0 {
		return len(lines)
	}
	trailers, others, known := 0, 0, false
	for _, line := range lines[start:] {
		switch {
		case gitTrailer.MatchString(line):
			known = true
			trailers++
		case trailerLine.MatchString(line):
			trailers++
		case strings.HasPrefix(line, " ") && trailers+others > 0: // goes on
		default:
			others++
		}
	}
	if trailers > 0 && others == 0 || known && trailers*3 >= others {
		return start
	}
	return len(lines)
}
