package roadmap

import (
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// databases are those of prefect-cloud
// (https://docs-customer-managed.prefect.io/reference/database-flags).
var databases = []string{"nebula", "orion", "events"}

// maintenance names the manifest for maintenance mode.
func (r runbook) maintenance() string { return word(or(r.Maintenance, "maintenance.yaml")) }

// health asks an address, and prints the code of the answer.
func health(url string) string {
	return "curl -sS -o /dev/null -w '%{http_code}\\n' " + word(url)
}

func (r runbook) api() string {
	return strings.TrimSuffix(string(r.Environment.Spec.Instance.BackendURL), "/")
}

func (r runbook) maintenanceOn() Step {
	step := Step{Title: "Turn maintenance mode on", Commands: []string{"kubectl apply -f " + r.maintenance()},
		Proof:  []string{health(r.api() + "/load-balancer/health-check"), health(r.api() + "/")},
		Expect: "200, then 503"}
	if r.Maintenance == "" {
		step.Why = "The manifest is in the folder scripts of the vendor's delivery: name it with --maintenance FILE."
	}
	return step
}

func (r runbook) maintenanceOff() Step {
	return Step{Title: "Turn maintenance mode off", Commands: []string{"kubectl delete -f " + r.maintenance()},
		Proof: []string{health(r.api() + "/load-balancer/health-check"), health(r.api() + "/")}, Expect: "200, and no 503"}
}

// snapshot saves the three databases.
func (r runbook) snapshot() Step {
	step := Step{Title: "Take a snapshot of the three databases", Why: "Nothing writes to them now. Take a snapshot of your platform in place of these commands if it has one; the names are the vendor's, as is the user."}
	db := r.Environment.Spec.Database
	if db == nil {
		step.Why = "The environment names no database, so the chart runs its own: save the volume of that."
		step.Commands = []string{"kubectl -n " + word(r.namespace()) + " get persistentvolumeclaims"}
		return step
	}
	for _, name := range databases {
		file := name + "-" + string(r.Environment.Metadata.Name) + ".dump"
		step.Commands = append(step.Commands, "pg_dump --host="+word(string(db.Primary))+" --username=postgres --format=custom --file="+word(file)+" "+name)
		step.Proof = append(step.Proof, "pg_restore --list "+word(file))
	}
	step.Expect = "a table of contents of each"
	return step
}

// namespace is that of prefect-cloud.
func (r runbook) namespace() string {
	for _, release := range r.Plan.Releases() {
		if release.Key == render.PrefectCloud {
			return release.Namespace
		}
	}
	return ""
}

// makes reports whether a chart that was compared makes an object of a kind.
func (h Hop) makes(kind string) bool {
	return slices.ContainsFunc(h.Charts, func(c Chart) bool {
		return c.Analysis != nil && slices.ContainsFunc(c.Analysis.Objects, func(o chart.Object) bool { return o.Kind == kind })
	})
}

// after checks what users see.
func (r runbook) after() []Step {
	spec := r.Environment.Spec
	var steps []Step
	if slices.IndexFunc(r.hop.Versions, func(t upgrade.Transfer) bool { return slices.Contains(upgrade.Parts(), t.Part) }) < 0 {
		return nil // a further release
	}
	if spec.Ingress == nil && spec.Mesh.Mode != render.MeshNone && !r.hop.makes("Ingress") {
		steps = append(steps, Step{Title: "Look at the load balancer", Why: "No ingress is set: your load balancer has to be attached to prefect-istio-gateway, whose ports may have changed.",
			Proof: []string{"kubectl -n " + word(r.namespace()) + " get deployment,service prefect-istio-gateway"}, Expect: "the ports that your load balancer uses"})
	}
	return append(steps, Step{Title: "Check what users see", Why: "After a first install, only " + string(spec.Instance.OwnerEmail) + " can log in.",
		Commands: nil,
		Proof:    []string{health(string(spec.Instance.FrontendURL)), health(r.api() + "/load-balancer/health-check")}, Expect: "both answer with 200, and the owner can log in"})
}
