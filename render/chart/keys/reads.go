package keys

import (
	"cmp"
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

// use notes that everything in a value is used. All values of a chart at once
// are none: a checksum of them makes no key mean anything.
func (m *machine) use(v value) { m.useAll(v, usage{seen: map[any]bool{}}) }

// write notes that everything in a value is used, and goes into a text of the
// file. All values of a chart at once may be a note for people or what the chart
// is for, so whether a key means anything is doubtful.
func (m *machine) write(v value, file string) {
	m.useAll(v, usage{map[any]bool{}, file + " writes all values out"})
}

// usage is a way through a value that is used.
type usage struct {
	seen   map[any]bool
	copied string // what to doubt where all values of a chart come at once, if anything
}

func (m *machine) useAll(v value, by usage) {
	if !m.step() {
		return
	}
	all := slices.ContainsFunc(v.nodes, func(n *node) bool { return n.top })
	for _, n := range v.nodes {
		switch {
		case !all:
			m.useNode(n, by)
		case by.copied != "":
			m.doubt(n, by)
		}
	}
	for _, t := range v.tables {
		if by.seen[t] {
			continue
		}
		by.seen[t] = true
		for _, key := range slices.Sorted(maps.Keys(t.entries)) {
			m.useAll(t.entries[key], by)
		}
		m.useAll(t.rest, by)
		for _, merged := range t.merged {
			m.useAll(merged, by)
		}
	}
	for _, l := range v.lists {
		if !by.seen[l] {
			by.seen[l] = true
			m.useAll(l.each, by)
			for _, item := range l.items {
				m.useAll(item, by)
			}
		}
	}
	if v.coded != nil {
		m.useAll(*v.coded, by)
	}
}

func (m *machine) useNode(n *node, by usage) {
	if by.seen[n] {
		return
	}
	by.seen[n] = true
	n.all = true
	for _, key := range slices.Sorted(maps.Keys(n.set)) {
		m.useAll(n.set[key], by)
	}
	for _, merged := range n.merged {
		m.useAll(merged, by)
	}
}

// doubt notes that what is in a place, and in what templates put there, may be
// used.
func (m *machine) doubt(n *node, by usage) {
	if by.seen[n] || !m.step() {
		return
	}
	by.seen[n] = true
	n.doubt = cmp.Or(n.doubt, by.copied)
	put := slices.Clone(n.merged)
	for _, key := range slices.Sorted(maps.Keys(n.set)) {
		put = append(put, n.set[key])
	}
	for _, v := range put {
		for _, inner := range v.nodes {
			m.doubt(inner, by)
		}
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
