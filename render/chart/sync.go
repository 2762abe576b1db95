package chart

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"helm.sh/helm/v3/pkg/release"
)

// Syncs is how a release of Argo CD runs hooks.
type Syncs struct {
	// PreDelete: hooks can run before an Application is deleted, and not only
	// after it.
	PreDelete bool
	// Lists: a hook that runs with a deletion may run in a sync too. Before, its
	// annotation had to be that one word.
	Lists bool
}

// The annotations of Argo CD that say when an object is applied.
const (
	hookAnnotation   = "argocd.argoproj.io/hook"
	waveAnnotation   = "argocd.argoproj.io/sync-wave"
	policyAnnotation = "argocd.argoproj.io/hook-delete-policy"
)

// phases is the words of Argo CD's annotation and, spelled like this alone,
// those of Helm's, and the phase that each stands for
// (https://github.com/argoproj/argo-cd/blob/v3.5.1/gitops-engine/pkg/sync/hook).
var phases = map[string]map[string]string{
	hookAnnotation:         {"PreSync": "PreSync", "Sync": "Sync", "PostSync": "PostSync", "SyncFail": "SyncFail", "Skip": "Skip"},
	release.HookAnnotation: {"pre-install": "PreSync", "pre-upgrade": "PreSync", "post-install": "PostSync", "post-upgrade": "PostSync"},
}

// policies is the same for when hooks are deleted; both annotations count.
var policies = map[string]map[string]string{
	policyAnnotation:             {"BeforeHookCreation": "BeforeHookCreation", "HookSucceeded": "HookSucceeded", "HookFailed": "HookFailed"},
	release.HookDeleteAnnotation: {"before-hook-creation": "BeforeHookCreation", "hook-succeeded": "HookSucceeded", "hook-failed": "HookFailed"},
}

// known gives what the words of an annotation stand for, each once.
func known(annotations map[string]string, name string, words map[string]map[string]string) []string {
	var all []string
	for word := range strings.SplitSeq(annotations[name], ",") {
		means := words[name][strings.TrimSpace(word)]
		if means != "" && !slices.Contains(all, means) {
			all = append(all, means)
		}
	}
	return all
}

// place says when in a sync an object is applied, and of an object that is not,
// why. A hook of Helm's is one already.
func (s Syncs) place(o *Object, annotations map[string]string) (Reason, string) {
	own, isOwn := annotations[hookAnnotation]
	helms, isHelms := annotations[release.HookAnnotation]
	said, in := hookAnnotation, known(annotations, hookAnnotation, phases)
	if len(in) == 0 {
		said, in = "", known(annotations, release.HookAnnotation, phases)
	}
	skipped := slices.Equal(in, []string{"Skip"})
	in = slices.DeleteFunc(in, func(phase string) bool { return phase == "Skip" })
	deleting := s.deleting(annotations)
	switch {
	case deleting != "" && (len(in) == 0 || !s.Lists):
		return Later, fmt.Sprintf("Argo CD runs its hook (%s) when the Application is deleted", deleting)
	case skipped:
		return NotApplied, "its annotation " + hookAnnotation + " says Skip"
	case !isOwn && !isHelms:
		return "", ""
	case len(in) == 0 && isOwn:
		return Unknown, fmt.Sprintf("Argo CD does not know the hook %q of its annotation %s, and ignores the object", own, hookAnnotation)
	case len(in) == 0:
		return NotApplied, fmt.Sprintf("no phase of Argo CD runs its hook (%s)", helms)
	case slices.Equal(in, []string{"SyncFail"}):
		return Later, "Argo CD runs its hook (SyncFail) when a sync fails"
	}
	var hook Hook
	if o.Hook != nil {
		hook.Events = o.Hook.Events
	}
	hook.Weight, hook.Phases, hook.Annotation = wave(annotations), in, said
	hook.DeletePolicies = slices.Concat(known(annotations, policyAnnotation, policies), known(annotations, release.HookDeleteAnnotation, policies))
	if len(hook.DeletePolicies) == 0 {
		hook.DeletePolicies = []string{"BeforeHookCreation"}
	}
	o.Hook = &hook
	return "", ""
}

// wave reads in which wave of its phase an object is applied, hook or not.
func wave(annotations map[string]string) int {
	for _, name := range []string{waveAnnotation, release.HookWeightAnnotation} {
		if n, err := strconv.Atoi(annotations[name]); err == nil {
			return n
		}
	}
	return 0
}

// deleting gives the words with which an object is a hook of the deletion of an
// Application, empty if it is none
// (https://github.com/argoproj/argo-cd/blob/v3.5.1/controller/hook.go).
func (s Syncs) deleting(annotations map[string]string) string {
	runs := map[string][]string{hookAnnotation: {"PostDelete"}, release.HookAnnotation: {"post-delete"}}
	if s.PreDelete {
		runs = map[string][]string{hookAnnotation: {"PostDelete", "PreDelete"}, release.HookAnnotation: {"post-delete", "pre-delete"}}
	}
	for _, name := range slices.Sorted(maps.Keys(runs)) {
		said := []string{annotations[name]}
		if s.Lists {
			said = strings.Split(annotations[name], ",")
		}
		for _, word := range said {
			if slices.Contains(runs[name], word) || s.Lists && slices.Contains(runs[name], strings.TrimSpace(word)) {
				return strings.TrimSpace(word)
			}
		}
	}
	return ""
}
