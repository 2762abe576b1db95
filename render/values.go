package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/internal/plaintext"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// SecretInput is a chart value that is secret: where it goes in the values,
// and where it comes from.
type SecretInput struct {
	Path string    `json:"path"` // dotted chart value
	From SecretRef `json:"from"`
}

// composer puts the chart values of a plan together.
type composer struct {
	env      Environment
	into     SecretsInto
	line     catalog.Line
	fields   fields
	used     map[string]bool
	problems Problems
	warnings Problems
}

// assignment is a chart value that a rule of the catalog sets.
type assignment struct {
	path  string // dotted chart value
	value any    // a SecretRef for a secret
	rule  catalog.Rule
}

// assignments is what the catalog's line sets in a release, in the order of
// its rules.
func (c *composer) assignments(release string) []assignment {
	var list []assignment
	for _, rule := range c.line.Layout {
		if of := rule.Release; of != release && (of != "" || release != PrefectCloud) || !c.applies(rule) {
			continue
		}
		for _, path := range slices.Sorted(maps.Keys(rule.Set)) {
			list = append(list, assignment{path, rule.Set[path], rule})
		}
		if rule.Field == "" || rule.Path == "" {
			continue
		}
		c.used[rule.Field] = true
		value := c.fields[rule.Field]
		if _, isSecret := value.(SecretRef); value == nil || isSecret && c.into != IntoValues {
			continue
		}
		list = append(list, assignment{string(rule.Path), value, rule})
	}
	return list
}

// layout is the values and secret inputs of a release that follow from fields.
func (c *composer) layout(release string) (map[string]any, []SecretInput) {
	values, secrets := map[string]any{}, []SecretInput(nil)
	for _, a := range c.assignments(release) {
		if ref, isSecret := a.value.(SecretRef); isSecret {
			secrets = append(secrets, SecretInput{a.path, ref})
		} else {
			c.set(values, a.path, a.value, a.rule)
		}
	}
	return values, secrets
}

// applies reports whether all conditions of a rule hold.
func (c *composer) applies(rule catalog.Rule) bool {
	for _, condition := range rule.When {
		value, set := c.fields[condition.Field]
		if condition.Equal {
			set = set && fmt.Sprint(value) == condition.Value
		}
		if set == condition.Not {
			return false
		}
	}
	return true
}

// set puts a value at a dotted path.
func (c *composer) set(values map[string]any, path string, value any, rule catalog.Rule) {
	if !setPath(values, path, value) {
		c.problems = append(c.problems, Problem{Position: rule.Position, Message: fmt.Sprintf("the layout of line %q sets %s, and something inside or above it too", c.line.Name, path)})
	}
}

// setPath puts a value at a dotted path and reports whether it could: no part
// of the path may be a value already, and no mapping is replaced.
func setPath(values map[string]any, path string, value any) bool {
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		next, ok := values[key].(map[string]any)
		if !ok {
			if _, taken := values[key]; taken {
				return false
			}
			next = map[string]any{}
			values[key] = next
		}
		values = next
	}
	last := keys[len(keys)-1]
	if _, isMap := values[last].(map[string]any); isMap {
		return false
	}
	values[last] = value
	return true
}

// getPath is the value at a dotted path.
func getPath(values map[string]any, path string) (any, bool) {
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		next, ok := values[key].(map[string]any)
		if !ok {
			return nil, false
		}
		values = next
	}
	value, ok := values[keys[len(keys)-1]]
	return value, ok
}

// inTheWay is the part of a dotted path, or all of it, at which a value would
// hide what another document has at the path: Helm merges mappings, and
// anything else replaces.
func inTheWay(values map[string]any, path string) (at string, ok bool) {
	keys := strings.Split(path, ".")
	for i, key := range keys {
		value, exists := values[key]
		next, isMap := value.(map[string]any)
		if exists && (!isMap || i == len(keys)-1) {
			return strings.Join(keys[:i+1], "."), true
		}
		values = next
	}
	return "", false
}

// overlay lays the values that the user wrote over those from fields: maps
// merge, anything else replaces. Replacing what a field said is a warning.
func (c *composer) overlay(values, over map[string]any, path string) map[string]any {
	merged := maps.Clone(values)
	for _, key := range slices.Sorted(maps.Keys(over)) {
		at := strictyaml.Join(path, key)
		below, exists := values[key]
		belowMap, isMap := below.(map[string]any)
		overMap, overIsMap := over[key].(map[string]any)
		switch {
		case isMap && overIsMap:
			merged[key] = c.overlay(belowMap, overMap, at)
		case exists:
			c.warnings = append(c.warnings, c.env.problem(at, "replaces what a field of the environment says"))
			merged[key] = over[key]
		default:
			merged[key] = over[key]
		}
	}
	return merged
}

// checkSecrets finds values that are written out where a secret goes, since
// inline values win over those of a Secret; secrets that cannot stand in one
// document; and secrets that a layout itself writes out.
func (c *composer) checkSecrets(path string, own, composed map[string]any, secrets []SecretInput) {
	document := map[string]any{}
	for _, secret := range secrets {
		if _, twice := getPath(document, secret.Path); twice || !setPath(document, secret.Path, true) {
			c.problems = append(c.problems, c.env.problem("spec.secretValues", "the value %s is secret already, or lies inside or above one that is", secret.Path))
		}
		if at, ok := inTheWay(own, secret.Path); ok {
			c.problems = append(c.problems, c.env.problem(path+"."+at, "the value %s is secret and comes from Secret %s: what is here would hide it", secret.Path, secret.From.Secret))
		} else if at, ok := inTheWay(composed, secret.Path); ok {
			c.problems = append(c.problems, c.env.problem("spec.secretValues", "the layout of line %q sets %s itself: give the secret in the field of the environment that has it", c.line.Name, at))
		}
	}
}

// checkLayout finds field names in the layout that no environment has.
func (c *composer) checkLayout() {
	names := fieldNames()
	for _, rule := range c.line.Layout {
		if vendor := []string{PrefectIstiod, PrefectCloud}; rule.Release != "" && !slices.Contains(vendor, rule.Release) {
			c.problems = append(c.problems, Problem{Position: rule.Position, Path: "layout", Message: fmt.Sprintf("unknown release %s%s", text.Quoted(rule.Release), text.Suggest(rule.Release, vendor))})
		}
		for _, path := range slices.Sorted(maps.Keys(rule.Set)) {
			key := path[strings.LastIndex(path, ".")+1:]
			found := plaintext.Find(strictyaml.Of(map[string]any{key: rule.Set[path]}), "")
			if slices.ContainsFunc(found, func(f plaintext.Found) bool { return f.Rule.Certain }) {
				c.problems = append(c.problems, Problem{Position: rule.Position, Path: "layout", Message: fmt.Sprintf("%s is secret: a value here would be in Git for all to read", path)})
			}
		}
		asked := []string{rule.Field}
		for _, condition := range rule.When {
			asked = append(asked, condition.Field)
		}
		for _, name := range asked {
			if name != "" && !slices.Contains(names, name) {
				c.problems = append(c.problems, Problem{Position: rule.Position, Path: "layout", Message: fmt.Sprintf("unknown field %s%s", text.Quoted(name), text.Suggest(name, names))})
			}
		}
	}
}

// checkUnused finds fields that are set and reach nothing. Where the line's
// catalog says so itself, with a rule that takes a field nowhere, the line has
// no such value, and that is worth a warning alone: the field may be required.
func (c *composer) checkUnused() {
	for _, name := range slices.Sorted(maps.Keys(c.fields)) {
		if !inChart(name) || c.used[name] || slices.Contains(computed, name) || c.fields[name] == true && c.hasParts(name) {
			continue
		}
		if c.into == IntoChart {
			if _, isSecret := c.fields[name].(SecretRef); isSecret {
				continue
			}
		}
		dropped := func(rule catalog.Rule) bool { return rule.Field == name && rule.Path == "" }
		if i := slices.IndexFunc(c.line.Layout, dropped); i >= 0 {
			c.warnings = append(c.warnings, c.env.problem("spec."+name, "line %q has no chart value for this (%s): it is left out", c.line.Name, c.line.Layout[i].Position))
			continue
		}
		c.problems = append(c.problems, c.env.problem("spec."+name,
			"the catalog's line %q does not say which chart value this sets: add a layout rule in a catalog (spec.catalog), or set the value itself under spec.values.%s", c.line.Name, PrefectCloud))
	}
}

// hasParts reports whether a field is a section: its parts speak for it.
func (c *composer) hasParts(name string) bool {
	return slices.ContainsFunc(fieldNames(), func(other string) bool { return strings.HasPrefix(other, name+".") })
}
