package proposal

import "github.com/pm-gitops/pm-gitops/render/diff"

// Patch holds the facts of a patch of one environment: a new server or ui, or a
// chart of the same line.
type Patch struct {
	Environment string
	Line        string // the release line, such as 2025.10
	File        string // the environment file, as a path in the repository
	// Versions are those that change, in the order chart, istiod, server, ui.
	Versions []Version
	// Blocked is why the pull request must not be merged as yet, besides what the
	// versions say: sentences without a period.
	Blocked []string
	// Concerns are reasons for a risk, besides those that follow from Actions, Changes
	// and Unseen.
	Concerns []Concern
	Actions  []Action
	// Waves are those of the plan, in their order, with or without changes.
	Waves []Wave
	// Gate says when a wave starts: a sentence, since delivery systems differ.
	Gate string
	// Graph is the plan as Mermaid draws it, as package graph makes it.
	Graph string
	// Changes is the difference of the manifests with [diff.Result.Effects], settled
	// with hunks. It holds nothing of what Unseen names.
	Changes diff.Result
	Unseen  []Unseen
	// Merging says when and by whom it is merged: sentences about the window,
	// auto-merge and what the environment waits for.
	Merging []string
	// Defaults are changed defaults of the chart that the environment does not set.
	Defaults []Default
	// MirrorCommand copies to the mirror what it lacks. It is shown where the pull request
	// is blocked.
	MirrorCommand string
	// DiffCommand prints the whole difference of the manifests, for a reader whose
	// forge takes no longer body.
	DiffCommand string
	Lacks       Lacks
}

// Wave is releases that are upgraded side by side.
type Wave struct {
	Releases []Release
}

// Release is a release of a wave.
type Release struct {
	Key string // such as prefect-cloud
	// Within is that of its changes in [Patch.Changes].
	Within string
	// Migrations says how long its migrations may take, such as 1h0m0s; empty if it is not known.
	Migrations string
}

// Default is a changed default of a chart.
type Default struct {
	Release string // its key
	Key     string // dotted chart value
	// From and To are its values as YAML on a line; empty where the chart has no such default.
	From, To string
}
