package strictyaml

import (
	"bytes"
	"slices"
	"sync"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// document is the bytes of a file and the nodes that the library made of them.
// The library says where a node begins, in lines and characters, and not where
// it ends.
type document struct {
	file    string
	data    []byte
	root    *yaml.Node
	once    sync.Once
	sources map[*yaml.Node]Source // empty where bytes and nodes do not fit
}

// scope is the collections around a node.
type scope struct {
	indent int // the column of the innermost one in block style, or -1
	flow   bool
}

// findSources goes through bytes and nodes side by side. Each node must begin
// where the text before it ends, and where the library says. If one does not,
// nothing is known about the whole file.
func (d *document) findSources() {
	w := walker{scanner: newScanner(d.data), file: d.file, sources: map[*yaml.Node]Source{}}
	if w.document(d.root); !w.lost {
		d.sources = w.sources
	}
}

type walker struct {
	scanner
	file    string
	sources map[*yaml.Node]Source
	lost    bool
}

// lose notes that bytes and nodes do not fit.
func (w *walker) lose(at int) int {
	w.lost = true
	return at
}

func (w *walker) document(root *yaml.Node) {
	start := w.offset(root.Line, root.Column)
	if start < 0 || isEmpty(root) && !w.propertyAt(start) {
		return
	}
	end := w.skip(w.node(root, scope{indent: -1}, start))
	if end < len(w.data) && !bytes.HasPrefix(w.data[end:], []byte("...")) {
		w.lose(end)
	}
}

// isEmpty reports whether a node has no text but maybe an anchor and a tag.
func isEmpty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && styleOf(n) == PlainStyle
}

// node notes the source of n and of all below it, and tells where n ends. The
// text before n ends at after.
func (w *walker) node(n *yaml.Node, in scope, after int) int {
	start, next := w.offset(n.Line, n.Column), w.skip(after)
	if isEmpty(n) && !(start == next && w.propertyAt(start)) {
		w.note(n, in, Span{after, after}, Span{after, after})
		return after
	}
	if start != next || w.lost {
		return w.lose(after)
	}
	content := start
	if n.Kind != yaml.AliasNode {
		limit := len(w.data)
		if n.Kind == yaml.MappingNode && len(n.Content) > 0 { // what stands behind is of the first key
			limit = w.offset(n.Content[0].Line, n.Content[0].Column)
		}
		indent := in.indent
		if in.flow {
			indent = -1
		}
		end, next := w.properties(start, limit, indent)
		if content = next; isEmpty(n) {
			content = end
		}
	}
	end := w.content(n, in, content)
	w.note(n, in, Span{content, end}, Span{start, end})
	return end
}

func (w *walker) note(n *yaml.Node, in scope, content, node Span) {
	w.sources[n] = Source{File: w.file, Content: content, Node: node, Entry: node, Style: styleOf(n), Indent: in.indent, InFlow: in.flow}
}

// noteEntry gives a node the span of its entry.
func (w *walker) noteEntry(n *yaml.Node, entry Span) {
	if source, ok := w.sources[n]; ok {
		source.Entry = entry
		w.sources[n] = source
	}
}

// content tells where the content of a node ends that begins at an offset.
func (w *walker) content(n *yaml.Node, in scope, at int) int {
	end := -1
	switch style := styleOf(n); {
	case n.Kind == yaml.AliasNode:
		end = w.endOfName(at, '*')
	case n.Kind == yaml.MappingNode:
		return w.mapping(n, in, at)
	case n.Kind == yaml.SequenceNode && style == FlowStyle:
		return w.flowSequence(n, in, at)
	case n.Kind == yaml.SequenceNode:
		return w.blockSequence(n, at)
	case style == DoubleQuotedStyle:
		end = w.endOfDoubleQuoted(at)
	case style == SingleQuotedStyle:
		end = w.endOfSingleQuoted(at)
	case style == PlainStyle:
		end = w.endOfPlain(at, n.Value)
	default:
		end = w.endOfBlockScalar(at, in.indent, n.Value)
	}
	if end < 0 {
		return w.lose(at)
	}
	return end
}

func (w *walker) mapping(n *yaml.Node, in scope, at int) int {
	flow := styleOf(n) == FlowStyle
	braces := flow && w.is(at, '{') // and not the single pair in [key: value]
	inside := scope{in.indent, true}
	if !flow {
		inside = scope{w.column(at), false}
	}
	if braces {
		at++
	}
	for i := 0; i+1 < len(n.Content) && !w.lost; i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		entry := w.skipTo(at, braces)
		begin := entry
		if w.is(entry, '?') && (flow || w.blankAt(entry+1)) {
			begin++
		}
		at = w.node(key, inside, begin)
		if colon := w.skip(at); w.is(colon, ':') && (flow || w.blankAt(colon+1)) {
			at = w.node(value, inside, colon+1)
		} else if !isEmpty(value) {
			return w.lose(at)
		}
		w.noteEntry(key, Span{entry, at})
		w.noteEntry(value, Span{entry, at})
	}
	if braces {
		return w.closing(at, '}')
	}
	return at
}

func (w *walker) flowSequence(n *yaml.Node, in scope, at int) int {
	if !w.is(at, '[') {
		return w.lose(at)
	}
	at++
	for _, item := range n.Content {
		if w.lost {
			break
		}
		at = w.node(item, scope{in.indent, true}, w.skipTo(at, true))
	}
	return w.closing(at, ']')
}

func (w *walker) blockSequence(n *yaml.Node, at int) int {
	inside := scope{w.column(at), false}
	for _, item := range n.Content {
		dash := w.skip(at)
		if w.lost || !w.is(dash, '-') {
			return w.lose(at)
		}
		at = w.node(item, inside, dash+1)
		w.noteEntry(item, Span{dash, at})
	}
	return at
}

// closing finds the bracket that closes a collection.
func (w *walker) closing(at int, bracket byte) int {
	if end := w.skipTo(at, true); w.is(end, bracket) {
		return end + 1
	}
	return w.lose(at)
}

// scanner reads the bytes of a file, with lines as the library counts them.
type scanner struct {
	data  []byte
	lines []int // where they begin
	near  struct{ line, column, offset int }
}

func newScanner(data []byte) scanner {
	start := 0
	if bytes.HasPrefix(data, []byte(bom)) {
		start = len(bom)
	}
	s := scanner{data: data, lines: []int{start}}
	for i := start; i < len(data); {
		if n := s.breakAt(i); n > 0 {
			i += n
			s.lines = append(s.lines, i)
		} else {
			i++
		}
	}
	return s
}

// offset finds the byte at a line and a column, which count from 1, columns in
// characters, or gives -1. It is quick for places in reading order.
func (s *scanner) offset(line, column int) int {
	if line < 1 || line > len(s.lines) || column < 1 {
		return -1
	}
	at, c := s.lines[line-1], 1
	if s.near.line == line && s.near.column <= column {
		at, c = s.near.offset, s.near.column
	}
	for ; c < column; c++ {
		if at >= len(s.data) || s.breakAt(at) > 0 {
			return -1
		}
		_, size := utf8.DecodeRune(s.data[at:])
		at += size
	}
	s.near.line, s.near.column, s.near.offset = line, column, at
	return at
}

// column counts the characters before an offset in its line.
func (s *scanner) column(at int) int {
	line, exact := slices.BinarySearch(s.lines, at)
	if exact {
		return 0
	}
	return utf8.RuneCount(s.data[s.lines[max(line-1, 0)]:at])
}
