//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// outageTime is how long something is away around a commit. It is no wait for
// anything: that it comes back late is what the scenario is about.
const outageTime = 30 * time.Second

// An upgrade while something that it needs is away: prefect-cloud stays as it
// was until istiod is new and ready, and each release gets one new revision,
// with everything new in it. One world plays several upgrades after another.
func TestHopOutage(t *testing.T) {
	both(t, func(f *fixture) {
		f.install()
		for _, hop := range outages[f.target] {
			f.step("to "+hop.to.chart+" without "+hop.without, func() { hop.play(f) })
		}
	},
		mistake{"no dependsOn", "flux", noDependsOn, func(f *fixture, mistake mutation) error {
			return f.hoppedWithout("helm-controller", moreIstiod, mistake)
		}, upgradedTooEarly},
		mistake{"no sync waves", "argo", noSyncWaves, func(f *fixture, mistake mutation) error {
			return f.hoppedWithout("argocd-repo-server", lastLine, mistake)
		}, upgradedTooEarly})
}

// outage is an upgrade without a program, or the registry.
type outage struct {
	without string
	to      upgrade
}

// The upgrades of the two targets.
var outages = map[string][]outage{
	"flux": {{"registry", chartPatch}, {"helm-controller", newLine}, {"source-controller", lastLine}},
	"argo": {{"registry", chartPatch}, {"argocd-repo-server", newLine}},
}

func (o outage) play(f *fixture) {
	f.Helper()
	before := f.Journal.Now()
	f.check(o.begin(f))
	f.deliverUpgrade(o.to, nil)
	select {
	case <-f.ctx.Done():
		f.Fatal(f.ctx.Err())
	case <-time.After(outageTime):
	}
	if out, code := f.status(); code == ready {
		f.Fatalf("status says ready while %s is away:\n%s", o.without, out)
	}
	if n := f.count(before, f.cloudChanges()); n > 0 {
		f.Fatalf("prefect-cloud changed %d times while %s was away", n, o.without)
	}
	f.check(o.end(f))
	f.awaitUpgrade(o.to.server)
	f.check(o.to.checkOrder(f, before))
	f.check(f.once(before, "prefect-istiod", "prefect-cloud"))
	f.check(o.to.checkNew(f))
}

// begin makes what is away stop, as a crash would.
func (o outage) begin(f *fixture) error {
	if o.without == "registry" {
		f.Registry.Stop()
		return nil
	}
	return f.Stop(o.without)
}

func (o outage) end(f *fixture) error {
	if o.without == "registry" {
		return f.Registry.Start()
	}
	return f.Restart(f.ctx, o.without)
}

// checkNew is that the chart, its values and the images are all of the one new
// revision: every Deployment of prefect-cloud says its chart in a label.
func (to upgrade) checkNew(f *fixture) error {
	newest := map[string]*unstructured.Unstructured{}
	for _, e := range f.Journal.Events() {
		if of("Deployment", cloudNamespace, "")(e) {
			newest[e.Object.GetName()] = e.Object
		}
	}
	for name, want := range map[string]string{"server": to.server, "auth": to.server, "scheduler": to.server, "ui": to.ui} {
		deployment := newest[name]
		chart, _, _ := strings.Cut(deployment.GetLabels()["helm.sh/chart"], "_") // Flux adds the chart's digest
		if chart != "prefect-cloud-"+to.chart || !strings.HasSuffix(imageOf(deployment), ":"+want) {
			return fmt.Errorf("Deployment %s is of chart %s with image %s, want %s and %s", name, chart, imageOf(deployment), to.chart, want)
		}
	}
	return nil
}
