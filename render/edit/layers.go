package edit

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// Environment is an environment file, or one of defaults, with all that it extends.
type Environment struct {
	layers  []*document // the file itself first
	before  []File
	changes []Change
}

// Open reads a file to edit, and those that it extends. It need not be valid, but for
// what says which file it is. The name is what messages show; it is not opened. The
// error is [render.Problems].
func Open(name string, data []byte, read render.ReadFile) (*Environment, error) {
	layers, err := render.Layers(name, data, read)
	if err != nil {
		return nil, err
	}
	e := &Environment{}
	for _, layer := range layers {
		e.layers = append(e.layers, newDocument(layer.Name, layer.Data, layer.Root))
		e.before = append(e.before, File{layer.Name, layer.Data, layer.Data})
	}
	return e, nil
}

// Files gives the files with what edits made of them: the environment's own first,
// then what it extends.
func (env *Environment) Files() []File {
	files := slices.Clone(env.before)
	for i, d := range env.layers {
		files[i].New = d.data
	}
	return files
}

// IsDefaults reports whether the file is there to be extended.
func (env *Environment) IsDefaults() bool {
	kind := env.layers[0].root.Get("kind")
	return kind != nil && kind.Text == "EnvironmentDefaults"
}

// merged is the environment as its files together have it.
func (env *Environment) merged() *strictyaml.Value {
	var all *strictyaml.Value
	for i, d := range slices.Backward(env.layers) {
		root := *d.root
		if i > 0 { // nothing inherits what names a file
			root.Entries = slices.DeleteFunc(slices.Clone(root.Entries), func(e strictyaml.Entry) bool { return own(e.Key) })
		}
		all = strictyaml.Merge(all, &root)
	}
	return clone(all)
}

// own reports whether a key is of one file alone.
func own(key string) bool {
	return slices.Contains([]string{"apiVersion", "kind", "extends", "metadata"}, key)
}

// Apply makes edits, all or none of them, and gives the change that each made; an edit
// that asks for what is there already makes none. The edits must not lie in each
// other. Items of lists are counted as they are before the edits. The error is
// [render.Problems]: all that is wrong with the edits.
func (env *Environment) Apply(edits ...Edit) ([]Change, error) {
	merged, name := env.merged(), env.layers[0].name
	var problems render.Problems
	all := make([]resolved, 0, len(edits))
	for _, e := range edits {
		r, err := prepare(merged, e)
		if err == nil {
			err = checkApart(all, r)
		}
		if err != nil {
			problems = append(problems, problem(name, e.Path, err))
			continue
		}
		all = append(all, r)
	}
	slices.SortStableFunc(all, compare)
	work := Environment{slices.Clone(env.layers), env.before, nil}
	for i, d := range work.layers {
		copied := *d
		work.layers[i] = &copied
	}
	for _, r := range all {
		if err := work.apply(r); err != nil {
			problems = append(problems, problem(name, format(r.at), err))
		}
	}
	if problems != nil {
		return nil, problems
	}
	old := env.layers
	env.layers = work.layers
	return work.settle(old), nil
}

// compare orders edits so that none changes what another counts: what adds and
// replaces first, then what removes, from the back.
func compare(a, b resolved) int {
	if rank := func(r resolved) int {
		return map[Op]int{Set: 0, Append: 1, Move: 2, Remove: 3}[r.op]
	}; rank(a) != rank(b) || a.op != Remove {
		return rank(a) - rank(b)
	}
	return slices.CompareFunc(b.at, a.at, func(x, y step) int { return x.index - y.index })
}

// checkApart refuses edits of the same value, or of one that lies in the other. Items
// may be appended to one list, in their order.
func checkApart(others []resolved, r resolved) error {
	for _, o := range others {
		for _, at := range [][]step{o.at, o.to} {
			for _, own := range [][]step{r.at, r.to} {
				if own == nil || at == nil || !within(own, at) && !within(at, own) || o.op == Append && r.op == Append && slices.Equal(o.at, r.at) {
					continue
				}
				return fmt.Errorf("%s is edited too: want edits that do not lie in each other", format(at))
			}
		}
	}
	return nil
}

// prepare reads the paths and the value of an edit.
func prepare(root *strictyaml.Value, e Edit) (r resolved, err error) {
	r = resolved{op: e.Op}
	if r.at, err = resolve(root, e.Path); err != nil {
		return r, err
	}
	if e.Op == Move {
		if r.to, err = resolve(root, e.To); err != nil {
			return r, err
		}
	}
	target := r.at
	if e.Op == Move {
		target = r.to
	}
	t, err := fieldType(target)
	if err != nil && e.Op != Remove { // what is wrong may go
		return r, err
	}
	if e.Op == Set || e.Op == Append {
		r.value = typed(t, e.Value.tree, e.Op == Append)
	}
	return r, nil
}

// apply makes one edit in the file that it belongs to.
func (env *Environment) apply(r resolved) error {
	before := env.merged()
	want := clone(before)
	if err := intend(want, r); err != nil {
		return err
	}
	if _, unchanged := same(before, want, ""); unchanged {
		return nil
	}
	owner, below, err := env.owner(before, r)
	if err != nil {
		return err
	}
	if below && r.op == Remove { // null takes away what the file extends
		r.op, r.value = Set, &strictyaml.Value{Tag: "!!null", Text: "null"}
	}
	d := env.layers[owner]
	old := *d
	if err := d.edit(r); err != nil {
		return err
	}
	if at, ok := same(env.merged(), want, ""); !ok {
		*d = old
		return fmt.Errorf("the environment would have another value at %s, which comes from a file that it extends too", at)
	}
	change := Change{Op: r.op, File: d.name, Path: format(r.at), To: format(r.to), Old: describe(old.root, r.at), New: describe(d.root, r.at)}
	switch r.op {
	case Append:
		list := find(d.root, r.at)
		last := append(slices.Clone(r.at), step{"", len(list.Items) - 1})
		change.Path, change.Old, change.New = format(last), "", describe(d.root, last)
	case Move:
		change.New = change.Old
	}
	env.changes = append(env.changes, change)
	return nil
}

// settle gives the changes, with their lines in the edited files, and for what is gone
// in the old ones.
func (env *Environment) settle(old []*document) []Change {
	for i := range env.changes {
		c := &env.changes[i]
		layers, path := env.layers, c.Path
		switch c.Op {
		case Remove:
			layers = old
		case Move:
			path = c.To
		}
		for _, d := range layers {
			if d.name == c.File {
				c.Line = d.root.At(path).Line
			}
		}
	}
	return env.changes
}

// owner finds the file that an edit belongs into: the nearest one that has the value,
// or the list around it; else the environment's own. Below says that a file that it
// extends has the value too.
func (env *Environment) owner(merged *strictyaml.Value, r resolved) (owner int, below bool, err error) {
	at := r.at
	if own(at[0].key) {
		return 0, false, nil
	}
	if find(merged, at) == nil { // the part that is there, if it is a list
		for len(at) > 0 && find(merged, at) == nil {
			at = at[:len(at)-1]
		}
		inList := slices.ContainsFunc(at, func(s step) bool { return s.index >= 0 })
		if v := find(merged, at); !inList && (v == nil || v.Kind != strictyaml.Sequence) {
			return 0, false, nil
		}
	}
	found := -1
	for i, d := range env.layers {
		if find(d.root, at) == nil {
			continue
		}
		if found >= 0 {
			below = !slices.ContainsFunc(at, func(s step) bool { return s.index >= 0 })
			break
		}
		found = i
	}
	switch {
	case found < 0:
		return 0, false, errPlace
	case below && r.op == Move:
		return 0, false, errors.New("a file that the environment extends has it too: move it there first")
	}
	return found, below, nil
}
