package strictyaml

import "go.yaml.in/yaml/v3"

// Span is a range of bytes of a file: from Start up to, and without, End. A
// byte order mark counts, as every byte does.
type Span struct{ Start, End int }

// Style is the way in which a value or key is written.
type Style int

// The styles of YAML.
const (
	PlainStyle        Style = iota // without quotes, or nothing at all, as behind `key:`
	SingleQuotedStyle              // 'text'
	DoubleQuotedStyle              // "text"
	LiteralStyle                   // | and lines below
	FoldedStyle                    // > and lines below
	BlockStyle                     // a mapping or list of lines
	FlowStyle                      // {…} or […], or the single pair in [key: value]
	AliasStyle                     // *anchor
)

// Source says where a value or key is written, and in which style.
//
// Content is the text itself: with its quotes, brackets or header (`|-`), and
// without a comment behind it. Node is the same with anchor and tag. Where a
// value is empty, as behind `key:`, Content is the empty span behind the colon,
// the dash, or the anchor and tag. The Content of a block scalar ends behind
// its last line's line break, which is part of its value; empty lines below
// belong to it only if its header says so (`|+`). A block mapping or list ends
// where its last value ends.
//
// Entry is what goes with the value when it is removed: it begins with the key,
// with the ? before the key, or with the dash of the item. A key and its value
// have the same one. Where there is neither key nor dash, Entry is Node.
type Source struct {
	File                 string
	Content, Node, Entry Span
	Style                Style

	// Indent is the column, from 0 and in characters, of the block mapping or
	// list around: of all of its keys or dashes. It is -1 where there is none.
	Indent int
	InFlow bool // stands between [ ] or { }

	// Via is where another value stands in for this one at its path: the
	// outermost alias on the way, or the value of the << that merged it in. An
	// edit of the text changes whatever else uses it. It is empty for a value
	// that is written at its path.
	Via Span

	// Anchored is of an alias: its Content is the alias, and Anchored the value
	// with the anchor, which an edit changes for every alias.
	Anchored *Source
}

// Elsewhere reports whether the value is written at another path than it was
// found at: it came through an alias or a merge key.
func (s Source) Elsewhere() bool { return s.Via != Span{} }

// Source tells where and in which style v is written. It is not known, and false, for
// values that were made by a program, of a stream ([LoadAll]), for the missing
// value of a key without a colon (`{key}`), and for an empty document. Merge
// keeps it: a mapping laid over another is written where the upper one is.
//
// Sources are found at the first question about a file, for all of it. Until
// then the bytes that were given to [Load] must not be changed.
func (v *Value) Source() (Source, bool) {
	if v == nil {
		return Source{}, false
	}
	return v.document.source(v.node, v.via)
}

// KeySource tells where and in which style the key is written, as [Value.Source] does.
func (e Entry) KeySource() (Source, bool) {
	if e.Value == nil {
		return Source{}, false
	}
	return e.Value.document.source(e.key, e.Value.via)
}

// origin is what a value remembers to find its source.
type origin struct {
	document *document
	node     *yaml.Node // as it stands in the file: may be an alias
	via      *yaml.Node // the outermost alias, or value of a <<, that led to it
}

func (d *document) source(node, via *yaml.Node) (Source, bool) {
	if d == nil || node == nil {
		return Source{}, false
	}
	d.once.Do(d.findSources)
	source, known := d.sources[node]
	if !known {
		return Source{}, false
	}
	if via != nil {
		outer, known := d.sources[via]
		if !known {
			return Source{}, false
		}
		source.Via = outer.Node
	}
	if node.Kind == yaml.AliasNode {
		anchored, known := d.sources[node.Alias]
		if !known {
			return Source{}, false
		}
		source.Anchored = &anchored
	}
	return source, true
}
