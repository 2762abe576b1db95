package keys

import (
	"maps"
	"regexp"
	"slices"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// node is a place in the values, and what is known of it.
type node struct {
	children map[string]*node
	each     *node // what lies below any key, or in any item

	inDefaults, inSchema bool
	kind                 text.Kind // of its default, empty if it has none or several
	named                bool      // a template writes its name
	read                 bool      // a template uses it
	all                  bool      // a template uses everything in it, whatever that is
	used                 bool      // it, or something in it, is used; once all is read
	top                  bool      // the values of a chart, or of one in it
	required             bool      // by the schema, whatever else is set
	free                 bool      // the schema lets anything be here
	patterns             []*regexp.Regexp
	dynamic              string // the template that takes keys of it by names that it computes
	doubt                string // why nothing is sure about what is in it
	texts                []string

	set     map[string]value // what templates put into it
	merged  []value          // what templates merge into it
	shadows []*node          // what is merged with it, so that keys there are keys here
}

func (n *node) child(key string) *node {
	if n.children == nil {
		n.children = map[string]*node{}
	}
	below := n.children[key]
	if below == nil {
		below = &node{}
		n.children[key] = below
	}
	return below
}

func (n *node) any() *node {
	if n.each == nil {
		n.each = &node{}
	}
	return n.each
}

// known reports whether anybody but the user has heard of the place.
func (n *node) known() bool {
	return n.inDefaults || n.inSchema || n.named || n.read || n.all || n.used
}

// at is the place at a dotted path below n.
func (n *node) at(path []string) *node {
	for _, key := range path {
		n = n.child(key)
	}
	return n
}

// settle finds out which places are used, once all templates are read.
func (n *node) settle() bool {
	n.used = n.read || n.all
	for _, below := range n.children {
		if below.settle() {
			n.used = true
		}
	}
	if n.each != nil && n.each.settle() {
		n.used = true
	}
	return n.used
}

// below is all places right below n, in order.
func (n *node) below() []*node {
	var all []*node
	for _, key := range slices.Sorted(maps.Keys(n.children)) {
		all = append(all, n.children[key])
	}
	if n.each != nil {
		all = append(all, n.each)
	}
	return all
}

// shadow notes that two places are merged.
func shadow(a, b *node) {
	if a != b && len(a.shadows) < maxAlternatives && !slices.Contains(a.shadows, b) {
		a.shadows = append(a.shadows, b)
	}
}
