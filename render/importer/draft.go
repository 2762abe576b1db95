package importer

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// draft is an environment in the making.
type draft struct {
	in              map[string]*installed
	o               Options
	line            catalog.Line
	guesses         []string // the lines that fit the values, where no version tells
	hidden          []hidden
	hiddenAt        map[at]hidden
	taken           map[render.SecretRef]int // how many secrets wanted the reference
	dropped         []string                 // fields that are left out
	left            map[string]bool          // those of them that chart values say
	problems, notes render.Problems
}

// candidate is a field that the input could say.
type candidate struct {
	field string
	value *value
}

func newDraft(r reader, cat catalog.Catalog, o Options) (*draft, error) {
	d := &draft{in: r.releases, o: o, left: map[string]bool{}, hiddenAt: map[at]hidden{}, taken: map[render.SecretRef]int{}}
	if d.in[render.PrefectCloud] == nil {
		d.in[render.PrefectCloud] = &installed{key: render.PrefectCloud, values: &value{Kind: strictyaml.Mapping}}
	}
	if cloud, istiod := d.in[render.PrefectCloud], d.in[render.PrefectIstiod]; istiod != nil && istiod.name != "" && istiod.name == cloud.name && istiod.namespace == cloud.namespace {
		d.problem(istiod.at, "", "%s and %s are one Helm release here, %q in namespace %q, and cannot be in an environment: give %s another release name first", render.PrefectCloud, render.PrefectIstiod, istiod.name, istiod.namespace, render.PrefectIstiod)
		return nil, d.problems.Err()
	}
	return d, d.findLine(cat)
}

func (d *draft) problem(at render.Position, path, format string, args ...any) {
	d.problems = append(d.problems, render.Problem{Position: at, Path: path, Message: fmt.Sprintf(format, args...)})
}

func (d *draft) note(at render.Position, path, format string, args ...any) {
	d.notes = append(d.notes, render.Problem{Position: at, Path: path, Message: fmt.Sprintf(format, args...)})
}

// candidates is every field that the input could say, in no order.
func (d *draft) candidates() []candidate {
	var all []candidate
	say := func(field, text string) {
		if text != "" {
			all = append(all, candidate{field, textValue(text, render.Position{})})
		}
	}
	for _, rule := range d.line.Layout {
		all = append(all, d.inverse(rule)...)
	}
	say("versions.prefectCloud", string(d.version(render.PrefectCloud)))
	say("versions.prefectIstiod", string(d.version(render.PrefectIstiod)))
	say("registry.mirror", d.mirror())
	if d.pullsUnsaid() {
		say("registry.pullSecret", guessedSecret)
	}
	for _, key := range []string{render.PrefectCloud, render.PrefectIstiod} {
		in := d.in[key]
		if in == nil {
			continue
		}
		names := render.DefaultNames(key)
		if in.name != string(names.Release) {
			say("names."+key+".release", in.name)
		}
		if in.namespace != string(names.Namespace) {
			say("names."+key+".namespace", in.namespace)
		}
		say("registry.pullSecret", in.pullSecret)
		say("registry.caSecret", in.caSecret)
		if server := scalarText(in.destination.Get("server")); server != "https://kubernetes.default.svc" {
			say("delivery.argo.destination.server", server)
		}
		say("delivery.argo.destination.name", scalarText(in.destination.Get("name")))
	}
	return all
}

// inverse is what the values say of the fields of a rule.
func (d *draft) inverse(rule catalog.Rule) []candidate {
	in := d.in[releaseOf(rule)]
	if in == nil {
		return nil
	}
	if rule.Set != nil {
		return d.inverseSet(rule, in)
	}
	v := get(in.values, string(rule.Path))
	switch {
	case v == nil || rule.Path == "" || d.otherProvider(rule.Field):
		return nil
	case isSecretRef(rule.Field):
		h, secret := d.secretAt(in.key, string(rule.Path))
		if !secret {
			return nil
		}
		v = refValue(h.ref, h.at)
	}
	if f, ok := known(rule.Field); !ok || f.name != rule.Field {
		return nil // computed, such as auth.type
	}
	return []candidate{{rule.Field, v}}
}

// inverseSet takes a condition NAME=VALUE as said if all that it sets is
// there. Conditions of other forms follow from fields.
func (d *draft) inverseSet(rule catalog.Rule, in *installed) []candidate {
	for path, want := range rule.Set {
		v := get(in.values, path)
		if v == nil {
			return nil
		}
		if got, _ := strictyaml.Plain(v, ""); !reflect.DeepEqual(got, want) {
			return nil
		}
	}
	var said []candidate
	for _, condition := range rule.When {
		switch {
		case !condition.Equal || condition.Not:
		case condition.Field == "mesh" && d.in[render.PrefectIstiod] == nil,
			// Secrets among the values would not reach the chart any more.
			condition.Field == "secrets.into" && !slices.ContainsFunc(d.hidden, d.isField):
			said = append(said, candidate{condition.Field, textValue(condition.Value, in.at)})
		}
	}
	return said
}

// isField reports whether a field of the environment says a secret.
func (d *draft) isField(h hidden) bool {
	return slices.ContainsFunc(d.rules(h.release), func(r catalog.Rule) bool { return string(r.Path) == h.path && isSecretRef(r.Field) })
}

// otherProvider reports whether a field is about an identity provider that is
// not the one in use.
func (d *draft) otherProvider(field string) bool {
	steps := strings.Split(field, ".")
	return steps[0] == "auth" && len(steps) > 2 && steps[1] != d.provider()
}

// provider is the identity provider that the values name or, where they name
// none, the one that they say most about.
func (d *draft) provider() string {
	for _, rule := range d.rules(render.PrefectCloud) {
		if v := get(d.in[render.PrefectCloud].values, string(rule.Path)); rule.Field == "auth.type" && v != nil {
			return scalarText(v)
		}
	}
	most, second, provider := 0, 0, ""
	for _, name := range providers {
		switch n := d.says("auth." + name); {
		case n > most:
			most, second, provider = n, most, name
		case n > second:
			second = n
		}
	}
	if most == second {
		return ""
	}
	return provider
}

// providers is the sections of auth.
var providers = []string{"okta", "adfs", "entra"}

// says counts the values that are about a section.
func (d *draft) says(section string) int {
	n := 0
	for _, rule := range d.rules(render.PrefectCloud) {
		if within(rule.Field, section) && rule.Path != "" && get(d.in[render.PrefectCloud].values, string(rule.Path)) != nil {
			n++
		}
	}
	return n
}
