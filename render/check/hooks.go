package check

import (
	"cmp"
	"slices"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/reads"
)

func hookChecks() []Check {
	return []Check{{
		ID: "unknown-hook", Severity: finding.Warning,
		Title:  "An object is a hook of no known kind",
		Why:    "Helm drops an object whose helm.sh/hook names an event that Helm does not know, and Argo CD ignores one whose argocd.argoproj.io/hook names no hook of its own. No controller ever creates the object, and neither reports an error.",
		Fix:    "Correct the annotation in the chart, or in the chart value that sets it.",
		Source: "https://helm.sh/docs/topics/charts_hooks/#the-available-hooks",
		each:   unknownHook,
	}, {
		ID: "hooks-alone", Severity: finding.Error,
		Title:  "Argo CD never syncs a release that has hooks alone",
		Why:    "Argo CD compares no hooks. An Application without any other object is Synced from the start, and Argo CD syncs by itself only what is OutOfSync: no hook ever runs, and the next wave opens with nothing done.",
		Fix:    "Make the chart bring an object that is no hook and changes with its version, such as a ConfigMap or the Job itself without its hook annotation. `argocd app sync` runs the hooks once.",
		Source: "https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/#automated-sync-semantics",
		each:   hooksAlone,
	}}
}

func hooksAlone(s *scope, r *release) {
	if s.byHelm() || len(r.objects) == 0 || slices.ContainsFunc(r.objects, func(o *object) bool { return o.Hook == nil }) {
		return
	}
	f := r.finding("the chart makes hooks alone (%s %s): to Argo CD the Application is Synced from the start, so it never syncs the release by itself, no hook runs, and its wave opens with nothing done", r.objects[0].Kind, r.objects[0].Name)
	f.Fix = "let the chart make an object that is no hook, or the Job without its hook annotation"
	s.add(f)
}

func unknownHook(s *scope, r *release) {
	for _, left := range r.LeftOut() {
		if left.Reason != chart.Unknown {
			continue
		}
		f := r.finding("no controller ever creates the object: %s", left.Why)
		f.Object, f.Source, f.Field = identify(left.APIVersion, left.Kind, cmp.Or(left.Namespace, r.Namespace), left.Name), left.Source, "metadata.annotations"
		f.Fix = "correct the annotation in the chart"
		s.add(f)
	}
}

// LeftOut gives the objects that neither an install nor an upgrade applies: no
// check looks at them, but for their images.
func (r Release) LeftOut() []chart.Left {
	applied := map[chart.ID]bool{}
	for _, made := range slices.Concat(r.Install.Objects, r.Upgrade.Objects) {
		applied[made.ID()] = true
	}
	return slices.DeleteFunc(slices.Concat(r.Install.Left, r.Upgrade.Left), func(left chart.Left) bool { return applied[left.ID()] })
}

// runsFirst reports whether a hook runs before the first install of its release.
func (o *object) runsFirst() bool {
	return o.onInstall && (o.runs("pre-install") || o.phase("PreSync"))
}

func hookBeforeObjects(s *scope, r *release) {
	for _, o := range r.objects {
		if !o.runsFirst() || o.tests() {
			continue
		}
		for _, ref := range o.references() {
			if later := r.later(o, ref); later != nil {
				f := o.finding(ref.Path, "the hook runs before the first install and needs %s %s, which the same release makes %s: its pod never starts", ref.Kind, ref.Name, when(later))
				f.Fix = "make it exist before the release, or give the hook another phase"
				if ref.Kind == "Secret" && r.Key == render.PrefectCloud && s.Plan.Secrets.Into != render.IntoChart {
					propose(&f, finding.Proposal{Field: "spec.secrets.into"}, string(render.IntoChart), f.Fix)
					s.put(&f, "spec.secrets.into")
				}
				s.add(f)
			}
		}
		if database := r.database(); database != nil && slices.Contains(r.migrations(), o) {
			f := o.finding(o.hookField(), "the hook migrates before the first install, and the database %s %s comes with it: there is nothing to migrate yet", database.Kind, database.Name)
			f.Fix = endEmbedded("spec.database", "database", s.Plan.ExternalDatabase())
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
