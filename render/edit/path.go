package edit

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// part is one part of a path as it is written. The form of what is in brackets
// without quotes depends on the value that it leads into.
type part struct {
	text string
	form form
}

type form int

const (
	word    form = iota // .key
	quoted              // ["key"]
	bracket             // [0], [name] or [key]
)

// split reads a path: the form that findings print, such as spec.releases[0].name
// and values["a.b"].c, and Helm's, in which a backslash takes the next character
// as it is: a\.b.
func split(path string) ([]part, error) {
	var parts []part
	rest := path
	for rest != "" {
		var one part
		var err error
		if rest[0] == '[' {
			one, rest, err = splitBracket(rest)
		} else {
			if len(parts) > 0 {
				if rest[0] != '.' {
					return nil, errors.New("want a dot or a bracket behind ]")
				}
				rest = rest[1:]
			}
			one, rest, err = splitWord(rest)
		}
		if err != nil {
			return nil, err
		}
		parts = append(parts, one)
	}
	if parts == nil {
		return nil, errors.New("the path is empty")
	}
	return parts, nil
}

// Cut takes PATH=VALUE apart, at the first = outside of brackets. It gives false
// where there is none, or no path before it.
func Cut(text string) (path, value string, ok bool) {
	quoted, inside := false, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '"' && inside:
			quoted = !quoted
		case quoted:
		case c == '[' || c == ']':
			inside = c == '['
		case c == '=' && !inside:
			return text[:i], text[i+1:], i > 0
		}
	}
	return "", "", false
}

func splitBracket(path string) (one part, rest string, err error) {
	if strings.HasPrefix(path, `["`) {
		prefix, err := strconv.QuotedPrefix(path[1:])
		rest, closed := strings.CutPrefix(path[min(len(path), 1+len(prefix)):], "]")
		if err != nil || !closed {
			return part{}, "", errors.New(`want ["KEY"], with the quote and the bracket closed`)
		}
		key, _ := strconv.Unquote(prefix)
		return part{key, quoted}, rest, nil
	}
	inside, rest, closed := strings.Cut(path[1:], "]")
	if !closed || inside == "" {
		return part{}, "", errors.New("want an index, a name or a key in quotes between [ and ]")
	}
	return part{inside, bracket}, rest, nil
}

func splitWord(path string) (one part, rest string, err error) {
	var b strings.Builder
	i := 0
	for ; i < len(path) && path[i] != '.' && path[i] != '['; i++ {
		if path[i] == '\\' && i+1 < len(path) {
			i++
		}
		b.WriteByte(path[i])
	}
	if b.Len() == 0 {
		return part{}, "", errors.New(`a part of the path is empty: write the key "" as [""]`)
	}
	return part{b.String(), word}, path[i:], nil
}

// step is one step into a tree: to a key, or to an item if index is not negative.
type step struct {
	key   string
	index int
}

func keyStep(key string) step { return step{key, -1} }

// format writes steps as findings do.
func format(steps []step) string {
	path := ""
	for _, s := range steps {
		if s.index >= 0 {
			path = strictyaml.Index(path, s.index)
		} else {
			path = strictyaml.Join(path, s.key)
		}
	}
	return path
}

// find finds the value at steps, or nil.
func find(v *strictyaml.Value, steps []step) *strictyaml.Value {
	for _, s := range steps {
		switch {
		case v == nil:
			return nil
		case s.index < 0:
			v = v.Get(s.key)
		case v.Kind != strictyaml.Sequence || s.index >= len(v.Items):
			return nil
		default:
			v = v.Items[s.index]
		}
	}
	return v
}

// resolve reads a path as steps into a tree. An item of a list is named by its
// index, counted from 0, or by its field name: releases[worker].
func resolve(root *strictyaml.Value, path string) ([]step, error) {
	parts, err := split(path)
	if err != nil {
		return nil, err
	}
	var steps []step
	for _, p := range parts {
		next, err := resolveStep(find(root, steps), p)
		if err != nil {
			return nil, fmt.Errorf("%s is a list: %w", format(steps), err)
		}
		steps = append(steps, next)
	}
	return steps, nil
}

func resolveStep(in *strictyaml.Value, p part) (step, error) {
	index, err := strconv.Atoi(p.text)
	isIndex := err == nil && index >= 0 && strconv.Itoa(index) == p.text
	switch {
	case in != nil && in.Kind == strictyaml.Sequence && p.form != quoted && isIndex:
		return step{"", index}, nil
	case in != nil && in.Kind == strictyaml.Sequence:
		return resolveName(in, p.text)
	case p.form == bracket && isIndex && in.IsNull():
		return step{"", index}, nil
	}
	return keyStep(p.text), nil
}

// resolveName finds the one item of a list whose field name is name.
func resolveName(list *strictyaml.Value, name string) (step, error) {
	found, names := -1, []string(nil)
	for i, item := range list.Items {
		named := item.Get("name")
		if named == nil || named.Kind != strictyaml.Scalar {
			continue
		}
		if names = append(names, named.Text); named.Text != name {
			continue
		}
		if found >= 0 {
			return step{}, fmt.Errorf("several of its items have the name %s: want an index", text.Quoted(name))
		}
		found = i
	}
	if found < 0 && names == nil {
		return step{}, fmt.Errorf("want an index from 0 to %d, as in [0]", max(len(list.Items)-1, 0))
	}
	if found < 0 {
		return step{}, fmt.Errorf("no item has the name %s%s", text.Quoted(name), text.Suggest(name, names))
	}
	return step{"", found}, nil
}

// within reports whether steps lead to, or into, the value at above.
func within(steps, above []step) bool {
	return len(steps) >= len(above) && slices.Equal(steps[:len(above)], above)
}
