package upgrade

import (
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// Order gives the indexes of the environments of a fleet in the order in which they are
// upgraded: each after those that it names in spec.upgrade.after, and otherwise as they
// are given. Problems are names of environments that are not there, and cycles, each at
// its field; the environments that have one are in the order all the same.
func Order(environments []render.Environment) ([]int, render.Problems) {
	o := orderer{environments: environments, known: map[string]int{}, state: make([]state, len(environments))}
	for i, env := range environments {
		o.known[string(env.Metadata.Name)] = i
	}
	for i := range environments {
		if o.state[i] == unseen {
			o.visit(i)
		}
	}
	return o.order, o.problems.Sorted()
}

type state int

const (
	unseen state = iota
	open         // an environment that waits for it is being looked at
	done
)

type orderer struct {
	environments []render.Environment
	known        map[string]int // by name
	names        []string       // of known, for messages
	state        []state
	path         []int // the environments that are open, each waits for the next
	order        []int
	problems     render.Problems
}

// visit puts an environment into the order behind those that it waits for.
func (o *orderer) visit(i int) {
	o.state[i] = open
	o.path = append(o.path, i)
	env := o.environments[i]
	for k, after := range env.Spec.Upgrade.After {
		at := strictyaml.Index("spec.upgrade.after", k) + ".environment"
		switch first, known := o.known[string(after.Environment)]; {
		case !known:
			o.problems = append(o.problems, env.Problem(at, "unknown environment %q%s", after.Environment, text.Suggest(string(after.Environment), o.all())))
		case first == i:
			o.problems = append(o.problems, env.Problem(at, "environment %q waits for itself", after.Environment))
		case o.state[first] == open:
			o.problems = append(o.problems, env.Problem(at, "environments wait for each other: %s", o.cycle(first)))
		case o.state[first] == unseen:
			o.visit(first)
		}
	}
	o.path = o.path[:len(o.path)-1]
	o.state[i] = done
	o.order = append(o.order, i)
}

// cycle names the environments from one that is open to itself.
func (o *orderer) cycle(from int) string {
	cycle := append(slices.Clone(o.path[slices.Index(o.path, from):]), from)
	names := make([]string, len(cycle))
	for i, at := range cycle {
		names[i] = string(o.environments[at].Metadata.Name)
	}
	return strings.Join(names, " -> ")
}

// all gives the names of all environments.
func (o *orderer) all() []string {
	if o.names == nil {
		for _, env := range o.environments {
			o.names = append(o.names, string(env.Metadata.Name))
		}
	}
	return o.names
}
