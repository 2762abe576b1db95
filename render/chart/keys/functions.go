package keys

import (
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
		c.m.write(v, c.tree.ParseName)
		return c.useAll(c.values)
	}
	return v
}

// sameItems is a list of items of the first argument.
func sameItems(c arguments) value { return openList(c.m.elements(c.at(0))) }

func (c arguments) grow(list value, with []value) value {
	added := c.m.joinAll(with)
	if len(list.lists) == 1 && !list.lists[0].open && len(list.nodes) == 0 && len(with) == 1 && len(list.lists[0].items) < maxAlternatives {
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
			v = c.item(v, int(min(i, maxText)))
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
	c.m.write(text, c.tree.ParseName)
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
