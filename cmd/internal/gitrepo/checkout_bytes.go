package gitrepo

import (
	"bytes"
	"runtime"
	"strings"
)

// notShown is the attribute because of which Git would write other bytes to the
// disk than it has, in a way that we do not know; empty for none.
func (c converter) notShown(name string, content []byte, config configuration) string {
	said := c.attributes.of(name)
	if filter := said["filter"]; filter != "" && filter != "set" && filter != "unset" {
		for _, program := range []string{"smudge", "process"} { // one without a program is none
			if config.get("filter."+filter+"."+program) != "" || config.boolean("filter."+filter+".required", false) {
				return "filter=" + filter
			}
		}
	}
	encoding := said["working-tree-encoding"]
	if plain := strings.ToLower(encoding); encoding != "" && plain != "set" && plain != "unset" && plain != "utf-8" && plain != "utf8" {
		return "working-tree-encoding=" + encoding
	}
	if said["ident"] == "set" && bytes.Contains(content, []byte("$Id")) {
		return "ident"
	}
	return ""
}

// toDisk is what Git writes to the disk for a file, as far as the ends of its
// lines go (crlf_to_worktree in convert.c).
func (c converter) toDisk(name string, content []byte, config configuration) []byte {
	crlf, guess := c.checkedOutEnds(c.attributes.of(name), config)
	plain := bytes.Count(content, []byte("\n"))
	dos := bytes.Count(content, []byte("\r\n"))
	if !crlf || plain == dos || guess && (dos > 0 || binaryBytes(content)) {
		return content
	}
	out := make([]byte, 0, len(content)+plain-dos)
	for i, b := range content {
		if b == '\n' && (i == 0 || content[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, b)
	}
	return out
}

// checkedOutEnds says whether lines end in CR LF on the disk, and whether Git
// guesses first if a file is a text (convert_attrs in convert.c).
func (c converter) checkedOutEnds(said map[string]string, config configuration) (crlf, guess bool) {
	text := said["text"]
	if text == "" {
		text = said["crlf"]
	}
	switch eol := said["eol"]; {
	case text == "unset":
		return false, false
	case eol == "crlf", eol == "lf":
		return eol == "crlf", text == "auto"
	case text == "set", text == "auto":
		return c.textEnds(config), text == "auto"
	case text == "input":
		return false, false
	}
	return c.autocrlf == "true", true
}

// textEnds says whether the lines of texts end in CR LF here.
func (c converter) textEnds(config configuration) bool {
	switch eol := strings.ToLower(config.get("core.eol")); {
	case c.autocrlf == "true", c.autocrlf == "input":
		return c.autocrlf == "true"
	case eol == "crlf", eol == "lf":
		return eol == "crlf"
	}
	return runtime.GOOS == "windows"
}
