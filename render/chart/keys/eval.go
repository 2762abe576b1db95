package keys

import (
	"slices"
	"strings"
	"text/template/parse"
)

// scope is a template at work.
type scope struct {
	m       *machine
	in      *context
	tree    *parse.Tree
	written bool // what it makes goes into a manifest
	depth   int
	vars    []*variable
}

type variable struct {
	name  string
	value value
}

func (s *scope) declare(name string, v value) {
	s.vars = append(s.vars, &variable{name, v})
}

func (s *scope) lookup(name string) *variable {
	for i := len(s.vars) - 1; i >= 0; i-- {
		if s.vars[i].name == name {
			return s.vars[i]
		}
	}
	return &variable{value: other}
}

// where is a place in a template, for people.
func (s *scope) where(n parse.Node) string {
	location, _ := s.tree.ErrorContext(n)
	parts := strings.Split(location, ":")
	if len(parts) > 2 {
		location = strings.Join(parts[:2], ":")
	}
	return location
}

// block goes through what has variables of its own.
func (s *scope) block(list *parse.ListNode, dot value) value {
	before := len(s.vars)
	text := s.list(list, dot)
	s.vars = s.vars[:before]
	return text
}

func (s *scope) list(list *parse.ListNode, dot value) value {
	text := literal("")
	if list == nil {
		return text
	}
	if s.depth++; s.depth > maxDepth {
		s.m.giveUp("the templates are too deep in one another")
		return other
	}
	defer func() { s.depth-- }()
	for _, n := range list.Nodes {
		if !s.m.step() {
			return other
		}
		text = s.append(text, s.node(n, dot))
	}
	return text
}

// append is a text behind another one.
func (s *scope) append(a, b value) value {
	if s.written {
		s.m.write(b, s.tree.ParseName)
		return literal("")
	}
	x, isX := a.constant()
	y, isY := b.constant()
	left, isLeft := x.(string)
	right, isRight := y.(string)
	switch {
	case isX && isLeft && left == "", b.nothing():
		return b
	case isY && isRight && right == "":
		return a
	case isLeft && isRight && len(left)+len(right) < maxText:
		return literal(left + right)
	case isLeft && strings.TrimSpace(left) == "" && b.coded != nil:
		return b
	case isRight && strings.TrimSpace(right) == "" && a.coded != nil:
		return a
	}
	s.m.write(a, s.tree.ParseName)
	s.m.write(b, s.tree.ParseName)
	return other
}

func (s *scope) node(n parse.Node, dot value) value {
	switch n := n.(type) {
	case *parse.TextNode:
		if s.written || len(n.Text) > maxText {
			return other
		}
		return literal(string(n.Text))
	case *parse.ActionNode:
		v := s.pipe(n.Pipe, dot)
		if len(n.Pipe.Decl) > 0 {
			return literal("")
		}
		return v
	case *parse.IfNode:
		return s.branch(&n.BranchNode, dot, func(value) value { return dot })
	case *parse.WithNode:
		return s.branch(&n.BranchNode, dot, present)
	case *parse.RangeNode:
		return s.loop(n, dot)
	case *parse.TemplateNode:
		with := literal(nil)
		if n.Pipe != nil {
			with = s.pipe(n.Pipe, dot)
		}
		return s.m.include(s.in, literal(n.Name), with, "")
	default: // comments, break, continue
		return literal("")
	}
}

// present is what a value is where it counts as true.
func present(v value) value {
	var left []any
	for _, l := range v.literals {
		if truthy(l) {
			left = append(left, l)
		}
	}
	v.literals = left
	return v
}

// branch goes through if and with, and through else unless it is never taken.
func (s *scope) branch(n *parse.BranchNode, dot value, inside func(value) value) value {
	before := len(s.vars)
	condition := s.pipe(n.Pipe, dot)
	s.m.test(condition)
	mayBeTrue, mayBeFalse := condition.truth()
	var text value
	if mayBeTrue {
		text = s.block(n.List, inside(condition))
	}
	if mayBeFalse {
		text = s.m.join(text, s.block(n.ElseList, dot))
	}
	s.vars = s.vars[:before]
	return text
}

// loop goes through a body twice: what it did in one turn is there in the next.
func (s *scope) loop(n *parse.RangeNode, dot value) value {
	before := len(s.vars)
	defer func() { s.vars = s.vars[:before] }()
	over := s.bare(n.Pipe, dot)
	s.m.test(over)
	mayBeTrue, mayBeFalse := over.truth()
	text := literal("")
	if mayBeTrue {
		item := s.m.elements(over)
		if item.nothing() {
			item = other
		}
		switch d := n.Pipe.Decl; len(d) {
		case 1:
			s.declare(d[0].Ident[0], item)
		case 2:
			s.declare(d[0].Ident[0], keysOf(over))
			s.declare(d[1].Ident[0], item)
		}
		for range 2 {
			text = s.m.join(text, s.append(text, s.block(n.List, item)))
		}
	}
	if mayBeFalse {
		text = s.m.join(text, s.block(n.ElseList, dot))
	}
	return text
}

// keysOf is what the first variable of a loop may be.
func keysOf(over value) value {
	keys := value{other: len(over.nodes)+len(over.lists)+len(over.literals) > 0 || over.other || over.files}
	for _, t := range over.tables {
		for key := range t.entries {
			keys.literals = append(keys.literals, key)
		}
		if !t.rest.nothing() || len(t.merged) > 0 {
			keys.other = true
		}
	}
	slices.SortFunc(keys.literals, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
	if keys.nothing() {
		return other
	}
	return keys
}
