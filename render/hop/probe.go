package hop

import (
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// probe gives a text to try in the place of another one, of the same form so that a schema
// takes it. Token is what it is found by.
func probe(value string, n int) (text, token string) {
	token = probing + strconv.Itoa(n) + "x"
	address, err := url.Parse(value)
	switch {
	case err == nil && address.Host != "" && (address.Scheme == "http" || address.Scheme == "https"):
		return address.Scheme + "://" + token + ".example.com", token
	case strings.Contains(value, "@") && strings.Contains(value, "."):
		return token + "@example.com", token
	}
	return token, token
}

// tried gives other values that a value may be probed with, the best first.
func (w *work) tried(defaults, schema map[string]any, l leaf) (all []any) {
	switch value := l.value.(type) {
	case bool:
		return []any{!value}
	case float64:
		return []any{value + 1}
	case []any:
		if len(value) > 0 {
			return []any{[]any{}}
		}
		return []any{[]any{probing}}
	case string:
		siblings := alternatives(defaults, schema, l)
		for _, other := range siblings {
			all = append(all, other)
		}
		if _, err := netip.ParseAddr(value); err == nil {
			all = append(all, "203.0.113.9")
		}
		text, _ := probe(value, 0)
		all = append(all, text)
	}
	return all
}

// alternatives gives the texts that may stand in the place of one that chooses among a few:
// those of the schema, or the names of the mappings beside it, if it is one of them.
func alternatives(defaults, schema map[string]any, l leaf) (all []string) {
	value, isText := l.value.(string)
	if !isText {
		return nil
	}
	for _, other := range choices(schema, l.path) {
		if text, ok := other.(string); ok && text != value && text != "" {
			all = append(all, text)
		}
	}
	around, _ := get(defaults, l.path.parent())
	if len(l.path) == 1 {
		around = defaults
	}
	siblings, _ := around.(map[string]any)
	if _, isOne := siblings[value].(map[string]any); isOne {
		for _, key := range slices.Sorted(maps.Keys(siblings)) {
			if _, isMap := siblings[key].(map[string]any); isMap && key != value && !slices.Contains(all, key) {
				all = append(all, key)
			}
		}
	}
	return all
}

// choices gives what a schema allows at a path, if it lists that.
func choices(schema map[string]any, at path) []any {
	node := schema
	for i := range len(at) + 1 {
		if reference, ok := node["$ref"].(string); ok {
			node = referred(schema, reference)
		}
		if items, ok := node["items"].(map[string]any); ok && i == len(at) {
			node = items
		}
		if i == len(at) {
			break
		}
		properties, _ := node["properties"].(map[string]any)
		next, ok := properties[at[i]].(map[string]any)
		if !ok {
			return nil
		}
		node = next
	}
	all, _ := node["enum"].([]any)
	if constant, ok := node["const"]; ok {
		all = []any{constant}
	}
	return all
}

// referred finds what a schema refers to in itself.
func referred(schema map[string]any, reference string) map[string]any {
	var value any = schema
	for step := range strings.SplitSeq(strings.TrimPrefix(reference, "#/"), "/") {
		inner, _ := value.(map[string]any)
		value = inner[step]
	}
	found, _ := value.(map[string]any)
	return found
}

// batch is many texts tried at once: each place of an object says by its token which of
// them reached it.
type batch struct {
	tokens map[string]string // path to token
	effect effect
}

// together tries texts at paths at once, in the place of values that a chart has. Those
// with which it does not render are left out and returned.
func (w *work) together(s *side, values map[string]any, all []leaf) (batch, []leaf) {
	b := batch{tokens: map[string]string{}}
	base, err := w.render(s, values)
	if err != nil || len(all) == 0 {
		return b, all
	}
	changed := values
	for _, l := range all {
		text, _ := l.value.(string)
		value, token := probe(text, w.number(l.path))
		changed, b.tokens[l.path.String()] = with(changed, l.path, value), token
	}
	made, err := w.render(s, changed)
	if err == nil {
		b.effect = differ(base, made, s.random)
		return b, nil
	}
	if len(all) == 1 {
		return batch{tokens: map[string]string{}}, all
	}
	first, failed := w.together(s, values, all[:len(all)/2])
	second, others := w.together(s, values, all[len(all)/2:])
	return first.joined(second), append(failed, others...)
}

// end stands where a text ends.
const end = "\x00"

// joined puts two batches into one.
func (b batch) joined(other batch) batch {
	all := batch{maps.Clone(b.tokens), effect{places: map[place]change{}, a: b.effect.a, b: b.effect.b}}
	maps.Copy(all.tokens, other.tokens)
	maps.Copy(all.effect.places, b.effect.places)
	for at, c := range other.effect.places {
		if before, both := all.effect.places[at]; both {
			c.is += end + before.is
		}
		all.effect.places[at] = c
	}
	if all.effect.a == nil {
		all.effect.a, all.effect.b = other.effect.a, other.effect.b
	}
	return all
}

// marked gives the places that the text of a path reached, each with what stands
// before and behind it: the user and the password of an address are in one text.
func (b batch) marked(at path) effect {
	e := effect{places: map[place]change{}, a: b.effect.a, b: b.effect.b}
	token := b.tokens[at.String()]
	for p, c := range b.effect.places {
		if around := neighbours(strings.ToLower(c.is), token); token != "" && around != "" {
			e.places[p] = change{was: around, had: true, has: true}
		}
	}
	return e
}

// neighbours writes down what stands around a token in a text, wherever it is in it.
func neighbours(text, token string) string {
	var all []string
	side := func(r byte) string {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return "a"
		}
		return string(r)
	}
	text = end + text + end
	for i := strings.Index(text, token); token != "" && i >= 0; i = strings.Index(text, token) {
		before := side(text[i-1])
		text = text[i+len(token):]
		all = append(all, before+"*"+side(text[0]))
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}
