package diff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/reads"
)

// Action is what a cluster does with an object.
type Action string

// The actions, those that want a look first.
const (
	// Refuse: the API server does not take the change, and the controller fails.
	Refuse Action = "refuse"
	// Recreate: the object is deleted and made again.
	Recreate Action = "recreate"
	Delete   Action = "delete"
	// Restart: pods are replaced by new ones.
	Restart Action = "restart"
	// Run: a hook runs.
	Run Action = "run"
	// Defer: a hook runs only when something else changes.
	Defer Action = "defer"
	Scale Action = "scale"
	// Keep: the object is no longer rendered and stays.
	Keep   Action = "keep"
	Create Action = "create"
	Update Action = "update"
)

// Actions is all of them, those that want a look first.
func Actions() []Action {
	return []Action{Refuse, Recreate, Delete, Restart, Run, Defer, Scale, Keep, Create, Update}
}

// Effect is what the cluster makes of a change.
type Effect struct {
	Action Action `json:"action"`
	// Fields is the paths that decide it, and Source where that is written.
	Fields []string `json:"fields,omitempty"`
	Why    string   `json:"why,omitempty"`
	Source string   `json:"source,omitempty"`
}

// Effects adds to the result what a cluster does about each change, where by
// applies the objects, and puts those first that may lose data: a Secret, a
// PersistentVolumeClaim or a StatefulSet that goes, and an embedded database that
// starts although the environment names one. It is about objects as they reach the cluster. What the
// cluster alone knows, such as its admission webhooks, it cannot say.
func (r Result) Effects(by render.Applier) Result {
	r.Changes = slices.Clone(r.Changes)
	applied := map[string]bool{} // by Within: more changes than hooks
	for _, c := range r.Changes {
		applied[c.Within] = applied[c.Within] || !c.hook()
	}
	for i := range r.Changes {
		if c := &r.Changes[i]; c.Object.Kind != "" {
			effect := c.effect(by)
			if effect.Action == Run && by == render.BySync && !applied[c.Within] {
				effect = Effect{Action: Defer, Source: "https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/#automated-sync-semantics",
					Why: "only hooks change here, and Argo CD compares none: the Application stays Synced, and the hook runs with the next sync"}
			}
			c.Effect, c.first = &effect, c.losesData(effect)
		}
	}
	r.sortFirst()
	return r
}

// startsDatabase reports whether the change adds a database that the chart runs,
// although the environment names another.
func (c Change) startsDatabase() bool {
	return c.Kind == Added && c.new.External && reads.Databases().RunBy(mapping(c.new.value))
}

// losesData reports whether what only the cluster has may be lost or left behind.
func (c Change) losesData(effect Effect) bool {
	deletes := effect.Action == Delete || effect.Action == Recreate
	return deletes && reads.KeepsData(c.Object.Group(), c.Object.Kind) || c.startsDatabase()
}

// hook reports whether the change is one of a hook, and of nothing else.
func (c Change) hook() bool {
	return (c.Kind == Added || c.old.Hook) && (c.Kind == Removed || c.new.Hook)
}

func (c Change) effect(by render.Applier) Effect {
	switch {
	case c.Kind == Removed && c.old.Hook:
		return Effect{Action: Keep, Why: "it was a hook: nothing deletes what it left, but its own delete policy"}
	case c.Kind != Removed && c.new.Hook:
		return Effect{Action: Run, Why: "a hook, made anew before it runs"}
	case c.startsDatabase():
		return Effect{Action: Create, Why: "the chart starts its embedded database although spec.database is set"}
	case c.Kind == Added:
		return Effect{Action: Create}
	case c.Kind == Removed:
		return c.removal(by)
	}
	if fields, source := c.forbidden(); fields != nil {
		return c.refusal(by, fields, source)
	}
	return c.update()
}

// annotation is what the object says; where both sides say it, the new one.
func (c Change) annotation(name string) string {
	value := c.new.value
	if c.Kind == Removed {
		value = c.old.value
	}
	text, _ := at(value, "metadata", "annotations", name).(string)
	return text
}

// removal is what becomes of an object that is no longer rendered. Argo CD
// honours Helm's policy only where it deletes a whole Application.
func (c Change) removal(by render.Applier) Effect {
	const options = "argocd.argoproj.io/sync-options"
	switch {
	case c.old.Kept != "":
		return Effect{Action: Keep, Why: c.old.Kept}
	case by == render.BySync && slices.Contains(strings.FieldsFunc(c.annotation(options), comma), "Prune=false"):
		return Effect{Action: Keep, Why: "its annotation " + options, Source: "https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#no-prune-resources"}
	case by == render.ByHelm && strings.EqualFold(strings.TrimSpace(c.annotation("helm.sh/resource-policy")), "keep"):
		return Effect{Action: Keep, Why: "its annotation helm.sh/resource-policy", Source: "https://helm.sh/docs/howto/charts_tips_and_tricks/#tell-helm-not-to-uninstall-a-resource"}
	}
	effect := Effect{Action: Delete}
	switch c.Object.Kind {
	case "CustomResourceDefinition":
		effect.Why = "with every object of its kind"
	case "PersistentVolumeClaim":
		effect.Why = "with what is in it, unless its class retains volumes"
	case "Namespace":
		effect.Why = "with everything in it"
	case "Secret":
		effect.Why = "with its keys: check that nothing needs them"
	case "StatefulSet":
		effect.Why, effect.Source = "with its pods; the claims that it made stay", "https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention"
		if at(c.old.value, "spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted") == "Delete" {
			effect.Why = "with its pods, and the claims that it made (persistentVolumeClaimRetentionPolicy)"
		}
	}
	return effect
}

func comma(r rune) bool { return r == ',' || r == ' ' }

// forbidden is the fields that changed and must not, and where that is said.
func (c Change) forbidden() (fields []string, source string) {
	for _, e := range c.Edits {
		for _, r := range immutable {
			if r.forbids(c, e) {
				fields, source = append(fields, e.Path.String()), r.source
				break
			}
		}
	}
	return fields, source
}

// refusal is what a controller does about a field that is immutable. Flux
// would need upgrade.force, which we never write; Argo CD takes both options
// from the object itself.
func (c Change) refusal(by render.Applier, fields []string, source string) Effect {
	if by == render.BySync {
		options := strings.FieldsFunc(c.annotation("argocd.argoproj.io/sync-options"), comma)
		if slices.Contains(options, "Force=true") && slices.Contains(options, "Replace=true") {
			return Effect{Action: Recreate, Fields: fields, Why: "its annotation says Force=true,Replace=true", Source: source}
		}
		return Effect{Action: Refuse, Fields: fields, Source: source,
			Why: "immutable: Argo CD's sync fails until somebody deletes the object"}
	}
	return Effect{Action: Refuse, Fields: fields, Source: source,
		Why: "immutable: Helm's upgrade fails until somebody deletes the object"}
}

// update is what happens to the pods of an object that changes in place.
func (c Change) update() Effect {
	var template, replicas []string
	for _, e := range c.Edits {
		switch fields := e.Path.fields(); {
		case overlaps(fields, "spec.template"):
			template = append(template, e.Path.String())
		case fields == "spec.replicas":
			replicas = append(replicas, e.Path.String())
		}
	}
	runs := slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, c.Object.Kind) && c.Object.Group() == "apps"
	switch {
	case runs && template != nil && c.strategy() == "OnDelete":
		return Effect{Action: Update, Why: "pods stay as they are until somebody deletes them (OnDelete)"}
	case runs && template != nil && c.strategy() == "Recreate":
		return Effect{Action: Restart, Fields: template, Why: "all pods stop before the first new one starts (Recreate)"}
	case runs && template != nil:
		return Effect{Action: Restart, Fields: template}
	case runs && replicas != nil:
		return Effect{Action: Scale, Fields: replicas, Why: fmt.Sprintf("%v to %v", or(at(c.old.value, "spec", "replicas"), "1"), or(at(c.new.value, "spec", "replicas"), "1"))}
	}
	return Effect{Action: Update}
}

// strategy is how the object replaces its pods.
func (c Change) strategy() any {
	field := "updateStrategy"
	if c.Object.Kind == "Deployment" {
		field = "strategy"
	}
	return at(c.new.value, "spec", field, "type")
}
