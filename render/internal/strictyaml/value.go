// Package strictyaml reads YAML the way people write it and refuses what they
// cannot have meant: every problem of a file comes back at once, with its
// line, column and field, and no problem repeats a value that may be secret.
//
// A file goes through three steps: [Load] makes a tree of values in which
// anchors, aliases and merge keys are resolved, [Merge] lays one tree over
// another, and [Decode] fills Go types from the result. Each value knows where
// it was written, so later checks can name the place too.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Limits that keep a hostile file from costing more than it may: no real
// environment file comes near them.
const (
	maxBytes  = 1 << 20
	maxValues = 100_000 // after aliases are expanded
	maxDepth  = 100
)

// Kind is the shape of a value.
type Kind int

// The shapes of YAML.
const (
	Scalar Kind = iota
	Mapping
	Sequence
)

// Value is a node of a YAML file after aliases and merge keys are resolved.
type Value struct {
	Position Position
	Kind     Kind
	Tag      string // of a scalar: !!str, !!int, !!float, !!bool, !!null, !!timestamp …
	Text     string // of a scalar, as written, without quotes
	Entries  []Entry
	Items    []*Value
}

// Entry is one key of a mapping, in the order of the file.
type Entry struct {
	Key      string
	Position Position
	Value    *Value
}

// Get is the value of a key, or nil.
func (v *Value) Get(key string) *Value {
	if v == nil {
		return nil
	}
	for _, entry := range v.Entries {
		if entry.Key == key {
			return entry.Value
		}
	}
	return nil
}

// IsNull reports whether v is absent, empty or null.
func (v *Value) IsNull() bool {
	return v == nil || v.Kind == Scalar && v.Tag == "!!null"
}

// Load reads the one YAML document of data. The name is what positions show;
// it is not opened.
func Load(name string, data []byte) (*Value, Problems) {
	file := Position{File: name}
	if problems := checkText(file, data); problems != nil {
		return nil, problems
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	if err := decoder.Decode(&first); errors.Is(err, io.EOF) {
		return nil, Problems{{Position: file, Message: "the file is empty"}}
	} else if err != nil {
		return nil, Problems{syntaxProblem(file, err)}
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, Problems{{Position: Position{name, second.Line, max(second.Column, 1)}, Message: "a second document starts here: want one document a file"}}
	} else if !errors.Is(err, io.EOF) {
		return nil, Problems{syntaxProblem(file, err)}
	}
	l := loader{file: name, open: map[*yaml.Node]bool{}}
	value := l.load(first.Content[0], "", 0)
	if l.problems != nil {
		return nil, l.problems
	}
	return value, nil
}

// checkText refuses what is no text, or too much of it.
func checkText(file Position, data []byte) Problems {
	whole := func(format string, args ...any) Problems {
		return Problems{{Position: file, Message: fmt.Sprintf(format, args...)}}
	}
	switch {
	case len(data) > maxBytes:
		return whole("the file has %d bytes: want at most %d", len(data), maxBytes)
	case bytes.IndexByte(data, 0) >= 0:
		return whole("the file holds NUL bytes: want UTF-8 text")
	case !utf8.Valid(data):
		return whole("the file is not UTF-8 text")
	}
	return nil
}

// yamlLine is how the YAML library says where a syntax error is.
var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

func syntaxProblem(at Position, err error) Problem {
	text := err.Error()
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		at.Line, _ = strconv.Atoi(m[1])
		at.Column = min(at.Line, 1)
		text = text[len(m[0]):]
	}
	if strings.HasPrefix(text, "unknown anchor") { // the library repeats the name, and that may be a password
		text = "a * begins an alias, and no anchor has the name: put a text that begins with * in quotes"
	}
	return Problem{Position: at, Message: "not valid YAML: " + text}
}

// loader turns the library's nodes into values.
type loader struct {
	file     string
	above    int // lines of the file above the document
	count    int
	stopped  bool                // a limit is reached, and the rest is not worth reading
	open     map[*yaml.Node]bool // anchors being expanded, to notice one inside itself
	problems Problems
}

func (l *loader) at(n *yaml.Node) Position { return Position{l.file, l.above + n.Line, n.Column} }

func (l *loader) problem(n *yaml.Node, path, format string, args ...any) {
	l.problems = append(l.problems, Problem{l.at(n), path, fmt.Sprintf(format, args...)})
}

func (l *loader) load(n *yaml.Node, path string, depth int) *Value {
	l.count++
	if l.count > maxValues || depth > maxDepth {
		l.problems = Problems{{l.at(n), "", fmt.Sprintf("the document is too large or too deep: want at most %d values, aliases expanded, in %d levels", maxValues, maxDepth)}}
		l.stopped = true
	}
	if l.stopped {
		return &Value{Position: l.at(n), Tag: "!!null"}
	}
	switch n.Kind {
	case yaml.AliasNode:
		return l.alias(n, path, depth)
	case yaml.MappingNode:
		return l.mapping(n, path, depth)
	case yaml.SequenceNode:
		v := &Value{Position: l.at(n), Kind: Sequence}
		for i, item := range n.Content {
			if l.stopped {
				break
			}
			v.Items = append(v.Items, l.load(item, Index(path, i), depth+1))
		}
		return v
	default:
		return &Value{Position: l.at(n), Tag: n.ShortTag(), Text: n.Value}
	}
}

func (l *loader) alias(n *yaml.Node, path string, depth int) *Value {
	if l.open[n.Alias] {
		l.problem(n, path, "the anchor contains itself")
		return &Value{Position: l.at(n), Tag: "!!null"}
	}
	l.open[n.Alias] = true
	defer delete(l.open, n.Alias)
	return l.load(n.Alias, path, depth+1)
}

func (l *loader) mapping(n *yaml.Node, path string, depth int) *Value {
	v := &Value{Position: l.at(n), Kind: Mapping}
	seen := map[string]Position{}
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content) && !l.stopped; i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.ShortTag() == "!!merge" {
			merges = append(merges, value)
			continue
		}
		if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" {
			l.problem(key, path, "a key must be a string: put it in quotes")
			continue
		}
		at := Join(path, key.Value)
		if first, ok := seen[key.Value]; ok {
			l.problem(key, at, "the key is given twice, first on line %d", first.Line)
			continue
		}
		seen[key.Value] = l.at(key)
		v.Entries = append(v.Entries, Entry{key.Value, l.at(key), l.load(value, at, depth+1)})
	}
	for _, merge := range merges {
		l.merge(v, merge, path, depth)
	}
	return v
}

// merge adds the keys of a `<<` that the mapping does not have itself; the
// first of several mappings wins (https://yaml.org/type/merge.html).
func (l *loader) merge(into *Value, n *yaml.Node, path string, depth int) {
	from := l.load(n, path, depth+1)
	sources := []*Value{from}
	if from.Kind == Sequence {
		sources = from.Items
	}
	for _, source := range sources {
		if source.Kind != Mapping {
			l.problem(n, path, "want a mapping, or a list of mappings, behind <<")
			return
		}
		for _, entry := range source.Entries {
			if into.Get(entry.Key) == nil {
				into.Entries = append(into.Entries, entry)
			}
		}
	}
}

// Merge lays child over parent: mappings merge key by key, anything else in
// the child replaces what the parent has, and a null takes it away. Neither
// is changed.
func Merge(parent, child *Value) *Value {
	if parent == nil || child == nil || parent.Kind != Mapping || child.Kind != Mapping {
		if child == nil {
			return parent
		}
		return child
	}
	merged := *child
	merged.Entries = nil
	for _, entry := range parent.Entries {
		if over := child.Get(entry.Key); over == nil {
			merged.Entries = append(merged.Entries, entry)
		}
	}
	for _, entry := range child.Entries {
		below := parent.Get(entry.Key)
		if below != nil && entry.Value.IsNull() {
			continue
		}
		entry.Value = Merge(below, entry.Value)
		merged.Entries = append(merged.Entries, entry)
	}
	return &merged
}

// At is the position of a field path such as spec.releases[0].chart, or of
// the nearest part of the path that is there.
func (v *Value) At(path string) Position {
	at := v.Position
	for _, step := range steps(path) {
		switch {
		case v == nil:
			return at
		case v.Kind == Sequence:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(v.Items) {
				return at
			}
			v = v.Items[i]
			at = v.Position
		default:
			next := (*Value)(nil)
			for _, entry := range v.Entries {
				if entry.Key == step {
					next, at = entry.Value, entry.Position
				}
			}
			v = next
		}
	}
	return at
}

// steps undoes Join and Index.
func steps(path string) []string {
	var out []string
	for path != "" {
		switch {
		case strings.HasPrefix(path, `["`):
			quoted, err := strconv.QuotedPrefix(path[1:])
			if err != nil {
				return out
			}
			key, _ := strconv.Unquote(quoted)
			out, path = append(out, key), strings.TrimPrefix(path[1+len(quoted):], "]")
		case path[0] == '[':
			index, rest, _ := strings.Cut(path[1:], "]")
			out, path = append(out, index), rest
		case path[0] == '.':
			path = path[1:]
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			out, path = append(out, path[:end]), path[end:]
		}
	}
	return out
}
