package strictyaml_test

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// placed is a cut-out text in surroundings like its own, and where the library
// finds it again.
type placed struct {
	source string
	find   func(root *yaml.Node) *yaml.Node
}

// placed puts a text where it can stand by its source. With a column it is the
// text of a node that stands there, or of a key; else that of an entry, of a
// mapping or a list.
func (o *oracle) placed(text string, s strictyaml.Source, mapping bool, column ...int) placed {
	root := func(n *yaml.Node) *yaml.Node { return n }
	last := func(n *yaml.Node) *yaml.Node { return n.Content[len(n.Content)-1] }
	indent := strings.Repeat(" ", max(s.Indent, 0))
	node := len(column) > 0
	switch {
	case node && text == "":
		return placed{"{0: }", last}
	case s.InFlow && node:
		return placed{o.tags + "[" + o.anchors + ", " + text + "]", last}
	case s.InFlow && mapping:
		return placed{o.tags + "{0: " + o.anchors + ", " + text + "}", root}
	case s.InFlow:
		return placed{o.tags + "[" + o.anchors + ", " + text + "]", root}
	case s.Indent < 0: // the document
		return placed{o.tags + "\n" + strings.Repeat(" ", column[0]) + text, root}
	case !node && mapping:
		return placed{o.tags + indent + "0: " + o.anchors + "\n" + indent + text, root}
	case !node:
		return placed{o.tags + indent + "- " + o.anchors + "\n" + indent + text, root}
	case mapping && s.Entry.Start == s.Node.Start: // a key
		if o.data[s.Node.End] != ':' {
			text += " "
		}
		return placed{o.tags + indent + text + ": 1", func(n *yaml.Node) *yaml.Node { return n.Content[0] }}
	case mapping: // a key behind a question mark
		return placed{o.tags + indent + "? " + text, func(n *yaml.Node) *yaml.Node { return n.Content[0] }}
	case s.Style == strictyaml.BlockStyle:
		return placed{o.tags + indent + "0: " + o.anchors + "\n" + indent + "1:\n" + strings.Repeat(" ", column[0]) + text, last}
	default:
		return placed{o.tags + indent + "0: " + o.anchors + "\n" + indent + "1: " + text, last}
	}
}

func parse(text string) (*yaml.Node, error) {
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		return nil, fmt.Errorf("a second document")
	}
	return document.Content[0], nil
}

// sameNode compares nodes but for places and comments. A bare one has no tag.
func sameNode(got, want *yaml.Node, made bool) error {
	switch {
	case got.Kind != want.Kind:
		return fmt.Errorf("kind %d, want %d", got.Kind, want.Kind)
	case got.Value != want.Value:
		return fmt.Errorf("value %q, want %q", got.Value, want.Value)
	case !made && (got.Style != want.Style || got.Anchor != want.Anchor):
		return fmt.Errorf("style %d and anchor %q, want %d and %q", got.Style, got.Anchor, want.Style, want.Anchor)
	case !made && want.Tag != "" && got.Tag != want.Tag:
		return fmt.Errorf("tag %q, want %q", got.Tag, want.Tag)
	case len(got.Content) != len(want.Content):
		return fmt.Errorf("%d nodes inside, want %d", len(got.Content), len(want.Content))
	}
	for i, child := range got.Content {
		if err := sameNode(child, want.Content[i], made); err != nil {
			return err
		}
	}
	return nil
}

func styleOf(n *yaml.Node) strictyaml.Style {
	switch n.Style &^ yaml.TaggedStyle {
	case yaml.DoubleQuotedStyle:
		return strictyaml.DoubleQuotedStyle
	case yaml.SingleQuotedStyle:
		return strictyaml.SingleQuotedStyle
	case yaml.LiteralStyle:
		return strictyaml.LiteralStyle
	case yaml.FoldedStyle:
		return strictyaml.FoldedStyle
	case yaml.FlowStyle:
		return strictyaml.FlowStyle
	}
	switch n.Kind {
	case yaml.AliasNode:
		return strictyaml.AliasStyle
	case yaml.ScalarNode:
		return strictyaml.PlainStyle
	default:
		return strictyaml.BlockStyle
	}
}
