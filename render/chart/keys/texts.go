package keys

import (
	"maps"
	"slices"
	"strings"
	"text/template/parse"
)

// maxTexts is how many templates are read that are values or files.
const maxTexts = 500

// readText reads a template that is a text somewhere.
func (m *machine) readText(in *context, source string, with value) {
	if !strings.Contains(source, "{{") || strings.Count(source, "{{") > maxActions {
		return
	}
	if m.depth > maxRecursion*maxRecursion || !m.step() {
		return
	}
	tree, known := m.texts[source]
	if !known {
		tree = m.parseInline(source)
		m.texts[source] = tree
	}
	m.execute(tree, in, with, true)
}

// parseInline reads a text once. What it defines others may include; what is no
// template Helm complains about.
func (m *machine) parseInline(source string) *parse.Tree {
	m.steps += len(source) / 10
	const name = "text"
	trees, err := parseText(name, source)
	if err != nil {
		return nil
	}
	for _, defined := range slices.Sorted(maps.Keys(trees)) {
		if defined != name {
			m.defined[defined] = append(m.defined[defined], trees[defined])
		}
	}
	return trees[name]
}

// readInside reads the templates that are values, as far as they are known.
func (m *machine) readInside(in *context, v value, with value) {
	for _, n := range v.nodes {
		m.readTexts(in, n, with)
	}
	if v.coded != nil {
		m.readInside(in, *v.coded, with)
	}
}

// readTexts reads the templates below a place.
func (m *machine) readTexts(in *context, n *node, with value) {
	for _, text := range n.allTexts(nil) {
		m.readText(in, text, with)
	}
}

func (n *node) allTexts(texts []string) []string {
	texts = append(texts, n.texts...)
	for _, below := range n.below() {
		if len(texts) < maxTexts {
			texts = below.allTexts(texts)
		}
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}
