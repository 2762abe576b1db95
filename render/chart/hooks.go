package chart

import (
	"slices"
	"strconv"
	"strings"

	"helm.sh/helm/v3/pkg/release"
)

// Hook is when a hook runs.
type Hook struct {
	// Events is those of Helm that it runs for, in the order of the annotation;
	// none where only Annotation makes it a hook.
	Events []string `json:"events,omitempty"`
	Weight int      `json:"weight"`
	// DeletePolicies is what the chart says of when the hook is deleted; of a
	// sync, what it comes to.
	DeletePolicies []string `json:"deletePolicies,omitempty"`
	// Phases is those of a sync that the hook runs in, at least one; none where
	// Helm runs hooks. Annotation is the delivery system's own that says so, in
	// place of Helm's events.
	Phases     []string `json:"phases,omitempty"`
	Annotation string   `json:"annotation,omitempty"`
}

// Has reports whether Helm runs the hook for an event.
func (h Hook) Has(event string) bool { return slices.Contains(h.Events, event) }

// Tests reports whether the hook is for tests and for nothing else.
func (h Hook) Tests() bool {
	return h.Annotation == "" && len(h.Events) > 0 && !slices.ContainsFunc(h.Events, func(event string) bool { return event != "test" })
}

// Said gives what decides when the hook runs: Helm's events, or the name of the
// annotation that wins over them.
func (h Hook) Said() string {
	if h.Annotation != "" {
		return h.Annotation
	}
	return strings.Join(h.Events, ", ")
}

// Left is an object that an action does not apply.
type Left struct {
	Object
	Reason Reason
	Why    string // a clause of a sentence
}

// Reason is why an object is not applied.
type Reason string

// The reasons.
const (
	Later      Reason = "later"      // another action runs the hook
	NotApplied Reason = "notApplied" // no action of the renderer applies it
	Unknown    Reason = "unknown"    // the same, for it is a hook of no known kind
)

// Later gives the objects that another action applies.
func (o Output) Later() []Object {
	var later []Object
	for _, left := range o.Left {
		if left.Reason == Later {
			later = append(later, left.Object)
		}
	}
	return later
}

// Never gives what no action applies.
func (o Output) Never() []Left {
	return slices.DeleteFunc(slices.Clone(o.Left), func(left Left) bool { return left.Reason == Later })
}

// events is what Helm knows of hooks.
var events = map[string]string{
	"pre-install": "pre-install", "post-install": "post-install", "pre-delete": "pre-delete", "post-delete": "post-delete",
	"pre-upgrade": "pre-upgrade", "post-upgrade": "post-upgrade", "pre-rollback": "pre-rollback", "post-rollback": "post-rollback",
	"test": "test", "test-success": "test",
}

// annotations gives those of the document.
func (d document) annotations() map[string]string {
	if d.head.Metadata == nil {
		return nil
	}
	return d.head.Metadata.Annotations
}

// hook reads when Helm runs the document, nil for what is no hook. Helm drops
// an object with an event that it does not know, whatever else it names: that
// event is unknown, quoted.
func (d document) hook() (hook *Hook, unknown string) {
	annotations := d.annotations()
	types, isHook := annotations[release.HookAnnotation]
	if !isHook {
		return nil, ""
	}
	hook = &Hook{}
	hook.Weight, _ = strconv.Atoi(annotations[release.HookWeightAnnotation])
	for name := range strings.SplitSeq(types, ",") {
		event, known := events[strings.ToLower(strings.TrimSpace(name))]
		if !known {
			return nil, strconv.Quote(strings.TrimSpace(name))
		}
		hook.Events = append(hook.Events, event)
	}
	if policies, ok := annotations[release.HookDeleteAnnotation]; ok {
		for policy := range strings.SplitSeq(policies, ",") {
			hook.DeletePolicies = append(hook.DeletePolicies, strings.ToLower(strings.TrimSpace(policy)))
		}
	}
	return hook, ""
}
