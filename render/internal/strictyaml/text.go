package strictyaml

import (
	"bytes"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// versionDirective is a %YAML 1.2 at the beginning of a file, which the
// library refuses although it reads YAML 1.2.
var versionDirective = regexp.MustCompile(`\A(\x{feff}?(?:[ \t]*(?:#[^\n]*)?\r?\n)*%YAML[ \t]+1\.)2`)

// checkText refuses what is no text, or too much of it.
func checkText(file Position, data []byte) Problems {
	if len(data) > maxBytes {
		return Problems{{Position: file, Message: fmt.Sprintf("the file is too large: want at most %d bytes", maxBytes)}}
	}
	if problem := unreadable(file, data); problem != nil {
		return Problems{*problem}
	}
	if line, sentence := text.LeftByGit(data); sentence != "" {
		file.Line, file.Column = line, 1
		return Problems{{Position: file, Message: sentence}}
	}
	return nil
}

// unreadable finds what is no text that YAML allows
// (https://yaml.org/spec/1.2.2/#51-character-set), and a byte order mark that is not
// at the start: YAML allows some of these, but the library then drops characters
// elsewhere in the file.
func unreadable(file Position, data []byte) *Problem {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		message := ""
		switch {
		case r == 0:
			message = "there is a NUL byte: want UTF-8 text"
		case r == utf8.RuneError && size == 1:
			message = "this is not UTF-8 text"
		case r == '\ufeff' && i > 0:
			message = `a byte order mark (U+FEFF) may only be the first character of a file: delete it, or write "\ufeff" in double quotes`
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r >= 0x7f && r < 0xa0 && r != 0x85, r == 0xfffe, r == 0xffff:
			message = fmt.Sprintf("there is the control character %U, which YAML does not allow: write it as an escape, such as \"\\u%04x\", in double quotes", r, r)
		}
		if message != "" {
			return &Problem{Position: place(file, data, i), Message: message}
		}
		i += size
	}
	return nil
}

// place gives the line and column of an offset.
func place(file Position, data []byte, offset int) Position {
	before := data[:offset]
	file.Line = 1 + bytes.Count(before, []byte("\n"))
	file.Column = 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	return file
}

var (
	// yamlLine is how the YAML library says where a syntax error is.
	yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)
	// fromParser is the errors of which the library counts lines from 0: those
	// of its parser, not of its scanner.
	fromParser = regexp.MustCompile(`^did not find expected (<|'|key$|node content)|^found (undefined tag handle|incompatible|duplicate)`)
	// unknownAnchor has the name of the anchor.
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced`)
)

// syntaxProblem says where a file is not YAML, and what may be the matter.
func syntaxProblem(at Position, data []byte, err error) Problem {
	said := err.Error()
	if m := yamlLine.FindStringSubmatch(said); m != nil {
		at.Line, _ = strconv.Atoi(m[1])
		said = said[len(m[0]):]
	}
	if fromParser.MatchString(said) {
		at.Line++
	}
	if line := misplaced(data, said); line > 0 {
		at.Line = line
	}
	at.Line, at.Column = max(at.Line, 1), 1
	if m := unknownAnchor.FindStringSubmatch(said); m != nil { // the name may be a password
		if i := bytes.Index(data, []byte("*"+m[1])); i >= 0 {
			at = place(at, data, i)
		}
		said = "a * begins an alias, and no anchor has the name: put a text that begins with * in quotes"
	}
	for _, hint := range syntaxHints {
		if strings.Contains(said, hint.error) {
			said += ": " + hint.hint
			break
		}
	}
	return Problem{Position: at, Message: "not valid YAML: " + said}
}

// misplaced finds the line that is no entry of the block mapping or list that it stands
// in: the library names the line where that begins. It is the last line of the shortest
// part of the file with this error. It gives 0 for any other error.
func misplaced(data []byte, said string) int {
	fails := func(data []byte) bool {
		err := yaml.Unmarshal(data, &yaml.Node{})
		return err != nil && strings.HasSuffix(err.Error(), said)
	}
	if said != "did not find expected key" && said != "did not find expected '-' indicator" || !fails(data) {
		return 0
	}
	var ends []int // of lines
	for at := range data {
		if data[at] == '\n' {
			ends = append(ends, at+1)
		}
	}
	return 1 + sort.Search(len(ends), func(i int) bool { return fails(data[:ends[i]]) })
}

// syntaxHints is what people do when the library says such things.
var syntaxHints = []struct{ error, hint string }{
	{"mapping values are not allowed", "a text with a colon and a space in it wants quotes, and keys of one mapping start in the same column"},
	{"cannot start any token", "a text that begins with @, % or ` wants quotes, and tabs cannot indent"},
	{"could not find expected ':'", "a key wants a colon and a space behind it"},
	{"expected key", "keys of one mapping start in the same column"},
	{"expected '-' indicator", "items of one list start in the same column, each with a dash"},
	{"expected ',' or", "a bracket or brace that opens here is not closed"},
	{"unexpected end of stream", "a quote that opens here is not closed"},
	{"expected node content", "a bracket, brace or comma is too many, or a value is missing"},
	{"expected <document start>", "want one document a file, and nothing behind it"},
	{"incompatible YAML", "want %YAML 1.1 or 1.2"},
	{"unknown escape character", `a backslash is written \\ in double quotes, or as it is in single quotes`},
}
