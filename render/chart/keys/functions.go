package keys

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template/parse"
)

// arguments is what a function is called with.
type arguments struct {
	*scope
	node   *parse.IdentifierNode
	values []value
}

// at is an argument; what is missing may be anything.
func (c arguments) at(i int) value {
	if i < 0 || i >= len(c.values) {
		return other
	}
	return c.values[i]
}

func (c arguments) last() value { return c.at(len(c.values) - 1) }

// from is the arguments from one on.
func (c arguments) from(i int) []value { return c.values[min(i, len(c.values)):] }

func (c arguments) place() string { return c.where(c.node) }

func (c arguments) useAll(values []value) value {
	for _, v := range values {
		c.m.use(v)
	}
	return other
}

type function func(arguments) value

// functions is those functions of Helm (https://helm.sh/docs/chart_template_guide/function_list/)
// that hand on what they get, or use only a part of it. All others use all of
// their arguments, and what they return holds none of it. Those that begin
// with must are found without it.
func functions() map[string]function {
	return withMust(map[string]function{
		"append":   func(c arguments) value { return c.grow(c.at(0), c.from(1)) },
		"coalesce": coalesce,
		"compact":  sameItems,
		"concat":   func(c arguments) value { return openList(c.m.joinAll(mapped(c.values, c.m.elements))) },
		"deepCopy": func(c arguments) value { return c.at(0) },
		"default":  func(c arguments) value { return c.instead(c.at(1), c.at(0)) },
		"dict":     dict,
		"dig":      dig,
		"empty":    func(c arguments) value { return c.not(c.at(0)) },
		"eq":       func(c arguments) value { return c.equal(true) },
		"first":    func(c arguments) value { return c.item(c.at(0), 0) },
		"get":      func(c arguments) value { return c.m.pick(c.at(0), c.at(1), c.place) },
		"hasKey":   hasKey,
		"include":  func(c arguments) value { return c.m.include(c.in, c.at(0), c.at(1), c.place()) },
		"index":    index,
		"initial":  sameItems,
		"keys":     func(c arguments) value { return openList(c.m.joinAll(mapped(c.values, c.keys))) },
		"kindIs":   testLast, "kindOf": testLast, "typeIs": testLast, "typeIsLike": testLast, "typeOf": testLast,
		"last":  func(c arguments) value { return c.m.elements(c.at(0)) },
		"len":   func(c arguments) value { return c.keys(c.at(0)) },
		"list":  func(c arguments) value { return newList(c.values...) },
		"merge": merge, "mergeOverwrite": merge,
		"ne":   func(c arguments) value { return c.equal(false) },
		"not":  func(c arguments) value { return c.not(c.at(0)) },
		"omit": func(c arguments) value { return c.at(0) },
		"pick": pick,
		"pluck": func(c arguments) value {
			return openList(c.m.joinAll(mapped(c.from(1), func(v value) value { return c.m.pick(v, c.at(0), c.place) })))
		},
		"prepend": func(c arguments) value { return c.grow(c.at(0), c.from(1)) },
		"push":    func(c arguments) value { return c.grow(c.at(0), c.from(1)) },
		"required": func(c arguments) value {
			c.m.test(c.at(1))
			return c.at(1)
		},
		"rest":    sameItems,
		"reverse": sameItems,
		"set":     set,
		"slice":   sameItems,
		"ternary": ternary,
		"tpl":     tpl,
		"tuple":   func(c arguments) value { return newList(c.values...) },
		"uniq":    sameItems,
		"unset":   func(c arguments) value { return c.at(0) },
		"values":  func(c arguments) value { return openList(c.m.joinAll(mapped(c.values, c.m.elements))) },
		"without": func(c arguments) value { c.useAll(c.from(1)); return sameItems(c) },

		"toJson": encode, "toPrettyJson": encode, "toRawJson": encode, "toYaml": encode, "toYamlPretty": encode,
		"fromJson": decode, "fromJsonArray": decode, "fromYaml": decode, "fromYamlArray": decode,
		"indent": sameText, "nindent": sameText, "trim": sameText,
	})
}

func withMust(all map[string]function) map[string]function {
	for name, f := range maps.Clone(all) {
		all["must"+strings.ToUpper(name[:1])+name[1:]] = f
	}
	return all
}

func mapped(values []value, f func(value) value) []value {
	all := make([]value, len(values))
	for i, v := range values {
		all[i] = f(v)
	}
	return all
}

// encode is a value as a text: nothing of it is used yet.
func encode(c arguments) value {
	v := c.at(0)
	return value{coded: &v}
}

// decode is what a text was made of.
func decode(c arguments) value {
	v := c.at(0)
	decoded := other
	if v.coded != nil {
		decoded = *v.coded
		if v.other || v.files || len(v.nodes) > 0 {
			decoded = c.m.join(decoded, other)
		}
	}
	v.coded = nil
	c.m.use(v)
	return decoded
}

// sameText is a text that others may read as the one it is made of.
func sameText(c arguments) value {
	v := c.last()
	if v.coded == nil && !v.files {
		return c.useAll(c.values)
	}
	return v
}

// sameItems is a list of items of the first argument.
func sameItems(c arguments) value { return openList(c.m.elements(c.at(0))) }

func (c arguments) grow(list value, with []value) value {
	added := c.m.joinAll(with)
	if len(list.lists) == 1 && !list.lists[0].open && len(list.nodes) == 0 && len(with) == 1 && len(list.lists[0].items) < mostAlternatives {
		return newList(append(slices.Clone(list.lists[0].items), added)...)
	}
	return openList(c.m.join(c.m.elements(list), added))
}

func (c arguments) item(v value, i int) value {
	if len(v.lists) == 1 && len(v.nodes) == 0 && !v.lists[0].open {
		if items := v.lists[0].items; i >= 0 && i < len(items) {
			return items[i]
		}
		return other
	}
	return c.m.elements(v)
}

func index(c arguments) value {
	v := c.at(0)
	for _, key := range c.from(1) {
		constant, _ := key.constant()
		if i, ok := constant.(int64); ok {
			v = c.item(v, int(min(i, mostText)))
		} else {
			v = c.m.pick(v, key, c.place)
		}
	}
	return v
}

// dig is (dig "key" … DEFAULT MAP).
func dig(c arguments) value {
	if len(c.values) < 3 {
		return other
	}
	v := c.last()
	for _, key := range c.values[:len(c.values)-2] {
		v = c.m.pick(v, key, c.place)
	}
	return c.m.join(v, c.at(len(c.values)-2))
}

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
		if len(t.merged) < mostAlternatives && !slices.Contains(from.tables, t) {
			t.merged = append(t.merged, from)
		}
	}
	for _, n := range into.nodes {
		without := from
		without.nodes = slices.DeleteFunc(slices.Clone(from.nodes), func(x *node) bool { return x == n })
		if !without.nothing() && len(n.merged) < mostAlternatives {
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

// instead is a value, or another one where it is empty.
func (c arguments) instead(v, fallback value) value {
	c.m.test(v)
	mayBeTrue, mayBeFalse := v.truth()
	switch {
	case !mayBeFalse:
		return v
	case !mayBeTrue:
		return fallback
	default:
		return c.m.join(present(v), fallback)
	}
}

func coalesce(c arguments) value {
	var v value
	for i := len(c.values) - 1; i >= 0; i-- {
		v = c.instead(c.values[i], v)
	}
	return v
}

// ternary is (ternary THEN ELSE CONDITION).
func ternary(c arguments) value {
	c.m.test(c.at(2))
	mayBeTrue, mayBeFalse := c.at(2).truth()
	var v value
	if mayBeTrue {
		v = c.at(0)
	}
	if mayBeFalse {
		v = c.m.join(v, c.at(1))
	}
	return v
}

func (c arguments) not(v value) value {
	c.m.test(v)
	mayBeTrue, mayBeFalse := v.truth()
	if mayBeTrue && mayBeFalse {
		return other
	}
	return literal(mayBeFalse)
}

func (c arguments) equal(want bool) value {
	if len(c.values) == 2 {
		a, isA := c.values[0].constant()
		b, isB := c.values[1].constant()
		if isA && isB {
			return literal((a == b) == want)
		}
	}
	return c.useAll(c.values)
}

func testLast(c arguments) value {
	c.m.test(c.last())
	return other
}

// tpl is (tpl TEXT CONTEXT): the text is a template itself.
func tpl(c arguments) value {
	text, with := c.at(0), c.at(1)
	c.in.asked = true
	c.m.use(text)
	for _, l := range text.literals {
		if source, ok := l.(string); ok {
			c.m.readText(c.in, source, with)
		}
	}
	c.m.readInside(c.in, text, with)
	if text.files && !c.in.filed {
		c.in.filed = true
		for _, file := range c.in.part.Files {
			c.m.readText(c.in, string(file.Source), with)
		}
	}
	return other
}

// plain is what a function makes of texts that are written out.
func (c arguments) plain(name string) (value, bool) {
	var given []any
	for _, v := range c.values {
		constant, ok := v.constant()
		if !ok {
			return c.product(name)
		}
		given = append(given, constant)
	}
	made, ok := compute(name, given)
	if !ok || len(made) > mostText {
		return value{}, false
	}
	return literal(made), true
}

// product is what a function makes of arguments that are one of several texts.
func (c arguments) product(name string) (value, bool) {
	combinations := [][]any{nil}
	for _, v := range c.values {
		choices, ok := v.constants()
		if !ok || len(choices)*len(combinations) > mostAlternatives {
			return value{}, false
		}
		var more [][]any
		for _, before := range combinations {
			for _, choice := range choices {
				more = append(more, append(slices.Clone(before), choice))
			}
		}
		combinations = more
	}
	var all value
	for _, given := range combinations {
		made, ok := compute(name, given)
		if !ok || len(made) > mostText {
			return value{}, false
		}
		all = c.m.join(all, literal(made))
	}
	return all, true
}

// compute is those functions whose results serve as keys and names.
func compute(name string, given []any) (string, bool) {
	if name == "print" {
		return fmt.Sprint(given...), true
	}
	texts := make([]string, len(given))
	for i, g := range given {
		text, ok := g.(string)
		if !ok {
			return "", false
		}
		texts[i] = text
	}
	switch {
	case name == "printf" && len(texts) > 0 && !strings.ContainsAny(texts[0], "*0123456789"):
		return fmt.Sprintf(texts[0], given[1:]...), true
	case name == "lower" && len(texts) == 1:
		return strings.ToLower(texts[0]), true
	case name == "upper" && len(texts) == 1:
		return strings.ToUpper(texts[0]), true
	case name == "toString" && len(texts) == 1:
		return texts[0], true
	case name == "replace" && len(texts) == 3 && texts[0] != "":
		return strings.ReplaceAll(texts[2], texts[0], texts[1]), true
	case name == "trimSuffix" && len(texts) == 2:
		return strings.TrimSuffix(texts[1], texts[0]), true
	case name == "trimPrefix" && len(texts) == 2:
		return strings.TrimPrefix(texts[1], texts[0]), true
	default:
		return "", false
	}
}
