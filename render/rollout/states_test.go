package rollout_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/rollout"
	"github.com/pm-gitops/pm-gitops/render/rollout/rollouttest"
	"github.com/pm-gitops/pm-gitops/targets"
)

// condition is a patch that gives an object of Flux its only condition.
func condition(kind, name, status, reason, message string) string {
	return fmt.Sprintf("{apiVersion: v1, kind: %s, metadata: {name: %s}, status: {conditions: [{type: Ready, status: %q, reason: %s, observedGeneration: %d, message: %q}]}}",
		kind, name, status, reason, map[string]int{"Kustomization": 2, "HelmRelease": 3, "OCIRepository": 1, "GitRepository": 1}[kind], message)
}

// application is a patch of the status of an Application.
func application(name, status string) string {
	return fmt.Sprintf("{apiVersion: v1, kind: Application, metadata: {name: %s}, status: %s}", name, status)
}

func pull(message string) string {
	return condition("OCIRepository", "prefect-cloud-1.3.900", "False", "OCIArtifactPullFailed", message)
}

const cloud = "kind: HelmRelease, metadata: {name: prefect-cloud}"

// helmLogin is what Argo CD 2.14 says of a login that a registry refuses.
const helmLogin = "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = error logging into OCI registry: failed to login to registry: failed to get command args to log: `helm registry login registry.company.com/prefect/charts --username ****** --password ******` failed exit status 1: WARNING: Using --password ****** the CLI is insecure. Use --password-stdin. Error: authenticating to \"registry.company.com\": GET \"https://registry.company.com/v2/\": response status code 401: unauthorized: authentication required"

// TestStates changes one thing in a cluster in which all is well. What a part
// then is comes first, its reason and what to do next behind it.
func TestStates(t *testing.T) {
	for _, c := range []struct{ name, target, patch, want string }{
		{"not looked at", "flux", "{apiVersion: v1, " + strings.Replace(cloud, "cloud}", "cloud, generation: 9}", 1) + "}", "prefect-cloud progressing: Flux has not looked at the new specification yet"},
		{"suspended release", "flux", "{apiVersion: v1, " + cloud + ", spec: {suspend: true}}", "prefect-cloud suspended: its HelmRelease is suspended -> flux resume helmrelease prefect-cloud -n customer-managed"},
		{"suspended wave", "flux", "{apiVersion: v1, kind: Kustomization, metadata: {name: prod-prefect-cloud}, spec: {suspend: true}}", "prefect-cloud suspended: its Kustomization is suspended -> flux resume kustomization prod-prefect-cloud -n flux-system"},
		{"suspended chart", "flux", "{apiVersion: v1, kind: OCIRepository, metadata: {name: prefect-cloud-1.3.900}, spec: {suspend: true}}", "prefect-cloud suspended: its OCIRepository is suspended -> flux resume source oci prefect-cloud-1.3.900 -n customer-managed"},
		{"suspended source", "flux", "{apiVersion: v1, kind: GitRepository, metadata: {name: flux-system}, spec: {suspend: true}}", "GitRepository flux-system suspended: it is suspended -> flux resume source git flux-system -n flux-system"},
		{"other values", "flux", "{apiVersion: v1, " + cloud + ", spec: {values: {global: {frontendUrl: https://old.company.com}}}}", "prefect-cloud waiting: Flux has not applied the new commit: spec.values.global.frontendUrl of the HelmRelease differs from what the environment says -> commit and push"},
		{"a fix that Flux has not fetched", "flux", "{apiVersion: v1, " + cloud + ", spec: {values: {global: {frontendUrl: https://old.company.com}}}}\n---\n{apiVersion: v1, kind: Kustomization, metadata: {name: prod-prefect-cloud}, status: {conditions: [{type: Reconciling, status: 'True', reason: Progressing, observedGeneration: 1, message: Running health checks for revision main@sha1:4d1f0c5e with a timeout of 25m0s}, {type: Ready, status: Unknown, reason: Progressing, observedGeneration: 1, message: Reconciliation in progress}]}}", "prefect-cloud waiting: Flux has not applied the new commit: spec.values.global.frontendUrl of the HelmRelease differs from what the environment says -> commit and push what render writes; once Flux has fetched it, wait until what was applied before is ready or out of time, or end that: kubectl -n flux-system rollout restart deployment kustomize-controller"},
		{"a fix that Flux does not look at", "flux", "{apiVersion: v1, " + cloud + ", spec: {values: {global: {frontendUrl: https://old.company.com}}}}\n---\n{apiVersion: v1, kind: Kustomization, metadata: {name: prod-prefect-cloud}, status: {conditions: [{type: Reconciling, status: 'True', reason: Progressing, observedGeneration: 1, message: Running health checks for revision main@sha1:old with a timeout of 25m0s}, {type: Ready, status: Unknown, reason: Progressing, observedGeneration: 1, message: Reconciliation in progress}]}}", "prefect-cloud waiting: Flux has not applied the new commit: spec.values.global.frontendUrl of the HelmRelease differs from what the environment says -> wait until what Flux applied before main@sha1:4d1f0c5e is ready or out of time, or end that: kubectl -n flux-system rollout restart deployment kustomize-controller"},
		{"more than is wanted", "flux", "{apiVersion: v1, " + cloud + ", spec: {values: {added: true}, timeout: 1h}}", ""},
		{"no release", "flux", "{apiVersion: v1, " + cloud + ", gone: true}", `prefect-cloud waiting: there is no HelmRelease prefect-cloud in namespace "customer-managed" -> commit and push`},
		{"no wave", "flux", "{apiVersion: v1, kind: Kustomization, metadata: {name: prod-prefect-cloud}, gone: true}\n---\n{apiVersion: v1, " + cloud + ", gone: true}", "prefect-cloud waiting: Flux has no Kustomization prod-prefect-cloud: it has not applied clusters/prod/prefect-prod.yaml -> commit and push"},
		{"no source", "flux", "{apiVersion: v1, kind: GitRepository, metadata: {name: flux-system}, gone: true}", `GitRepository flux-system waiting: there is no GitRepository "flux-system" in namespace "flux-system" -> point Flux at your repository`},
		{"source fails", "flux", condition("GitRepository", "flux-system", "False", "GitOperationFailed", "failed to checkout and determine revision: authentication required"), "GitRepository flux-system retrying: GitOperationFailed: failed to checkout and determine revision: authentication required -> let Flux read the repository"},
		{"older commit", "flux", "{apiVersion: v1, kind: GitRepository, metadata: {name: flux-system}, status: {artifact: {revision: main@sha1:new}}}", "prereqs progressing: Flux has not applied commit main@sha1:new yet"},
		{"build fails", "flux", condition("Kustomization", "prod-prefect-cloud", "False", "BuildFailed", "kustomize build failed: accumulating resources"), "prefect-cloud retrying: BuildFailed: kustomize build failed: accumulating resources -> for more: kubectl -n flux-system describe kustomization.kustomize.toolkit.fluxcd.io prod-prefect-cloud"},
		{"dry-run fails", "flux", condition("Kustomization", "prod-prefect-cloud", "False", "ReconciliationFailed", "HelmRelease/customer-managed/prefect-cloud dry-run failed: spec.x: field not declared in schema"), "prefect-cloud retrying: ReconciliationFailed: "},
		{"healed", "flux", condition("Kustomization", "prod-prefect-cloud", "False", "HealthCheckFailed", "health check failed after 3m: HelmRelease/customer-managed/prefect-cloud status: 'Failed'"), "prefect-cloud progressing: it is ready; Flux takes notice of it within a minute"},
		{"401", "flux", pull("GET https://registry.company.com/v2/: UNAUTHORIZED: authentication required"), "prefect-cloud retrying: the chart cannot be pulled: OCIArtifactPullFailed: GET https://registry.company.com/v2/: UNAUTHORIZED: authentication required -> registry.company.com refuses the login: check what Secret prefect-registry in namespace customer-managed holds"},
		{"no pull secret", "flux", condition("OCIRepository", "prefect-cloud-1.3.900", "False", "AuthenticationFailed", `failed to get secret 'customer-managed/prefect-registry': secrets "prefect-registry" not found`), "-> create the Secret that the message names in namespace customer-managed: pm-gitops secrets list prints it"},
		{"x509", "flux", pull("tls: failed to verify certificate: x509: certificate signed by unknown authority"), "-> registry.company.com shows a certificate that is not trusted: name its CA with registry.caSecret"},
		{"no chart", "flux", pull("MANIFEST_UNKNOWN: manifest unknown"), "-> registry.company.com/prefect/charts/prefect-cloud has no 1.3.900: put the chart there, or correct the version"},
		{"no host", "flux", pull("dial tcp: lookup registry.company.com: no such host"), "-> the cluster does not reach registry.company.com"},
		{"pull stalled", "flux", "{apiVersion: v1, kind: OCIRepository, metadata: {name: prefect-cloud-1.3.900}, status: {conditions: [{type: Stalled, status: 'True', reason: URLInvalid, observedGeneration: 1, message: bad}, {type: Ready, status: 'False', reason: URLInvalid, observedGeneration: 1, message: bad}]}}", "prefect-cloud failed: the chart cannot be pulled: bad"},
		{"no values", "flux", condition("HelmRelease", "prefect-cloud", "False", "ValuesError", "could not resolve Secret chart values reference 'customer-managed/prefect-cloud-values' with key 'values.yaml': secrets \"prefect-cloud-values\" not found"), "prefect-cloud retrying: ValuesError: could not resolve Secret chart values reference 'customer-managed/prefect-cloud-values' with key 'values.yaml': secrets \"prefect-cloud-values\" not found -> create the Secret prefect-cloud-values in namespace customer-managed: pm-gitops secrets list -e prod prints it"},
		{"upgrade fails", "flux", condition("HelmRelease", "prefect-cloud", "False", "UpgradeFailed", "Helm upgrade failed for release customer-managed/customer-managed with chart prefect-cloud@1.3.900: pre-upgrade hooks failed: timed out\nwaiting"), "prefect-cloud retrying: UpgradeFailed: Helm upgrade failed for release customer-managed/customer-managed with chart prefect-cloud@1.3.900: pre-upgrade hooks failed: timed out waiting -> for more: kubectl -n customer-managed describe helmrelease prefect-cloud"},
		{"retries exceeded", "flux", "{apiVersion: v1, " + cloud + ", status: {conditions: [{type: Stalled, status: 'True', reason: RetriesExceeded, observedGeneration: 3, message: Failed to upgrade after 1 attempt(s)}, {type: Ready, status: 'False', reason: UpgradeFailed, observedGeneration: 3, message: it broke}]}}", "prefect-cloud failed: it broke -> end the cause, then: flux reconcile helmrelease prefect-cloud -n customer-managed --reset"},
		{"another chart", "flux", "{apiVersion: v1, " + cloud + ", status: {history: [{chartVersion: 1.3.90+0123456789ab, status: deployed}]}}", "prefect-cloud waiting: the HelmRelease is ready with another version of the chart"},
		{"terminal", "flux", condition("HelmRelease", "prefect-cloud", "False", "UpgradeFailed", "\x1b]0;pwned\x07"), `prefect-cloud retrying: UpgradeFailed: \x1b]0;pwned\a`},
		{"long", "flux", condition("HelmRelease", "prefect-cloud", "False", "UpgradeFailed", "tried: "+strings.Repeat("long ", 1000)+"the cause"), "UpgradeFailed: tried: long "},
		{"cause of long", "flux", condition("HelmRelease", "prefect-cloud", "False", "UpgradeFailed", "tried: "+strings.Repeat("long ", 1000)+"the cause"), "long the cause -> for more"},

		{"no root", "argo", "{apiVersion: v1, kind: Application, metadata: {name: prod}, gone: true}", `Application prod waiting: there is no Application "prod" in namespace "argocd" -> give it to Argo CD: kubectl apply -f clusters/prod/prefect-prod.yaml`},
		{"no child", "argo", "{apiVersion: v1, kind: Application, metadata: {name: prod-prefect-cloud}, gone: true}", "prefect-cloud waiting: there is no Application prod-prefect-cloud: Application prod has not made it -> commit and push"},
		{"old version", "argo", "{apiVersion: v1, kind: Application, metadata: {name: prod-prefect-cloud}, spec: {source: {targetRevision: 1.2.900}}}", "prefect-cloud waiting: Argo CD has not taken over the new commit: spec.source.targetRevision of Application prod-prefect-cloud differs"},
		{"old values", "argo", "{apiVersion: v1, kind: Application, metadata: {name: prod-prefect-cloud}, spec: {source: {helm: {valuesObject: {global: {frontendUrl: https://old.company.com}}}}}}", "prefect-cloud waiting: Argo CD has not taken over the new commit: spec.source.helm.valuesObject.global.frontendUrl"},
		{"not compared", "argo", application("prod-prefect-cloud", "{sync: {comparedTo: {source: {targetRevision: 1.2.900}}}}"), "prefect-cloud progressing: Argo CD has not looked at the new specification yet"},
		{"switched off", "argo", "{apiVersion: v1, kind: Application, metadata: {name: prod-prefect-cloud}, spec: {syncPolicy: {automated: null}}}", "prefect-cloud suspended: its automatic sync is switched off -> argocd app set prod-prefect-cloud"},
		{"disabled root", "argo", "{apiVersion: v1, kind: Application, metadata: {name: prod}, spec: {syncPolicy: {automated: {enabled: false}}}}", "Application prod suspended: its automatic sync is switched off"},
		{"comparison", "argo", application("prod-prefect-cloud", "{conditions: [{type: ComparisonError, message: 'failed to load target state: helm pull: 401 unauthorized'}]}"), "prefect-cloud retrying: ComparisonError: failed to load target state: helm pull: 401 unauthorized -> registry.company.com refuses the login"},
		{"login", "argo", application("prod-prefect-cloud", "{conditions: [{type: ComparisonError, message: '"+helmLogin+"'}]}"), "response status code 401: unauthorized: authentication required -> registry.company.com refuses the login"},
		{"old project", "argo", application("prod-prefect-cloud", "{conditions: [{type: InvalidSpecError, message: \"application destination server 'https://kubernetes.default.svc' and namespace 'new' do not match any of the allowed destinations in project 'prod'\"}]}"), "-> give Argo CD the project as it is now: kubectl apply -f clusters/prod/prefect-prod.yaml"},
		{"sync fails", "argo", application("prod-prefect-cloud", "{sync: {status: OutOfSync}, operationState: {phase: Failed, message: one or more synchronization tasks completed unsuccessfully}}"), "prefect-cloud retrying: the sync failed: one or more"},
		{"sync is retried", "argo", application("prod-prefect-cloud", "{sync: {status: OutOfSync}, operationState: {phase: Running, message: 'one or more objects failed to apply. Retrying attempt #3 at 3:05AM.'}}"), "prefect-cloud retrying: the sync failed: one or more objects failed to apply. Retrying attempt #3"},
		{"sync failed for good", "argo", application("prod-prefect-cloud", "{sync: {status: OutOfSync}, conditions: [{type: SyncError, message: 'Failed last sync attempt to 1.3.900: one or more objects failed to apply (retried 5 times).'}], operationState: {phase: Failed}}"), "prefect-cloud failed: Failed last sync attempt to 1.3.900: one or more objects failed to apply (retried 5 times). -> end the cause, then: argocd app sync prod-prefect-cloud"},
		{"out of sync", "argo", application("prod-prefect-cloud", "{sync: {status: OutOfSync}}"), "prefect-cloud progressing: it is OutOfSync"},
		{"health", "argo", application("prod-prefect-cloud", "{health: {status: Progressing}}"), "prefect-cloud progressing: its health is Progressing"},
		{"degraded", "argo", application("prod-prefect-cloud", "{health: {status: Degraded}}"), "prefect-cloud retrying: Degraded: see what is not ready"},
		{"paused", "argo", application("prod-prefect-cloud", "{health: {status: Suspended, message: Deployment is paused}}"), "prefect-cloud suspended: something in it is suspended: Deployment is paused"},
		{"confirm", "argo", application("prod", "{operationState: {phase: Running, finishedAt: null, message: waiting for pruning confirmation of argoproj.io/Application/prod-old}}"), "Application prod waiting: waiting for pruning confirmation of argoproj.io/Application/prod-old -> agree that it goes: kubectl -n argocd annotate application prod argocd.argoproj.io/deletion-approved=$(date -u +%FT%TZ)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			target, err := render.Targets{targets.Flux{}, targets.Argo{}}.ByName(c.target)
			if err != nil {
				t.Fatal(err)
			}
			r, cluster := healthy(t, target)
			objects, err := rollouttest.Objects(append(cluster, []byte(c.patch))...)
			if err != nil {
				t.Fatal(err)
			}
			rollouttest.Compared(objects)
			e := r.Report(rollout.Seen{Objects: objects})
			if got := unready(e); !strings.Contains(got, c.want) || c.want == "" && got != "" {
				t.Errorf("got\n%s\nwant %s", got, c.want)
			}
		})
	}
}

// unready is the parts of an environment that are not ready, a line each.
func unready(e rollout.Environment) string {
	parts := []rollout.Part{e.Source, e.Prereqs}
	for _, release := range e.Releases() {
		parts = append(parts, release.Part)
	}
	var text strings.Builder
	for _, part := range parts {
		if part.State != rollout.Ready {
			fmt.Fprintf(&text, "%s %s: %s -> %s\n", part.Name, part.State, part.Reason, part.Next)
		}
	}
	return text.String()
}
