package roadmap_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	charts "github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/roadmap"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
	"github.com/pm-gitops/pm-gitops/targets"
)

// explained is what an environment sets: two fields at the top of the chart values, an
// ingress with a name, and a value of its own.
var explained = render.Explanation{
	Fields: []render.Explained{{Path: "spec.ingress.name", Origin: render.Origin{From: render.FromEnvironment}}, {Path: "spec.smtp.host", Origin: render.Origin{From: render.FromDefault}}},
	Releases: []render.ExplainedRelease{{Release: "other", Values: []render.Explained{{Path: "other"}}}, {Release: "prefect-cloud", Values: []render.Explained{
		{Path: "frontendUrl", Rule: &render.CatalogRule{}, Origin: render.Origin{From: render.FromEnvironment, File: "env.yaml", Line: 2, Field: "spec.instance.frontendUrl"}},
		{Path: "backendUrl", Rule: &render.CatalogRule{}, Origin: render.Origin{From: render.FromEnvironment, File: "env.yaml", Line: 3, Field: "spec.instance.backendUrl"}},
		{Path: "own.deep", Origin: render.Origin{From: render.FromEnvironment, File: "env.yaml", Line: 9, Field: "spec.values.prefect-cloud.own.deep"}},
	}}},
}

const environment = `apiVersion: pm-gitops/v1
kind: Environment
metadata: {name: prod}
spec:
  instance: {name: customer-managed, frontendUrl: https://ui.b.c, backendUrl: https://api.b.c/, ownerEmail: o@b.c}
  versions: {prefectIstiod: 1.2.900, prefectCloud: 1.2.900, server: "2025.10.1", ui: "2025.1023.1"}
  auth: {okta: {clientID: a, clientSecret: {secret: s, key: k}, authServerURL: https://o.b.c}}
  migrations: {timeout: 90m}
`

const external = `  redis: {cache: {host: a}, work: {host: a}, streams: {host: a}}
  database: {primary: db.b.c, serviceUser: {password: {secret: s, key: k}}, superUser: {password: {secret: s, key: k}}}
`

// facts are those of an environment with further lines, at a target.
func facts(t *testing.T, target render.Target, lines ...string) roadmap.Facts {
	t.Helper()
	env, err := render.Parse("my env.yaml", []byte(environment+strings.Join(lines, "")), nil)
	if err != nil {
		t.Fatal(err)
	}
	own, err := catalog.Parse("own.yaml", []byte("{apiVersion: pm-gitops/v1, kind: Catalog, lines: [{name: '1.2', layout: [{field: ingress.name, path: ingress.name}]}]}"))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := render.PlanFor(env, catalog.Embedded().With(own), target)
	if err != nil {
		t.Fatal(err)
	}
	return roadmap.Facts{File: "my env.yaml", Environment: env, Plan: plan}
}

// lineHop is a hop to the next line.
var lineHop = roadmap.Hop{Hop: upgrade.Hop{Kind: upgrade.LineHop, Versions: []upgrade.Transfer{
	{Part: upgrade.PrefectIstiod, From: "1.2.900", To: "1.3.900"}, {Part: cloud, From: "1.2.900", To: "1.3.900"}, {Part: server, From: "2025.10.1", To: "2026.1.1"}, {Part: upgrade.UI, From: "2025.1023.1"},
}}}

// patchHop is another tag of the server.
var patchHop = roadmap.Hop{Hop: upgrade.Hop{Kind: upgrade.PatchHop, Versions: []upgrade.Transfer{
	{Part: upgrade.PrefectIstiod, From: "1.2.900", To: "1.2.900"}, {Part: cloud, From: "1.2.900", To: "1.2.900"}, {Part: server, From: "2025.10.1", To: "2025.10.2"}, {Part: upgrade.UI, From: "2025.1023.1", To: "2025.1023.1"},
}}}

// titles gives the titles of steps, with their limits.
func titles(steps []roadmap.Step) []string {
	var all []string
	for _, step := range steps {
		all = append(all, strings.TrimSuffix(step.Title+" "+step.Limit, " "))
	}
	return all
}

// TestRunbookSteps looks at the order of steps: maintenance and snapshots around a hop to
// another line alone, istiod before prefect-cloud, the mirror first.
func TestRunbookSteps(t *testing.T) {
	flux, argo := targets.Flux{}, targets.Argo{}
	const mirror, noMesh = "  registry: {mirror: registry.b.c/m}\n", "  mesh: existing\n"
	ends := []string{"Stop the services", "Restore the three databases from the snapshots", "Revert the merge, and merge the revert"}
	for name, tt := range map[string]struct {
		facts roadmap.Facts
		hop   roadmap.Hop
		want  []string
		back  []string
	}{
		"a line": {facts(t, flux, external, mirror), lineHop, []string{
			"Edit the environment file on a branch", "Mirror what is new", "Turn maintenance mode on", "Take a snapshot of the three databases", "Merge the pull request",
			"Wait for prefect-istiod 10m", "Wait for prefect-cloud 1h30m", "Check that everything is ready 1h40m", "Turn maintenance mode off", "Look at the load balancer", "Check what users see",
		}, slices.Concat([]string{"Turn maintenance mode on"}, ends, []string{"Turn maintenance mode off"})},
		"a line without a mirror, an istiod of ours and an own database": {facts(t, argo, noMesh), lineHop, []string{
			"Edit the environment file on a branch", "Turn maintenance mode on", "Take a snapshot of the three databases", "Merge the pull request",
			"Wait for prefect-cloud 1h30m", "Check that everything is ready 1h30m", "Turn maintenance mode off", "Look at the load balancer", "Check what users see",
		}, slices.Concat([]string{"Turn maintenance mode on"}, ends, []string{"Turn maintenance mode off"})},
		"a patch, no mesh": {facts(t, flux, external, "  mesh: none\n"), patchHop, []string{
			"Open the pull request", "Merge the pull request", "Wait for prefect-cloud 1h30m", "Check that everything is ready 1h30m", "Check what users see",
		}, []string{"Revert the merge, and merge the revert"}},
		"a patch, an ingress": {facts(t, flux, external, "  ingress: {name: a}\n"), patchHop, []string{
			"Open the pull request", "Merge the pull request", "Wait for prefect-cloud 1h30m", "Check that everything is ready 1h30m", "Check what users see",
		}, []string{"Revert the merge, and merge the revert"}},
	} {
		t.Run(name, func(t *testing.T) {
			book := roadmap.NewRunbook(tt.facts, tt.hop)
			if diff := cmp.Diff(tt.want, titles(book.Steps)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.back, titles(book.Back)); diff != "" {
				t.Errorf("the way back (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRunbookCommands looks at commands and proofs, and that words are quoted for a shell.
func TestRunbookCommands(t *testing.T) {
	given := facts(t, targets.Argo{}, external)
	given.Maintenance = "a dir/on.yaml"
	book := roadmap.NewRunbook(given, lineHop)
	var all []string
	for _, step := range slices.Concat(book.Steps, book.Back) {
		all = append(all, step.Why)
		all = append(all, step.Commands...)
		all = append(all, step.Proof...)
	}
	said := strings.Join(all, "\n")
	for _, want := range []string{
		`pm-gitops set -f 'my env.yaml' spec.versions.prefectIstiod=1.3.900 spec.versions.prefectCloud=1.3.900 spec.versions.server=2026.1.1` + "\n",
		`Not known yet, so not in the command: ui.`,
		`kubectl apply -f 'a dir/on.yaml'`,
		`kubectl delete -f 'a dir/on.yaml'`,
		`curl -sS -o /dev/null -w '%{http_code}\n' https://api.b.c/load-balancer/health-check`,
		`pg_dump --host=db.b.c --username=postgres --format=custom --file=nebula-prod.dump nebula`,
		`pg_restore --list events-prod.dump`,
		`pg_restore --host=db.b.c --username=postgres --clean --if-exists --exit-on-error --dbname=orion orion-prod.dump`,
		`kubectl -n customer-managed logs --follow job/orion-db-migrations`,
		`pm-gitops status -f 'my env.yaml' --watch --timeout 1h40m`,
		`only o@b.c can log in`,
		`Turn automated sync off in the Applications`,
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the runbook has no %q:\n%s", want, said)
		}
	}
	if len(book.Final) != 1 || !strings.Contains(book.Final[0], "migrations") {
		t.Errorf("final: %q", book.Final)
	}
	if restarts := strings.Join(book.Restarts, "\n"); !strings.Contains(restarts, "the charts were not compared") || !strings.Contains(restarts, "image of the server") {
		t.Errorf("restarts: %q", restarts)
	}
}

// TestRunbookOfComparedCharts takes what restarts and which Jobs run from the comparison.
func TestRunbookOfComparedCharts(t *testing.T) {
	h, chart := lineHop, compared()
	chart.Effects = []roadmap.Effect{
		{Action: diff.Restart, Objects: []string{"Deployment customer-managed/server"}},
		{Action: diff.Run, Objects: []string{"Job customer-managed/all-migrations", "Pod customer-managed/test"}},
		{Action: diff.Delete, Objects: []string{"Job customer-managed/old-migrations"}},
	}
	h.Charts = []roadmap.Chart{chart}
	book := roadmap.NewRunbook(facts(t, targets.Flux{}, external), h)
	said := fmt.Sprint(book.Steps)
	if !strings.Contains(said, "logs --follow job/all-migrations") || strings.Contains(said, "orion-db-migrations") || strings.Contains(said, "job/test") || strings.Contains(said, "job/old") {
		t.Errorf("the migrations: %s", said)
	}
	if !strings.Contains(said, "Look at the load balancer") {
		t.Errorf("no load balancer: %s", said)
	}
	ingress := *chart.Analysis
	ingress.Objects = []charts.Object{{Kind: "Ingress"}}
	h.Charts[0].Analysis = &ingress
	if said := fmt.Sprint(roadmap.NewRunbook(facts(t, targets.Flux{}, external), h).Steps); strings.Contains(said, "Look at the load balancer") {
		t.Errorf("a load balancer, though the chart makes an Ingress: %s", said)
	}
	if restarts := strings.Join(book.Restarts, "\n"); !strings.Contains(restarts, "Deployment customer-managed/server") || strings.Contains(restarts, "image of the server") {
		t.Errorf("restarts: %q", restarts)
	}
}
