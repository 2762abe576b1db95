// Package plaintext finds secrets that are written out among chart values and
// in manifests: by their keys, and by their texts. It is the only place that
// knows how a secret looks; its rules are a table ([Rules]). Nothing that it
// returns repeats a value.
package plaintext

import (
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// Found is a place where a secret is written out.
type Found struct {
	Position strictyaml.Position
	Path     string // below the value that was searched, as strictyaml.Join writes it
	Value    *strictyaml.Value
	Rule     Rule
}

// Find returns the secrets written out in v, which lies at path, in the order
// of the file. A value is found once, by the first rule that it breaks.
func Find(v *strictyaml.Value, path string) []Found {
	f := finder{}
	f.value(v, path, nil)
	return f.found
}

// Fields calls visit with the secrets written out in the field of an environment that
// lies at path, in the order of the file: among chart values and annotations, which
// lie at within, keys and texts tell; elsewhere, where each field has its type, texts
// that are credentials in any place, and within is empty.
func Fields(v *strictyaml.Value, path string, visit func(within string, f Found)) {
	if v == nil {
		return
	}
	if v.Kind == strictyaml.Scalar {
		if rule := Format(v.Text); rule != nil {
			visit("", Found{v.Position, path, v, *rule})
		}
		return
	}
	for i, item := range v.Items {
		Fields(item, strictyaml.Index(path, i), visit)
	}
	for _, entry := range v.Entries {
		at := strictyaml.Join(path, entry.Key)
		if entry.Key != "values" && entry.Key != "annotations" {
			Fields(entry.Value, at, visit)
			continue
		}
		for _, f := range Find(entry.Value, at) {
			visit(at, f)
		}
	}
}

// finder walks through a value.
type finder struct{ found []Found }

func (f *finder) add(v *strictyaml.Value, path string, rule *Rule) {
	f.found = append(f.found, Found{v.Position, path, v, *rule})
}

// value looks at a value. The rule is that of a collection of secrets above
// it, or nil.
func (f *finder) value(v *strictyaml.Value, path string, within *Rule) {
	switch v.Kind {
	case strictyaml.Scalar:
		if rule := Text(v.Text); v.Tag == "!!str" && rule != nil {
			f.add(v, path, rule)
		} else if within != nil && v.Tag == "!!str" && Secret(v.Text) {
			f.add(v, path, within)
		}
	case strictyaml.Sequence:
		f.list(v, path, within)
	default:
		f.mapping(v, path, within)
	}
}

// list looks at the items of a list. A flag that names a secret has its value
// in the item behind it.
func (f *finder) list(v *strictyaml.Value, path string, within *Rule) {
	for i, item := range v.Items {
		at := strictyaml.Index(path, i)
		if i > 0 && isFlag(v.Items[i-1]) && item.Kind == strictyaml.Scalar && Secret(item.Text) && !strings.HasPrefix(item.Text, "-") {
			f.add(item, at, byName[flagRule])
			continue
		}
		f.value(item, at, within)
	}
}

// isFlag reports whether an argument of a program is a flag that names a
// secret and has no value of its own.
func isFlag(v *strictyaml.Value) bool {
	name := strings.TrimLeft(v.Text, "-")
	return v.Kind == strictyaml.Scalar && len(name) < len(v.Text) && Key(name) != nil
}

func (f *finder) mapping(v *strictyaml.Value, path string, within *Rule) {
	named := v.Get("name")
	if named == nil {
		named = v.Get("key")
	}
	isSecret := v.Get("kind") != nil && v.Get("kind").Text == "Secret"
	for _, entry := range v.Entries {
		at, rule := strictyaml.Join(path, entry.Key), (*Rule)(nil)
		if entry.Key == "value" && named != nil && holds(entry.Value, named.Text) != nil {
			rule = byName[variableRule]
		} else if !refersBeside(v, entry.Key) {
			rule = holds(entry.Value, entry.Key)
		}
		switch {
		case rule != nil:
			f.add(entry.Value, at, rule)
		case isSecret && (entry.Key == "data" || entry.Key == "stringData"):
			f.value(entry.Value, at, byName[objectRule])
		case collects(entry.Key):
			f.value(entry.Value, at, byName[collectionRule])
		case within != nil && within.Name == collectionRule && describes(entry.Key):
			f.value(entry.Value, at, nil)
		default:
			f.value(entry.Value, at, within)
		}
	}
}

// refersBeside reports whether a key of a mapping names a Secret or a key of it
// because of the keys beside it: {secret: NAME, key: KEY}, and secretKey beside
// existingSecret.
func refersBeside(v *strictyaml.Value, key string) bool {
	if letters(key) == "secret" {
		return v.Get("key") != nil && objectName.MatchString(v.Get(key).Text)
	}
	if rule := Key(key); rule == nil || rule.Name != keyNames {
		return false
	}
	return slices.ContainsFunc(v.Entries, func(e strictyaml.Entry) bool {
		return e.Key != key && e.Value.Kind == strictyaml.Scalar && refersToSecret(e.Key)
	})
}

// holds returns the rule that a value breaks, or a text in a list of texts,
// because of its key, or nil.
func holds(v *strictyaml.Value, key string) *Rule {
	switch {
	case v.Kind == strictyaml.Sequence:
		for _, item := range v.Items {
			if rule := holds(item, key); rule != nil {
				return rule
			}
		}
	case v.Kind != strictyaml.Scalar || v.IsNull() || v.Tag == "!!bool":
	case v.Tag == "!!int" || v.Tag == "!!float":
		if rule := Key(key); rule != nil && rule.numbers {
			return rule
		}
	default:
		return Pair(key, v.Text)
	}
	return nil
}
