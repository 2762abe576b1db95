package roadmap

import (
	"slices"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// restarts says which pods restart.
func (r runbook) restarts() []string {
	all := []string{}
	for _, t := range r.hop.Versions {
		if t.From == t.To {
			continue
		}
		switch {
		case r.effects(render.PrefectCloud) != nil && !t.Part.IsChart() && r.hop.Kind != upgrade.ReleaseHop:
		case t.Part == upgrade.Server:
			all = append(all, "all pods that run the image of the server")
		case t.Part == upgrade.UI:
			all = append(all, "the pods of the ui")
		case r.effects(t.Part.Title()) != nil:
			for _, effect := range r.effects(t.Part.Title()) {
				if effect.Action == diff.Restart || effect.Action == diff.Recreate {
					all = append(all, effect.names())
				}
			}
		default:
			all = append(all, "pods whose template the chart of "+t.Part.Title()+" changes"+r.unseen(t.Part.Title()))
		}
	}
	return all
}

// effects gives what the cluster does about a release.
func (r runbook) effects(key string) []Effect {
	for _, chart := range r.hop.Charts {
		if chart.Release == key {
			return chart.Effects
		}
	}
	return nil
}

// unseen says that a chart was not compared.
func (r runbook) unseen(key string) string {
	for _, chart := range r.hop.Charts {
		if chart.Release == key && chart.Analysis != nil {
			return ""
		}
	}
	return ": which these are is not known, for the charts were not compared"
}

// final gives what findings say cannot be undone.
func (r runbook) final() (all []string) {
	classes := []hop.Class{hop.Flipped, hop.Deleted, hop.Stateful, hop.CRD}
	for _, chart := range r.hop.Charts {
		if chart.Analysis == nil {
			continue
		}
		for _, f := range chart.Analysis.Findings {
			if slices.Contains(classes, f.Class) && len(f.Edits) == 0 && f.Severity != finding.Info {
				all = append(all, f.Message)
			}
		}
	}
	return all
}

// back is the way back: a revert for a patch, and before it the databases where they were
// migrated.
func (r runbook) back(migrates bool) []Step {
	revert := Step{Title: "Revert the merge, and merge the revert", Commands: []string{"git revert COMMIT"}, Proof: []string{"pm-gitops status" + r.f() + " --watch"}, Expect: "ready with the versions from before"}
	if !migrates {
		revert.Why = "A revert is enough, unless the release notes of the chart say otherwise."
		if r.hop.Kind == upgrade.PatchHop {
			revert.Why = "A patch goes back by a revert, unless its release notes say otherwise."
		}
		return []Step{revert}
	}
	steps := []Step{r.maintenanceOn(), {
		Title: "Stop the services",
		Why:   "Nothing must be connected to the databases. " + r.suspend(),
		Commands: []string{
			"kubectl -n " + word(r.namespace()) + " scale deployment --all --replicas=0",
		},
		Proof: []string{"kubectl -n " + word(r.namespace()) + " get pods"}, Expect: "no pod of a service",
	}, r.restore(), revert, r.maintenanceOff()}
	steps[3].Why = "A revert alone is no way back across a migration."
	if r.suspend() != "" {
		steps[3].Why += " Resume what you suspended once the revert is merged."
	}
	return steps
}

// suspend says how the controller is kept from starting the services again.
func (r runbook) suspend() string {
	switch r.Plan.Traits().Controller {
	case render.FluxControllers:
		return "Suspend the HelmRelease and the Kustomizations of the environment first (flux suspend), or Flux starts the services again."
	case render.ArgoCD:
		return "Turn automated sync off in the Applications of the environment first, the root before the others, or Argo CD starts the services again."
	}
	return ""
}

// restore brings the databases back.
func (r runbook) restore() Step {
	step := Step{Title: "Restore the three databases from the snapshots", Why: "The migrations cannot be undone otherwise."}
	db := r.Environment.Spec.Database
	if db == nil {
		return step
	}
	for _, name := range databases {
		step.Commands = append(step.Commands, "pg_restore --host="+word(string(db.Primary))+" --username=postgres --clean --if-exists --exit-on-error --dbname="+name+" "+word(name+"-"+string(r.Environment.Metadata.Name)+".dump"))
	}
	return step
}
