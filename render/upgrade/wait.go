package upgrade

import (
	"time"

	"github.com/pm-gitops/pm-gitops/render"
)

// Kind says which rule a reason comes from.
type Kind string

// The kinds: the fields of spec.upgrade, and the limit of open pull requests.
const (
	After      Kind = "after"
	Soak       Kind = "soak"
	MinimumAge Kind = "minimumAge"
	Window     Kind = "window"
	AutoMerge  Kind = "autoMerge"
	Limit      Kind = "limit"
)

// Reason says why an upgrade waits. Its JSON form is an interface: fields are only ever
// added.
type Reason struct {
	Kind        Kind      `json:"kind"`
	Part        Part      `json:"part,omitempty"`        // whose version it is about
	Environment string    `json:"environment,omitempty"` // that goes first
	Message     string    `json:"message"`
	Until       time.Time `json:"until,omitzero"` // when the reason ends by itself; zero: not known
}

// Facts is what the policy needs to know about an upgrade.
type Facts struct {
	Now, To Versions
	Ages    map[Part]Age           // of the versions that change
	First   map[string]Predecessor // the environments that the policy names in after; one that is missing does not exist
}

// Age is when a version was made.
type Age struct {
	// Made is the latest moment at which the version can have been made; zero if it is
	// not known.
	Made time.Time
	// Why says where Made comes from or, if it is zero, why it is not known: a clause
	// without a period.
	Why string
}

// Predecessor is an environment that goes first, as its file on the base branch has it.
type Predecessor struct {
	Versions Versions
	// Since is when the base branch got versions at least as new as those of the upgrade;
	// zero if it is not known. It counts only where Versions are that new.
	Since time.Time
	// Why says why Since is not known: a clause without a period.
	Why string
}

// Wait gives what the opening of an upgrade's pull request waits for at a time, none if
// it can be opened: environments that must run at least its versions first, for how
// long, and the age of its versions. What is not known is waited for. Reasons are in the
// order of the policy: after and soak of each environment, then minimumAge by part.
//
// Versions are at least as new by [Compare], across release lines too; charts by semantic
// version. A part that the other environment lacks is not waited for.
func Wait(policy render.Upgrade, now time.Time, facts Facts) []Reason { return nil }

// WaitToMerge gives why an upgrade's pull request must not merge itself at a time, none
// if it may: autoMerge, which has no Until, and the window. It asks nothing that [Wait]
// does.
func WaitToMerge(policy render.Upgrade, now time.Time) []Reason { return nil }
