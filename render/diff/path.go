package diff

import (
	"strconv"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// Step is one step into a document: a field of a mapping, or an item of a list.
type Step struct {
	Field string
	// Item is whether the step is into a list; Keys then says which item, if
	// its fields do, such as name=server, and otherwise its place does.
	Item bool
	Keys string
	// Old and New is the item's place on each side, -1 where it is not there.
	Old, New int
}

// Path is the way to a place in a document; empty is the document itself.
type Path []Step

// String is the path as people write it: spec.containers[name=server].args[0].
// An item that is gone has its old place.
func (p Path) String() string {
	var b strings.Builder
	for _, s := range p {
		switch {
		case s.Item && s.Keys != "":
			b.WriteString("[" + text.Visible(s.Keys) + "]")
		case s.Item && s.New < 0:
			b.WriteString("[" + strconv.Itoa(s.Old) + "]")
		case s.Item:
			b.WriteString("[" + strconv.Itoa(s.New) + "]")
		case s.Field == "" || strings.ContainsAny(s.Field, ".[]\" "):
			b.WriteString("[" + strconv.QuoteToGraphic(s.Field) + "]")
		default:
			if b.Len() > 0 {
				b.WriteString(".")
			}
			b.WriteString(text.Visible(s.Field))
		}
	}
	if b.Len() == 0 {
		return "."
	}
	return b.String()
}

// fields is the path without the items of lists.
func (p Path) fields() string {
	var fields []string
	for _, s := range p {
		if !s.Item {
			fields = append(fields, s.Field)
		}
	}
	return strings.Join(fields, ".")
}

// MarshalText is String.
func (p Path) MarshalText() ([]byte, error) { return []byte(p.String()), nil }
