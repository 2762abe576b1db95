package proposal

import "github.com/pm-gitops/pm-gitops/render/diff"

// Patch is what is known of a patch of one environment: a new server or ui, or a
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
	// Changes is the difference of the manifests with [diff.Result.Effects], settled
	// with hunks. It holds nothing of what Unseen names.
	Changes diff.Result
	Unseen  []Unseen
	// Merging says when and by whom it is merged: sentences about the window,
	// auto-merge and what the environment waits for.
	Merging []string
	// Defaults are changed defaults of the chart that the environment does not set.
	Defaults []Default
	// Deprecated are API versions that cluster.kubeVersion still serves, and a later one does not.
	Deprecated []Deprecation
	// MirrorCommand copies to the mirror what it lacks. It is shown where it lacks something.
	MirrorCommand string
	// DiffCommand prints the whole difference of the manifests, for a reader whose
	// forge takes no longer body.
	DiffCommand string
	Lacks       Lacks
}

// Wave is a wave of releases, and what the controller waits for behind it.
type Wave struct {
	Releases []Release
}

// Release is a release of a wave.
type Release struct {
	Key string // such as prefect-cloud
	// Within is that of its changes in [Patch.Changes].
	Within string
	// Migrations is how long its migrations may take, such as 1h0m0s; empty if it is not known.
	Migrations string
	// Needs are the keys of the releases that must be ready before.
	Needs []string
}

// Default is a changed default of a chart.
type Default struct {
	Release string // its key
	Key     string // dotted chart value
	// From and To are its values as YAML on a line; empty where the chart has no such default.
	From, To string
}

// Deprecation is an object whose API version goes away.
type Deprecation struct {
	Object     string // such as "Deployment apps/server"
	APIVersion string
	Removed    string // the release of Kubernetes that no longer serves it, such as 1.34
}

// Branch gives the branch of the pull request: pm-gitops/ENVIRONMENT/patch-LINE. A
// newer patch of the line has the same one.
func (p Patch) Branch() string { return "" }

// Title gives the title and the commit's subject, in at most 200 characters, such as
// "fix(prefect/prod): server 2025.10.1 -> 2025.10.2".
func (p Patch) Title() string { return "" }

// Message gives the commit's message without trailers: the title, and what changed.
func (p Patch) Message() string { return "" }

// Labels gives the labels, sorted: env/NAME, patch, risk/RISK, and blocked.
func (p Patch) Labels() []string { return nil }

// Risk gives the greatest risk of all facts, and why: sentences without a period.
func (p Patch) Risk() (Risk, []string) { return "", nil }

// Blockers gives why the pull request must not be merged as yet, and is a draft;
// nothing if it may be.
func (p Patch) Blockers() []string { return nil }

// Body gives the body in Markdown, in at most limit characters. What does not fit is
// counted and says where it is whole.
func (p Patch) Body(limit int) string { return "" }
