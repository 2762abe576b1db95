package upgrade

import (
	"context"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/mirror"
	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/lock"
	"github.com/pm-gitops/pm-gitops/render/proposal"
	"github.com/pm-gitops/pm-gitops/render/tree"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// Charts looks into the charts of environments, and asks registries about them. Its errors
// end the upgrade of the environment; what could not be looked at is in the answers.
type Charts interface {
	// Needs finds all that an environment needs. With copies, its mirror gets what it
	// lacks. The lock is the one that the environment has.
	Needs(ctx context.Context, after fleet.Member, had lock.Lock, copies bool) (Needs, error)

	// Compare says what the cluster does about a change: had is the files that the
	// environment has.
	Compare(ctx context.Context, before, after fleet.Member, had tree.Tree) (Effects, error)
}

// Needs is the images and charts that an environment needs.
type Needs struct {
	// Artifacts are what its mirror has to have, and has; nil without a mirror.
	Artifacts []Artifact
	// Problems are what keeps the mirror from being complete, besides.
	Problems []string
	// Notes are sentences about what the answer may lack.
	Notes []string
	// Had is the lock that the environment has, if it has one.
	Had lock.Lock
	// Lock is the next lock of the environment, unless Unlocked says why there is none.
	Lock     lock.Lock
	Unlocked error
	// Unseen says why the charts could not be looked into, nil if they were. The others
	// are empty then, but for Refused: what a chart says that makes nothing of the
	// environment's values, nil where none does.
	Unseen, Refused error
}

// Artifact is an image or a chart, and whether the mirror has it.
type Artifact struct {
	mirror.Result
	// Mirrored is the digest that the mirror has, where the source could not be asked;
	// empty where that is not known either.
	Mirrored string
}

// Effects describes how the cluster reacts to a change.
type Effects struct {
	New      bool // the base branch has nothing of what the environment renders to
	Changes  diff.Result
	Findings []finding.Finding // that the environment had not before
	// Defaults are those of charts that change, by release and key, and that the environment
	// does not set.
	Defaults []proposal.Default
	// Unseen says why that could not be found out; nil if it was.
	Unseen error
}

// find gives the artifact of a part in a version, if it is known.
func (n Needs) find(of fleet.Member, part upgrade.Part, version string) lock.Artifact {
	source, find := sourceOf(of, part, version), n.Lock.Image
	if part.IsChart() {
		find = n.Lock.Chart
	}
	found, _ := find(source)
	return found
}

// sourceOf names the source of a part in a version, as locks have it; empty where the
// environment has no such part.
func sourceOf(of fleet.Member, part upgrade.Part, version string) string {
	for _, pulled := range places(of.Plan, part) {
		return of.Plan.LockedSource(pulled, plain(version))
	}
	return ""
}

// source names an artifact's source as locks have it.
func (a Artifact) source() string { return mirror.SourceWithTag(a.Source, a.Target) }
