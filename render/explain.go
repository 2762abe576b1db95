package render

import (
	"reflect"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// Explanation says where everything that an environment comes to was said.
// Its JSON form is an interface: fields are only ever added.
type Explanation struct {
	Environment string `json:"environment"`
	// Fields is every field of the environment, defaults included, in the
	// order of the environment's types.
	Fields []Explained `json:"fields"`
	// Releases is the chart values by release, in the order of the waves.
	Releases []ExplainedRelease `json:"releases"`
}

// ExplainedRelease is where the chart values of a release come from.
type ExplainedRelease struct {
	Release     string `json:"release"` // the key
	HelmRelease string `json:"helmRelease"`
	Namespace   string `json:"namespace"`
	Version     string `json:"version"`
	// Values is every leaf of the chart values, secret ones included, by path.
	Values []Explained `json:"values"`
}

// Explained is a value that holds no others, or an empty mapping or list, and
// where it comes from.
type Explained struct {
	// Path is the field, such as spec.releases[0].name, or the chart value,
	// such as global.frontendUrl. A key that is no plain word is in brackets
	// and quotes: annotations["a.b/c"].
	Path string `json:"path"`
	// Value is what the value is; nil for a secret one, which is never known.
	Value any `json:"value,omitempty"`
	// Secret is where the value of a secret chart value is.
	Secret *SecretRef `json:"secret,omitempty"`
	Origin Origin     `json:"origin"`
	// Rule is the catalog's rule that took a field to the chart value.
	Rule *CatalogRule `json:"rule,omitempty"`
	// Replaces is what would be the value otherwise, the nearest first. The
	// program's own defaults are not listed.
	Replaces []Origin `json:"replaces,omitempty"`
}

// From is what kind of place a value was said in.
type From string

// The kinds of places.
const (
	FromEnvironment From = "environment" // the environment file, or one that it extends
	FromCatalog     From = "catalog"     // a catalog: the embedded one or the user's
	FromDefault     From = "default"     // the program
	FromLock        From = "lock"        // the lock that pins the environment
)

// Origin is where a value was said.
type Origin struct {
	From   From   `json:"from"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	// Field is the environment's field that a chart value follows from.
	Field string `json:"field,omitempty"`
}

// CatalogRule is a layout rule of the catalog.
type CatalogRule struct {
	ReleaseLine string   `json:"releaseLine"` // the line whose layout is used
	When        []string `json:"when,omitempty"`
	File        string   `json:"file"`
	Line        int      `json:"line"`
	Column      int      `json:"column"`
}

// Explain says where every field of the environment, and every leaf of the
// releases' values, comes from. What it lists of a release is exactly what
// Values has, and SecretInputs. The plan must come from [NewPlan].
func (p Plan) Explain() Explanation {
	x := explainer{env: p.env, known: map[*strictyaml.Value]said{}}
	root := strictyaml.Merge(x.defaults(p), p.env.source)
	explanation := Explanation{p.Environment, x.fields(root), []ExplainedRelease{}}
	c := composer{env: p.env, into: p.Secrets.Into, line: p.line, fields: p.env.fields(p.Secrets.Into), used: map[string]bool{}}
	for _, release := range p.Releases() {
		explanation.Releases = append(explanation.Releases, ExplainedRelease{
			release.Key, release.Name, release.Namespace, release.Chart.Version, x.values(&c, release.Key, p.pinned),
		})
	}
	return explanation
}

// Explain says where every field that the files say comes from, in the order
// of the types. Unlike a plan's, it needs no complete environment and knows no
// defaults.
func (e Environment) Explain() []Explained {
	x := explainer{env: e}
	return x.fields(e.source)
}

// ReleaseKeys is the keys of every release: the vendor's, then those under
// spec.releases in the order of the file.
func (e Environment) ReleaseKeys() []string { return e.releaseKeys() }

func (x *explainer) fields(root *strictyaml.Value) []Explained {
	list := []Explained{}
	root.Leaves(reflect.TypeFor[Environment](), func(path string, leaf, replaced *strictyaml.Value) {
		if slices.Contains([]string{"apiVersion", "kind", "extends"}, path) {
			replaced = nil // the head of each file, which nothing inherits
		}
		list = append(list, x.explained(path, "", leaf, replaced))
	})
	return list
}

// values explains the leaves of a release: what the catalog's rules set, with
// what the user wrote laid over it, as [NewPlan] composes them, and what the lock
// pins.
func (x *explainer) values(c *composer, key string, pins []pinned) []Explained {
	tree := &strictyaml.Value{Kind: strictyaml.Mapping}
	prefix := strictyaml.Join("spec.values", key)
	if c.env.extra(key) != nil {
		prefix = c.env.releasePath(key) + ".values"
	} else {
		for _, a := range c.assignments(key) {
			tree.Put(strings.Split(a.path, "."), x.assigned(a, c.line.Name))
		}
	}
	for i, value := range c.env.Spec.SecretValues {
		if string(value.Release) == key {
			ref := SecretRef{value.Secret, value.Key}
			tree.Put(strings.Split(string(value.Path), "."), x.secret(ref, strictyaml.Index("spec.secretValues", i), nil))
		}
	}
	list := []Explained{}
	tree = strictyaml.Merge(tree, c.env.source.Find(prefix))
	x.explainPins(tree, pins, key).Leaves(nil, func(path string, leaf, replaced *strictyaml.Value) {
		if path != "" {
			list = append(list, x.explained(path, prefix, leaf, replaced))
		}
	})
	return list
}
