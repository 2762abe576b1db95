// Package targets writes plans down for the delivery systems that reconcile
// them. Like package render it never touches disk, network, clock or
// environment variables.
package targets

import (
	"slices"

	"github.com/pm-gitops/pm-gitops/render"
)

// layoutPaths returns where Flux and Argo write: bases, which environments
// share, the environment's overlays, and what a controller is pointed at.
func layoutPaths() []string {
	return []string{"{path}/base/", "{path}/overlays/{environment}/", "clusters/*/prefect-{environment}.yaml"}
}

// checkSecrets refuses a way to make Secrets that a target does not write.
func checkSecrets(plan render.Plan, target render.Target) render.Problems {
	if slices.Contains(target.Traits(plan.Delivery).SecretsFrom, plan.Secrets.From) {
		return nil
	}
	return render.Problems{plan.Problem("spec.secrets.from", "the %s target does not write %s yet: want existing", target.Name(), plan.Secrets.From)}
}
