package keys

import (
	"slices"
)

func dict(c arguments) value {
	t := &table{entries: map[string]value{}}
	for i := 0; i < len(c.values); i += 2 {
		c.put(t, c.at(i), c.at(i+1))
	}
	return value{tables: []*table{t}}
}

// put puts a value into a map, beside what may be there.
func (c arguments) put(t *table, key, v value) {
	names, open := key.names()
	for _, name := range names {
		t.entries[name] = c.m.join(t.entries[name], v)
	}
	if open {
		c.m.use(key)
		t.rest = c.m.join(t.rest, v)
	}
}

// set is (set MAP KEY VALUE): it changes the map.
func set(c arguments) value {
	c.m.changes++
	into, key, v := c.at(0), c.at(1), c.at(2)
	for _, t := range into.tables {
		c.put(t, key, v)
	}
	names, open := key.names()
	for _, n := range into.nodes {
		for _, name := range names {
			if n.set == nil {
				n.set = map[string]value{}
			}
			n.set[name] = c.m.join(n.set[name], v)
		}
		if open {
			c.mergeInto(n, newTable(map[string]value{}), v)
		}
	}
	return into
}

// mergeInto puts a value below keys that nobody knows.
func (c arguments) mergeInto(n *node, under, v value) {
	under.tables[0].rest = v
	n.merged = append(n.merged, under)
}

// merge is (merge INTO FROM …): it changes the first map.
func merge(c arguments) value {
	c.m.changes++
	into := c.at(0)
	from := c.m.joinAll(c.from(1))
	for _, t := range into.tables {
		if len(t.merged) < maxAlternatives && !slices.Contains(from.tables, t) {
			t.merged = append(t.merged, from)
		}
	}
	for _, n := range into.nodes {
		without := from
		without.nodes = slices.DeleteFunc(slices.Clone(from.nodes), func(x *node) bool { return x == n })
		if !without.nothing() && len(n.merged) < maxAlternatives {
			n.merged = append(n.merged, without)
		}
	}
	all := c.m.join(into, from)
	for _, a := range all.nodes {
		for _, b := range all.nodes {
			shadow(a, b)
		}
	}
	return all
}

// pick is (pick MAP KEY …): a smaller map.
func pick(c arguments) value {
	t := &table{entries: map[string]value{}}
	for _, key := range c.from(1) {
		c.put(t, key, c.m.pick(c.at(0), key, c.place))
	}
	return value{tables: []*table{t}}
}

func hasKey(c arguments) value {
	found := c.m.pick(c.at(0), c.at(1), c.place)
	c.m.test(found)
	return other
}

// keys is the keys of a map, or how many there are.
func (c arguments) keys(v value) value {
	c.m.test(v)
	if len(v.nodes) > 0 {
		c.m.elements(v)
	}
	return keysOf(v)
}
