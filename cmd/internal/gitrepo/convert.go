package gitrepo

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// AttributeError is that Git would store other bytes than ours, in a way that
// only a program of its own knows.
type AttributeError struct{ Path, Attribute string }

func (e *AttributeError) Error() string {
	return fmt.Sprintf("%s: .gitattributes says %s, which would store other bytes than those that are rendered: except the file from it, with %s -%s", e.Path, e.Attribute, e.Path, strings.SplitN(e.Attribute, "=", 2)[0])
}

// converter makes of a file's bytes what Git stores of them.
type converter struct {
	attributes func(name string) map[string]string // unspecified ones are left out, or empty
	autocrlf   string                              // core.autocrlf: true, input or anything else
}

var ident = regexp.MustCompile(`\$Id: [^$\n]*\$`)

// toGit is what Git would store for a file, as convert.c has it. Earlier gives
// what is stored now.
func (c converter) toGit(name string, content []byte, earlier func() ([]byte, error)) ([]byte, error) {
	said := c.attributes(name)
	if filter := said["filter"]; filter != "" && filter != "set" && filter != "unset" {
		return nil, &AttributeError{name, "filter=" + filter}
	}
	encoding := said["working-tree-encoding"]
	if plain := strings.ToLower(encoding); encoding != "" && plain != "set" && plain != "unset" && plain != "utf-8" && plain != "utf8" {
		return nil, &AttributeError{name, "working-tree-encoding=" + encoding}
	}
	content, err := c.lineEnds(said, content, earlier)
	if said["ident"] == "set" {
		content = ident.ReplaceAll(content, []byte("$$Id$$"))
	}
	return content, err
}

func (c converter) lineEnds(said map[string]string, content []byte, earlier func() ([]byte, error)) ([]byte, error) {
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
	case text == "auto", c.autocrlf == "true", c.autocrlf == "input":
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

// binaryBytes is git's guess (convert_is_binary).
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
