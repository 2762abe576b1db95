package check

import (
	"slices"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/reads"
)

// runsFirst reports whether a hook runs before the first install of its release.
func (o *object) runsFirst() bool {
	if o.Hook == nil || !o.onInstall {
		return false
	}
	return o.runs("pre-install") || o.phase("PreSync")
}

func hookBeforeObjects(s *scope, r *release) {
	for _, o := range r.objects {
		if !o.runsFirst() || o.runs("test") {
			continue
		}
		for _, ref := range o.references() {
			if later := r.later(o, ref); later != nil {
				f := o.finding(ref.Path, "the hook runs before the first install and needs %s %s, which the same release makes %s: its pod never starts", ref.Kind, ref.Name, when(later))
				f.Fix = "make it exist before the release, or give the hook another phase"
				if ref.Kind == "Secret" && r.Key == render.PrefectCloud && s.Plan.Secrets.Into != render.IntoChart {
					f.Fix = "say secrets.into: chart, with which the Secrets exist before"
					s.put(&f, "spec.secrets.into")
				}
				s.add(f)
			}
		}
		if database := r.database(); database != nil && slices.Contains(r.migrations(), o) {
			f := o.finding(hookField, "the hook migrates before the first install, and the database %s %s comes with it: there is nothing to migrate yet", database.Kind, database.Name)
			f.Fix = "set spec.database"
			s.put(&f, "spec.database")
			s.add(f)
		}
	}
}

func when(o *object) string {
	if o.Hook != nil {
		return "in a later hook"
	}
	return "after it"
}

// later is the object that a hook refers to, if its release makes it only
// after the hook.
func (r *release) later(hook *object, ref reads.Reference) *object {
	for _, o := range r.objects {
		if o.Kind != ref.Kind || o.Name != ref.Name || o.namespace != hook.namespace || !o.onInstall {
			continue
		}
		if o.runsFirst() && (o.Hook.Weight < hook.Hook.Weight || o.Hook.Weight == hook.Hook.Weight && !o.is("Job", "Pod")) {
			return nil
		}
		return o
	}
	return nil
}
