//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
)

// A first install, then a patch, then a line hop.
func TestInstallPatchHop(t *testing.T) {
	both(t, func(f *fixture) {
		f.step("install", func() {
			f.install()
			f.check(f.checkInstall())
		})
		f.step("patch", func() {
			before := f.Journal.Now()
			f.patch()
			f.check(f.checkPatch(before, patchServer))
		})
		f.step("hop", f.hop)
	},
		mistake{"a patch of more than images", "", edit("prefect/overlays/prod/prefect-cloud/*-patch.yaml", `^( +)migrations:$`, "${1}istio: {gateway: {replicas: 3}}\n${1}migrations:"), patchedMore, `^the patch changed .*/prefect-istio-gateway`},
		mistake{"the version inside the source alone", "flux", sameSource, func(f *fixture, mistake mutation) error {
			return f.hoppedWithout("helm-controller", lastLine, mistake)
		}, upgradedTooEarly},
		mistake{"the usual health check", "argo", nil, hoppedWithUsualHealth, upgradedTooEarly})
}

// upgrade is versions to go to.
type upgrade struct {
	chart, server, ui string
	change            func(*fixture)                        // of the environment, besides the versions
	istiod            func(*unstructured.Unstructured) bool // that its Deployment is the new one
}

// The upgrades of the scenarios, from one to the next.
var (
	chartPatch = upgrade{"1.2.901", patchServer, patchUI, nil, istiodTag("1.27.901")}
	newLine    = upgrade{newChart, newServer, newUI, (*fixture).nextLine, istiodTag("1.28.900")}
	lastLine   = upgrade{"1.4.900", "2026.4.202604150930", "2026.0415.101500", nil, istiodReplicas(2)}
	moreIstiod = upgrade{"1.4.900", "2026.4.202605040930", "2026.0504.101500", func(f *fixture) {
		f.env.set("spec.values.prefect-istiod.istioDiscovery.replicaCount", 3)
	}, istiodReplicas(3)}
)

func istiodTag(tag string) func(*unstructured.Unstructured) bool {
	return func(deployment *unstructured.Unstructured) bool {
		return strings.HasSuffix(imageOf(deployment), ":"+tag)
	}
}

func istiodReplicas(n int64) func(*unstructured.Unstructured) bool {
	return func(deployment *unstructured.Unstructured) bool {
		replicas, _, _ := unstructured.NestedInt64(deployment.Object, "spec", "replicas")
		return replicas == n
	}
}

// deliverUpgrade delivers an upgrade.
func (f *fixture) deliverUpgrade(to upgrade, mistake mutation) {
	f.Helper()
	if to.change != nil {
		to.change(f)
	}
	f.env.versions(to.chart, to.server, to.ui)
	f.deliverAs("to "+to.chart, mistake)
}

// istiodReady is that istiod is what the upgrade makes it, and ready.
func (to upgrade) istiodReady() condition {
	isReady := available(istioNamespace, "istiod")
	return condition{"istiod of " + to.chart + " is ready", func(e event) bool { return isReady.is(e) && to.istiod(e.Object) }}
}

// checkOrder is that nothing of prefect-cloud changed before istiod was new
// and ready, and that the migration came before the services.
func (to upgrade) checkOrder(f *fixture, before uint64) error {
	return f.inOrder(before, to.istiodReady(), f.cloudChanges(), migrated, withImage(available(cloudNamespace, "server"), to.server))
}

// step is a part of a scenario, under a name of its own. The parts after it
// need it.
func (f *fixture) step(name string, do func()) {
	whole := f.T
	defer func() { f.T = whole }()
	if !whole.Run(name, func(t *testing.T) { f.T = t; do() }) {
		whole.FailNow()
	}
}

// patch delivers new server and ui tags: they change the Deployments that have
// these images, the migration, and nothing else.
func (f *fixture) patch() {
	f.Helper()
	f.env.versions(oldChart, patchServer, patchUI)
	f.deliver()
	f.awaitUpgrade(patchServer)
}

// patchedMore is a patch in which somebody changed another value, too.
func patchedMore(f *fixture, mistake mutation) error {
	const server, ui = "2026.1.202602020930", "2026.0202.101500"
	before := f.Journal.Now()
	f.env.versions(newChart, server, ui)
	f.deliverAs("patch", mistake)
	f.awaitUpgrade(server)
	return f.checkPatch(before, server)
}

// awaitUpgrade waits until a server tag is everywhere, and everything is ready.
func (f *fixture) awaitUpgrade(tag string) {
	f.Helper()
	f.until("the server is "+tag, 4*time.Minute, func() bool {
		_, err := f.first(0, withImage(available(cloudNamespace, "server"), tag))
		return err == nil
	})
	f.awaitReady()
}

// checkPatch is that a patch changed what has the images, and once.
func (f *fixture) checkPatch(before uint64, server string) error {
	images := map[string]string{} // of Deployments before: name to image
	for _, e := range f.Journal.Events() {
		if e.Version <= before && of("Deployment", cloudNamespace, "")(e) {
			images[e.Object.GetName()] = imageOf(e.Object)
		}
	}
	var want []string
	for name, image := range images {
		if repository := image[:strings.LastIndex(image, ":")+1]; strings.HasSuffix(repository, "/server:") || strings.HasSuffix(repository, "/ui:") {
			want = append(want, "Deployment "+cloudNamespace+"/"+name)
		}
	}
	slices.Sort(want)
	if got := f.changed(before); !slices.Equal(got, want) {
		return fmt.Errorf("the patch changed %q, want %q", got, want)
	}
	return f.inOrder(before, migrated, withImage(available(cloudNamespace, "server"), server))
}

// changed is the objects of releases whose specification changed after a
// version, sorted: those that the charts made, but for migrations.
func (f *fixture) changed(after uint64) []string {
	specs, changed := map[string]map[string]any{}, map[string]bool{}
	for _, e := range f.Journal.Events() {
		object := e.Object
		release := object.GetLabels()["app.kubernetes.io/managed-by"] == "Helm" || object.GetLabels()["helm.sh/chart"] != ""
		if !release || migrates(object) {
			continue
		}
		name := fmt.Sprintf("%s %s/%s", object.GetKind(), object.GetNamespace(), object.GetName())
		content := maps.Clone(object.Object)
		for _, noise := range []string{"metadata", "status"} {
			delete(content, noise)
		}
		if e.Version > after && (e.Type == watch.Deleted || specs[name] == nil || !equal(specs[name], content)) {
			changed[name] = true
		}
		specs[name] = content
	}
	return slices.Sorted(maps.Keys(changed))
}

func equal(a, b map[string]any) bool {
	return fmt.Sprint(a) == fmt.Sprint(b) // maps are printed in order
}

// hop goes to the next line, istiod first: while its new pod cannot be scheduled,
// prefect-cloud stays as it was; then each release gets exactly one new revision.
func (f *fixture) hop() {
	f.Helper()
	before := f.Journal.Now()
	f.check(f.Agent.Cordon(f.ctx, true))
	f.deliverUpgrade(newLine, nil)
	f.until("the new istiod waits for a node", 2*time.Minute, func() bool {
		return f.count(before, condition{"", func(e event) bool {
			return of("Pod", istioNamespace, "")(e) && strings.HasSuffix(imageOf(e.Object), ":1.28.900") && conditionOf(e.Object, "PodScheduled") == "False"
		}}) > 0
	})
	f.held(before)
	f.check(f.Agent.Cordon(f.ctx, false))
	f.awaitUpgrade(newServer)
	f.check(newLine.checkOrder(f, before))
	f.check(f.checkProxies(before, "1.28.900"))
	f.check(f.once(before, "prefect-istiod", "prefect-cloud"))
}

// hoppedWithUsualHealth goes one line on while istiod's chart is slow to pull, and
// its pod cannot be scheduled: until Argo CD has compared the new chart, the
// Application is healthy from before, and the root goes on.
func hoppedWithUsualHealth(f *fixture, _ mutation) error {
	before := f.Journal.Now()
	f.setHealth(usualHealth)
	f.check(f.Agent.Cordon(f.ctx, true))
	release := f.Registry.Hold("/prefect-istiod/")
	f.deliverUpgrade(lastLine, nil)
	f.until("prefect-cloud is told of the upgrade while istiod has none", 2*time.Minute, func() bool {
		return strings.Contains(fmt.Sprint(f.delivering("prefect-cloud").Object["spec"]), lastLine.server)
	})
	release()
	return f.wentOn(before, lastLine)
}

// sameSource leaves the sources' names at the version of before, as people do
// who bump a tag. Told of prefect-cloud's new values alone, what delivers it
// would have istiod's chart of before as ready.
func sameSource(f *fixture) {
	f.Helper()
	for _, release := range []string{"prefect-istiod", "prefect-cloud"} {
		edit("prefect/overlays/prod/"+release+"/*.yaml", release+"-"+regexp.QuoteMeta(lastLine.chart), release+"-"+newLine.chart)(f)
	}
}

// hoppedWithout upgrades with a mistake while a controller is away, and no pod
// can be scheduled when it is back: istiod comes second for certain then.
func (f *fixture) hoppedWithout(controller string, to upgrade, mistake mutation) error {
	before := f.Journal.Now()
	f.check(f.Stop(controller))
	f.deliverUpgrade(to, mistake)
	if f.target == "flux" {
		f.until("prefect-cloud is told of the upgrade while istiod has none", 2*time.Minute, func() bool {
			return strings.Contains(fmt.Sprint(f.delivering("prefect-cloud").Object["spec"]), to.server)
		})
	}
	f.check(f.Agent.Cordon(f.ctx, true))
	f.check(f.Restart(f.ctx, controller))
	return f.wentOn(before, to)
}

// wentOn waits until prefect-cloud goes on though istiod cannot, lets go of
// istiod, and gives what is said of the order then.
func (f *fixture) wentOn(before uint64, to upgrade) error {
	f.Helper()
	f.until("prefect-cloud goes on", 2*time.Minute, func() bool { return f.count(before, f.cloudChanges()) > 0 })
	f.check(f.Agent.Cordon(f.ctx, false))
	f.until("istiod is new", 2*time.Minute, func() bool { return f.count(before, to.istiodReady()) > 0 })
	return to.checkOrder(f, before)
}

// held waits until the delivery system has looked at the new commit often
// enough to have gone on if it were to: prefect-cloud must be what it was.
func (f *fixture) held(before uint64) {
	f.Helper()
	_, code := f.status()
	if code != notYet {
		f.Fatalf("status while istiod is held: exit code %d, want %d", code, notYet)
	}
	if f.target == "argo" {
		for range 5 {
			f.check(f.refreshed(f.env.name, "normal"))
		}
	} else {
		seen := f.looked()
		f.until("Flux looks five times", 2*time.Minute, func() bool { return f.looked() >= seen+5 })
	}
	if n := f.count(before, f.cloudChanges()); n > 0 {
		f.Fatalf("prefect-cloud changed %d times while istiod was held", n)
	}
}

// looked is how often Flux has looked at the release that waits: it writes that
// into its log alone. What is as it was it does not write again.
func (f *fixture) looked() int {
	f.Helper()
	log, err := os.ReadFile(filepath.Join(f.Dir, "log/kustomize-controller.log"))
	f.check(err)
	n := 0
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, "Dependencies do not meet ready condition") && strings.Contains(line, f.env.name+"-prefect-cloud") {
			n++
		}
	}
	return n
}

// cloudChanges is a change of what the chart prefect-cloud made.
func (f *fixture) cloudChanges() condition {
	return condition{"prefect-cloud changes", func(e event) bool {
		return of("Job", cloudNamespace, "")(e) && e.Type == watch.Added ||
			of("Deployment", cloudNamespace, "")(e) && e.Object.GetGeneration() > f.generation(e)
	}}
}

// generation is that of an object when it was last seen ready before an event.
func (f *fixture) generation(e event) int64 {
	generation := int64(0)
	for _, earlier := range f.Journal.Events() {
		if earlier.Version >= e.Version {
			break
		}
		if earlier.Object.GetUID() == e.Object.GetUID() {
			generation = earlier.Object.GetGeneration()
		}
	}
	return generation
}

// checkProxies is that every pod which an upgrade made has the proxy of the new
// istiod. A pod whose template did not change, as a gateway's, stays as it is.
func (f *fixture) checkProxies(before uint64, istio string) error {
	for name, pod := range f.pods(cloudNamespace) {
		if _, err := f.first(before, created("Pod", cloudNamespace, name)); err != nil {
			continue
		}
		containers, _, _ := unstructured.NestedSlice(pod.Object, "spec", "containers")
		for _, container := range containers {
			if c := container.(map[string]any); c["name"] == "istio-proxy" && !strings.HasSuffix(c["image"].(string), ":"+istio) {
				return fmt.Errorf("pod %s has the proxy %s of before", name, c["image"])
			}
		}
	}
	return nil
}

// once is that each of some releases got exactly one new revision after a version, with
// everything new in it.
func (f *fixture) once(before uint64, releases ...string) error {
	for _, release := range releases {
		var got int
		if f.target == "flux" {
			got = f.count(before, condition{"", func(e event) bool {
				return e.Type == watch.Added && of("Secret", vendorReleases[release][0], "")(e) && e.Object.GetLabels()["owner"] == "helm"
			}})
		} else {
			got = f.syncs(before, release)
		}
		if got != 1 {
			return fmt.Errorf("%s has %d new revisions, want 1", release, got)
		}
	}
	return nil
}

// syncs is how many syncs of a release Argo CD finished after a version.
func (f *fixture) syncs(after uint64, release string) int {
	finished := map[string]bool{}
	for _, e := range f.Journal.After(after) {
		if !of("Application", "argocd", f.env.name+"-"+release)(e) {
			continue
		}
		history, _, _ := unstructured.NestedSlice(e.Object.Object, "status", "history")
		for _, one := range history {
			finished[fmt.Sprint(one.(map[string]any)["id"])] = true
		}
	}
	for _, e := range f.Journal.Events() {
		if e.Version > after {
			break
		}
		if of("Application", "argocd", f.env.name+"-"+release)(e) {
			history, _, _ := unstructured.NestedSlice(e.Object.Object, "status", "history")
			for _, one := range history {
				delete(finished, fmt.Sprint(one.(map[string]any)["id"]))
			}
		}
	}
	return len(finished)
}
