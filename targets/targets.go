// Package targets writes plans down for the delivery systems that reconcile
// them. Like package render it never touches disk, network, clock or
// environment variables.
package targets

import (
	"fmt"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// All is every target, in the order in which help lists them.
func All() []render.Target { return []render.Target{Flux{}, Argo{}} }

// Names is what --target takes.
func Names() []string {
	var names []string
	for _, target := range All() {
		names = append(names, target.Name())
	}
	return names
}

// ByName is the target of a name, or an error that lists the names.
func ByName(name string) (render.Target, error) {
	for _, target := range All() {
		if target.Name() == name {
			return target, nil
		}
	}
	return nil, fmt.Errorf("unknown target %q: want %s", name, text.OneOf(Names()))
}
