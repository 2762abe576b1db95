package strictyaml

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// Unmarshaler is a type that reads itself, such as a field that takes a word
// or a mapping.
type Unmarshaler interface {
	UnmarshalValue(v *Value, path string) Problems
}

// Validator is a type whose values have a form. The error says what is
// wanted; it ends up behind position and path.
type Validator interface {
	Validate() error
}

// Secret marks a type whose values say where a secret is: its fields are never
// proposed for one another.
type Secret interface{ SecretPlace() }

// Mode says what Decode insists on.
type Mode int

// The modes of Decode.
const (
	Complete Mode = iota // every field without omitempty must be there
	Partial              // any field may be missing, as in a file of defaults
)

// Decode fills into, a pointer to a struct, from v and gives every problem it
// finds. Fields go by their json names; one without omitempty is required; a
// null counts as absent. A field of type Position, tagged json:"-", gets the
// place of its mapping. A type that implements [Unmarshaler] reads itself, one
// that implements [Validator] is asked after it was filled.
func Decode(v *Value, into any, mode Mode) Problems {
	d := decoder{mode: mode}
	d.decode(v, reflect.ValueOf(into).Elem(), "")
	return d.problems
}

// DecodeAt decodes a part of a document that lies at path, as [Decode] does.
func DecodeAt(v *Value, into any, path string) Problems {
	var d decoder
	d.decode(v, reflect.ValueOf(into).Elem(), path)
	return d.problems
}

type decoder struct {
	mode     Mode
	problems Problems
}

func (d *decoder) problem(at Position, path, format string, args ...any) {
	d.problems = append(d.problems, Problem{at, path, fmt.Sprintf(format, args...)})
}

func (d *decoder) decode(v *Value, into reflect.Value, path string) {
	if into.Kind() == reflect.Pointer {
		if into.IsNil() {
			into.Set(reflect.New(into.Type().Elem()))
		}
		d.decode(v, into.Elem(), path)
		return
	}
	if u, ok := into.Addr().Interface().(Unmarshaler); ok {
		d.problems = append(d.problems, u.UnmarshalValue(v, path)...)
		return
	}
	before := len(d.problems)
	switch into.Kind() {
	case reflect.Struct:
		d.structure(v, into, path)
	case reflect.Map:
		d.dictionary(v, into, path)
	case reflect.Slice:
		d.list(v, into, path)
	default:
		d.scalar(v, into, path)
	}
	if len(d.problems) > before {
		return
	}
	if c, ok := into.Addr().Interface().(Validator); ok {
		if err := c.Validate(); err != nil {
			d.problem(v.Position, path, "%s", err)
		}
	}
}

func (d *decoder) structure(v *Value, into reflect.Value, path string) {
	if v.Kind != Mapping {
		d.problem(v.Position, path, "want a mapping, got %s", Describe(v))
		return
	}
	fields, names := Fields(into.Type()), Names(into.Type())
	for _, entry := range v.Entries {
		if !slices.ContainsFunc(names, func(n text.Name) bool { return n.Text == entry.Key }) {
			d.problem(entry.Position, Join(path, entry.Key), "unknown field%s", text.SuggestFor(entry.name(), names))
		}
	}
	for _, f := range fields {
		value, at := v.Get(f.Name), Join(path, f.Name)
		switch {
		case !value.IsNull():
			d.decode(value, into.FieldByIndex(f.Index), at)
		case f.Required && d.mode == Complete:
			d.problem(v.Position, at, "the field is missing")
		}
	}
	if f := into.FieldByName("Position"); f.IsValid() && f.Type() == reflect.TypeFor[Position]() {
		f.Set(reflect.ValueOf(v.Position))
	}
}

// Names gives the fields of a struct as names to propose, in their order.
func Names(t reflect.Type) []text.Name {
	var names []text.Name
	for _, f := range Fields(t) {
		names = append(names, nameOf(f.Name, t.FieldByIndex(f.Index).Type))
	}
	return names
}

// nameOf names a field with what its type says of its value. A type that reads
// itself may take values of several kinds.
func nameOf(name string, t reflect.Type) text.Name {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	named := text.Name{Text: name, Secret: isSecret(t)}
	switch {
	case reflect.PointerTo(t).Implements(reflect.TypeFor[Unmarshaler]()):
		return named
	case t.Kind() == reflect.Slice:
		named.Kind = text.List
	case t.Kind() == reflect.Bool:
		named.Kind = text.Boolean
	case t.Kind() == reflect.String:
		named.Kind = text.Scalar
	default:
		named.Kind = text.Mapping
	}
	for i := 0; t.Kind() == reflect.Struct && i < t.NumField(); i++ {
		named.Secret = named.Secret || isSecret(t.Field(i).Type)
	}
	return named
}

// isSecret reports whether values of a type say where a secret is.
func isSecret(t reflect.Type) bool { return t.Implements(reflect.TypeFor[Secret]()) }

// name names an entry with the kind of its value.
func (e Entry) name() text.Name {
	kinds := map[Kind]text.Kind{Mapping: text.Mapping, Sequence: text.List, Scalar: text.Scalar}
	named := text.Name{Text: e.Key, Kind: kinds[e.Value.Kind]}
	switch {
	case e.Value.IsNull():
		named.Kind = ""
	case e.Value.Tag == "!!bool":
		named.Kind = text.Boolean
	}
	return named
}

func (d *decoder) dictionary(v *Value, into reflect.Value, path string) {
	if v.Kind != Mapping {
		d.problem(v.Position, path, "want a mapping, got %s", Describe(v))
		return
	}
	into.Set(reflect.MakeMap(into.Type()))
	for _, entry := range v.Entries {
		if entry.Key == "" || strings.ContainsFunc(entry.Key, unwritable) {
			d.problem(entry.Position, Join(path, entry.Key), "want a key that is not empty and has no control characters")
			continue
		}
		key := reflect.New(into.Type().Key()).Elem()
		key.SetString(entry.Key)
		element := reflect.New(into.Type().Elem()).Elem()
		if entry.Value.IsNull() {
			d.problem(entry.Position, Join(path, entry.Key), "the value is missing")
			continue
		}
		d.decode(entry.Value, element, Join(path, entry.Key))
		into.SetMapIndex(key, element)
	}
}

func (d *decoder) list(v *Value, into reflect.Value, path string) {
	if v.Kind != Sequence {
		d.problem(v.Position, path, "want a list, got %s", Describe(v))
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(v.Items), len(v.Items)))
	for i, item := range v.Items {
		d.decode(item, into.Index(i), Index(path, i))
	}
}

func (d *decoder) scalar(v *Value, into reflect.Value, path string) {
	switch into.Kind() {
	case reflect.Bool:
		if v.Kind != Scalar || v.Tag != "!!bool" {
			d.problem(v.Position, path, "want true or false, got %s", Describe(v))
			return
		}
		into.SetBool(strings.EqualFold(v.Text, "true"))
	case reflect.String:
		if v.Kind != Scalar || v.Tag != "!!str" {
			d.problem(v.Position, path, "want a string, got %s%s", Describe(v), quoteHint(v))
			return
		}
		if strings.ContainsFunc(v.Text, unwritable) {
			d.problem(v.Position, path, "want a text without control characters")
			return
		}
		into.SetString(v.Text)
	default:
		panic("strictyaml: no decoding for " + into.Type().String())
	}
}

// quoteHint says how to write a scalar that YAML takes for something else:
// the unquoted 2025.10 is the number 2025.1.
func quoteHint(v *Value) string {
	switch {
	case v.Kind != Scalar || v.Tag == "!!null":
		return ""
	case slices.Contains(resolved, v.Tag):
		return ": put it in quotes"
	default:
		return ": leave the tag out"
	}
}

// Describe says what a value is without repeating it: it may be a secret.
func Describe(v *Value) string {
	switch v.Kind {
	case Mapping:
		return "a mapping"
	case Sequence:
		return "a list"
	}
	switch v.Tag {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!null":
		return "nothing"
	case "!!timestamp":
		return "a date"
	case "!!str":
		return "a string"
	default:
		return "a value with a tag"
	}
}

// Field is a field that Decode fills.
type Field struct {
	Name     string // its json name
	Index    []int
	Required bool
}

// Fields returns the fields of a struct type that Decode fills, in the order of
// the type.
func Fields(t reflect.Type) []Field {
	var fields []Field
	for _, f := range reflect.VisibleFields(t) {
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if !f.IsExported() || f.Anonymous || name == "-" || name == "" {
			continue
		}
		fields = append(fields, Field{name, f.Index, !strings.Contains(options, "omit")})
	}
	return fields
}
