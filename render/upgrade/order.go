package upgrade

import "github.com/pm-gitops/pm-gitops/render"

// Order gives the indexes of the environments of a fleet in the order in which they are
// upgraded: each after those that it names in spec.upgrade.after, and otherwise as they
// are given. Problems are names of environments that are not there, and cycles, each at
// its field; the environments that have one are in the order all the same.
func Order(environments []render.Environment) ([]int, render.Problems) {
	return nil, nil
}
