package folder

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
)

// ConflictError is files that are not as we left them.
type ConflictError struct {
	Paths []string // each with the reason behind it
}

func (e ConflictError) Error() string {
	return "these files are not as they were written:\n  " + strings.Join(e.Paths, "\n  ")
}

// MoveError is a release that would be installed a second time.
type MoveError struct {
	Release  string
	Old, New render.InstalledAt
}

func (e MoveError) Error() string {
	return fmt.Sprintf("%s moves from Helm release %s in namespace %s to %s in %s: the old installation would stay, and a second one be made",
		e.Release, e.Old.Name, e.Old.Namespace, e.New.Name, e.New.Namespace)
}

// TargetError is an environment that was rendered for another target.
type TargetError struct {
	Environment, Old, New string
}

func (e TargetError) Error() string {
	return fmt.Sprintf("environment %s is rendered for %s here: rendering it for %s replaces that", e.Environment, e.Old, e.New)
}

// PathError is an environment that was written below another folder.
type PathError struct {
	Environment, Old, New string
}

func (e PathError) Error() string {
	return fmt.Sprintf("environment %s is written with inventory %s here, and would be written a second time with %s", e.Environment, e.Old, e.New)
}

// TwinError is a Helm release that two environments install in one cluster.
type TwinError struct {
	Release, Other string // the release's key, and the environment that has it
	At             render.InstalledAt
}

func (e TwinError) Error() string {
	return fmt.Sprintf("environment %s installs Helm release %s in namespace %s of the same cluster already: give %s another name or namespace under spec.names, or take that environment out first",
		e.Other, e.At.Name, e.At.Namespace, e.Release)
}

// elsewhere refuses a second copy of an environment: its delivery path changed.
func elsewhere(root *os.Root, known inventories, environment, inventoryPath string) error {
	if known[environment] != nil {
		return nil
	}
	found, err := Find(root, environment)
	if err != nil || len(found) == 0 {
		return err
	}
	return PathError{environment, found[0], inventoryPath}
}

// refusals is what a person must say twice: another target for an
// environment, another place for a protected release, and a place that another
// environment has.
func (known inventories) refusals(next render.Inventory) []error {
	var refusals []error
	for _, inventory := range known[next.Environment] {
		if inventory.Target != next.Target {
			refusals = append(refusals, TargetError{next.Environment, inventory.Target, next.Target})
		}
		for _, release := range slices.Sorted(maps.Keys(next.Releases)) {
			if old, ok := inventory.Releases[release]; ok && old != next.Releases[release] {
				refusals = append(refusals, MoveError{release, old, next.Releases[release]})
			}
		}
	}
	return append(refusals, known.twins(next)...)
}

// twins finds protected releases that another environment has where they go.
func (known inventories) twins(next render.Inventory) []error {
	var twins []error
	for _, other := range slices.Sorted(maps.Keys(known)) {
		if other == next.Environment || !slices.ContainsFunc(known[other], func(i render.Inventory) bool { return next.Cluster() != "" && i.Cluster() == next.Cluster() }) {
			continue
		}
		for _, release := range slices.Sorted(maps.Keys(next.Releases)) {
			at := next.Releases[release]
			has := func(i render.Inventory) bool {
				return slices.Contains(slices.Collect(maps.Values(i.Releases)), at)
			}
			if slices.ContainsFunc(known[other], has) {
				twins = append(twins, TwinError{release, other, at})
			}
		}
	}
	return twins
}
