package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/tree"
)

// ConflictError is files that are not as we left them.
type ConflictError struct {
	Paths []string // each with the reason behind it
}

func (e ConflictError) Error() string {
	return "these files are not as they were written:\n" + strings.Join(e.Paths, "\n")
}

// ErrMeanwhile is the error of a file that another program changed after it was judged.
var ErrMeanwhile = errors.New("it changed while this was writing: look at it, then run again, which finishes the job")

// LeftByGitError is an inventory that Git left unfinished: a merge conflict, or the
// pointer of Git LFS.
type LeftByGitError struct {
	Path string
	Line int
	What string // with what to do
	// Conflict: force makes the inventory anew of both sides.
	Conflict bool
}

func (e LeftByGitError) Error() string { return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.What) }

// MoveError is a release that would be installed a second time.
type MoveError struct {
	Environment, Release string
	Old, New             tree.InstalledAt
}

func (e MoveError) Error() string {
	return fmt.Sprintf("%s of environment %s moves from Helm release %s in namespace %s to %s in %s: the old installation would stay, and a second one be made",
		e.Release, e.Environment, e.Old.Name, e.Old.Namespace, e.New.Name, e.New.Namespace)
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

// DuplicateReleaseError is a Helm release that two environments install in one cluster.
type DuplicateReleaseError struct {
	Environment, Release string
	Other                string // the environment that has it
	At                   tree.InstalledAt
}

func (e DuplicateReleaseError) Error() string {
	return fmt.Sprintf("environment %s installs Helm release %s in namespace %s of the same cluster already: give %s of environment %s another name or namespace under spec.names, or take that environment out first",
		e.Other, e.At.Name, e.At.Namespace, e.Release, e.Environment)
}

// NameError is an object that two environments would both write, because their
// names and those of their releases run together: p with q-w, and p-q with w.
type NameError struct {
	Environment, Other, Name string
}

func (e NameError) Error() string {
	return fmt.Sprintf("environments %s and %s would both have the object %s: want other names", e.Environment, e.Other, e.Name)
}

// UnknownTargetError is an environment of a target that this program does not
// know, and so not which files are the environment's.
type UnknownTargetError struct {
	Inventory, Environment, Target string
}

func (e UnknownTargetError) Error() string {
	return fmt.Sprintf("%s: environment %s is rendered for target %q, which this pm-gitops does not know: nothing of it is replaced or removed; run the pm-gitops that wrote it",
		e.Inventory, e.Environment, e.Target)
}

// findElsewhere refuses a second copy of an environment: its delivery path changed.
func (known inventories) findElsewhere(files fs.FS, writes []write) error {
	fresh := slices.DeleteFunc(slices.Clone(writes), func(w write) bool { return known.of[w.next.Environment] != nil })
	if len(fresh) == 0 {
		return nil
	}
	found, err := FindAll(files)
	if err != nil {
		return fmt.Errorf("look for environment %s: %w", fresh[0].next.Environment, err)
	}
	var refusals []error
	for _, w := range fresh {
		if old := found[w.next.Environment]; len(old) > 0 {
			refusals = append(refusals, PathError{w.next.Environment, old[0], w.inventoryPath})
		}
	}
	return errors.Join(refusals...)
}

// findRefusals finds what --force must confirm: another target for an
// environment, another place for a protected release, and what an environment
// has already that is not being written.
func (known inventories) findRefusals(writes []write) []error {
	var refusals []error
	others := known.findOthers(writes)
	for _, w := range writes {
		refusals = append(refusals, known.findMoves(w.next)...)
		for _, other := range others {
			refusals = append(refusals, findDuplicates(w.next, other)...)
			if name := known.findSameName(w.next, other); name != "" {
				refusals = append(refusals, NameError{w.next.Environment, other.Environment, name})
			}
		}
	}
	return refusals
}

// findOthers finds the inventories of environments that are not being written, by name.
func (known inventories) findOthers(writes []write) []tree.Inventory {
	var others []tree.Inventory
	for _, environment := range slices.Sorted(maps.Keys(known.of)) {
		if !slices.ContainsFunc(writes, func(w write) bool { return w.next.Environment == environment }) {
			others = append(others, known.of[environment]...)
		}
	}
	return others
}

// findBeside names the environments that are not being written, but are
// for a target that others are being written for.
func (known inventories) findBeside(writes []write) []string {
	var names []string
	for _, other := range known.findOthers(writes) {
		if slices.ContainsFunc(writes, func(w write) bool { return w.next.Target == other.Target }) {
			names = append(names, other.Environment)
		}
	}
	return slices.Compact(names)
}

// findMoves finds what changes for an environment that was written before.
func (known inventories) findMoves(next tree.Inventory) []error {
	var moves []error
	for _, old := range known.of[next.Environment] {
		if old.Target != next.Target {
			moves = append(moves, TargetError{next.Environment, old.Target, next.Target})
		}
		for _, release := range slices.Sorted(maps.Keys(next.Releases)) {
			if at, ok := old.Releases[release]; ok && at != next.Releases[release] {
				moves = append(moves, MoveError{next.Environment, release, at, next.Releases[release]})
			}
		}
	}
	return moves
}

// findDuplicates finds protected releases that another environment installs in the same place.
func findDuplicates(next, other tree.Inventory) []error {
	if cluster := next.Cluster(); cluster == "" || other.Cluster() != cluster {
		return nil
	}
	taken, found := slices.Collect(maps.Values(other.Releases)), []error(nil)
	for _, release := range slices.Sorted(maps.Keys(next.Releases)) {
		if at := next.Releases[release]; slices.Contains(taken, at) {
			found = append(found, DuplicateReleaseError{next.Environment, release, other.Environment, at})
		}
	}
	return found
}

// findSameName finds the first name of an object that two environments would both
// have: those of one target in one cluster, or in one place for all clusters.
func (known inventories) findSameName(next, other tree.Inventory) string {
	layout := known.layouts[next.Target]
	if next.Target != other.Target || !layout.NamesAcrossClusters && next.Cluster() != other.Cluster() {
		return ""
	}
	taken := listNames(other, layout)
	for _, name := range slices.Sorted(maps.Keys(listNames(next, layout))) {
		if taken[name] {
			return name
		}
	}
	return ""
}

// listNames lists the objects that an environment is known by: those of the
// layout, and one a folder of its overlays.
func listNames(of tree.Inventory, layout tree.Layout) map[string]bool {
	names := map[string]bool{}
	for _, name := range layout.Names {
		names[strings.ReplaceAll(name, "{environment}", of.Environment)] = true
	}
	for file := range of.Files {
		if _, inside, ok := strings.Cut(file, "overlays/"+of.Environment+"/"); ok {
			if part, _, deeper := strings.Cut(inside, "/"); deeper {
				names[of.Environment+"-"+part] = true
			}
		}
	}
	return names
}
