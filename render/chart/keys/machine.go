package keys

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/pm-gitops/pm-gitops/render/chart"
)

// What reading a chart may take: charts are written by strangers. The largest
// public charts need a thirtieth of it.
const (
	maxSteps        = 1_000_000
	maxAlternatives = 48      // values that one expression may be
	maxDepth        = 400     // templates, conditions and loops in one another
	maxActions      = 50_000  // of one file
	maxText         = 4 << 10 // bytes of a text that is kept
	maxRecursion    = 3       // of a template in itself
	maxNamed        = 200     // templates that a computed name may be one of
)

// machine goes through the templates of a chart the way Helm does, but takes
// every way through them, and with parts of the values in place of values.
type machine struct {
	root      *node
	functions map[string]function
	defined   map[string][]*parse.Tree
	charts    []*context
	steps     int
	why       string // why it gave up
	changes   int    // of maps
	known     map[call]returned
	running   map[*parse.Tree]int
	depth     int                    // how many templates are at work
	texts     map[string]*parse.Tree // templates that are texts somewhere
}

// context is what the templates of one chart get.
type context struct {
	part  chart.Part
	top   *node
	value value // of $
	table *table
	asked bool // a template hands a text to tpl
	filed bool // one of the chart's files, too
}

// call is an include that was seen before; it returns the same unless a map changed.
type call struct {
	tree *parse.Tree
	with *table
}

type returned struct {
	text    value
	changes int
}

// step counts what is done, and says when it is too much.
func (m *machine) step() bool {
	if m.steps++; m.steps > maxSteps {
		m.giveUp("the templates are too entangled")
		return false
	}
	return true
}

// giveUp makes everything doubtful.
func (m *machine) giveUp(why string) {
	m.why = cmp.Or(m.why, why)
}

// template is one that Helm renders.
type template struct {
	name string
	in   *context
}

// run reads all templates in the order in which Helm renders them
// (sortTemplates in https://github.com/helm/helm/blob/v3.22.0/pkg/engine/engine.go):
// what one of them does to the values the next ones see.
func (m *machine) run() error {
	var rendered []template
	for _, in := range m.charts {
		for _, file := range in.part.Templates {
			partial := strings.HasPrefix(path.Base(file.Name), "_")
			if in.part.Library && !partial {
				continue
			}
			if err := m.parse(file.Name, file.Source); err != nil {
				return err
			}
			if !partial {
				rendered = append(rendered, template{file.Name, in})
			}
		}
	}
	slices.SortStableFunc(rendered, func(a, b template) int {
		return cmp.Or(cmp.Compare(strings.Count(b.name, "/"), strings.Count(a.name, "/")), strings.Compare(b.name, a.name))
	})
	for _, t := range rendered {
		t.in.begin(t.name)
		for _, tree := range m.defined[t.name] {
			m.execute(tree, t.in, t.in.value, true)
		}
	}
	for _, in := range m.charts {
		if in.asked {
			m.readTexts(in, in.top, in.value)
		}
	}
	return nil
}

// begin says in a chart's own map which template has its turn.
func (c *context) begin(name string) {
	c.table.entries["Template"] = newTable(map[string]value{"Name": literal(name), "BasePath": literal(c.part.Path + "/templates")})
}

// parse adds the templates of a file.
func (m *machine) parse(name string, source []byte) error {
	if bytes.Count(source, []byte("{{")) > maxActions {
		m.giveUp(name + " has too many actions")
		return nil
	}
	trees, err := parseText(name, string(source))
	if err != nil {
		return fmt.Errorf("read the templates: %w", err)
	}
	for defined, tree := range trees {
		if defined == name || !parse.IsEmptyTree(tree.Root) {
			m.defined[defined] = append(m.defined[defined], tree)
		}
	}
	return nil
}

// parseText reads a template without knowing its functions.
func parseText(name, text string) (trees map[string]*parse.Tree, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("it is no template")
		}
	}()
	trees = map[string]*parse.Tree{}
	tree := parse.New(name)
	tree.Mode = parse.SkipFuncCheck
	_, err = tree.Parse(text, "", "", trees)
	return trees, err
}

// execute goes through a template. Its text is what it returns, unless all of
// it is written into a manifest.
func (m *machine) execute(tree *parse.Tree, in *context, dot value, written bool) value {
	if tree == nil || tree.Root == nil {
		return literal("")
	}
	s := &scope{m: m, in: in, tree: tree, written: written, depth: m.depth}
	s.declare("$", dot)
	m.running[tree]++
	m.depth++
	defer func() { m.running[tree]--; m.depth-- }()
	return s.list(tree.Root, dot)
}

// include is the text of a template with a name.
func (m *machine) include(in *context, name, dot value, where string) value {
	m.use(name)
	names, open := name.names()
	if open {
		if len(m.defined) > maxNamed {
			m.giveUp(where + " includes a template whose name it computes")
			return other
		}
		for defined := range m.defined {
			names = append(names, defined)
		}
		slices.Sort(names)
	}
	var text value
	for _, name := range slices.Compact(names) {
		for _, tree := range m.defined[name] {
			text = m.join(text, m.call(tree, in, dot))
		}
	}
	if text.nothing() || open {
		text = m.join(text, other)
	}
	return text
}

func (m *machine) call(tree *parse.Tree, in *context, dot value) value {
	if m.running[tree] >= maxRecursion || m.depth > maxDepth {
		m.use(dot)
		return other
	}
	var key call
	if len(dot.tables) == 1 && len(dot.nodes)+len(dot.lists)+len(dot.literals) == 0 && dot.coded == nil && !dot.other {
		key = call{tree, dot.tables[0]}
		if before, ok := m.known[key]; ok && before.changes == m.changes {
			return before.text
		}
	}
	text := m.execute(tree, in, dot, false)
	if key.with != nil {
		m.known[key] = returned{text, m.changes}
	}
	return text
}
