package keys

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/plaintext"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// What is looked at for a suggestion.
const (
	maxIndexed = 20_000 // places of a chart
	maxLevels  = 12
)

// indexed is a place that a template reads.
type indexed struct {
	path string
	at   *node
}

// index notes where keys are that a template reads.
func (t *Tree) index(n *node, path string, level int) {
	if level > maxLevels || len(t.names) > maxIndexed {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(n.children)) {
		below := n.children[key]
		if !below.used {
			continue
		}
		at := strictyaml.Join(path, key)
		t.names[key] = append(t.names[key], indexed{at, below})
		t.index(below, at, level+1)
	}
}

// Read returns the paths of the values that a template reads, in their order, of those
// whose last key matches.
func (t Tree) Read(match func(key string) bool) []string {
	var paths []string
	for key, places := range t.names {
		for _, place := range places {
			if match(key) {
				paths = append(paths, place.path)
			}
		}
	}
	slices.Sort(paths)
	return paths
}

// nearest is the path that a key was most likely meant to be: the nearest key
// beside it, or the same key a level higher or lower.
func (t Tree) nearest(path, key string, value any, around spot) string {
	meant := text.Name{Text: key, Kind: kindOf(value), Secret: holdsSecret(key, value)}
	if near := text.Closest(meant, nearEnough(key, around.names())); near.Text != "" {
		return strictyaml.Join(path, near.Text)
	}
	if meant.Secret {
		return "" // that of another one, most likely
	}
	found := ""
	for _, place := range t.names[key] {
		owner := strings.TrimSuffix(strings.TrimSuffix(place.path, key), ".")
		switch {
		case !contains(path, owner) && !contains(owner, path), text.Closest(meant, []text.Name{place.at.name(key)}).Text == "":
		case found != "":
			return "" // it may be either
		default:
			found = place.path
		}
	}
	return found
}

// contains reports whether a path has all keys of another one, in their order: a
// level may have been forgotten, and none was exchanged.
func contains(path, part string) bool {
	keys := strings.Split(part, ".")
	for _, key := range strings.Split(path, ".") {
		if len(keys) > 0 && key == keys[0] {
			keys = keys[1:]
		}
	}
	return len(keys) == 0 || part == ""
}

// names is the keys beside.
func (s spot) names() []text.Name {
	known := map[string]text.Name{}
	for _, n := range s.at {
		for key, below := range n.children {
			if below.used {
				known[key] = below.name(key)
			}
		}
		for _, x := range n.shadows {
			for key, below := range x.children {
				if below.inDefaults {
					known[key] = below.name(key)
				}
			}
		}
	}
	return slices.Collect(maps.Values(known))
}

// name names a place with what its default says of it.
func (n *node) name(key string) text.Name {
	named := text.Name{Text: key, Kind: n.kind, Secret: len(n.children) == 0 && isSecret(key, n.kind)}
	for inner, below := range n.children {
		named.Secret = named.Secret || len(below.children) == 0 && isSecret(inner, below.kind)
	}
	return named
}

// isSecret reports whether a key is a secret's, with a value of a kind.
func isSecret(key string, kind text.Kind) bool {
	return kind != text.Boolean && kind != text.Mapping && plaintext.Key(key) != nil
}

// holdsSecret reports whether a value is a secret by its key, or has one right below it.
func holdsSecret(key string, value any) bool {
	inside, _ := value.(map[string]any)
	for inner, below := range inside {
		if isSecret(inner, kindOf(below)) {
			return true
		}
	}
	return isSecret(key, kindOf(value))
}

// kindOf gives the kind of a value; an empty text may stand for any scalar, and
// null for anything.
func kindOf(value any) text.Kind {
	switch value := value.(type) {
	case map[string]any:
		return text.Mapping
	case []any:
		return text.List
	case bool:
		return text.Boolean
	case string:
		if value == "" {
			return text.Scalar
		}
		return text.Text
	case json.Number, float64, int64, int:
		return text.Number
	}
	return ""
}

// nearEnough returns the names that are about as long: charts have many, and among
// many one is always somewhat like another.
func nearEnough(key string, names []text.Name) []text.Name {
	most := max(2, len(key)/4+1)
	return slices.DeleteFunc(names, func(name text.Name) bool {
		return len(name.Text)-len(key) > most || len(key)-len(name.Text) > most
	})
}
