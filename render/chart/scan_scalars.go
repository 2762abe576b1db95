package chart

import (
	"slices"
	"strings"
)

// path is the keys above the innermost collection, "" for what is in a list.
func (s *scanner) path() string {
	var path strings.Builder
	for _, l := range s.open[:len(s.open)-1] {
		if l.list {
			return "-"
		}
		path.WriteString(l.key + "/")
	}
	return path.String()
}

// inHead reports whether the innermost mapping is one that a head is read from.
func (s *scanner) inHead() bool {
	if len(s.open) > 3 {
		return false
	}
	path := s.path()
	return path == "" || path == "metadata/" || path == "metadata/annotations/"
}

// headKeys is what a head is read from, by the path of the mapping. Helm's
// reader takes their names in any case.
var headKeys = map[string][]string{"": {"apiVersion", "kind", "metadata"}, "metadata/": {"name", "namespace", "annotations"}}

// headKey reports whether a key of a mapping in the head is part of it.
func (s *scanner) headKey(key string) bool {
	path := s.path()
	return path == "metadata/annotations/" || slices.ContainsFunc(headKeys[path], func(name string) bool { return strings.EqualFold(name, key) })
}

// parent takes a key of the head whose value is on the next lines.
func (s *scanner) parent(key string) bool {
	switch at := s.path() + key; {
	case !s.headKey(key):
		return true
	case s.seen[at]:
		return false
	case at == "metadata" || at == "metadata/annotations":
		// Without anything below it is null, which the parser must see.
		s.seen[at] = true
		return s.hasBelow()
	default:
		return false
	}
}

// hasBelow reports whether the next line with content is an entry further in.
func (s *scanner) hasBelow() bool {
	for rest := s.rest; rest != ""; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		content := strings.TrimLeft(line, " ")
		if content != "" && content[0] != '#' {
			return len(line)-len(content) > s.top().indent
		}
	}
	return false
}

// take takes a scalar of the head.
func (s *scanner) take(key, text string, isText bool) bool {
	path := s.path()
	if !s.headKey(key) {
		return true
	}
	// For annotations alone it may be empty, and must.
	if at := path + key; s.seen[at] || isText == (at == "metadata/annotations") || !isText && text != "{}" {
		return false
	}
	s.seen[path+key] = true
	h := &s.head
	if path != "" && h.Metadata == nil {
		h.Metadata = new(metadata)
	}
	switch path + key {
	case "apiVersion":
		h.Version = text
	case "kind":
		h.Kind = text
	case "metadata/name":
		h.Metadata.Name = text
	case "metadata/namespace":
		h.Metadata.Namespace = text
	case "metadata/annotations":
	case "metadata":
		return false
	default:
		if path != "metadata/annotations/" { // another spelling
			return false
		}
		if h.Metadata.Annotations == nil {
			h.Metadata.Annotations = map[string]string{}
		}
		h.Metadata.Annotations[key] = text
	}
	return true
}

const longestKey = 200 // YAML has a limit of its own, at 1024

// splitKey takes a key off a line.
func splitKey(content string) (key, value string, ok bool) {
	end := 0
	if quote := content[0]; quote == '"' || quote == '\'' {
		end = strings.IndexByte(content[1:], quote)
		if end < 0 || strings.Contains(content[1:end+1], `\`) {
			return "", "", false
		}
		key, content = content[1:end+1], content[end+2:]
	} else {
		for end < len(content) && (letter(content[end]) || strings.IndexByte("0123456789./-", content[end]) >= 0) {
			end++
		}
		key, content = content[:end], content[end:]
		if key == "" || !letter(key[0]) || word(key) {
			return "", "", false
		}
	}
	after, isKey := strings.CutPrefix(content, ":")
	if !isKey || len(key) > longestKey || after != "" && after[0] != ' ' {
		return "", "", false
	}
	return key, strings.Trim(after, " "), true
}

func letter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }

// plainList reports whether a value is a list on one line, of quoted texts and
// plain names.
func plainList(value string) bool {
	inner, ok := strings.CutSuffix(value[1:], "]")
	for item := range strings.SplitSeq(inner, ",") {
		item = strings.Trim(item, " ")
		quoted := len(item) > 1 && (item[0] == '"' || item[0] == '\'') && item[len(item)-1] == item[0] && !strings.ContainsAny(item[1:len(item)-1], "\"'\\")
		ok = ok && (quoted || begins(item) && strings.IndexFunc(item, notInName) < 0)
	}
	return ok
}

const nameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-"

func notInName(r rune) bool { return !strings.ContainsRune(nameBytes, r) }

// begins reports whether a text begins like a plain scalar that no indicator
// or special number does.
func begins(text string) bool {
	return text != "" && (letter(text[0]) || '0' <= text[0] && text[0] <= '9' || text[0] == '/')
}

// word reports whether a plain text is a boolean or null.
func word(text string) bool {
	switch strings.ToLower(text) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return true
	}
	return false
}

// block reports whether a value is the head of a literal or folded block.
func block(value string) bool {
	return slices.Contains([]string{"|", "|-", "|+", ">", ">-", ">+"}, value)
}

// scalar reads a value on one line. isText is whether text is what it says to
// everybody: plain numbers and words are not.
func scalar(value string) (text string, isText, ok bool) {
	switch first := value[0]; {
	case first == '"', first == '\'':
		inner := value[1:]
		end := strings.IndexByte(inner, first)
		if end < 0 || strings.Contains(inner[:end], `\`) || inner[end+1:] != "" && !strings.HasPrefix(inner[end+1:], " #") {
			return "", false, false
		}
		return inner[:end], true, true
	case value == "{}", value == "[]":
		return value, false, true
	case first == '[':
		return "", false, plainList(value)
	case !begins(value) && !begins(strings.TrimPrefix(value, "-")) && !begins(strings.TrimPrefix(value, "--")):
		return "", false, false
	case strings.Contains(value, ": "), strings.Contains(value, " #"), strings.HasSuffix(value, ":"):
		return "", false, false
	}
	return value, letter(value[0]) && !word(value), true
}
