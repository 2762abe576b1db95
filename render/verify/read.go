package verify

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// Policy is a [Rule] with its keys.
type Policy struct {
	Match    Place
	Keys     []Key    // by name; none of a keyless rule
	Keyless  *Keyless // nil of a rule with keys
	Required bool
}

// Policies are the policies of an environment, in the order of its rules.
type Policies []Policy

// Read reads the keys of the rules that lie at a path of an environment file. The
// function gives the content of a file that the field names. Problems have no position.
func Read(path string, rules []Rule, file func(field, name string) ([]byte, error)) (Policies, strictyaml.Problems) {
	var policies Policies
	var problems strictyaml.Problems
	problem := func(at, format string, args ...any) {
		problems = append(problems, strictyaml.Problem{Path: at, Message: fmt.Sprintf(format, args...)})
	}
	for i, rule := range rules {
		at := strictyaml.Index(path, i)
		policy := Policy{Match: rule.Match, Keyless: rule.Keyless, Required: rule.Required == nil || *rule.Required}
		if (len(rule.Keys) > 0) == (rule.Keyless != nil) {
			problem(at, "want exactly one of keys and keyless")
		}
		if slices.ContainsFunc(rules[:i], func(other Rule) bool { return sameHost(string(other.Match)) == sameHost(string(rule.Match)) }) {
			problem(at+".match", "a rule before this one is for %s too", rule.Match)
		}
		for _, name := range slices.Sorted(maps.Keys(rule.Keys)) {
			field := strictyaml.Join(at+".keys", name)
			if validation.IsConfigMapKey(name) != nil {
				problem(field, "want a name of letters, digits, -, . and _ for the key")
				continue
			}
			key, err := readKey(name, rule.Keys[name], func(name string) ([]byte, error) { return file(field, name) })
			if err != nil {
				problem(field, "%s", err)
			}
			policy.Keys = append(policy.Keys, key)
		}
		policies = append(policies, policy)
	}
	return policies, problems
}

func readKey(name string, from KeySource, file func(name string) ([]byte, error)) (Key, error) {
	if from.isInline() {
		return ParseKey(name, []byte(from))
	}
	data, err := file(string(from))
	if err != nil {
		return Key{}, err
	}
	key, err := ParseKey(name, data)
	if err != nil {
		return Key{}, fmt.Errorf("%s: %w", from, err)
	}
	return key, nil
}

// For returns the policy for a repository, by where it comes from: the one with the
// longest place.
func (p Policies) For(repository string) (policy Policy, found bool) {
	for _, one := range p {
		if one.Match.has(repository) && len(sameHost(string(one.Match))) > len(sameHost(string(policy.Match))) {
			policy, found = one, true
		}
	}
	return policy, found
}

// With returns the policies and further ones, each once.
func (p Policies) With(more ...Policy) Policies {
	p = slices.Clip(p)
	for _, one := range more {
		if !slices.ContainsFunc(p, func(other Policy) bool { return reflect.DeepEqual(one, other) }) {
			p = append(p, one)
		}
	}
	return p
}
