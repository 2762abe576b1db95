//go:build e2e

package e2e

import (
	"regexp"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// mistake is one in what is written, that users of Flux and Argo CD have made.
// A scenario must notice it: else it proves nothing. It is made in the files that
// pm-gitops committed, before they are pushed.
type mistake struct {
	name   string
	target string   // none for both
	make   mutation // none where it is made elsewhere than in the files
	// play goes as far as the scenario must have noticed, and gives what its
	// checks say, which must be what the mistake leads to.
	play func(f *fixture, made mutation) error
	want string // an expression
}

// noticed plays a mistake, which must be noticed.
func (m mistake) noticed(f *fixture) {
	f.Helper()
	err := m.play(f, m.make)
	if err == nil {
		f.Fatalf("nothing noticed the mistake: %s", m.name)
	}
	if !regexp.MustCompile(m.want).MatchString(err.Error()) {
		f.Fatalf("noticed was %v, want %s", err, m.want)
	}
	f.Logf("noticed: %.200v", err)
}

// Mistakes of a first install and of an adoption, each in a world of its own.
// The others are with their scenarios.
var firstMistakes = []mistake{
	{"no dependsOn", "flux", noDependsOn, heldInstall, tooEarly},
	{"an unlabelled namespace", "flux", unlabelled, begun, noLabel},
	{"another release name", "flux", edit("prefect/overlays/prod/*/helmrelease-patch.yaml", `releaseName: (istiod|customer-managed)$`, "releaseName: prod-$1"), adopted, `^Helm's releases in .* want|^pods after the adoption`},

	{"no sync waves", "argo", noSyncWaves, heldInstall, tooEarly},
	{"an unlabelled namespace", "argo", unlabelled, begun, noLabel},
}

const (
	// tooEarly is what is said when prefect-cloud does not wait for istiod.
	tooEarly = ` is created \(\d+\) before Deployment istio-system/istiod is ready`
	// upgradedTooEarly is the same of an upgrade.
	upgradedTooEarly = `^prefect-cloud changes \(\d+\) before istiod of .* is ready`
	noLabel          = `^never: Namespace istio-system is created with istio-injection=enabled$`
)

var (
	noDependsOn = edit("clusters/prod/*.yaml", `^  - name: prod-prefect-istiod\n`, "")
	noSyncWaves = edit("prefect/overlays/prod/*/*.yaml", `argocd.argoproj.io/sync-wave: .*`, `argocd.argoproj.io/sync-wave: "0"`)
	// unlabelled takes the label away that has pods injected.
	unlabelled = edit("prefect/overlays/prod/prereqs/*.yaml", `^    istio-injection: enabled\n`, "    other: label\n")
)

func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, m := range firstMistakes {
		t.Run(m.target+"/"+m.name, func(t *testing.T) {
			t.Parallel()
			m.noticed(start(t, m.target))
		})
	}
}

// begun goes as far as there are namespaces.
func begun(f *fixture, mistake mutation) error {
	f.deliverAs("install", mistake)
	f.bootstrap()
	f.keepSecrets()
	return f.checkInstall()
}

// heldInstall installs while no pod can be scheduled, and waits for what a
// mistake makes too early: nothing of prefect-cloud may exist then.
func heldInstall(f *fixture, mistake mutation) error {
	f.check(f.Agent.Cordon(f.ctx, true))
	f.deliverAs("install", mistake)
	f.bootstrap()
	f.keepSecrets()
	f.until("prefect-cloud has begun", 2*time.Minute, func() bool { return f.count(0, f.begun("prefect-cloud")) > 0 })
	f.check(f.Agent.Cordon(f.ctx, false))
	f.until("istiod is ready", 2*time.Minute, func() bool { return f.count(0, available(istioNamespace, "istiod")) > 0 })
	return f.checkInstall()
}

// setHealth makes the health check of Applications another one.
func (f *fixture) setHealth(lua string) {
	config := f.get("v1 ConfigMap", "argocd", "argocd-cm")
	data, _, _ := unstructured.NestedStringMap(config.Object, "data")
	const key = "resource.customizations.health.argoproj.io_Application"
	data[key] = lua
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
