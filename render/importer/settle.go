package importer

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// composition is an environment and what it comes to.
type composition struct {
	spec   *value             // the fields that the input says, as a tree
	env    render.Environment // the same, without what is under values
	blanks []string           // its fields that are still to fill in
	fields []string           // those that the input says
	plan   render.Plan        // with something in the blanks
}

// settle finds the fields that say what the input says and set nothing
// besides: it takes all candidates, and leaves those out, one after another,
// that do not fit their field or bring along chart values that were not there.
func (d *draft) settle() (composition, error) {
	for {
		before := len(d.dropped)
		c := d.decode()
		if len(d.dropped) > before {
			continue
		}
		plan, err := d.plan(c, nil, nil)
		if err != nil {
			return c, err
		}
		c.plan = plan
		for _, added := range d.added(plan) {
			d.dropSetter(added, c)
		}
		if len(d.dropped) == before {
			return c, nil
		}
	}
}

// decode fills an environment from the candidates that are not dropped, and
// drops those that do not fit.
func (d *draft) decode() composition {
	spec := &value{Kind: strictyaml.Mapping}
	c := composition{spec: spec, env: render.Environment{APIVersion: "pm-gitops/v1", Kind: "Environment", Metadata: render.Metadata{Name: d.o.Name}}}
	for _, candidate := range d.candidates() {
		if slices.ContainsFunc(d.dropped, func(of string) bool { return within(candidate.field, of) }) || get(spec, candidate.field) != nil {
			continue
		}
		put(spec, candidate.field, candidate.value)
		c.fields = append(c.fields, candidate.field)
	}
	problems := strictyaml.Decode(spec, &c.env.Spec, strictyaml.Partial)
	for _, problem := range problems {
		name, _, _ := strings.Cut(problem.Path, "[")
		wants, _, _ := strings.Cut(problem.Message, ", got ") // what is behind repeats the value
		d.drop(name, problem.Position, "spec."+problem.Path+" does not take what is there ("+wants+")")
	}
	if problems != nil {
		return c
	}
	for _, missing := range strictyaml.Decode(spec, new(render.Spec), strictyaml.Complete) {
		if section := optional(missing.Path); section != "" && get(spec, section) != nil {
			d.drop(section, get(spec, section).Position, "spec."+missing.Path+" would be missing")
			continue
		}
		c.blanks = append(c.blanks, leavesOf(missing.Path)...)
	}
	if c.env.Spec.Mesh.Mode == "" && c.env.Spec.Versions.PrefectIstiod == "" {
		c.blanks = append(c.blanks, "versions.prefectIstiod")
	}
	inOrder(c.blanks)
	inOrder(c.fields)
	return c
}

func inOrder(names []string) {
	at := func(name string) int {
		return slices.IndexFunc(fields, func(f field) bool { return f.name == name })
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(at(a), at(b)) })
}

// drop leaves a field to the chart values: the section that can be left out,
// or where there is none the field alone, which is then to be filled in.
func (d *draft) drop(name string, at render.Position, why string) {
	if f, ok := known(name); ok && !within(name, "names") {
		name = cmp.Or(optional(f.name), f.name)
	}
	if slices.Contains(d.dropped, name) {
		return
	}
	d.dropped = append(d.dropped, name)
	if at.File == "" { // from the specification of an object, and no chart value
		d.note(d.in[render.PrefectCloud].at, "", "not taken over: %s", why)
		return
	}
	d.left[name] = true
	d.note(at, "", "kept under spec.values: %s", why)
}

// plan plans what was composed, with something in its blanks, by the layout of
// the line alone, for secrets that are values.
func (d *draft) plan(c composition, values map[string]render.Values, secrets []render.SecretValue) (render.Plan, error) {
	filled, err := d.filled(c.blanks)
	if err != nil {
		return render.Plan{}, err
	}
	env := c.env
	env.Spec = render.Spec{} // nothing shared with c.env
	if problems := strictyaml.Decode(strictyaml.Merge(c.spec, filled), &env.Spec, strictyaml.Complete); problems != nil {
		return render.Plan{}, fmt.Errorf("fill in the blanks: %w", problems)
	}
	env.Spec.Values, env.Spec.SecretValues = values, secrets
	source, err := env.YAML()
	if err != nil {
		return render.Plan{}, err
	}
	parsed, err := render.Parse("the new environment file", source, func(string) ([]byte, error) { return nil, fs.ErrNotExist })
	if err != nil {
		return render.Plan{}, err
	}
	line := d.line
	line.Like = ""
	return render.NewPlan(parsed, catalog.Catalog{Lines: []catalog.Line{line}}, render.IntoValues)
}

// filled is something for each blank. Where the provider is one, it is one
// that no value is about: a secret there would be said twice.
func (d *draft) filled(blanks []string) (*value, error) {
	filled := &value{Kind: strictyaml.Mapping}
	for _, blank := range blanks {
		names := []string{blank}
		if blank == "auth" {
			i := slices.IndexFunc(providers, func(name string) bool { return d.says("auth."+name) == 0 })
			if i < 0 {
				return nil, render.Problems{{Position: d.in[render.PrefectCloud].at, Message: "the values are about " + text.OneOf(providers) + ", and do not say which is in use: take out the others, and import what is left"}}
			}
			names = leavesOf("auth." + providers[i])
		}
		for _, name := range names {
			f, _ := known(name)
			put(filled, name, standIn(f))
		}
	}
	return filled, nil
}

// extra is a chart value that an environment sets and the input does not.
type extra struct {
	Added
	changed bool // the input has another one
}

// added compares what the plan comes to with what was read.
func (d *draft) added(plan render.Plan) []extra {
	var all []extra
	for _, release := range plan.Releases() {
		var before any
		if in := d.in[release.Key]; in != nil {
			before, _ = strictyaml.Plain(in.values, "")
		}
		was, is := leaves(before), leaves(map[string]any(release.Values))
		for _, path := range slices.Sorted(maps.Keys(is)) {
			old, there := was[path]
			if there && reflect.DeepEqual(old, is[path]) || emptyMap(is[path]) && len(leavesBelow(was, path)) > 0 {
				continue
			}
			all = append(all, extra{Added{release.Key, path, is[path]}, there})
		}
	}
	return all
}

// dropSetter leaves out what an added value comes from, if it can be left out.
func (d *draft) dropSetter(added extra, c composition) {
	for _, name := range d.setters(added.Added) {
		section := optional(name)
		if section == "" || !slices.ContainsFunc(c.fields, func(f string) bool { return within(f, section) }) {
			continue
		}
		at, verb := render.Position{}, "add"
		for _, candidate := range d.candidates() {
			if within(candidate.field, section) && (at.File == "" || candidate.value.Position.Line < at.Line) {
				at = candidate.value.Position
			}
		}
		if added.changed {
			verb = "change"
		}
		d.drop(section, at, fmt.Sprintf("spec.%s would %s %s", section, verb, added.Path))
		return
	}
}

// setters is the fields that a rule of the layout made a value of.
func (d *draft) setters(added Added) []string {
	var names []string
	for _, rule := range d.rules(added.Release) {
		_, set := rule.Set[added.Path]
		switch {
		case rule.Path != "" && (added.Path == string(rule.Path) || strings.HasPrefix(added.Path, string(rule.Path)+".") || strings.HasPrefix(added.Path, string(rule.Path)+"[")):
			names = append(names, rule.Field)
		case set:
			for _, condition := range rule.When {
				if !condition.Not {
					names = append(names, condition.Field)
				}
			}
		}
	}
	return names
}
