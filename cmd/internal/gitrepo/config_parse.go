package gitrepo

import (
	"fmt"
	"strings"
)

// setting is a line of a configuration file; section and name are in lower case.
type setting struct{ section, subsection, name, value string }

// configParser reads the syntax of Git's configuration files. The library that
// go-git has for it refuses what git takes, such as a key behind its section.
// https://git-scm.com/docs/git-config#_syntax
type configParser struct {
	text string
	at   int
	line int
	in   setting // the section that holds
}

// parseConfig gives each setting to a function, in order.
func parseConfig(content []byte, each func(setting) error) error {
	p := configParser{text: strings.ReplaceAll(strings.TrimPrefix(string(content), "\ufeff"), "\r\n", "\n"), line: 1}
	for p.at < len(p.text) {
		c := p.text[p.at]
		found, err := false, error(nil)
		switch {
		case c == '\n':
			p.line++
			p.at++
		case c == ' ', c == '\t', c == '\r', c == '\v', c == '\f':
			p.at++
		case c == '#', c == ';':
			p.skipLine()
		case c == '[':
			err = p.header()
		case isLetter(c):
			found, err = true, p.setting()
		default:
			err = fmt.Errorf("line %d: %q is not expected here", p.line, string(c))
		}
		if err == nil && found {
			err = each(p.in)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isWord(c byte) bool { return isLetter(c) || c >= '0' && c <= '9' || c == '-' }

func (p *configParser) skipLine() {
	if end := strings.IndexByte(p.text[p.at:], '\n'); end >= 0 {
		p.at += end
		return
	}
	p.at = len(p.text)
}

// word reads letters, digits and dashes, and what else is allowed, in lower case.
func (p *configParser) word(also string) string {
	start := p.at
	for p.at < len(p.text) && (isWord(p.text[p.at]) || strings.IndexByte(also, p.text[p.at]) >= 0) {
		p.at++
	}
	return strings.ToLower(p.text[start:p.at])
}

func (p *configParser) blanks() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
}

// next takes a character if it is the one that comes.
func (p *configParser) next(c byte) bool {
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

// header reads [section], [section "Subsection"] or the old [section.subsection].
func (p *configParser) header() error {
	p.at++
	p.in = setting{section: p.word(".")}
	p.in.section, p.in.subsection, _ = strings.Cut(p.in.section, ".")
	blank := p.at
	p.blanks()
	if p.at > blank {
		if !p.next('"') {
			return fmt.Errorf("line %d: a section's second name is in double quotes", p.line)
		}
		p.in.subsection = strings.TrimPrefix(p.in.subsection+".", ".")
		for !p.next('"') {
			if p.next('\\'); p.at == len(p.text) || p.text[p.at] == '\n' {
				return fmt.Errorf("line %d: a section's name does not end", p.line)
			}
			p.in.subsection += string(p.text[p.at : p.at+1])
			p.at++
		}
	}
	if !p.next(']') || p.in.section == "" {
		return fmt.Errorf("line %d: a section is not written as [name]", p.line)
	}
	return nil
}

// setting reads name = value, or a name alone, which means true.
func (p *configParser) setting() error {
	p.in.name, p.in.value = p.word(""), "true"
	p.blanks()
	switch {
	case p.at == len(p.text), p.text[p.at] == '\n', p.text[p.at] == '#', p.text[p.at] == ';':
		return nil
	case !p.next('='):
		return fmt.Errorf("line %d: %s has no = behind it", p.line, p.in.name)
	}
	return p.value()
}

func (p *configParser) value() error {
	var out, blanks strings.Builder // blanks count once something follows them
	quoted := false
	for ; p.at < len(p.text) && p.text[p.at] != '\n'; p.at++ {
		c := p.text[p.at]
		switch {
		case !quoted && (c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'):
			if out.Len() > 0 {
				blanks.WriteByte(c)
			}
			continue
		case !quoted && (c == '#' || c == ';'):
			p.skipLine()
			p.in.value = out.String()
			return nil
		}
		out.WriteString(blanks.String())
		blanks.Reset()
		switch c {
		case '"':
			quoted = !quoted
		case '\\':
			if err := p.escaped(&out); err != nil {
				return err
			}
		default:
			out.WriteByte(c)
		}
	}
	if quoted {
		return fmt.Errorf("line %d: the value of %s does not end", p.line, p.in.name)
	}
	p.in.value = out.String()
	return nil
}

// escaped reads what is behind a backslash.
func (p *configParser) escaped(out *strings.Builder) error {
	p.at++
	if p.at == len(p.text) {
		return nil // as if a line followed
	}
	switch c := p.text[p.at]; c {
	case '\n':
		p.line++
	case 'n':
		out.WriteByte('\n')
	case 't':
		out.WriteByte('\t')
	case 'b':
		out.WriteByte('\b')
	case '\\', '"':
		out.WriteByte(c)
	default:
		return fmt.Errorf("line %d: \\%s means nothing in a value", p.line, string(c))
	}
	return nil
}
