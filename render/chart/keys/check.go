package keys

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// Kind is what is wrong with a value.
type Kind string

// The kinds.
const (
	// NotKnown: neither the default values nor the schema nor a template of
	// the chart knows the key.
	NotKnown Kind = "unknown"
	// Inert: the default values or the schema know the key, and no template
	// reads it.
	Inert Kind = "inert"
)

// Unknown is a value that does nothing.
type Unknown struct {
	// Path is the value, as in [github.com/pm-gitops/pm-gitops/render.Explained]:
	// a key that is no plain word is in brackets and quotes.
	Path string `json:"path"`
	Kind Kind   `json:"kind"`
	// Nearest is the path that was most likely meant, or empty.
	Nearest string `json:"nearest,omitempty"`
	// Doubtful says why it may do something all the same, or is empty.
	Doubtful string `json:"doubtful,omitempty"`
}

// Check finds the values that the chart does not know, or does not read, by
// path. A map that no key of is known is one finding.
func (t Tree) Check(values map[string]any) []Unknown {
	if t.texts && hasTemplate(values) {
		if with, err := read(t.chart, values); err == nil {
			t = with
		}
	}
	c := checker{tree: t}
	c.mapping("", values, spot{at: []*node{t.root}, doubt: cmp.Or(t.why, t.root.doubt)})
	slices.SortFunc(c.found, func(a, b Unknown) int { return strings.Compare(a.Path, b.Path) })
	return c.found
}

func hasTemplate(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, item := range v {
			if hasTemplate(item) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, hasTemplate)
	case string:
		return strings.Contains(v, "{{")
	}
	return false
}

// checker goes through values and the places that they have in the tree.
type checker struct {
	tree  Tree
	found []Unknown
}

// spot is the places that a value has. Shade is those that are merged with
// them: their keys are known here too, but nothing reads them here.
type spot struct {
	at, shade []*node
	doubt     string
}

// anything reports whether any key may be in it. A schema that lets a chart's
// own values be anything says nothing: many are made that way.
func (s spot) anything() bool {
	return slices.ContainsFunc(s.at, func(n *node) bool { return n.all || n.free && !n.top })
}

func (s spot) used() bool { return slices.ContainsFunc(s.at, func(n *node) bool { return n.used }) }

// below is the places of a key, or of an item. Named reports whether one of
// them is there by that name.
func (s spot) below(key string) (inner spot, named bool) {
	inner.doubt = s.doubt
	for _, n := range s.at {
		if below := n.children[key]; below != nil && below.known() {
			named = true
			inner.at = append(inner.at, below)
		}
		if n.each != nil && n.each.known() {
			inner.at = append(inner.at, n.each)
		}
		for _, x := range n.shadows {
			inner.shade = append(inner.shade, inside(x, key)...)
		}
	}
	for _, n := range s.shade {
		inner.shade = append(inner.shade, inside(n, key)...)
	}
	for _, n := range inner.at {
		if n.doubt != "" {
			inner.doubt = n.doubt
		}
	}
	return inner, named
}

func inside(n *node, key string) []*node {
	if below := n.children[key]; below != nil && (below.inDefaults || below.inSchema) {
		return []*node{below}
	}
	return nil
}

func (c *checker) mapping(path string, values map[string]any, s spot) {
	if s.anything() {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		inner, named := s.below(key)
		at := strictyaml.Join(path, key)
		switch {
		case slices.ContainsFunc(s.at, func(n *node) bool { return matches(n, key) }):
		case len(inner.at) == 0 && len(inner.shade) > 0:
			c.add(at, key, path, values[key], Inert, s)
		case len(inner.at) == 0:
			c.add(at, key, path, values[key], NotKnown, s)
		case !named && computed(s) != "":
			s := s
			s.doubt = computed(s)
			c.add(at, key, path, values[key], NotKnown, s)
		default:
			c.value(at, key, path, values[key], inner, s)
		}
	}
}

func matches(n *node, key string) bool {
	for _, pattern := range n.patterns {
		if pattern.MatchString(key) {
			return true
		}
	}
	return false
}

// computed is the template that takes keys of a map by names that it computes,
// unless the map is there for any key.
func computed(s spot) string {
	for _, n := range s.at {
		if n.dynamic == "" {
			continue
		}
		for _, below := range n.children {
			if below.inDefaults {
				return n.dynamic + " takes keys from here by names that it computes"
			}
		}
	}
	return ""
}

// value checks what is at a place that is known.
func (c *checker) value(at, key, path string, v any, inner, around spot) {
	if inner.anything() {
		return
	}
	if !inner.used() {
		around.doubt = inner.doubt
		c.add(at, key, path, v, Inert, around)
		return
	}
	switch v := v.(type) {
	case map[string]any:
		c.mapping(at, v, inner)
	case []any:
		items, _ := inner.below("")
		if len(items.at) == 0 {
			return // used as a whole
		}
		for i, item := range v {
			if item, ok := item.(map[string]any); ok && !items.anything() {
				c.mapping(strictyaml.Index(at, i), item, items)
			}
		}
	}
}

func (c *checker) add(at, key, path string, value any, kind Kind, around spot) {
	u := Unknown{Path: at, Kind: kind, Doubtful: around.doubt}
	if kind == NotKnown {
		u.Nearest = c.tree.nearest(path, key, value, around)
	}
	c.found = append(c.found, u)
}
