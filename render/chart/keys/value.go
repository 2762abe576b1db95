package keys

import "slices"

// value is what an expression in a template may be: any of these. Sets only
// grow, so that what one way through a template does never hides what another
// one does.
type value struct {
	nodes    []*node  // parts of the values
	tables   []*table // maps that templates make
	lists    []*list  // at most one
	literals []any    // texts, numbers, booleans and nil that are written out
	coded    *value   // a text that is this as JSON or YAML
	files    bool     // a text of the chart's files
	other    bool     // something that holds no part of the values
}

// table is a map that a template makes. Like in Go, who has it can change it.
type table struct {
	entries map[string]value
	rest    value // below keys that are computed
	merged  []value
}

// list is a list that a template makes, of known items or of any number of
// one kind. It never changes.
type list struct {
	items []value
	open  bool
	each  value // of an open list
}

var other = value{other: true}

func literal(values ...any) value { return value{literals: values} }

func place(n *node) value { return value{nodes: []*node{n}} }

func newTable(entries map[string]value) value {
	return value{tables: []*table{{entries: entries}}}
}

func newList(items ...value) value { return value{lists: []*list{{items: items}}} }

func openList(each value) value { return value{lists: []*list{{open: true, each: each}}} }

// nothing reports whether nothing is known of a value.
func (v value) nothing() bool {
	return len(v.nodes)+len(v.tables)+len(v.lists)+len(v.literals) == 0 && v.coded == nil && !v.other && !v.files
}

// constants is the literals of a value that is nothing else.
func (v value) constants() ([]any, bool) {
	return v.literals, len(v.literals) > 0 && len(v.nodes)+len(v.tables)+len(v.lists) == 0 && v.coded == nil && !v.other && !v.files
}

// constant is the one literal that a value is.
func (v value) constant() (any, bool) {
	all, ok := v.constants()
	if !ok || len(all) != 1 {
		return nil, false
	}
	return all[0], true
}

// names is the keys that a value may stand for, and whether it may stand for
// others too.
func (v value) names() (keys []string, open bool) {
	for _, l := range v.literals {
		if text, ok := l.(string); ok {
			keys = append(keys, text)
		}
	}
	_, constant := v.constants()
	return keys, !constant
}

// join is a value that may be either.
func (m *machine) join(a, b value) value {
	if !m.step() || b.nothing() {
		return a
	}
	if a.nothing() {
		return b
	}
	joined := value{
		nodes:    union(a.nodes, b.nodes),
		tables:   union(a.tables, b.tables),
		literals: union(a.literals, b.literals),
		lists:    a.lists,
		coded:    a.coded,
		files:    a.files || b.files,
		other:    a.other || b.other,
	}
	switch {
	case len(a.lists) == 0:
		joined.lists = b.lists
	case len(b.lists) != 0 && a.lists[0] != b.lists[0]:
		joined.lists = []*list{m.joinLists(a.lists[0], b.lists[0])}
	}
	switch {
	case a.coded == nil:
		joined.coded = b.coded
	case b.coded != nil && a.coded != b.coded:
		inner := m.join(*a.coded, *b.coded)
		joined.coded = &inner
	}
	return m.bound(joined)
}

func (m *machine) joinAll(values []value) value {
	var all value
	for _, v := range values {
		all = m.join(all, v)
	}
	return all
}

func union[T comparable](a, b []T) []T {
	if len(b) == 0 {
		return a
	}
	all := a[:len(a):len(a)]
	for _, item := range b {
		if !slices.Contains(all, item) {
			all = append(all, item)
		}
	}
	return all
}

// bound keeps a value from getting too wide: what is left out counts as used.
func (m *machine) bound(v value) value {
	if len(v.literals) > maxAlternatives {
		v.literals, v.other = v.literals[:maxAlternatives], true
	}
	if len(v.nodes) > maxAlternatives {
		for _, n := range v.nodes[maxAlternatives:] {
			n.doubt = "too many values may be this one"
		}
		v.nodes = v.nodes[:maxAlternatives]
	}
	if len(v.tables) > maxAlternatives {
		m.use(value{tables: v.tables[maxAlternatives:]})
		v.tables, v.other = v.tables[:maxAlternatives], true
	}
	return v
}

func (m *machine) joinLists(a, b *list) *list {
	if !a.open && !b.open && len(a.items) == len(b.items) {
		items := make([]value, len(a.items))
		for i := range items {
			items[i] = m.join(a.items[i], b.items[i])
		}
		return &list{items: items}
	}
	return &list{open: true, each: m.join(m.itemsOf(a), m.itemsOf(b))}
}

// itemsOf is what any item of a list may be.
func (m *machine) itemsOf(l *list) value {
	if l.open {
		return l.each
	}
	return m.joinAll(l.items)
}

// truth is what a value may count as in a condition.
func (v value) truth() (mayBeTrue, mayBeFalse bool) {
	if v.nothing() || len(v.nodes) > 0 || v.coded != nil || v.files || v.other {
		return true, true
	}
	for _, t := range v.tables {
		open := len(t.merged) > 0 || !t.rest.nothing()
		mayBeTrue = mayBeTrue || open || len(t.entries) > 0
		mayBeFalse = mayBeFalse || open || len(t.entries) == 0
	}
	for _, l := range v.lists {
		mayBeTrue = mayBeTrue || l.open || len(l.items) > 0
		mayBeFalse = mayBeFalse || l.open || len(l.items) == 0
	}
	for _, l := range v.literals {
		mayBeTrue = mayBeTrue || truthy(l)
		mayBeFalse = mayBeFalse || !truthy(l)
	}
	return mayBeTrue, mayBeFalse
}

func truthy(literal any) bool {
	switch literal := literal.(type) {
	case nil:
		return false
	case bool:
		return literal
	case string:
		return literal != ""
	case int64:
		return literal != 0
	default:
		return literal != 0.0
	}
}
