//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/node"
)

// Each of these is a mistake in what is written that users of Flux and Argo CD
// have made. The scenario must notice it: else it proves nothing.
//
// A mistake is made in the files that pm-gitops committed, before they are
// pushed; play goes as far as the scenario must have noticed, and gives what its
// checks say.
var mistakes = []struct {
	name, target string
	mistake      mutation
	play         func(f *fixture, mistake mutation) error
}{
	{"no dependsOn", "flux", edit("clusters/prod/*.yaml", `^  dependsOn:\n(  - name: .*\n)+`, ""), installed},
	{"an unlabelled namespace", "flux", edit("prefect/overlays/prod/prereqs/*.yaml", `^    istio-injection: enabled\n`, "    other: label\n"), installed},
	{"another release name", "flux", edit("prefect/overlays/prod/*/helmrelease-patch.yaml", `releaseName: (istiod|customer-managed)$`, "releaseName: prod-$1"), adopted},
	{"the version inside the source alone", "flux", sameSource, hoppedWithoutHelm},
	{"targetPath", "flux", targetPath, delivered},
	{"rollback", "flux", edit("prefect/overlays/prod/prefect-cloud/helmrelease-patch.yaml", `^  upgrade:\n    strategy:\n      name: RetryOnFailure\n      retryInterval: .*\n`, "  upgrade:\n    remediation: {retries: 3, strategy: rollback, remediateLastFailure: true}\n"), failing},
	{"no ignored policy", "flux", edit("prefect/base/v1/flux/prefect-istiod/helmrelease.yaml", `/webhooks/0/failurePolicy`, "/webhooks/0/nothing"), compared},
	{"wave numbers in names", "flux", nil, renumbered},

	{"no sync waves", "argo", edit("prefect/overlays/prod/*/*.yaml", `argocd.argoproj.io/sync-wave: .*`, `argocd.argoproj.io/sync-wave: "0"`), installed},
	{"an unlabelled namespace", "argo", edit("prefect/overlays/prod/prereqs/*.yaml", `^    istio-injection: enabled\n`, "    other: label\n"), installed},
	{"no health check", "argo", nil, installedWithoutHealth},
	{"the usual health check", "argo", nil, hoppedWithPlainHealth},
	{"no ignored policy", "argo", edit("prefect/base/v1/argo/prefect-istiod/*.yaml", `^  ignoreDifferences:\n(  - .*\n|    .*\n)+`, ""), compared},
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, m := range mistakes {
		t.Run(m.target+"/"+m.name, func(t *testing.T) {
			f := start(t, m.target)
			err := m.play(f, m.mistake)
			if err == nil {
				t.Fatal("nothing noticed the mistake")
			}
			t.Logf("noticed: %.200v", err)
		})
	}
}

// installed goes as far as both releases have something.
func installed(f *fixture, mistake mutation) error {
	f.deliverAs("install", mistake)
	f.bootstrap()
	f.keepSecrets(secretValue)
	f.until("both releases have begun", 2*time.Minute, func() bool {
		_, cloud := f.first(0, ofCloud)
		_, istiod := f.first(0, available(istioNamespace, "istiod"))
		return cloud == nil && istiod == nil
	})
	return f.checkInstall()
}

func installedWithoutHealth(f *fixture, _ mutation) error {
	return f.installedWithHealth("")
}

func (f *fixture) installedWithHealth(lua string) error {
	f.deliver()
	f.prepareArgo()
	f.setHealth(lua)
	f.check(f.Apply(f.ctx, f.read("clusters/prod/prefect-prod.yaml")))
	f.keepSecrets(secretValue)
	f.until("both releases have begun", 2*time.Minute, func() bool {
		_, cloud := f.first(0, ofCloud)
		_, istiod := f.first(0, available(istioNamespace, "istiod"))
		return cloud == nil && istiod == nil
	})
	return f.checkInstall()
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
	_, err = resource.Update(f.ctx, config, updateOptions)
	f.check(err)
}

func adopted(f *fixture, mistake mutation) error {
	pods := f.installByHand()
	f.deliverAs("adopt", mistake)
	f.bootstrap()
	f.until("Flux has installed", 2*time.Minute, func() bool { _, err := f.first(0, f.releaseReady("prefect-istiod")); return err == nil })
	f.until("Flux has installed", 2*time.Minute, func() bool { _, err := f.first(0, f.releaseReady("prefect-cloud")); return err == nil })
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
	f.until("Flux has applied both", 2*time.Minute, func() bool {
		return f.count(before, f.applied("prefect-istiod")) > 0 && f.count(before, f.applied("prefect-cloud")) > 0
	})
	f.check(f.Restart(f.ctx, "helm-controller"))
	f.until("both releases have begun", 2*time.Minute, func() bool {
		_, istiod := f.first(before, withImage(available(istioNamespace, "istiod"), "1.28.900"))
		return istiod == nil && f.count(before, f.cloudChanges()) > 0
	})
	return f.checkUpgrade(before, newServer, "1.28.900")
}

// applied is that a Flux Kustomization is ready at the newest commit.
func (f *fixture) applied(release string) condition {
	return condition{release + " is applied", func(e event) bool {
		return of("Kustomization", "flux-system", f.env.name+"-"+release)(e) && conditionOf(e.Object, "Ready") == "True"
	}}
}

// targetPath hands single passwords to the chart, through the parser of --set.
func targetPath(f *fixture) {
	f.Helper()
	edit("prefect/overlays/prod/prefect-cloud/helmrelease-patch.yaml", `^  valuesFrom:\n`, `  valuesFrom:
  - {kind: Secret, name: single, valuesKey: a, targetPath: db.serviceuser.password}
  - {kind: Secret, name: single, valuesKey: b, targetPath: db.superuser.password}
`)(f)
	f.check(f.Apply(f.ctx, "{apiVersion: v1, kind: Namespace, metadata: {name: "+cloudNamespace+", labels: {istio-injection: enabled}}}"))
	f.createSecret("single", map[string]string{"a": strings.NewReplacer(",", `,`).Replace(passwords("prefect-db/service")), "b": passwords("prefect-db/superuser")})
}

func delivered(f *fixture, mistake mutation) error {
	f.env.set("spec.secrets.into", "values")
	f.env.set("spec.values.prefect-cloud.migrations.delivery", "job")
	f.env.set("spec.redis.cache.password", map[string]any{"secret": "prefect-redis", "key": "cache"})
	f.deliverAs("install", mistake)
	f.bootstrap()
	f.keepSecrets(passwords)
	f.until("the release ended", 2*time.Minute, func() bool {
		hr := f.get("helm.toolkit.fluxcd.io/v2 HelmRelease", cloudNamespace, "prefect-cloud")
		return hr != nil && (conditionOf(hr, "Ready") == "True" || conditionOf(hr, "Ready") == "False" && conditionOf(hr, "Stalled") != "" || conditionOf(hr, "Released") == "False")
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
	f.install(edit("clusters/prod/*.yaml", `name: prod-last$`, "name: prod-3-last"))
	return f.insertWave(edit("clusters/prod/*.yaml", `name: prod-last$`, "name: prod-4-last"))
}

// hoppedWithPlainHealth has the check that Argo CD's documentation shows, and a
// controller that is late.
func hoppedWithPlainHealth(f *fixture, _ mutation) error {
	f.install(nil)
	before := f.Journal.Now()
	f.setHealth(`hs = {}
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
`)
	f.check(f.Agent.Cordon(f.ctx, true))
	f.nextLine()
	f.deliver()
	f.until("prefect-cloud or nothing goes on", 2*time.Minute, func() bool {
		return f.count(before, f.cloudChanges()) > 0 || f.count(before, f.looks()) > 60
	})
	f.check(f.Agent.Cordon(f.ctx, false))
	f.until("istiod is new", 2*time.Minute, func() bool {
		_, err := f.first(before, withImage(available(istioNamespace, "istiod"), "1.28.900"))
		return err == nil
	})
	return f.checkUpgrade(before, newServer, "1.28.900")
}
