package upgrade

import (
	"fmt"
	"strings"
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
	Until       time.Time `json:"until,omitzero"` // when the reason ends by itself, in UTC; zero: not known
}

// Facts holds all that the policy needs to know about an upgrade.
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
// version. A part that the other environment lacks is not waited for: it never runs it.
func Wait(policy render.Upgrade, now time.Time, facts Facts) []Reason {
	var reasons []Reason
	for _, first := range policy.After {
		if reason, waits := waitFor(first, now, facts); waits {
			reasons = append(reasons, reason)
		}
	}
	for _, part := range facts.Now.Changed(facts.To) {
		if reason, waits := Young(policy, now, part, facts.To[part], facts.Ages[part]); waits {
			reasons = append(reasons, reason)
		}
	}
	return reasons
}

// Young gives why a version of a part is too young at a time for minimumAge, or may be:
// an age that is not known is waited for.
func Young(policy render.Upgrade, now time.Time, part Part, version string, age Age) (Reason, bool) {
	if policy.MinimumAge == "" {
		return Reason{}, false
	}
	old, named := age.Made.Add(policy.MinimumAge.Duration()), part.Title()+" "+version
	reason := Reason{Kind: MinimumAge, Part: part}
	switch {
	case age.Made.IsZero():
		reason.Message = fmt.Sprintf("the age of %s is not known: %s", named, or(age.Why, "nothing says when it was made"))
	case now.Before(old):
		reason.Until = old.UTC()
		reason.Message = fmt.Sprintf("%s is younger than %s until %s: made %s at the latest, by %s", named, policy.MinimumAge, stamp(old), stamp(age.Made), age.Why)
	}
	return reason, reason.Message != ""
}

// waitFor gives what stands against an upgrade of an environment that goes first.
func waitFor(first render.UpgradeAfter, now time.Time, facts Facts) (Reason, bool) {
	reason := Reason{Kind: After, Environment: string(first.Environment)}
	called := fmt.Sprintf("environment %q", first.Environment)
	has, exists := facts.First[reason.Environment]
	if !exists {
		reason.Message = called + " goes first and does not exist"
		return reason, true
	}
	behind, runs := behind(has.Versions, facts)
	if len(behind) > 0 {
		reason.Message = called + " goes first and has not all of it: " + strings.Join(behind, ", ")
		return reason, true
	}
	if !runs || first.Soak == "" {
		return reason, false
	}
	reason.Kind = Soak
	soaked := has.Since.Add(first.Soak.Duration())
	switch {
	case has.Since.IsZero():
		reason.Message = fmt.Sprintf("%s must have it for %s, and since when it does is not known: %s", called, first.Soak, or(has.Why, "nothing says it"))
	case now.Before(soaked):
		reason.Until = soaked.UTC()
		reason.Message = fmt.Sprintf("%s has it since %s: %s are over at %s", called, stamp(has.Since), first.Soak, stamp(soaked))
	}
	return reason, reason.Message != ""
}

// Reached reports whether versions of another environment are at least as new as those of
// the upgrade, in every part that it has, and it has one.
func (f Facts) Reached(has Versions) bool {
	behind, runs := behind(has, f)
	return runs && len(behind) == 0
}

// behind gives what of an upgrade another environment does not have yet, and whether it
// has any of its parts.
func behind(has Versions, facts Facts) (behind []string, any bool) {
	for _, part := range facts.Now.Changed(facts.To) {
		if has[part] == "" {
			continue
		}
		any = true
		order, err := compareOf(part)(plain(has[part]), plain(facts.To[part]))
		if err != nil {
			behind = append(behind, fmt.Sprintf("its %s cannot be compared: %s", part.Title(), err))
		} else if order < 0 {
			behind = append(behind, fmt.Sprintf("%s is %s, not %s", part.Title(), plain(has[part]), plain(facts.To[part])))
		}
	}
	return behind, any
}

// WaitToMerge gives why an upgrade's pull request must not merge itself at a time, none
// if it may: autoMerge, which has no Until, and the window. It asks nothing that [Wait]
// does. The time zone is that of the policy's window; nil if it is not known.
func WaitToMerge(policy render.Upgrade, now time.Time, zone *time.Location) []Reason {
	var reasons []Reason
	if policy.AutoMerge != "patch" {
		reasons = append(reasons, Reason{Kind: AutoMerge, Message: "spec.upgrade.autoMerge does not say patch: a person merges"})
	}
	switch window := policy.Window; {
	case window == "":
	case zone == nil:
		reasons = append(reasons, Reason{Kind: Window, Message: fmt.Sprintf("the time zone of window %q is not known", window)})
	case !window.Contains(now, zone):
		opens := window.Opens(now, zone)
		reason := Reason{Kind: Window, Message: fmt.Sprintf("window %q opens at %s", window, stamp(opens)), Until: opens.UTC()}
		if opens.IsZero() {
			reason = Reason{Kind: Window, Message: fmt.Sprintf("window %q does not open in the next two weeks", window)}
		}
		reasons = append(reasons, reason)
	}
	return reasons
}

// stamp writes a time for people.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
