package importer

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// finish puts what no field says under values and secretValues, composes the
// whole again, and compares.
func (d *draft) finish(c composition) (Result, error) {
	env := c.env
	for _, release := range c.plan.Releases() {
		in := d.in[release.Key]
		if in == nil {
			continue
		}
		said := map[string]bool{}
		for _, input := range release.SecretInputs {
			said[input.Path] = true
		}
		for _, h := range d.hidden {
			if h.release != release.Key || said[h.path] {
				continue
			}
			if setter, hides := overlaps(release.Values, h.path); hides {
				d.problem(h.at, h.path, "the value is secret, and %s sets it: write it without its secret, or take it out, and import what is left", d.setterNames(release.Key, setter))
			}
			env.Spec.SecretValues = append(env.Spec.SecretValues, render.SecretValue{Release: render.Name(h.release), Path: render.ValuePath(h.path), Secret: h.ref.Secret, Key: h.ref.Key})
		}
		if rest, _ := d.rest(in, in.values, map[string]any(release.Values), ""); len(rest) > 0 {
			if env.Spec.Values == nil {
				env.Spec.Values = map[string]render.Values{}
			}
			env.Spec.Values[release.Key] = rest
		}
	}
	if d.problems != nil {
		return Result{}, d.problems.Err()
	}
	plan, err := d.plan(c, env.Spec.Values, env.Spec.SecretValues)
	if err != nil {
		return Result{}, err
	}
	return d.result(env, plan, c)
}

// setterNames is the fields behind a value, for a message.
func (d *draft) setterNames(release, path string) string {
	names := d.setters(Added{Release: release, Path: path})
	if len(names) == 0 {
		return "the layout"
	}
	return "spec." + strings.Join(names, ", spec.")
}

// overlaps finds a value at a dotted path, or at a part of it.
func overlaps(values map[string]any, path string) (string, bool) {
	var next any = values
	for i, key := range strings.Split(path, ".") {
		m, isMap := next.(map[string]any)
		if !isMap {
			return strings.Join(strings.Split(path, ".")[:i], "."), true
		}
		if next = m[key]; next == nil {
			return "", false
		}
	}
	return path, true
}

// rest is what a mapping says that is no secret and that the fields do not
// say already.
func (d *draft) rest(in *installed, v *value, said any, path string) (map[string]any, bool) {
	have, _ := said.(map[string]any)
	left := map[string]any{}
	for _, entry := range v.Entries {
		at := strictyaml.Join(path, entry.Key)
		if _, secret := d.secretAt(in.key, at); secret {
			continue
		}
		if entry.Value.Kind == strictyaml.Mapping && len(entry.Value.Entries) > 0 {
			if below, any := d.rest(in, entry.Value, have[entry.Key], at); any {
				left[entry.Key] = below
			}
			continue
		}
		plain, _ := strictyaml.Plain(entry.Value, at)
		if !reflect.DeepEqual(plain, have[entry.Key]) {
			left[entry.Key] = plain
		}
	}
	return left, len(left) > 0
}

// result compares the environment's values with what was read, once more and
// on the whole, and says how it came to be.
func (d *draft) result(env render.Environment, plan render.Plan, c composition) (Result, error) {
	result := Result{Line: d.line.Name, Guesses: d.guesses, Fields: d.chartFields(c)}
	for _, release := range plan.Releases() {
		in := d.in[release.Key]
		if in == nil {
			continue
		}
		if err := d.compare(in, release); err != nil {
			return Result{}, err
		}
		for _, path := range slices.Sorted(maps.Keys(leaves(map[string]any(env.Spec.Values[release.Key])))) {
			result.Values = append(result.Values, Kept{release.Key, path})
		}
	}
	for _, extra := range d.added(plan) {
		if !d.fromBlank(extra.Added, c.blanks) {
			result.Added = append(result.Added, extra.Added)
		}
	}
	for _, blank := range c.blanks {
		result.Blanks = append(result.Blanks, render.Blank{Field: "spec." + blank, Hint: d.hint(blank)})
	}
	for _, h := range d.hidden {
		result.Secrets = append(result.Secrets, Secret{h.release, h.path, h.ref})
	}
	result.Create = d.create(plan)
	d.noteCharts(plan)
	var err error
	result.YAML, err = env.YAML(result.Blanks...)
	return result, err
}

// create is the Secrets of the plan, without what stands in blanks.
func (d *draft) create(plan render.Plan) []render.RequiredSecret {
	var secrets []render.RequiredSecret
	for _, secret := range plan.RequiredSecrets() {
		if slices.ContainsFunc(secret.Inputs, func(i render.SecretInput) bool { return i.From.Secret != "fill-in" }) {
			secrets = append(secrets, secret)
		}
	}
	return secrets
}

// chartFields is the fields that say what chart values said.
func (d *draft) chartFields(c composition) []string {
	var names []string
	for _, name := range c.fields {
		for _, rule := range d.line.Layout {
			if rule.Field == name && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// fromBlank reports whether a value comes from a field that is still to fill in.
func (d *draft) fromBlank(added Added, blanks []string) bool {
	return slices.ContainsFunc(d.setters(added), func(name string) bool {
		return slices.ContainsFunc(blanks, func(blank string) bool { return within(name, blank) })
	})
}

// compare makes sure that a release gets what was read. What differs is a
// mistake of this package, and better found here than in a cluster.
func (d *draft) compare(in *installed, release render.Release) error {
	read, _ := strictyaml.Plain(in.values, "")
	was, is := leaves(read), leaves(map[string]any(release.Values))
	inputs := map[string]render.SecretRef{}
	for _, input := range release.SecretInputs {
		inputs[input.Path] = input.From
	}
	for _, path := range slices.Sorted(maps.Keys(was)) {
		if h, secret := d.secretAt(in.key, path); secret {
			if inputs[path] != h.ref {
				return fmt.Errorf("import %s: the secret %s would not reach the chart", in.key, path)
			}
			continue
		}
		if got, ok := is[path]; (!ok || !reflect.DeepEqual(got, was[path])) && (!emptyMap(was[path]) || len(leavesBelow(is, path)) == 0) {
			return fmt.Errorf("import %s: the value %s would not come out as it is", in.key, path)
		}
	}
	return nil
}

// leaves is the values that are no mappings, and the mappings that are empty,
// by path.
func leaves(v any) map[string]any {
	all := map[string]any{}
	var collect func(v any, path string)
	collect = func(v any, path string) {
		m, isMap := v.(map[string]any)
		if !isMap || len(m) == 0 {
			if path != "" {
				all[path] = v
			}
			return
		}
		for key, below := range m {
			collect(below, strictyaml.Join(path, key))
		}
	}
	collect(v, "")
	return all
}

func emptyMap(v any) bool {
	m, isMap := v.(map[string]any)
	return isMap && len(m) == 0
}

// leavesBelow is the leaves inside a path.
func leavesBelow(all map[string]any, path string) []string {
	var below []string
	for at := range all {
		if strings.HasPrefix(at, path+".") || strings.HasPrefix(at, path+"[") {
			below = append(below, at)
		}
	}
	return below
}
