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
		f.install(nil)
		for _, hop := range outages[f.target] {
			f.Logf("%s without %s", hop.chart, hop.without)
			hop.play(f)
		}
	})
}

// outage is an upgrade without a program, or the registry.
type outage struct {
	without           string
	chart, server, ui string
	change            func(*fixture) // besides the versions
	istiod            func(*unstructured.Unstructured) bool
}

// The upgrades of the two targets. The chart of 1.4.900 has two pods of istiod
// of the version before.
var outages = map[string][]outage{
	"flux": {
		{"registry", "1.2.901", patchServer, patchUI, nil, istiodTag("1.27.901")},
		{"helm-controller", newChart, newServer, newUI, (*fixture).nextLine, istiodTag("1.28.900")},
		{"source-controller", "1.4.900", "2026.4.202604150930", "2026.0415.101500", nil, twoOfIstiod},
	},
	"argo": {
		{"registry", "1.2.901", patchServer, patchUI, nil, istiodTag("1.27.901")},
		{"argocd-repo-server", newChart, newServer, newUI, (*fixture).nextLine, istiodTag("1.28.900")},
	},
}

func istiodTag(tag string) func(*unstructured.Unstructured) bool {
	return func(deployment *unstructured.Unstructured) bool {
		return strings.HasSuffix(imageOf(deployment), ":"+tag)
	}
}

func twoOfIstiod(deployment *unstructured.Unstructured) bool {
	replicas, _, _ := unstructured.NestedInt64(deployment.Object, "spec", "replicas")
	return replicas == 2
}

func (o outage) play(f *fixture) {
	f.Helper()
	before := f.Journal.Now()
	if o.change != nil {
		o.change(f)
	}
	f.env.versions(o.chart, o.server, o.ui)
	f.check(o.begin(f))
	f.deliver()
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
	f.awaitUpgrade(o.server)
	f.check(o.checkOrder(f, before))
	f.check(f.once(before))
	f.check(o.checkNew(f))
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

// checkOrder is that nothing of prefect-cloud changed before istiod was new
// and ready, and that the migration came before the services.
func (o outage) checkOrder(f *fixture, before uint64) error {
	istiod := condition{"istiod of " + o.chart + " is ready", func(e event) bool {
		return available(istioNamespace, "istiod").is(e) && o.istiod(e.Object)
	}}
	return f.inOrder(before, istiod, f.cloudChanges(), migrated, withImage(available(cloudNamespace, "server"), o.server))
}

// checkNew is that the chart, its values and the images are all of the one new
// revision: every Deployment of prefect-cloud says its chart in a label.
func (o outage) checkNew(f *fixture) error {
	newest := map[string]*unstructured.Unstructured{}
	for _, e := range f.Journal.Events() {
		if of("Deployment", cloudNamespace, "")(e) {
			newest[e.Object.GetName()] = e.Object
		}
	}
	for name, want := range map[string]string{"server": o.server, "auth": o.server, "scheduler": o.server, "ui": o.ui} {
		deployment := newest[name]
		chart, _, _ := strings.Cut(deployment.GetLabels()["helm.sh/chart"], "_") // Flux adds the chart's digest
		if chart != "prefect-cloud-"+o.chart || !strings.HasSuffix(imageOf(deployment), ":"+want) {
			return fmt.Errorf("Deployment %s is of chart %s with image %s, want %s and %s", name, chart, imageOf(deployment), o.chart, want)
		}
	}
	return nil
}
