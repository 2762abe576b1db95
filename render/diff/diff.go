// Package diff compares manifests the way a cluster would see them: objects
// with objects, whatever file, order of keys or line breaks they came in. Like
// package render it never touches disk, network, clock or environment
// variables, and it prints nothing that Secrets hold.
package diff

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// Document is YAML of one side: one document or several.
type Document struct {
	// Within keeps objects apart that may have the same name: they are only
	// compared with those of the same text. It is the file, where files are
	// compared, or the environment and release that make the objects.
	Within string
	// Source is the file, or the template of a chart.
	Source string
	// Namespace is that of objects which do not say one.
	Namespace string
	// Kept is why the objects stay in the cluster when they are no longer
	// rendered; empty if they go.
	Kept string
	// Hook: they are hooks of what applies them.
	Hook bool
	// External: the environment names a database, so that the chart's own is none
	// that it should start.
	External bool
	YAML     []byte
}

// Documents is the YAML files of a tree, each for itself, by path. Inventories
// are left out: they say nothing that the files do not.
func Documents(files tree.Tree) []Document {
	var documents []Document
	for _, name := range files.Paths() {
		if !strings.Contains("/"+name, "/"+tree.InventoryFolder+"/") {
			documents = append(documents, Document{Within: name, Source: name, YAML: files[name]})
		}
	}
	return documents
}

// Object is which object a change is about. It is empty for a document that
// is no Kubernetes object, and for a file that is no YAML.
type Object struct {
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind,omitempty"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name,omitempty"`
}

// Group is the object's API group, empty for the core's.
func (o Object) Group() string {
	group, _, ok := strings.Cut(o.APIVersion, "/")
	if !ok {
		return ""
	}
	return group
}

// String is the object as a person names it: Deployment apps/server.
func (o Object) String() string {
	name := o.Name
	if o.Namespace != "" {
		name = o.Namespace + "/" + name
	}
	return text.Visible(strings.TrimSpace(o.Kind + " " + name))
}

// Kind is what happened to an object.
type Kind string

// The kinds of changes.
const (
	Added   Kind = "added"
	Removed Kind = "removed"
	Changed Kind = "changed"
)

// Change is one object that is not the same on both sides.
type Change struct {
	Kind   Kind   `json:"kind"`
	Within string `json:"within,omitempty"`
	Source string `json:"source"` // of the new side, or of the old where it is removed
	Object Object `json:"object,omitzero"`
	// Edits is what makes the new object of the old one, in the order of the
	// paths; empty for what is added or removed as a whole.
	Edits []Edit `json:"edits,omitempty"`
	// Effect is what the cluster does, if [Result.Effects] was asked.
	Effect *Effect `json:"effect,omitempty"`

	old, new unit
	first    bool // data may be lost; see [Result.Effects]
	settled  bool
	written  string // the hunks, once both sides are let go of
}

// LosesData reports whether data may be lost; see [Result.Effects].
func (c Change) LosesData() bool { return c.first }

// Result is the differences of two sides.
type Result struct {
	// Changes are sorted by Within, Source and object, after [Result.Effects] those
	// first that may lose data.
	Changes   []Change
	Unchanged int
	// Errors says what could not be compared, a sentence each.
	Errors []string
	// Unseen is the texts of [Document.Within] of which nothing was compared, because it
	// failed or because others were asked for.
	Unseen []string
}

// Add adds another result behind this one, its changes that may lose data behind
// those of this one.
func (r *Result) Add(other Result) {
	r.Changes, r.Unchanged = append(r.Changes, other.Changes...), r.Unchanged+other.Unchanged
	r.Errors = append(r.Errors, other.Errors...)
	r.Unseen = append(r.Unseen, other.Unseen...)
	r.sortFirst()
}

func (r *Result) sortFirst() {
	slices.SortStableFunc(r.Changes, func(a, b Change) int {
		switch {
		case a.first == b.first:
			return 0
		case a.first:
			return -1
		}
		return 1
	})
}

// Count is how many changes are of a kind.
func (r Result) Count(kind Kind) int {
	n := 0
	for _, c := range r.Changes {
		if c.Kind == kind {
			n++
		}
	}
	return n
}

// Compare gives what makes new of old. Objects belong together by group, kind,
// namespace and name, so that another version of an API is a change and no
// second object; other documents by their file and place in it; a file that
// is no YAML on one side is compared as text. Equal documents are not parsed.
func Compare(old, new []Document) Result {
	before, after := split(old), split(new)
	before, after, same := withoutEqual(before, after)
	broken := map[string]bool{}
	parse(before, broken)
	parse(after, broken)
	before, after = objects(before, old, broken), objects(after, new, broken)
	result := Result{Unchanged: same}
	for _, pair := range match(before, after) {
		if change, differs := pair.change(); differs {
			result.Changes = append(result.Changes, change)
		} else {
			result.Unchanged++
		}
	}
	slices.SortStableFunc(result.Changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Within, b.Within), cmp.Compare(a.Source, b.Source),
			cmp.Compare(a.Object.Kind, b.Object.Kind), cmp.Compare(a.Object.Namespace, b.Object.Namespace),
			cmp.Compare(a.Object.Name, b.Object.Name), cmp.Compare(a.Kind, b.Kind))
	})
	return result
}

// pair is what belongs together; one side may be missing.
type pair struct{ old, new *unit }

// match finds what belongs together. Of several with one name, the first is
// compared with the first.
func match(before, after []unit) []pair {
	waiting := map[string][]*unit{}
	for i := range before {
		key := before[i].key()
		waiting[key] = append(waiting[key], &before[i])
	}
	var pairs []pair
	for i := range after {
		key := after[i].key()
		one := pair{new: &after[i]}
		if had := waiting[key]; len(had) > 0 {
			one.old, waiting[key] = had[0], had[1:]
		}
		pairs = append(pairs, one)
	}
	for i := range before {
		key := before[i].key()
		if had := waiting[key]; len(had) > 0 && had[0] == &before[i] {
			pairs, waiting[key] = append(pairs, pair{old: &before[i]}), had[1:]
		}
	}
	return pairs
}

// change is the difference of a pair, if there is one.
func (p pair) change() (Change, bool) {
	switch {
	case p.old == nil:
		return Change{Kind: Added, Within: p.new.Within, Source: p.new.Source, Object: p.new.object, new: *p.new}, true
	case p.new == nil:
		return Change{Kind: Removed, Within: p.old.Within, Source: p.old.Source, Object: p.old.object, old: *p.old}, true
	}
	edits := printable(compare(p.old.value, p.new.value))
	return Change{Kind: Changed, Within: p.new.Within, Source: p.new.Source, Object: p.new.object, Edits: edits, old: *p.old, new: *p.new}, len(edits) > 0
}
