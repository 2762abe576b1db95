package chart

import (
	"strings"
	"unicode/utf8"
)

// scanHead reads the head of a document that is plainly written: block
// mappings and sequences of keys and scalars on lines of their own, literal
// blocks, nothing else. ok is false for everything that it is not sure of: then
// only a YAML parser knows what the document says, or that it is none. What it
// takes is YAML, and the head is what a parser reads; a fuzz test holds it to
// that.
func scanHead(text string) (h head, ok bool) {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unusual) {
		return head{}, false
	}
	s := scanner{rest: text, seen: map[string]bool{}}
	for s.rest != "" {
		var line string
		line, s.rest, _ = strings.Cut(s.rest, "\n")
		if !s.line(line) {
			return head{}, false
		}
	}
	return s.head, len(s.open) > 0
}

// unusual reports whether a character is none that YAML has anywhere in a
// line: control characters, and what breaks lines but the one that we know.
func unusual(r rune) bool {
	switch {
	case r == '\n':
		return false
	case r < ' ', r == '\u2028', r == '\u2029', r == '\ufeff', r == '\ufffe', r == '\uffff':
		return true
	}
	return '~' < r && r < '\u00a0'
}

// level is a collection that is open.
type level struct {
	indent  int
	list    bool
	compact bool   // a list at the indentation of the key that it is the value of
	waits   bool   // the last key or dash has no value yet
	key     string // the last key
}

// scanner is what is known between two lines.
type scanner struct {
	rest string
	open []level
	head head
	seen map[string]bool
}

// deepest is how deep documents are read here.
const deepest = 50

// line takes a line, and reports whether it is sure of it.
func (s *scanner) line(line string) bool {
	content := strings.TrimLeft(line, " ")
	indent := len(line) - len(content)
	switch {
	case content == "", content[0] == '#':
		return true
	case indent == 0 && (strings.HasPrefix(content, "---") || strings.HasPrefix(content, "...")), len(s.open) > deepest:
		return false
	case len(s.open) == 0:
		return indent == 0 && s.entry(content, 0, true)
	}
	dash := content == "-" || strings.HasPrefix(content, "- ")
	for len(s.open) > 1 && s.top().indent > indent {
		s.close()
	}
	if top := s.top(); top.compact && top.indent == indent && !dash {
		s.close()
	}
	switch top := s.top(); {
	case top.indent > indent, top.indent < indent && !top.waits:
		return false
	case top.indent < indent, dash && !top.list && top.waits:
		return s.descend(content, indent, dash)
	case dash != top.list:
		return false
	case dash:
		return s.item(content, indent)
	default:
		return s.entry(content, indent, false)
	}
}

func (s *scanner) top() *level { return &s.open[len(s.open)-1] }

func (s *scanner) close() { s.open = s.open[:len(s.open)-1] }

// descend opens the collection that is the value of the last key or dash.
func (s *scanner) descend(content string, indent int, dash bool) bool {
	parent := s.top()
	if !dash {
		parent.waits = false
		return s.entry(content, indent, true)
	}
	if parent.list { // a list in a list
		return false
	}
	if s.inHead() && s.headKey(parent.key) {
		return false
	}
	parent.waits = false
	s.open = append(s.open, level{indent: indent, list: true, compact: parent.indent == indent})
	return s.item(content, indent)
}

// item takes an item of a list.
func (s *scanner) item(content string, indent int) bool {
	value := strings.TrimLeft(content[1:], " ")
	s.top().waits = false
	switch {
	case value == "", value[0] == '#':
		s.top().waits = true
		return true
	case value[0] == '-' && (len(value) == 1 || value[1] == ' '):
		return false
	}
	if _, _, ok := splitKey(value); ok {
		return s.entry(value, indent+len(content)-len(value), true)
	}
	if block(value) {
		return s.skipBlock(indent)
	}
	_, _, ok := scalar(value)
	return ok
}

// entry takes an entry of a mapping, the first one of a new mapping or another.
func (s *scanner) entry(content string, indent int, first bool) bool {
	key, value, ok := splitKey(content)
	if !ok {
		return false
	}
	if first {
		s.open = append(s.open, level{indent: indent})
	}
	top := s.top()
	top.key, top.waits = key, false
	inHead := s.inHead()
	switch {
	case value == "" || value[0] == '#':
		top.waits = true
		return !inHead || s.parent(key)
	case block(value):
		return !(inHead && s.headKey(key)) && s.skipBlock(indent)
	}
	text, isText, ok := scalar(value)
	if !ok || !inHead {
		return ok
	}
	return s.take(key, text, isText)
}

// skipBlock skips the lines of a literal or folded block below a key or dash.
func (s *scanner) skipBlock(indent int) bool {
	own := 0
	for rest := s.rest; rest != ""; {
		line, after, _ := strings.Cut(rest, "\n")
		content := strings.TrimLeft(line, " ")
		spaces := len(line) - len(content)
		switch {
		case content == "":
			if own == 0 && spaces > 0 {
				return false
			}
		case spaces <= indent:
			return true
		case own == 0:
			own = spaces
		case spaces < own:
			return false
		}
		rest = after
		s.rest = after
	}
	return true
}
