package diff

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Op is what an edit does.
type Op string

// The operations of edits.
const (
	Add     Op = "add"
	Remove  Op = "remove"
	Replace Op = "change"
	Move    Op = "move" // the items of a list that has keys are in another order
)

// Edit is one difference inside of an object.
type Edit struct {
	Op   Op   `json:"op"`
	Path Path `json:"path"`
	// Old and New is the value on each side as JSON knows it, without secrets;
	// for a Move, the keys of the items in their order.
	Old any `json:"old,omitempty"`
	New any `json:"new,omitempty"`
}

// compare gives what makes new of old.
func compare(old, new any) []Edit {
	c := comparison{}
	c.values(nil, old, new)
	return c.edits
}

type comparison struct{ edits []Edit }

func (c *comparison) add(op Op, at Path, old, new any) {
	c.edits = append(c.edits, Edit{op, slices.Clone(at), old, new})
}

func (c *comparison) values(at Path, old, new any) {
	switch before := old.(type) {
	case map[string]any:
		if after, ok := new.(map[string]any); ok {
			c.maps(at, before, after)
			return
		}
	case []any:
		if after, ok := new.([]any); ok {
			c.lists(at, before, after)
			return
		}
	case *hidden:
		if after, ok := new.(*hidden); ok && canonical(before.value) != canonical(after.value) {
			after.changed = true
			c.add(Replace, at, before, after)
			return
		}
	}
	if canonical(old) != canonical(new) {
		c.add(Replace, at, old, new)
	}
}

func (c *comparison) maps(at Path, old, new map[string]any) {
	keys := slices.Collect(maps.Keys(old))
	for key := range new {
		if _, both := old[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		before, had := old[key]
		after, has := new[key]
		below := append(at[:len(at):len(at)], Step{Field: key})
		switch {
		case !had:
			c.add(Add, below, nil, after)
		case !has:
			c.add(Remove, below, before, nil)
		default:
			c.values(below, before, after)
		}
	}
}

// canonical is a text that two values share if, and only if, they are equal.
func canonical(value any) string {
	var b strings.Builder
	write(&b, value)
	return b.String()
}

func write(b *strings.Builder, value any) {
	switch v := value.(type) {
	case map[string]any:
		b.WriteByte('{')
		for _, key := range slices.Sorted(maps.Keys(v)) {
			b.WriteString(strconv.Quote(key))
			write(b, v[key])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for _, item := range v {
			write(b, item)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case string:
		b.WriteString(strconv.Quote(v))
	case json.Number:
		b.WriteString(v.String()) // of YAML, each number has one form
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case *hidden:
		b.WriteString("hidden")
		write(b, v.value)
	default:
		b.WriteString("null")
	}
}
