package page

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/graph"
)

// Wave is a wave of the picture: releases that are installed side by side.
type Wave struct {
	Title    string
	Releases []Release
}

// Release is a release of a wave, and the changes of its objects.
type Release struct {
	Key, Namespace string
	// Was is the version before, and Version the one after; Was is empty if it is not
	// another one.
	Was, Version string
	Needs        []string
	Protected    bool
	// Notes say more of it, such as the version of a part.
	Notes []string
	// Unseen: its objects were not compared.
	Unseen  bool
	Changes []diff.Change
}

// NewWaves makes the waves of an environment. The changes of each release, by key, come in
// the order in which they want a look. Those of releases that no wave has are a wave of
// their own.
func NewWaves(waves []graph.Wave, changes map[string][]diff.Change) []Wave {
	var all []Wave
	known := map[string]bool{}
	for i, wave := range waves {
		one := Wave{Title: fmt.Sprintf("Wave %d", i+1)}
		for _, r := range wave.Releases {
			known[r.Key] = true
			one.Releases = append(one.Releases, Release{Key: r.Key, Namespace: r.Namespace, Version: r.Version, Needs: r.Needs, Protected: r.Protected, Changes: sorted(changes[r.Key])})
		}
		all = append(all, one)
	}
	gone := Wave{Title: "No longer installed"}
	for key, some := range changes {
		if !known[key] {
			gone.Releases = append(gone.Releases, Release{Key: key, Changes: sorted(some)})
		}
	}
	if gone.Releases != nil {
		slices.SortFunc(gone.Releases, func(a, b Release) int { return strings.Compare(a.Key, b.Key) })
		all = append(all, gone)
	}
	return all
}

// sorted puts those first that may lose data, then by what the cluster does.
func sorted(changes []diff.Change) []diff.Change {
	all := slices.Clone(changes)
	rank := func(c diff.Change) int {
		switch {
		case c.LosesData():
			return -1
		case c.Effect == nil:
			return len(diff.Actions())
		}
		return slices.Index(diff.Actions(), c.Effect.Action)
	}
	slices.SortStableFunc(all, func(a, b diff.Change) int { return rank(a) - rank(b) })
	return all
}

// Count counts changes by what the cluster does about them.
type Count struct {
	Action diff.Action
	N      int
}

// Counts gives how many changes of the release have each effect, what wants a look first.
func (r Release) Counts() []Count { return counts(r.Changes) }

func counts(changes []diff.Change) []Count {
	var all []Count
	for _, action := range diff.Actions() {
		n := 0
		for _, c := range changes {
			if c.Effect != nil && c.Effect.Action == action {
				n++
			}
		}
		if n > 0 {
			all = append(all, Count{action, n})
		}
	}
	return all
}

// Shown gives the changes that people want to see: hooks that run belong to them, whatever
// changed.
func (r Release) Shown() []diff.Change {
	return slices.DeleteFunc(slices.Clone(r.Changes), func(c diff.Change) bool {
		return c.IsRoutine() && (c.Effect == nil || c.Effect.Action == diff.Update)
	})
}

// Routine counts the other changes: of nothing but labels with the version of the chart.
func (r Release) Routine() int { return len(r.Changes) - len(r.Shown()) }

// Changed reports whether a release of the wave has changes.
func (w Wave) Changed() bool {
	return slices.ContainsFunc(w.Releases, func(r Release) bool { return len(r.Changes) > 0 })
}
