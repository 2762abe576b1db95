package strictyaml

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Find finds the value at a field path such as spec.releases[0].chart, or nil.
func (v *Value) Find(path string) *Value {
	for _, step := range steps(path) {
		switch {
		case v == nil:
			return nil
		case v.Kind == Sequence:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v.Items) {
				return nil
			}
			v = v.Items[i]
		default:
			v = v.Get(step)
		}
	}
	return v
}

// With returns v with a value at a field path such as spec.releases[0].chart: in
// the place of what is there, or new, with the mappings on the way to it. A nil
// value takes out what is there. V itself does not change.
func (v *Value) With(path string, value *Value) *Value { return v.with(steps(path), value) }

func (v *Value) with(path []string, value *Value) *Value {
	if len(path) == 0 {
		if value != nil && v != nil {
			value.Position = v.Position
		}
		return value
	}
	changed := Value{Kind: Mapping}
	if v != nil {
		changed = *v
	}
	if i, err := strconv.Atoi(path[0]); changed.Kind == Sequence && err == nil && i >= 0 && i < len(changed.Items) {
		changed.Items = slices.Clone(changed.Items)
		if changed.Items[i] = changed.Items[i].with(path[1:], value); changed.Items[i] == nil {
			changed.Items = slices.Delete(changed.Items, i, i+1)
		}
		return &changed
	}
	if changed.Kind != Mapping {
		changed = Value{Kind: Mapping, Position: changed.Position}
	}
	entry, old := Entry{Key: path[0], Position: changed.Position}, -1
	for i := range changed.Entries {
		if changed.Entries[i].Key == path[0] {
			entry, old = changed.Entries[i], i
		}
	}
	if entry.Value == nil && value == nil {
		return &changed
	}
	entry.Value = entry.Value.with(path[1:], value)
	changed.Entries = slices.Clone(changed.Entries)
	switch {
	case old < 0:
		changed.Entries = append(changed.Entries, entry)
	case entry.Value == nil:
		changed.Entries = slices.Delete(changed.Entries, old, old+1)
	default:
		changed.Entries[old] = entry
	}
	return &changed
}

// Join appends a key to a field path: a.b, or a["x/y"] where the key is no plain word.
func Join(path, key string) string {
	odd := func(r rune) bool { return strings.ContainsRune(".[]\" /", r) || !unicode.IsPrint(r) }
	if strings.ContainsFunc(key, odd) || key == "" {
		return path + "[" + strconv.Quote(key) + "]"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// Under gives what is left of a field path below another one: empty if it is that path
// itself, and not found if it is neither.
func Under(path, other string) (rest string, found bool) {
	rest, found = strings.CutPrefix(path, other)
	return rest, found && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// Index appends a list index to a field path.
func Index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// At returns the position of a field path such as spec.releases[0].chart, or of
// the nearest part of the path that is there.
func (v *Value) At(path string) Position {
	at := v.Position
	for _, step := range steps(path) {
		switch {
		case v == nil:
			return at
		case v.Kind == Sequence:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(v.Items) {
				return at
			}
			v = v.Items[i]
			at = v.Position
		default:
			next := (*Value)(nil)
			for _, entry := range v.Entries {
				if entry.Key == step {
					next, at = entry.Value, entry.Position
				}
			}
			v = next
		}
	}
	return at
}

// steps undoes Join and Index.
func steps(path string) []string {
	var out []string
	for path != "" {
		switch {
		case strings.HasPrefix(path, `["`):
			quoted, err := strconv.QuotedPrefix(path[1:])
			if err != nil {
				return out
			}
			key, _ := strconv.Unquote(quoted)
			out, path = append(out, key), strings.TrimPrefix(path[1+len(quoted):], "]")
		case path[0] == '[':
			index, rest, _ := strings.Cut(path[1:], "]")
			out, path = append(out, index), rest
		case path[0] == '.':
			path = path[1:]
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			out, path = append(out, path[:end]), path[end:]
		}
	}
	return out
}
