//go:build e2e

package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/node"
)

// Each of these is a mistake in what is written that users of Flux and Argo CD
// have made. The scenario must notice it: else it proves nothing.
//
// A mistake is made in the files that pm-gitops committed, before they are
// pushed; play goes as far as the scenario must have noticed, and gives what its
// checks say, which must be what the mistake leads to.
var mistakes = []struct {
	name, target string
	mistake      mutation
	play         func(f *fixture, mistake mutation) error
	want         string // an expression
}{
	{"no dependsOn", "flux", edit("clusters/prod/*.yaml", `^  - name: prod-prefect-istiod\n`, ""), heldInstall, tooEarly},
	{"an unlabelled namespace", "flux", unlabelled, begun, `^never: Namespace istio-system is created with istio-injection=enabled$`},
	{"another release name", "flux", edit("prefect/overlays/prod/*/helmrelease-patch.yaml", `releaseName: (istiod|customer-managed)$`, "releaseName: prod-$1"), adopted, `^Helm's releases in .* want|^pods after the adoption`},
	{"the version inside the source alone", "flux", sameSource, hoppedWithoutHelm, ` before Deployment istio-system/istiod is ready with 1.28.900|has the proxy .* of before`},
	{"targetPath", "flux", targetPath, delivered, `^nebula-user-connection-strings/|"nebula-user-connection-strings" not found`},
	{"rollback", "flux", edit("prefect/overlays/prod/prefect-cloud/helmrelease-patch.yaml", `^  upgrade:\n    strategy:\n      name: RetryOnFailure\n      retryInterval: .*\n`, "  upgrade:\n    remediation: {retries: 3, strategy: rollback, remediateLastFailure: true}\n"), failing, `rollback|rolled back|went back`},
	{"no ignored policy", "flux", edit("prefect/base/v1/flux/prefect-istiod/helmrelease.yaml", `/webhooks/0/failurePolicy`, "/webhooks/0/nothing"), compared, `^ValidatingWebhookConfiguration|^Flux finds nothing to correct`},
	{"wave numbers in names", "flux", nil, renumbered, `^pod last .* is gone$`},

	{"no sync waves", "argo", edit("prefect/overlays/prod/*/*.yaml", `argocd.argoproj.io/sync-wave: .*`, `argocd.argoproj.io/sync-wave: "0"`), heldInstall, tooEarly},
	{"an unlabelled namespace", "argo", unlabelled, begun, `^never: Namespace istio-system is created with istio-injection=enabled$`},
	{"no health check", "argo", nil, func(f *fixture, _ mutation) error { return f.installWithHealth("") }, tooEarly},
	{"the usual health check", "argo", nil, hoppedWithUsualHealth, ` before Deployment istio-system/istiod is ready with 1.28.900`},
	{"no ignored policy", "argo", edit("prefect/base/v1/argo/prefect-istiod/application.yaml", `^    - \.webhooks\[\]\?\.failurePolicy\n`, ""), compared, `^ValidatingWebhookConfiguration|^Application`},
}

// tooEarly is what is said when prefect-cloud does not wait for istiod.
const tooEarly = ` is created \(\d+\) before Deployment istio-system/istiod is ready`

// unlabelled takes the label away that has pods injected.
var unlabelled = edit("prefect/overlays/prod/prereqs/*.yaml", `^    istio-injection: enabled\n`, "    other: label\n")

func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, m := range mistakes {
		t.Run(m.target+"/"+m.name, func(t *testing.T) {
			t.Parallel()
			f := start(t, m.target)
			err := m.play(f, m.mistake)
			if err == nil {
				t.Fatal("nothing noticed the mistake")
			}
			if !regexp.MustCompile(m.want).MatchString(err.Error()) {
				t.Fatalf("noticed was %v, want %s", err, m.want)
			}
			t.Logf("noticed: %.200v", err)
		})
	}
}

// begun goes as far as there are namespaces.
func begun(f *fixture, mistake mutation) error {
	f.deliverAs("install", mistake)
	f.bootstrap()
	f.keepSecrets(secretValue)
	return f.checkInstall()
}

// heldInstall installs while no pod can be scheduled: nothing of prefect-cloud
// may exist then.
func heldInstall(f *fixture, mistake mutation) error {
	f.check(f.Agent.Cordon(f.ctx, true))
	f.deliverAs("install", mistake)
	f.bootstrap()
	f.keepSecrets(secretValue)
	return f.checkHeld()
}

// checkHeld waits for what a mistake makes too early, and lets go of istiod.
func (f *fixture) checkHeld() error {
	f.until("prefect-cloud has begun", time.Minute, func() bool { return f.count(0, f.begun("prefect-cloud")) > 0 })
	f.check(f.Agent.Cordon(f.ctx, false))
	f.until("istiod is ready", time.Minute, func() bool { return f.count(0, available(istioNamespace, "istiod")) > 0 })
	return f.checkInstall()
}

// installWithHealth installs with another health check of Applications.
func (f *fixture) installWithHealth(lua string) error {
	f.check(f.Agent.Cordon(f.ctx, true))
	f.deliver()
	f.prepareArgo()
	f.setHealth(lua)
	f.check(f.Apply(f.ctx, f.read("clusters/prod/prefect-prod.yaml")))
	f.keepSecrets(secretValue)
	return f.checkHeld()
}

// setHealth makes the health check of Applications another one.
func (f *fixture) setHealth(lua string) {
	config := f.get("v1 ConfigMap", "argocd", "argocd-cm")
	data, _, _ := unstructured.NestedStringMap(config.Object, "data")
	const key = "resource.customizations.health.argoproj.io_Application"
	if data[key] = lua; lua == "" {
		delete(data, key)
	}
	f.check(unstructured.SetNestedStringMap(config.Object, data, "data"))
	resource, err := f.Resource(config)
	f.check(err)
	_, err = resource.Update(f.ctx, config, metav1.UpdateOptions{})
	f.check(err)
}

func adopted(f *fixture, mistake mutation) error {
	pods := f.installByHand()
	f.deliverAs("adopt", mistake)
	f.bootstrap()
	f.until("Helm has another release", 2*time.Minute, func() bool { return len(f.revisions(istioNamespace, "prod-istiod")) > 0 })
	return f.checkAdoption(pods)
}

// sameSource leaves the sources' names at the version of before, as people do
// who bump a tag.
func sameSource(f *fixture) {
	f.Helper()
	for _, release := range []string{"prefect-istiod", "prefect-cloud"} {
		edit("prefect/overlays/prod/"+release+"/*.yaml", release+`-1\.3\.900`, release+"-"+oldChart)(f)
	}
}

func hoppedWithoutHelm(f *fixture, mistake mutation) error {
	f.install(nil)
	before := f.Journal.Now()
	f.nextLine()
	f.check(f.Stop("helm-controller"))
	f.deliverAs("hop", mistake)
	f.until("prefect-cloud is told of the hop while istiod has none", 2*time.Minute, func() bool {
		return f.count(before, condition{"", func(e event) bool {
			return of("HelmRelease", cloudNamespace, "prefect-cloud")(e) && strings.Contains(fmt.Sprint(e.Object.Object["spec"]), newServer)
		}}) > 0
	})
	f.check(f.Agent.Cordon(f.ctx, true)) // istiod's new pod comes second for certain
	f.check(f.Restart(f.ctx, "helm-controller"))
	f.until("prefect-cloud goes on", 2*time.Minute, func() bool { return f.count(before, f.cloudChanges()) > 0 })
	f.check(f.Agent.Cordon(f.ctx, false))
	f.until("istiod is new", 2*time.Minute, func() bool {
		return f.count(before, withImage(available(istioNamespace, "istiod"), "1.28.900")) > 0
	})
	return f.checkUpgrade(before, newServer, "1.28.900")
}

// targetPath hands single passwords to the chart, through the parser of --set.
func targetPath(f *fixture) {
	f.Helper()
	edit("prefect/overlays/prod/prefect-cloud/helmrelease-patch.yaml", `^  valuesFrom:\n`, `  valuesFrom:
  - {kind: Secret, name: single, valuesKey: a, targetPath: db.serviceuser.password}
  - {kind: Secret, name: single, valuesKey: b, targetPath: db.superuser.password}
`)(f)
	f.check(f.Apply(f.ctx, "{apiVersion: v1, kind: Namespace, metadata: {name: "+cloudNamespace+", labels: {istio-injection: enabled}}}"))
	f.createSecret("single", map[string]string{"a": passwords("prefect-db/service"), "b": passwords("prefect-db/superuser")})
}

func delivered(f *fixture, mistake mutation) error {
	f.env.set("spec.secrets.into", "values")
	f.env.set("spec.values.prefect-cloud.migrations.delivery", "job")
	f.env.set("spec.redis.cache.password", map[string]any{"secret": "prefect-redis", "key": "cache"})
	f.deliverAs("install", mistake)
	f.bootstrap()
	f.keepSecrets(passwords)
	f.until("the chart has made its Secrets, or Flux gives up", 2*time.Minute, func() bool {
		hr := f.get("helm.toolkit.fluxcd.io/v2 HelmRelease", cloudNamespace, "prefect-cloud")
		return f.count(0, created("Secret", cloudNamespace, "nebula-user-connection-strings")) > 0 || hr != nil && conditionOf(hr, "Ready") == "False" && conditionOf(hr, "Stalled") != "" ||
			hr != nil && strings.Contains(fmt.Sprint(hr.Object["status"]), "ValuesError")
	})
	return f.checkValues()
}

func failing(f *fixture, mistake mutation) error {
	f.env.set("spec.values.prefect-cloud.migrations.backoffLimit", 1)
	f.install(nil)
	before := f.Journal.Now()
	f.Agent.Script(func(m node.Migration) node.Outcome { return node.Outcome{Takes: time.Second, ExitCode: 1} })
	f.env.versions(oldChart, patchServer, patchUI)
	f.deliverAs("patch", mistake)
	f.until("a migration failed, and something was done about it", 2*time.Minute, func() bool {
		return f.count(before, f.tried()) >= 1 && f.neverUndone(before) != nil || f.count(before, f.tried()) >= 5
	})
	return f.neverUndone(before)
}

func compared(f *fixture, mistake mutation) error {
	f.deliverAs("install", mistake)
	f.bootstrap()
	f.keepSecrets(secretValue)
	f.until("istiod runs", 2*time.Minute, func() bool { _, err := f.first(0, available(istioNamespace, "istiod")); return err == nil })
	return f.checkWebhooks()
}

// renumbered names Flux Kustomizations by their wave, before and after a wave
// more: what is renamed is pruned.
func renumbered(f *fixture, _ mutation) error {
	f.pushApp()
	kept := f.app("kept", "")
	f.env.set("spec.releases", []any{f.app("gone", "prefect-cloud"), kept, f.app("last", "prefect-cloud")})
	f.deliverAs("install", edit("clusters/prod/*.yaml", `name: prod-last$`, "name: prod-3-last"))
	f.bootstrap()
	f.keepSecrets(secretValue)
	f.until("everything runs", 2*time.Minute, func() bool { return f.appPod("last") != "" && f.appPod("gone") != "" })
	before := f.everyPod()
	f.putBetween(edit("clusters/prod/*.yaml", `name: prod-last$`, "name: prod-4-last"))
	_ = f.within("a pod is gone", time.Minute, func() bool { return f.allLeft(before) != nil })
	return f.allLeft(before)
}

// usualHealth is the check that Argo CD's documentation shows
// (https://argo-cd.readthedocs.io/en/stable/operator-manual/health/#argocd-app).
const usualHealth = `hs = {}
hs.status = "Progressing"
hs.message = ""
if obj.status ~= nil then
  if obj.status.health ~= nil then
    hs.status = obj.status.health.status
    if obj.status.health.message ~= nil then
      hs.message = obj.status.health.message
    end
  end
end
return hs
`

// hoppedWithUsualHealth goes to the next line while istiod is held: its
// Application is healthy still, from before.
func hoppedWithUsualHealth(f *fixture, _ mutation) error {
	f.install(nil)
	before := f.Journal.Now()
	f.setHealth(usualHealth)
	f.check(f.Agent.Cordon(f.ctx, true))
	f.nextLine()
	f.deliver()
	f.until("prefect-cloud goes on", 2*time.Minute, func() bool { return f.count(before, f.cloudChanges()) > 0 })
	f.check(f.Agent.Cordon(f.ctx, false))
	f.until("istiod is new", 2*time.Minute, func() bool {
		return f.count(before, withImage(available(istioNamespace, "istiod"), "1.28.900")) > 0
	})
	return f.checkUpgrade(before, newServer, "1.28.900")
}
