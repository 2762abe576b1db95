package strictyaml

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// bom is the byte order mark: one at the beginning of a file is no character
// of its first line.
const bom = "\ufeff"

// styleOf translates the style of a node.
func styleOf(n *yaml.Node) Style {
	switch {
	case n.Kind == yaml.AliasNode:
		return AliasStyle
	case n.Style&yaml.FlowStyle != 0:
		return FlowStyle
	case n.Kind != yaml.ScalarNode:
		return BlockStyle
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return DoubleQuotedStyle
	case n.Style&yaml.SingleQuotedStyle != 0:
		return SingleQuotedStyle
	case n.Style&yaml.LiteralStyle != 0:
		return LiteralStyle
	case n.Style&yaml.FoldedStyle != 0:
		return FoldedStyle
	default:
		return PlainStyle
	}
}

func (s *scanner) is(at int, c byte) bool { return at >= 0 && at < len(s.data) && s.data[at] == c }

// breakAt gives the length of the line break at an offset, or 0. The library
// keeps to YAML 1.1, where NEL, LS and PS are line breaks too
// (https://yaml.org/spec/1.1/#id871136).
func (s *scanner) breakAt(at int) int {
	rest := s.data[at:]
	switch {
	case len(rest) == 0:
		return 0
	case rest[0] == '\r' && len(rest) > 1 && rest[1] == '\n':
		return 2
	case rest[0] == '\r' || rest[0] == '\n':
		return 1
	case rest[0] < utf8.RuneSelf:
		return 0
	case bytes.HasPrefix(rest, []byte("\u0085")):
		return 2
	case bytes.HasPrefix(rest, []byte("\u2028")), bytes.HasPrefix(rest, []byte("\u2029")):
		return 3
	default:
		return 0
	}
}

// blankAt reports whether a space, a tab, a line break or the end is at an offset.
func (s *scanner) blankAt(at int) bool {
	return at >= len(s.data) || s.is(at, ' ') || s.is(at, '\t') || s.breakAt(at) > 0
}

// skip passes blanks, line breaks and comments.
func (s *scanner) skip(at int) int {
	for at < len(s.data) {
		switch {
		case s.is(at, '#'):
			at = s.endOfLine(at)
		case !s.blankAt(at):
			return at
		default:
			at += max(s.breakAt(at), 1)
		}
	}
	return at
}

// skipTo passes commas too, between the entries of a flow collection.
func (s *scanner) skipTo(at int, commas bool) int {
	at = s.skip(at)
	for commas && s.is(at, ',') {
		at = s.skip(at + 1)
	}
	return at
}

// endOfLine finds the line break, or the end of the file.
func (s *scanner) endOfLine(at int) int {
	for at < len(s.data) && s.breakAt(at) == 0 {
		at++
	}
	return at
}

func (s *scanner) propertyAt(at int) bool { return s.is(at, '&') || s.is(at, '!') }

// properties passes an anchor and a tag, in any order, as far as limit. It
// gives the end of the last one, and where the next thing begins. What does not
// stand further right than indent, in a later line, is of the next key.
func (s *scanner) properties(at, limit, indent int) (end, next int) {
	end, next = at, at
	for next < limit && s.propertyAt(next) && (next == at || indent < 0 || s.column(next) > indent) {
		if s.is(next, '&') {
			end = s.endOfName(next, '&')
		} else {
			for end = next; !s.blankAt(end); {
				end++
			}
		}
		next = s.skip(end)
	}
	return end, next
}

// endOfName passes an anchor or alias, or gives -1.
func (s *scanner) endOfName(at int, indicator byte) int {
	if !s.is(at, indicator) {
		return -1
	}
	for at++; at < len(s.data); at++ {
		if c := s.data[at]; !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			break
		}
	}
	return at
}

func (s *scanner) endOfDoubleQuoted(at int) int {
	if !s.is(at, '"') {
		return -1
	}
	for at++; at < len(s.data); at++ {
		switch s.data[at] {
		case '\\':
			at++
		case '"':
			return at + 1
		}
	}
	return -1
}

func (s *scanner) endOfSingleQuoted(at int) int {
	if !s.is(at, '\'') {
		return -1
	}
	for at++; at < len(s.data); at++ {
		switch {
		case s.is(at, '\'') && s.is(at+1, '\''):
			at++
		case s.is(at, '\''):
			return at + 1
		}
	}
	return -1
}

// endOfPlain finds where a plain scalar has said its value: the value ends with
// the last character of the text, so no rule about what ends it is needed.
// What says something else gives -1.
func (s *scanner) endOfPlain(at int, value string) int {
	for value != "" && at < len(s.data) {
		said, next := s.data[at:at+1], at+1
		if s.blankAt(at) {
			said, next = s.fold(at)
		}
		rest, ok := strings.CutPrefix(value, string(said))
		if !ok {
			return -1
		}
		value, at = rest, next
	}
	if value != "" {
		return -1
	}
	return at
}

// fold reads blanks between words: one line break means a space, each further
// one a line break. The blanks end at next.
func (s *scanner) fold(at int) (said []byte, next int) {
	start, first := at, ""
	for at < len(s.data) && s.blankAt(at) {
		n := s.breakAt(at)
		switch as := s.breakText(at, n); {
		case n == 0:
			n = 1
		case first == "":
			first = as
		default:
			said = append(said, as...)
		}
		at += n
	}
	switch {
	case first == "":
		return s.data[start:at], at
	case first != "\n":
		return append([]byte(first), said...), at
	case said == nil:
		return []byte(" "), at
	default:
		return said, at
	}
}

// breakText gives what a line break of n bytes means in a value.
func (s *scanner) breakText(at, n int) string {
	if n == 3 { // LS and PS
		return string(s.data[at : at+n])
	}
	return "\n"
}

// endOfBlockScalar passes the header and the lines of a literal or folded
// scalar, in a collection of the given indentation. What is not the value
// gives -1.
func (s *scanner) endOfBlockScalar(at, indent int, value string) int {
	if !s.is(at, '|') && !s.is(at, '>') {
		return -1
	}
	keep, lines := false, 0
	for at++; at < len(s.data); at++ {
		if c := s.data[at]; c == '+' || c == '-' {
			keep = c == '+'
		} else if '1' <= c && c <= '9' {
			lines = max(indent, 0) + int(c-'0')
		} else {
			break
		}
	}
	at = s.endOfLine(at)
	body := at + s.breakAt(at)
	end, at := body, body
	for {
		var kept int
		at, kept, lines = s.emptyLines(at, lines, indent)
		if keep {
			end = kept
		}
		if at >= len(s.data) || s.column(at) != lines {
			break
		}
		at = s.endOfLine(at)
		at += s.breakAt(at)
		end = at
	}
	if visible(string(s.data[body:end])) != visible(value) {
		return -1
	}
	return end
}

// emptyLines passes lines without text and the indentation behind them. It
// gives the end of the last line too, and the indentation of the lines with
// text, which the first one decides unless the header did.
func (s *scanner) emptyLines(at, lines, indent int) (next, end, found int) {
	most := 0
	for end = at; ; end = at {
		column := 0
		for ; s.is(at, ' ') && (lines == 0 || column < lines); column++ {
			at++
		}
		most = max(most, column)
		n := 0
		if at < len(s.data) {
			n = s.breakAt(at)
		}
		if n == 0 {
			break
		}
		at += n
	}
	if lines == 0 {
		lines = max(most, indent+1, 1)
	}
	return at, end, lines
}

// visible drops blanks and line breaks.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n\u0085\u2028\u2029", r) {
			return -1
		}
		return r
	}, text)
}
