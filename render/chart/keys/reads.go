package keys

import (
	"maps"
	"slices"
)

// field is what lies below a key.
func (m *machine) field(v value, key string) value {
	return m.look(v, func(n *node) value {
		if n.top && key == "AsMap" { // a method of what .Values is
			return place(n)
		}
		below := n.child(key)
		below.named = true
		return m.join(place(below), n.set[key])
	}, func(t *table) value {
		found, ok := t.entries[key]
		if !ok && t.rest.nothing() && len(t.merged) == 0 {
			return literal(nil)
		}
		return m.join(found, t.rest)
	}, map[any]bool{})
}

// elements is what lies below any key, or in any item.
func (m *machine) elements(v value) value {
	each := m.look(v, func(n *node) value {
		n.any().read = true
		found := place(n.each)
		for _, key := range slices.Sorted(maps.Keys(n.set)) {
			found = m.join(found, n.set[key])
		}
		return found
	}, func(t *table) value {
		found := t.rest
		for _, key := range slices.Sorted(maps.Keys(t.entries)) {
			found = m.join(found, t.entries[key])
		}
		return found
	}, map[any]bool{})
	for _, l := range v.lists {
		each = m.join(each, m.itemsOf(l))
	}
	return each
}

// look goes through the maps that a value may be, and those merged into them.
func (m *machine) look(v value, inNode func(*node) value, inTable func(*table) value, seen map[any]bool) value {
	found := value{other: v.other, files: v.files}
	if !m.step() {
		return other
	}
	for _, n := range v.nodes {
		if !seen[n] {
			seen[n] = true
			found = m.join(found, inNode(n))
			for _, merged := range n.merged {
				found = m.join(found, m.look(merged, inNode, inTable, seen))
			}
		}
	}
	for _, t := range v.tables {
		if !seen[t] {
			seen[t] = true
			found = m.join(found, inTable(t))
			for _, merged := range t.merged {
				found = m.join(found, m.look(merged, inNode, inTable, seen))
			}
		}
	}
	return found
}

// pick is what lies below a key that is a value too.
func (m *machine) pick(v, key value, where func() string) value {
	m.use(key)
	names, open := key.names()
	var found value
	for _, name := range names {
		found = m.join(found, m.field(v, name))
	}
	if !open && len(names) == len(key.literals) {
		return found
	}
	for _, n := range v.nodes {
		if open && n.dynamic == "" {
			n.dynamic = where()
		}
	}
	return m.join(found, m.elements(v))
}

// use notes that everything in a value is used. All values of a chart written
// down at once are none: it is a copy, or a checksum of them, and makes no key
// mean anything.
func (m *machine) use(v value) { m.useAll(v, map[any]bool{}) }

func (m *machine) useAll(v value, seen map[any]bool) {
	if !m.step() {
		return
	}
	if !slices.ContainsFunc(v.nodes, func(n *node) bool { return n.top }) {
		for _, n := range v.nodes {
			m.useNode(n, seen)
		}
	}
	for _, t := range v.tables {
		if seen[t] {
			continue
		}
		seen[t] = true
		for _, key := range slices.Sorted(maps.Keys(t.entries)) {
			m.useAll(t.entries[key], seen)
		}
		m.useAll(t.rest, seen)
		for _, merged := range t.merged {
			m.useAll(merged, seen)
		}
	}
	for _, l := range v.lists {
		if !seen[l] {
			seen[l] = true
			m.useAll(l.each, seen)
			for _, item := range l.items {
				m.useAll(item, seen)
			}
		}
	}
	if v.coded != nil {
		m.useAll(*v.coded, seen)
	}
}

func (m *machine) useNode(n *node, seen map[any]bool) {
	if seen[n] {
		return
	}
	seen[n] = true
	n.all = true
	for _, key := range slices.Sorted(maps.Keys(n.set)) {
		m.useAll(n.set[key], seen)
	}
	for _, merged := range n.merged {
		m.useAll(merged, seen)
	}
}

// test notes that a value is asked whether it is there.
func (m *machine) test(v value) {
	for _, n := range v.nodes {
		n.read = true
	}
	if v.coded != nil {
		m.use(*v.coded)
	}
}
