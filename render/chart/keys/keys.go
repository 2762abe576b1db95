// Package keys finds out which values a chart knows: those that its default
// values, its schema or its templates name, and those that its templates read.
// It reads templates without rendering them, along every way through them, so
// what it says holds for all values. Where it cannot follow a template it says
// so instead of blaming a key.
//
// Like package render it never touches disk, network, clock, randomness or
// environment variables, and its work is bounded whatever a chart holds.
package keys

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/pm-gitops/pm-gitops/render/chart"
)

// Tree is the values that a chart knows, by path. It never changes.
type Tree struct {
	root *node
	why  string // why nothing is sure
	// names is the places that have a name, for suggestions.
	names map[string][]indexed
	texts bool // values are templates too
	chart chart.Chart
}

// Of reads a chart, those in it included, whether they are on or off. It fails
// where Helm could not parse a template.
func Of(c chart.Chart) (Tree, error) { return read(c, nil) }

// read reads a chart that is given values: they count only as templates.
func read(c chart.Chart, values map[string]any) (Tree, error) {
	m := &machine{
		root:      &node{},
		functions: functions(),
		defined:   map[string][]*parse.Tree{},
		known:     map[call]returned{},
		running:   map[*parse.Tree]int{},
		texts:     map[string]*parse.Tree{},
	}
	parts := c.Parts()
	m.build(parts, m.root, nil)
	learnTexts(values, m.root)
	if err := m.guarded(); err != nil {
		return Tree{}, fmt.Errorf("chart %s %s: %w", c.Name(), c.Version(), err)
	}
	m.root.settle()
	t := Tree{root: m.root, why: m.why, names: map[string][]indexed{}, chart: c}
	t.texts = slices.ContainsFunc(m.charts, func(in *context) bool { return in.asked })
	t.index(m.root, "", 0)
	return t, nil
}

// guarded reads the templates. What breaks the reader makes everything
// doubtful, and no more.
func (m *machine) guarded() (err error) {
	defer func() {
		if r := recover(); r != nil {
			m.giveUp(fmt.Sprintf("reading the templates failed: %v", r))
		}
	}()
	return m.run()
}

// build lays out the places of a chart's values and those of the charts in it,
// and what their templates get. Around is the place of the chart around it.
func (m *machine) build(part chart.Part, n *node, around *node) *context {
	n.top = true
	learnDefaults(part.Values, n)
	learnSchema(part.Schema, n)
	in := &context{part: part, top: n, table: &table{}}
	if around != nil { // what is global there is global here
		n.set = map[string]value{"global": m.global(around)}
		learnDefaults(part.Values["global"], m.root.child("global"))
	}
	below := map[string]value{}
	m.charts = append(m.charts, in)
	for _, inner := range part.Parts {
		key := n.child(inner.Key)
		key.inDefaults = true
		below[inner.Key] = m.build(inner, key, n).value
		m.depend(inner, n, key)
	}
	in.table.entries = map[string]value{
		"Values": place(n), "Chart": other, "Release": other, "Capabilities": other,
		"Files": {files: true}, "Subcharts": newTable(below),
	}
	in.value = value{tables: []*table{in.table}}
	in.begin("")
	return in
}

func (m *machine) global(n *node) value {
	return m.join(place(n.child("global")), n.set["global"])
}

// depend notes what Helm itself reads of the values, and lays over each other
// what a part gives to the chart around it.
func (m *machine) depend(inner chart.Part, around, own *node) {
	for _, condition := range inner.Conditions {
		asked := around.at(strings.Split(condition, "."))
		asked.named, asked.read = true, true
	}
	for _, tag := range inner.Tags {
		for _, n := range []*node{m.root, around} {
			asked := n.child("tags").child(tag)
			asked.named, asked.read = true, true
		}
	}
	for _, imported := range inner.Imports {
		from, to := own.at(strings.Split(imported.Child, ".")), around
		if imported.Parent != "" {
			to = around.at(strings.Split(imported.Parent, "."))
		}
		to.merged = append(to.merged, place(from))
		shadow(to, from)
	}
}

// learnDefaults notes what is there by default.
func learnDefaults(v any, n *node) {
	if kind := kindOf(v); !n.inDefaults {
		n.kind = kind
	} else if n.kind != kind {
		n.kind = ""
	}
	n.inDefaults = true
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			learnDefaults(item, n.child(key))
		}
	case []any:
		for _, item := range v {
			learnDefaults(item, n.any())
		}
	case string:
		n.learnText(v)
	}
}

// learnTexts notes which values are templates.
func learnTexts(v any, n *node) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			learnTexts(v[key], n.child(key))
		}
	case []any:
		for _, item := range v {
			learnTexts(item, n.any())
		}
	case string:
		n.learnText(v)
	}
}

func (n *node) learnText(text string) {
	if strings.Contains(text, "{{") && len(n.texts) < maxTexts {
		n.texts = append(n.texts, text)
	}
}
