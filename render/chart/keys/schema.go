package keys

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What a schema may have.
const (
	maxSchemas  = 50_000 // that are gone through, one at several places counts as several
	maxPatterns = 50     // of a place
)

// schema reads what a JSON Schema says of keys.
type schema struct {
	root any
	left int
	seen map[visit]bool
	// within is how often each reference is being followed.
	within map[string]int
	maybe  int // how many conditions are around
}

type visit struct {
	ref string
	at  *node
}

// learnSchema notes what a chart's schema knows. One that cannot be read knows
// nothing: who validates with it says why.
func learnSchema(text []byte, n *node) {
	s := schema{left: maxSchemas, seen: map[visit]bool{}, within: map[string]int{}}
	if json.Unmarshal(text, &s.root) == nil {
		s.learn(s.root, n)
	}
}

func (s *schema) learn(part any, n *node) {
	own, ok := part.(map[string]any)
	if s.left--; !ok || s.left < 0 {
		return
	}
	if ref, ok := own["$ref"].(string); ok && strings.HasPrefix(ref, "#") && !s.seen[visit{ref, n}] {
		s.seen[visit{ref, n}] = true
		s.follow(ref, n)
	}
	all, _ := own["allOf"].([]any)
	for _, one := range all {
		s.learn(one, n)
	}
	s.maybe++
	for _, word := range []string{"anyOf", "oneOf"} {
		list, _ := own[word].([]any)
		for _, one := range list {
			s.learn(one, n)
		}
	}
	for _, word := range []string{"if", "then", "else", "not"} {
		s.learn(own[word], n)
	}
	s.maybe--
	s.properties(own, n)
	switch items := own["items"].(type) {
	case map[string]any:
		s.learn(items, n.any())
	case []any:
		for _, item := range items {
			s.learn(item, n.any())
		}
	}
	if others, ok := own["additionalItems"]; ok {
		s.learn(others, n.any())
	}
}

// follow reads what a reference leads to. A schema can lead to itself without
// end: below some levels anything may be.
func (s *schema) follow(ref string, n *node) {
	if s.within[ref] >= maxRecursion {
		n.free = true
		return
	}
	s.within[ref]++
	s.learn(pointed(s.root, ref[1:]), n)
	s.within[ref]--
}

// properties reads which keys there are, and whether others may be.
func (s *schema) properties(own map[string]any, n *node) {
	properties, _ := own["properties"].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		below := n.child(key)
		below.inSchema = true
		s.learn(properties[key], below)
	}
	required, _ := own["required"].([]any)
	for _, key := range required {
		if key, ok := key.(string); ok && s.maybe == 0 {
			n.child(key).required = true
		}
	}
	patterns, _ := own["patternProperties"].(map[string]any)
	for _, pattern := range slices.Sorted(maps.Keys(patterns)) {
		if compiled, err := regexp.Compile(pattern); err == nil && len(n.patterns) < maxPatterns {
			n.patterns = append(n.patterns, compiled)
		}
	}
	switch others := own["additionalProperties"].(type) {
	case bool:
		n.free = n.free || others
	case map[string]any:
		each := n.any()
		each.inSchema = true
		s.learn(others, each)
		each.free = each.free || len(each.children) == 0 && each.each == nil
	}
}

// pointed is what a JSON Pointer leads to (RFC 6901).
func pointed(value any, pointer string) any {
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if step == "" {
			return value
		}
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		switch at := value.(type) {
		case map[string]any:
			value = at[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(at) {
				return nil
			}
			value = at[i]
		default:
			return nil
		}
	}
	return value
}
