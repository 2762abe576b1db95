package chart

import (
	"slices"
	"strings"
	"text/template/parse"
)

// words is the functions that a template calls, and whether it may ask which
// action it is rendered for. What its texts hold may be a template, too.
type words struct {
	functions []string
	texts     []string
	action    bool
}

func (w *words) has(name string) bool { return slices.Contains(w.functions, name) }

// hasAny reports whether the template calls one of the functions, or a text in
// it names one.
func (w *words) hasAny(called []string) bool {
	return slices.ContainsFunc(called, func(name string) bool {
		return w.has(name)
	}) || slices.ContainsFunc(w.texts, func(text string) bool { return names(text, called) })
}

func (w *words) list(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		w.node(node)
	}
}

func (w *words) node(node parse.Node) {
	switch node := node.(type) {
	case *parse.ListNode:
		w.list(node)
	case *parse.ActionNode:
		w.pipe(node.Pipe)
	case *parse.IfNode:
		w.branch(node.BranchNode)
	case *parse.RangeNode:
		w.branch(node.BranchNode)
	case *parse.WithNode:
		w.branch(node.BranchNode)
	case *parse.TemplateNode:
		w.pipe(node.Pipe)
	case *parse.PipeNode:
		w.pipe(node)
	case *parse.IdentifierNode:
		w.functions = append(w.functions, node.Ident)
	case *parse.FieldNode:
		w.fields(node.Ident)
	case *parse.VariableNode:
		w.fields(node.Ident)
	case *parse.ChainNode:
		w.node(node.Node)
		w.fields(node.Field)
	case *parse.StringNode:
		w.texts = append(w.texts, node.Text)
		w.action = w.action || strings.Contains(node.Text, "Release") || asksAction(node.Text)
	}
}

func (w *words) branch(branch parse.BranchNode) {
	w.pipe(branch.Pipe)
	w.list(branch.List)
	w.list(branch.ElseList)
}

func (w *words) pipe(pipe *parse.PipeNode) {
	if pipe == nil {
		return
	}
	for _, command := range pipe.Cmds {
		for _, arg := range command.Args {
			w.node(arg)
		}
	}
}

// fields looks at .Release: its name and such are the same for every action.
func (w *words) fields(names []string) {
	for i, name := range names {
		alone := name == "Release" && i+1 == len(names)
		w.action = w.action || alone || asksAction(name)
	}
}

// asksAction reports whether a text names what says which action it is.
func asksAction(text string) bool {
	return strings.Contains(text, "IsUpgrade") || strings.Contains(text, "IsInstall") || strings.Contains(text, "Revision")
}
