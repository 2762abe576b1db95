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
// environment, and another place for a protected release.
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
	return refusals
}
