package strictyaml_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// oracle holds the sources of a file's values to the YAML library: what a span
// cuts out of the file, and stands where it stood, the library reads as the
// node that it read from the whole file.
type oracle struct {
	t       testing.TB
	data    string
	anchors string // [&a x, &b x]: what cut-out aliases refer to
	tags    string // the directives
	lines   []int  // where they begin
	seen    int    // spans
}

// maxCut is the length of the collections that are read again: each is part of
// all around it, and large files would take long.
const maxCut = 2_000

// checkSources checks every source of a file, and reports how many spans there
// were; none if the file is refused.
func checkSources(t testing.TB, data []byte) int {
	t.Helper()
	value, problems := strictyaml.Load("f.yaml", data)
	if problems != nil {
		return 0
	}
	text := strings.Replace(string(data), "%YAML 1.2", "%YAML 1.1", 1)
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatalf("loads and is no YAML: %v\n%q", err, data)
	}
	o := &oracle{t: t, data: string(data), lines: []int{0}}
	if strings.HasPrefix(o.data, "\ufeff") {
		o.lines[0] = len("\ufeff")
	}
	for _, at := range breaks.FindAllStringIndex(o.data, -1) {
		o.lines = append(o.lines, at[1])
	}
	for _, line := range breaks.Split(strings.TrimPrefix(text, "\ufeff"), -1) {
		if strings.HasPrefix(line, "---") {
			break
		}
		if strings.HasPrefix(line, "%TAG") {
			o.tags += line + "\n"
		}
	}
	if o.tags != "" {
		o.tags += "---\n"
	}
	var names []string
	each(document.Content[0], func(n *yaml.Node) {
		if n.Anchor != "" {
			names = append(names, "&"+n.Anchor+" x")
		}
	})
	o.anchors = "[" + strings.Join(names, ", ") + "]"
	o.value(value, document.Content[0], "")
	return o.seen
}

// each visits a node and all below it.
func each(n *yaml.Node, visit func(*yaml.Node)) {
	visit(n)
	for _, child := range n.Content {
		each(child, visit)
	}
}

func (o *oracle) fail(path, format string, args ...any) {
	o.t.Helper()
	o.t.Fatalf("%s: %s\n%q", path, fmt.Sprintf(format, args...), o.data)
}

func (o *oracle) cut(s strictyaml.Span) string { return o.data[s.Start:s.End] }

// apart cuts out a text, with a line break if a blank is behind it: in flow style a
// colon and a bracket without a blank between them are text.
func (o *oracle) apart(span strictyaml.Span, s strictyaml.Source) string {
	text, behind := o.cut(span), o.data[span.End:]
	if at := breaks.FindStringIndex(behind); s.InFlow && (behind[0] == ' ' || behind[0] == '\t' || at != nil && at[0] == 0) && text != "" {
		text += "\n"
	}
	return text
}

// value checks a value and what is in it. The node is its own where it is
// written at its path, as its parent's are.
func (o *oracle) value(v *strictyaml.Value, n *yaml.Node, path string) {
	s, known := v.Source()
	if !known {
		if n.Kind == yaml.ScalarNode && n.Value == "" && path == "" {
			return // the empty document
		}
		o.fail(path, "the source is not known")
	}
	o.spans(s, n, path, false)
	if s.Anchored != nil {
		o.anchored(v, *s.Anchored, n, path)
		return
	}
	switch v.Kind {
	case strictyaml.Sequence:
		for i, item := range v.Items {
			at := strictyaml.Index(path, i)
			o.value(item, n.Content[i], at)
			inner, _ := item.Source()
			o.inside(inner, s, at)
			o.entry(inner, n.Content[i:i+1], at)
		}
	case strictyaml.Mapping:
		o.mapping(v, n, s, path)
	}
}

func (o *oracle) mapping(v *strictyaml.Value, n *yaml.Node, s strictyaml.Source, path string) {
	entries := v.Entries
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].ShortTag() == "!!merge" {
			merged = append(merged, n.Content[i+1])
			continue
		}
		entry, at := entries[0], strictyaml.Join(path, entries[0].Key)
		entries = entries[1:]
		key, known := entry.KeySource()
		if !known {
			o.fail(at, "the source of the key is not known")
		}
		o.spans(key, n.Content[i], at, true)
		o.inside(key, s, at)
		o.entry(key, n.Content[i:i+2], at)
		if _, known := entry.Value.Source(); known {
			o.value(entry.Value, n.Content[i+1], at)
			inner, _ := entry.Value.Source()
			if inner.Entry != key.Entry {
				o.fail(at, "key and value have other entries: %v and %v", key.Entry, inner.Entry)
			}
		} else {
			o.noColon(key, n.Content[i:i+2], at)
		}
	}
	for _, entry := range entries {
		o.through(entry, merged, strictyaml.Join(path, entry.Key))
	}
}

// noColon proves that a value is not there: a colon and a value can be added.
func (o *oracle) noColon(key strictyaml.Source, pair []*yaml.Node, path string) {
	added := *pair[1]
	added.Value, added.Tag, added.Style = "added", "!!str", yaml.DoubleQuotedStyle
	entry, open := o.cut(key.Entry), ""
	if key.Entry.End != key.Node.End || pair[1].Value != "" {
		o.fail(path, "the source of the value is not known")
	}
	if key.InFlow && key.Entry == key.Node { // may have several lines
		entry = "? " + entry
	}
	if ends := breaks.FindAllStringIndex(entry, -1); !key.InFlow {
		if open = strings.Repeat(" ", key.Indent); ends == nil || ends[len(ends)-1][1] < len(entry) {
			open = "\n" + open
			if key.Style == strictyaml.LiteralStyle || key.Style == strictyaml.FoldedStyle {
				return // the line break would be of the key
			}
		}
	}
	o.reads(o.placed(entry+open+`: "added"`, key, true), []*yaml.Node{pair[0], &added}, path)
}

// anchored checks what an alias says of its anchor.
func (o *oracle) anchored(v *strictyaml.Value, s strictyaml.Source, alias *yaml.Node, path string) {
	if s.Style == strictyaml.BlockStyle || s.Style == strictyaml.FlowStyle {
		o.spans(s, alias.Alias, path, isKey(s))
		for i, item := range v.Items {
			o.throughValue(item, []*yaml.Node{alias}, strictyaml.Index(path, i))
		}
		for _, entry := range v.Entries {
			o.through(entry, []*yaml.Node{alias}, strictyaml.Join(path, entry.Key))
		}
		return
	}
	o.spans(s, alias.Alias, path, isKey(s))
}

// isKey reports whether what an alias stands for is a key, without a question mark.
func isKey(s strictyaml.Source) bool {
	return s.Node.Start == s.Entry.Start && s.Node.End < s.Entry.End
}

// through checks an entry that came through an alias or a merge key.
func (o *oracle) through(entry strictyaml.Entry, by []*yaml.Node, path string) {
	key, known := entry.KeySource()
	if !known {
		o.fail(path, "the source of the key is not known")
	}
	o.via(key, by, path)
	o.spans(key, &yaml.Node{Kind: yaml.ScalarNode, Value: entry.Key}, path, true)
	if _, known := entry.Value.Source(); !known && entry.Value.IsNull() {
		return
	}
	o.throughValue(entry.Value, by, path)
}

func (o *oracle) throughValue(v *strictyaml.Value, by []*yaml.Node, path string) {
	s, known := v.Source()
	if !known {
		o.fail(path, "the source is not known")
	}
	o.via(s, by, path)
	if s.Anchored != nil {
		s = *s.Anchored
	}
	if v.Kind == strictyaml.Scalar {
		o.spans(s, &yaml.Node{Kind: yaml.ScalarNode, Value: v.Text}, path, isKey(s))
	}
	for i, item := range v.Items {
		o.throughValue(item, by, strictyaml.Index(path, i))
	}
	for _, entry := range v.Entries {
		o.through(entry, by, strictyaml.Join(path, entry.Key))
	}
}

// via proves that a value says what it came through.
func (o *oracle) via(s strictyaml.Source, by []*yaml.Node, path string) {
	if !s.Elsewhere() {
		o.fail(path, "came through an alias or a merge key and does not say so")
	}
	for _, n := range by {
		if o.beginsAt(n, s.Via.Start) {
			if n.Kind == yaml.AliasNode && o.cut(s.Via) != "*"+n.Value {
				o.fail(path, "came through %q, want the alias %s", o.cut(s.Via), n.Value)
			}
			return
		}
	}
	o.fail(path, "came through %q, where no alias and no value of << is", o.cut(s.Via))
}

// column counts the characters between an offset and the line break before it.
func (o *oracle) column(offset int) int {
	_, column := o.place(offset)
	return column
}

// place gives the line and column of an offset, both from 0.
func (o *oracle) place(offset int) (line, column int) {
	line, exact := slices.BinarySearch(o.lines, offset)
	if !exact {
		line--
	}
	return line, utf8.RuneCountInString(o.data[o.lines[line]:offset])
}

// beginsAt reports whether the library says that n begins at an offset.
func (o *oracle) beginsAt(n *yaml.Node, offset int) bool {
	line, column := o.place(offset)
	return n.Line == line+1 && n.Column == column+1
}

// inside checks that a node lies in what contains it.
func (o *oracle) inside(s, around strictyaml.Source, path string) {
	within := func(a, b strictyaml.Span) bool { return b.Start <= a.Start && a.End <= b.End }
	if !within(s.Content, s.Node) || !within(s.Node, s.Entry) || !within(s.Entry, around.Content) {
		o.fail(path, "content %v, node %v, entry %v and the content %v around do not lie in each other", s.Content, s.Node, s.Entry, around.Content)
	}
	if s.InFlow != (around.Style == strictyaml.FlowStyle) {
		o.fail(path, "in flow style: %t", s.InFlow)
	}
	want := o.column(s.Entry.Start)
	if s.InFlow {
		want = around.Indent
	}
	if s.Indent != want {
		o.fail(path, "indentation %d, want %d", s.Indent, want)
	}
}

// spans checks that content and node, cut out, are the node.
func (o *oracle) spans(s strictyaml.Source, want *yaml.Node, path string, key bool) {
	o.seen++
	if s.File != "f.yaml" {
		o.fail(path, "file %q", s.File)
	}
	made := want.Line == 0 // only its value is known
	if !made && !empty(want) && !o.beginsAt(want, s.Node.Start) {
		o.fail(path, "begins at %d, and its node at %d:%d", s.Node.Start, want.Line, want.Column)
	}
	bare := *want
	bare.Tag, bare.Anchor, bare.Style = "", "", want.Style&^yaml.TaggedStyle
	for span, want := range map[strictyaml.Span]*yaml.Node{s.Content: &bare, s.Node: want} {
		if want.Kind != yaml.ScalarNode && span.End-span.Start > maxCut {
			continue
		}
		text := o.placed(o.apart(span, s), s, key, o.column(span.Start))
		got, err := parse(text.source)
		if err != nil {
			o.fail(path, "%q, cut out as %q, is no YAML: %v", o.cut(span), text.source, err)
		}
		if err := sameNode(text.find(got), want, made); err != nil {
			o.fail(path, "%q, cut out as %q: %v", o.cut(span), text.source, err)
		}
		if got, want := s.Style, styleOf(want); !made && got != want {
			o.fail(path, "style %d, want %d", got, want)
		}
	}
}

func empty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.Style&^yaml.TaggedStyle == 0
}

// entry checks that an entry, cut out, is the key and the value, or the item.
func (o *oracle) entry(s strictyaml.Source, want []*yaml.Node, path string) {
	if s.Entry.End-s.Entry.Start <= maxCut {
		o.reads(o.placed(o.apart(s.Entry, s), s, len(want) == 2), want, path)
	}
}

func (o *oracle) reads(p placed, want []*yaml.Node, path string) {
	got, err := parse(p.source)
	if err != nil {
		o.fail(path, "the entry, cut out as %q, is no YAML: %v", p.source, err)
	}
	found := p.find(got)
	if len(found.Content) < len(want) {
		o.fail(path, "the entry, cut out as %q, has %d nodes", p.source, len(found.Content))
	}
	for i, n := range found.Content[len(found.Content)-len(want):] {
		if err := sameNode(n, want[i], false); err != nil {
			o.fail(path, "the entry, cut out as %q: %v", p.source, err)
		}
	}
}
