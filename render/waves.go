package render

import (
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// waves orders releases by what they need. The problem is one cycle, named
// from its first release in name order.
func (e Environment) waves(releases []Release) ([]Wave, *Problem) {
	pending := slices.SortedFunc(slices.Values(releases), func(a, b Release) int { return strings.Compare(a.Key, b.Key) })
	var waves []Wave
	done := map[string]bool{}
	for len(pending) > 0 {
		var wave Wave
		var rest []Release
		for _, release := range pending {
			if slices.ContainsFunc(release.Needs, func(need string) bool { return !done[need] }) {
				rest = append(rest, release)
			} else {
				wave = append(wave, release)
			}
		}
		if len(wave) == 0 {
			problem := e.cycle(rest)
			return nil, &problem
		}
		for _, release := range wave {
			done[release.Key] = true
		}
		waves, pending = append(waves, wave), rest
	}
	return waves, nil
}

// cycle names one cycle among releases that all wait for each other.
func (e Environment) cycle(releases []Release) Problem {
	needs := map[string][]string{}
	for _, release := range releases {
		needs[release.Key] = release.Needs
	}
	var path []string
	for key := releases[0].Key; ; {
		if i := slices.Index(path, key); i >= 0 {
			cycle := append(path[i:], key)
			return e.problem(e.needsPath(cycle[0]), "releases wait for each other: %s", strings.Join(cycle, " -> "))
		}
		path = append(path, key)
		for _, need := range needs[key] {
			if needs[need] != nil {
				key = need
				break
			}
		}
	}
}

// releasePath is the field that says what a release is called.
func (e Environment) releasePath(key string) string {
	for i, release := range e.Spec.Releases {
		if string(release.Name) == key {
			return strictyaml.Index("spec.releases", i)
		}
	}
	return strictyaml.Join("spec.names", key)
}

// needsPath is the field that says what a release needs.
func (e Environment) needsPath(key string) string {
	if e.extra(key) != nil {
		return e.releasePath(key) + ".needs"
	}
	return strictyaml.Join("spec.needs", key)
}

// checkDuplicates finds releases that Helm could not tell apart.
func (e Environment) checkDuplicates(releases []Release) Problems {
	var problems Problems
	first := map[string]string{}
	for _, release := range releases {
		id := release.Namespace + "/" + release.Name
		if other, taken := first[id]; taken {
			problems = append(problems, e.problem(e.releasePath(release.Key), "%s and %s are both the Helm release %q in namespace %q", other, release.Key, release.Name, release.Namespace))
			continue
		}
		first[id] = release.Key
	}
	return problems
}
