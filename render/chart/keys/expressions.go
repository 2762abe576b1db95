package keys

import (
	"slices"
	"strings"
	"text/template/parse"
)

// pipe is the value of a pipeline, after its variables have it.
func (s *scope) pipe(p *parse.PipeNode, dot value) value {
	v := s.bare(p, dot)
	if p == nil {
		return v
	}
	for _, d := range p.Decl {
		if p.IsAssign {
			known := s.lookup(d.Ident[0])
			known.value = s.m.join(known.value, v)
		} else {
			s.declare(d.Ident[0], v)
		}
	}
	return v
}

// bare is the value of a pipeline.
func (s *scope) bare(p *parse.PipeNode, dot value) value {
	var last []value
	if p == nil || !s.m.step() {
		return other
	}
	if s.depth++; s.depth > 2*maxDepth {
		s.m.giveUp("the templates are too deep in one another")
		return other
	}
	defer func() { s.depth-- }()
	for _, c := range p.Cmds {
		last = []value{s.command(c, dot, last)}
	}
	if last == nil {
		return other
	}
	return last[0]
}

// command is the value of one command of a pipeline; last is that of the one
// before it.
func (s *scope) command(c *parse.CommandNode, dot value, last []value) value {
	if len(c.Args) == 0 {
		return other
	}
	first := c.Args[0]
	if name, ok := first.(*parse.IdentifierNode); ok {
		return s.function(name, c.Args[1:], dot, last)
	}
	v := s.operand(first, dot)
	if len(c.Args) == 1 && last == nil {
		return v
	}
	// A method: of .Files, .Capabilities and such.
	args := append(s.operands(c.Args[1:], dot), last...)
	for _, arg := range args {
		s.m.use(arg)
	}
	if found, ok := s.valuesMethod(first, dot, args); ok {
		return found
	}
	return value{other: true, files: v.files}
}

// valuesMethod is what .Values.Table and .Values.PathValue give for a dotted
// path (https://pkg.go.dev/helm.sh/helm/v3/pkg/chartutil#Values).
func (s *scope) valuesMethod(first parse.Node, dot value, args []value) (value, bool) {
	field, ok := first.(*parse.FieldNode)
	if !ok || len(args) != 1 {
		return value{}, false
	}
	name, on := field.Ident[len(field.Ident)-1], s.fields(dot, field.Ident[:len(field.Ident)-1])
	isTop := slices.ContainsFunc(on.nodes, func(n *node) bool { return n.top })
	if !isTop || name != "Table" && name != "PathValue" {
		return value{}, false
	}
	path, open := args[0].names()
	if open {
		s.m.giveUp(s.where(first) + " reads values by a path that it computes")
	}
	var found value
	for _, dotted := range path {
		found = s.m.join(found, s.fields(on, strings.Split(dotted, ".")))
	}
	return found, true
}

func (s *scope) operands(nodes []parse.Node, dot value) []value {
	var all []value
	for _, n := range nodes {
		all = append(all, s.operand(n, dot))
	}
	return all
}

func (s *scope) operand(n parse.Node, dot value) value {
	switch n := n.(type) {
	case *parse.DotNode:
		return dot
	case *parse.NilNode:
		return literal(nil)
	case *parse.FieldNode:
		return s.fields(dot, n.Ident)
	case *parse.VariableNode:
		return s.fields(s.lookup(n.Ident[0]).value, n.Ident[1:])
	case *parse.ChainNode:
		return s.fields(s.operand(n.Node, dot), n.Field)
	case *parse.PipeNode:
		return s.pipe(n, dot)
	case *parse.IdentifierNode:
		return s.function(n, nil, dot, nil)
	case *parse.BoolNode:
		return literal(n.True)
	case *parse.StringNode:
		if len(n.Text) > maxText {
			return other
		}
		return literal(n.Text)
	case *parse.NumberNode:
		if n.IsInt {
			return literal(n.Int64)
		}
		return literal(n.Float64)
	default:
		return other
	}
}

func (s *scope) fields(v value, path []string) value {
	for _, key := range path {
		if v = s.m.field(v, key); v.nothing() {
			v = other
		}
	}
	return v
}

// silent is those functions whose results show nothing of their arguments: a
// checksum, which only restarts pods, and the end.
var silent = []string{"adler32sum", "fail", "sha1sum", "sha256sum", "sha512sum"}

// function is the value of a function's call.
func (s *scope) function(name *parse.IdentifierNode, nodes []parse.Node, dot value, last []value) value {
	c := arguments{scope: s, node: name}
	if name.Ident == "or" || name.Ident == "and" {
		return s.choose(name.Ident == "or", nodes, dot, last)
	}
	c.values = append(s.operands(nodes, dot), last...)
	if f, ok := s.m.functions[name.Ident]; ok {
		if v := f(c); !v.nothing() {
			return v
		}
		return other
	}
	if v, ok := c.plain(name.Ident); ok {
		return v
	}
	for _, v := range c.values {
		if slices.Contains(silent, name.Ident) {
			s.m.use(v)
		} else {
			s.m.write(v, s.tree.ParseName)
		}
	}
	return value{other: true, files: anyFiles(c.values)}
}

// choose is the value of or, and of and: Go looks at no argument behind the one
// that decides.
func (s *scope) choose(or bool, nodes []parse.Node, dot value, last []value) value {
	var chosen value
	decides := func(v value) bool {
		s.m.test(v)
		chosen = s.m.join(chosen, v)
		mayBeTrue, mayBeFalse := v.truth()
		return or && !mayBeFalse || !or && !mayBeTrue
	}
	for _, n := range nodes {
		if decides(s.operand(n, dot)) {
			return chosen
		}
	}
	for _, v := range last {
		decides(v)
	}
	return chosen
}

func anyFiles(values []value) bool {
	for _, v := range values {
		if v.files {
			return true
		}
	}
	return false
}
