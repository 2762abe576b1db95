package strictyaml

import (
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
