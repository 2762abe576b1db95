package settings

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// Converter makes of a file's bytes what Git stores of them.
type Converter struct {
	Attributes func(name string) map[string]string // unspecified ones are left out, or empty
	AutoCRLF   string                              // core.autocrlf: true, input or anything else
}

var ident = regexp.MustCompile(`\$Id: [^$\n]*\$`)

// ToGit returns what Git would store for a file, as convert.c has it. Earlier reads
// what is stored now. The error names an attribute for which only a program of its
// own knows what Git would store.
func (c Converter) ToGit(name string, content []byte, earlier func() ([]byte, error)) ([]byte, error) {
	said := c.Attributes(name)
	if filter := said["filter"]; filter != "" && filter != "set" && filter != "unset" {
		return nil, refuseAttribute(name, "filter", filter)
	}
	encoding := said["working-tree-encoding"]
	if plain := strings.ToLower(encoding); encoding != "" && plain != "set" && plain != "unset" && plain != "utf-8" && plain != "utf8" {
		return nil, refuseAttribute(name, "working-tree-encoding", encoding)
	}
	content, err := c.lineEnds(said, content, earlier)
	if said["ident"] == "set" {
		content = ident.ReplaceAll(content, []byte("$$Id$$"))
	}
	return content, err
}

func refuseAttribute(name, attribute, value string) error {
	return fmt.Errorf("%s: .gitattributes says %s=%s, which would store other bytes than those that are rendered: except the file from it, with %[1]s -%[2]s", name, attribute, value)
}

func (c Converter) lineEnds(said map[string]string, content []byte, earlier func() ([]byte, error)) ([]byte, error) {
	if !bytes.Contains(content, []byte("\r\n")) {
		return content, nil
	}
	text := said["text"]
	if text == "" {
		text = said["crlf"]
	}
	switch {
	case text == "unset":
		return content, nil
	case text == "set", text == "input", text != "auto" && (said["eol"] == "lf" || said["eol"] == "crlf"):
	case text == "auto", c.AutoCRLF == "true", c.AutoCRLF == "input":
		if binaryBytes(content) {
			return content, nil
		}
		before, err := earlier()
		if err != nil || bytes.Contains(before, []byte("\r\n")) && !binaryBytes(before) {
			return content, err // what has such line ends keeps them
		}
	default:
		return content, nil
	}
	return bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n")), nil
}

// binaryBytes guesses as git does (convert_is_binary).
func binaryBytes(content []byte) bool {
	printable, other := 0, 0
	for i, b := range content {
		switch {
		case b == 0, b == '\r' && (i+1 == len(content) || content[i+1] != '\n'):
			return true
		case b == '\r', b == '\n':
		case b == 127, b < 32 && b != '\b' && b != '\t' && b != '\033' && b != '\014':
			if b != '\032' || i+1 != len(content) { // an end mark of DOS
				other++
			}
		default:
			printable++
		}
	}
	return printable>>7 < other
}
