// Package strictyaml reads YAML the way people write it and refuses what they
// cannot have meant: every problem of a file comes back at once, with its
// line, column and field, and no problem repeats a value that may be secret.
//
// A file goes through three steps: [Load] makes a tree of values in which
// anchors, aliases and merge keys are resolved, [Merge] lays one tree over
// another, and [Decode] fills Go types from the result. Each value knows where
// it was written, so later checks can name the place, and edits can replace its
// bytes ([Value.Source]).
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Limits that keep a hostile file from costing more than it may: no real
// environment file comes near them.
const (
	maxBytes    = 1 << 20
	maxValues   = 10_000 // after aliases are expanded
	maxDepth    = 100
	maxPath     = 2_000 // bytes, since every value of a mapping repeats the path to it
	maxProblems = 1_000
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
	Replaces *Value // what Merge laid it over, unless both are mappings; it may itself replace something
	origin
}

// Entry is one key of a mapping, in the order of the file.
type Entry struct {
	Key      string
	Position Position
	Value    *Value
	key      *yaml.Node
}

// Get returns the value of a key, or nil.
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
	decoder := yaml.NewDecoder(bytes.NewReader(versionDirective.ReplaceAll(data, []byte("${1}1"))))
	var first, second yaml.Node
	if err := decoder.Decode(&first); errors.Is(err, io.EOF) {
		return nil, Problems{{Position: file, Message: "the file is empty"}}
	} else if err != nil {
		return nil, Problems{syntaxProblem(file, data, err)}
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, Problems{{Position: Position{name, second.Line, max(second.Column, 1)}, Message: "a second document starts here: want one document a file"}}
	} else if !errors.Is(err, io.EOF) {
		return nil, Problems{syntaxProblem(file, data, err)}
	}
	l := loader{file: name, most: maxValues, open: map[*yaml.Node]bool{}}
	l.document = &document{file: name, data: data, root: first.Content[0]}
	value := l.load(first.Content[0], "", 0)
	if l.problems != nil {
		return nil, l.problems
	}
	return value, nil
}

// loader turns the library's nodes into values.
type loader struct {
	file     string
	most     int // how many values to read
	above    int // lines of the file above the document
	count    int
	stopped  bool                // a limit is reached, and the rest is not worth reading
	open     map[*yaml.Node]bool // what has an anchor and is being read, to notice it inside itself
	document *document           // nil for a stream
	via      *yaml.Node          // the outermost alias, or value of a <<, that is being read
	problems Problems
}

func (l *loader) at(n *yaml.Node) Position { return Position{l.file, l.above + n.Line, n.Column} }

func (l *loader) origin(n *yaml.Node) origin { return origin{l.document, n, l.via} }

func (l *loader) problem(n *yaml.Node, path, format string, args ...any) {
	if !l.stopped {
		l.problems = append(l.problems, Problem{l.at(n), path, fmt.Sprintf(format, args...)})
	}
	l.stopped = l.stopped || len(l.problems) >= maxProblems
}

// spend counts a value and stops at the limits: then that is the one problem.
func (l *loader) spend(n *yaml.Node, path string, depth int) {
	l.count++
	message := ""
	switch {
	case l.stopped:
		return
	case l.count > l.most || depth > maxDepth:
		message = fmt.Sprintf("the document is too large or too deep: want at most %d values, aliases expanded, in %d levels", l.most, maxDepth)
	case len(path) > maxPath:
		message = fmt.Sprintf("the keys that lead here are too long: want at most %d bytes together", maxPath)
	default:
		return
	}
	l.problems, l.stopped = Problems{{l.at(n), "", message}}, true
}

func (l *loader) load(n *yaml.Node, path string, depth int) *Value {
	if l.spend(n, path, depth); l.stopped {
		return &Value{Position: l.at(n), Tag: "!!null"}
	}
	if n.Anchor != "" {
		l.open[n] = true
		defer delete(l.open, n)
	}
	switch n.Kind {
	case yaml.AliasNode:
		return l.alias(n, path, depth)
	case yaml.MappingNode:
		return l.mapping(n, path, depth)
	case yaml.SequenceNode:
		v := &Value{Position: l.at(n), Kind: Sequence, origin: l.origin(n)}
		for i, item := range n.Content {
			if l.stopped {
				break
			}
			v.Items = append(v.Items, l.load(item, Index(path, i), depth+1))
		}
		return v
	default:
		return l.scalar(n, path)
	}
}

// scalar reads a scalar. One that says its type must be of it: the library
// takes its word, and !!bool yes would be false, !!null secret nothing.
func (l *loader) scalar(n *yaml.Node, path string) *Value {
	tag := n.ShortTag()
	if untagged := (&yaml.Node{Kind: yaml.ScalarNode, Value: n.Value}).ShortTag(); slices.Contains(resolved, tag) && tag != untagged && n.Style&yaml.TaggedStyle != 0 {
		l.problem(n, path, "what is written is not of the type %s", tag)
	}
	return &Value{Position: l.at(n), Tag: tag, Text: n.Value, origin: l.origin(n)}
}

// resolved is the types that a scalar without quotes may have by its text.
var resolved = []string{"!!null", "!!bool", "!!int", "!!float", "!!timestamp"}

func (l *loader) alias(n *yaml.Node, path string, depth int) *Value {
	if l.open[n.Alias] {
		l.problem(n, path, "the anchor contains itself")
		return &Value{Position: l.at(n), Tag: "!!null"}
	}
	at := l.origin(n)
	v := l.loadVia(n, n.Alias, path, depth)
	v.origin = at
	return v
}

// loadVia reads what an alias or a merge key leads to.
func (l *loader) loadVia(via, n *yaml.Node, path string, depth int) *Value {
	if l.via == nil {
		l.via = via
		defer func() { l.via = nil }()
	}
	return l.load(n, path, depth+1)
}

func (l *loader) mapping(n *yaml.Node, path string, depth int) *Value {
	v := &Value{Position: l.at(n), Kind: Mapping, origin: l.origin(n)}
	seen := map[string]Position{}
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content) && !l.stopped; i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.ShortTag() == "!!merge" {
			merges = append(merges, value)
			continue
		}
		if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" {
			l.spend(key, path, depth)
			l.problem(key, path, "a key must be a string: put it in quotes")
			continue
		}
		at := Join(path, key.Value)
		if first, ok := seen[key.Value]; ok {
			l.spend(key, at, depth)
			l.problem(key, at, "the key is given twice, first on line %d", first.Line)
			continue
		}
		seen[key.Value] = l.at(key)
		v.Entries = append(v.Entries, Entry{key.Value, l.at(key), l.load(value, at, depth+1), key})
	}
	for _, merge := range merges {
		if l.stopped {
			break
		}
		l.merge(v, merge, path, depth)
	}
	return v
}

// merge adds the keys of a `<<` that the mapping does not have itself; the
// first of several mappings wins (https://yaml.org/type/merge.html).
func (l *loader) merge(into *Value, n *yaml.Node, path string, depth int) {
	before := len(l.problems)
	from := l.loadVia(n, n, path, depth)
	if l.stopped || len(l.problems) > before {
		return
	}
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
