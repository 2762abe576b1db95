// Package trace says where the secret values of a release land in what its
// chart makes: in a Secret, or where they should not be. It renders the chart
// with markers in place of the secrets, so it needs none of them. Like package
// render it is pure.
package trace

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
)

// How is the kind of place in which a secret value lands.
type How string

// The kinds of places. All but the first are outside of a Secret.
const (
	Secret     How = "secret"     // data or stringData of a Secret
	Variable   How = "env"        // the value of an environment variable
	ConfigMap  How = "configmap"  // data of a ConfigMap
	Annotation How = "annotation" //
	Label      How = "label"      // or a selector
	Argument   How = "argument"   // of a command
	Checksum   How = "checksum"   // something made of the value, from which the value does not follow if it is long
	Other      How = "other"      // any other field
)

// Landing is a place in which a secret value lands.
type Landing struct {
	Object chart.ID `json:"object"`
	Path   string   `json:"path"` // the field: data.password
	How    How      `json:"how"`
	// Encoding is what became of the value on its way, the outermost first:
	// base64 of urlquery. A Secret's own base64 is not counted. It is empty for
	// a value as it is, "part" for a part of it, and "derived" for what no
	// longer shows it.
	Encoding string `json:"encoding,omitempty"`
}

// Outside reports whether the value is to be read outside of a Secret.
func (l Landing) Outside() bool { return l.How != Secret && l.How != Checksum }

// Input is a secret value of a release, and where it lands.
type Input struct {
	Path string           `json:"path"` // the chart value
	From render.SecretRef `json:"from"`
	// Landings is by object and path. Without any, the chart does not use the
	// value, unless it does in a place that is another one each time.
	Landings []Landing `json:"landings"`
}

// Field is a field of an object.
type Field struct {
	Object chart.ID `json:"object"`
	Path   string   `json:"path"`
}

// Trace is where the secret values of a release land.
type Trace struct {
	Inputs []Input `json:"inputs"` // by path
	// Random is the fields that are others each time the chart is rendered, by
	// object and path: of a value that is hashed there nothing can be seen.
	Random []Field `json:"random,omitempty"`
}

// Make renders a release with values.
type Make func(values map[string]any) ([]chart.Object, error)

// Release traces the secret inputs of a release. It renders the chart some
// times more than it has inputs. Where the chart refuses the markers, others
// are tried that a schema may take; the error is that of the first try, which
// never has a value in it, or that the context ended.
func Release(ctx context.Context, release render.Release, make Make) (Trace, error) {
	t := &tracer{ctx: ctx, release: release, make: make, shapes: map[string]int{}}
	if len(release.SecretInputs) == 0 {
		return Trace{Inputs: []Input{}}, nil
	}
	base, err := t.first()
	if err != nil {
		return Trace{}, err
	}
	again, err := t.render("")
	if err != nil {
		return Trace{}, err
	}
	t.base = base
	t.random = compare(base, again).set()
	result := Trace{}
	for _, input := range release.SecretInputs {
		landings, err := t.landings(input.Path)
		if err != nil {
			return Trace{}, err
		}
		result.Inputs = append(result.Inputs, Input{input.Path, input.From, landings})
	}
	last, err := t.render("")
	if err != nil {
		return Trace{}, err
	}
	t.drop(result.Inputs, compare(base, last))
	result.Random = t.fields()
	return result, nil
}

// tracer renders one release again and again.
type tracer struct {
	ctx     context.Context
	release render.Release
	make    Make
	shapes  map[string]int // of the markers, by input
	base    []chart.Object
	random  map[Field]bool
}

// render renders with the markers of all inputs, another one for changed.
func (t *tracer) render(changed string) ([]chart.Object, error) {
	values, err := t.release.ValuesWith(func(input render.SecretInput) string {
		return t.marker(input.Path, input.Path == changed)
	})
	if err != nil {
		return nil, err
	}
	objects, err := t.make(values)
	if err != nil {
		return nil, t.redact(err)
	}
	return objects, nil
}

// landings is where one input lands: every field that is another one with
// another marker.
func (t *tracer) landings(input string) ([]Landing, error) {
	other, err := t.render(input)
	if err != nil {
		return nil, err
	}
	landings := []Landing{}
	var derived []change
	marker := t.marker(input, false)
	for _, change := range compare(t.base, other) {
		encoding, found := find(change.was, marker)
		key, inKey := find(strings.Join(change.steps, "\n"), marker)
		switch {
		case found:
			landings = append(landings, change.landing(encoding))
		case inKey:
			landings = append(landings, change.landing(key))
		case !t.random[change.Field]:
			derived = append(derived, change)
		}
	}
	if derived, err = t.confirmed(input, other, derived); err != nil {
		return nil, err
	}
	for _, change := range derived {
		landings = append(landings, change.derived())
	}
	for i := range landings {
		landings[i].Path = strings.ReplaceAll(landings[i].Path, marker, "SECRET")
		landings[i].Object.Name = strings.ReplaceAll(landings[i].Object.Name, marker, "SECRET")
	}
	slices.SortFunc(landings, func(a, b Landing) int {
		return cmp.Or(a.Object.Compare(b.Object), strings.Compare(a.Path, b.Path), strings.Compare(string(a.How), string(b.How)), strings.Compare(a.Encoding, b.Encoding))
	})
	return slices.Compact(landings), nil // an object may be there for an install and for an upgrade
}

// confirmed is the changes that come again when the same is rendered again. A
// field with few random values may be the same twice by chance.
func (t *tracer) confirmed(input string, other []chart.Object, changes []change) ([]change, error) {
	if changes == nil {
		return nil, nil
	}
	again, err := t.render(input)
	if err != nil {
		return nil, err
	}
	moved := compare(other, again).set()
	for field := range moved {
		t.random[field] = true
	}
	return slices.DeleteFunc(changes, func(c change) bool { return moved[c.Field] }), nil
}

// drop takes out of the landings what changes by itself, such as a time.
func (t *tracer) drop(inputs []Input, changes changes) {
	moved := changes.set()
	for field := range moved {
		t.random[field] = true
	}
	for i := range inputs {
		inputs[i].Landings = slices.DeleteFunc(inputs[i].Landings, func(l Landing) bool {
			return l.Encoding == derived && moved[Field{l.Object, l.Path}]
		})
	}
}

// fields is the random fields in order.
func (t *tracer) fields() []Field {
	var all []Field
	for field := range t.random {
		all = append(all, field)
	}
	slices.SortFunc(all, func(a, b Field) int { return cmp.Or(a.Object.Compare(b.Object), strings.Compare(a.Path, b.Path)) })
	return all
}
