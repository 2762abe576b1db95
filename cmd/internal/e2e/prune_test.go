//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// What was installed by hand with helm, as the vendor's guide does it, is taken
// over: no second installation, and no pod is replaced. Then releases come and
// go: what is taken out of the file goes, unless it is protected; what is put in
// between moves nothing; and without the delivery system everything goes on.
func TestAdoptionPrune(t *testing.T) {
	both(t, func(f *fixture) {
		f.step("adoption", func() {
			pods := f.installByHand()
			f.deliver()
			f.bootstrap()
			f.awaitReady()
			f.check(f.checkAdoption(pods))
		})
		f.step("more releases", func() {
			f.pushApp()
			f.addVolumes("a", "b")
			gone, kept := withDatabase(f.app("gone", "prefect-cloud")), withDatabase(f.app("kept", ""))
			kept["protect"] = true
			f.deliverReleases(gone, kept, f.app("last", "prefect-cloud"))
			f.awaitReady()
		})
		f.step("a wave more", func() { f.check(f.insertWave()) })
		f.step("releases less", func() {
			f.removeReleases()
			f.check(f.checkLeft())
		})
		f.step("no root", func() {
			f.removeRoot()
			f.check(f.checkUnmanaged())
			f.check(f.checkLeft())
		})
	},
		mistake{"what is managed goes with what manages it", "flux", unprotected, rootless, ` was deleted$|is not what it was$|, and uninstalls$`},
		mistake{"what is managed goes with what manages it", "argo", edit("prefect/overlays/prod/prefect-*/application-patch.yaml", `^metadata:$`, "metadata:\n  finalizers: [resources-finalizer.argocd.argoproj.io]"), rootless, ` was deleted$|is not what it was$`},
		mistake{"wave numbers in names", "flux", edit("clusters/prod/*.yaml", `name: prod-last$`, "name: prod-4-last"), renumbered, `^pod last .* is gone$`})
}

// renumbered names a Flux Kustomization by its wave: what is renamed is pruned.
// It comes last: Flux may wait for what it prunes. Everything is installed anew,
// when the mistake before has uninstalled it.
func renumbered(f *fixture, mistake mutation) error {
	f.until("nothing but the protected release is left", 2*time.Minute, func() bool { return slices.Equal(f.managed(), []string{"kept"}) })
	f.deliver()
	f.bootstrap()
	f.awaitReady()
	before := f.everyPod()
	f.deliverAs("renumbered", mistake)
	_ = f.within("a pod is gone", 2*time.Minute, func() bool { return f.allLeft(before) != nil })
	return f.allLeft(before)
}

// unprotected has Flux take away what it made, as it does unasked.
func unprotected(f *fixture) {
	f.Helper()
	edit("clusters/prod/*.yaml", `^  deletionPolicy: Orphan\n`, "")(f)
	edit("prefect/base/v1/flux/prefect-*/helmrelease.yaml", `kustomize.toolkit.fluxcd.io/prune: disabled`, "nothing: protected")(f)
}

// managed is the names of Flux's Kustomizations and releases that there are.
func (f *fixture) managed() []string {
	names := map[types.UID]string{}
	for _, e := range f.Journal.Events() {
		if kind := e.Object.GetKind(); kind != "HelmRelease" && kind != "Kustomization" {
			continue
		}
		names[e.Object.GetUID()] = e.Object.GetName()
		if e.Type == watch.Deleted {
			delete(names, e.Object.GetUID())
		}
	}
	return slices.Sorted(maps.Values(names))
}

// rootless delivers a mistake, and deletes the root.
func rootless(f *fixture, mistake mutation) error {
	f.deliverAs("unprotected", mistake)
	f.bootstrap()
	f.until("nothing is protected", 2*time.Minute, func() bool { return !f.isProtected("prefect-istiod") && !f.isProtected("prefect-cloud") })
	f.awaitReady()
	f.removeRoot()
	return f.checkUnmanaged()
}

// isProtected reports whether what delivers a release leaves it alone when it
// goes, or is not there.
func (f *fixture) isProtected(release string) bool {
	f.Helper()
	delivering := f.delivering(release)
	if delivering == nil || f.target == "argo" {
		return delivering == nil || len(delivering.GetFinalizers()) == 0
	}
	kustomization := f.get("kustomize.toolkit.fluxcd.io/v1 Kustomization", "flux-system", f.env.name+"-"+release)
	if kustomization == nil || delivering.GetAnnotations()["kustomize.toolkit.fluxcd.io/prune"] == "disabled" {
		return true
	}
	policy, _, _ := unstructured.NestedString(kustomization.Object, "spec", "deletionPolicy")
	return policy == "Orphan"
}

// deliverReleases delivers releases besides the vendor's.
func (f *fixture) deliverReleases(releases ...any) {
	f.Helper()
	f.env.set("spec.releases", releases)
	f.deliver()
	if f.target == "argo" { // a registry is new to Argo CD, a namespace to the project, which a person applies
		f.bootstrap()
	}
}

// insertWave puts a release in front of another, which becomes a later wave:
// nothing of what runs may be replaced.
func (f *fixture) insertWave() error {
	f.Helper()
	before := f.everyPod()
	releases := f.env.tree["spec"].(map[string]any)["releases"].([]any)
	f.deliverReleases(append(slices.Clone(releases[:2]), f.app("between", "prefect-cloud"), f.app("last", "between"))...)
	f.until("the release in between runs", 4*time.Minute, func() bool { return f.appPod("between") != "" })
	f.awaitReady()
	return f.allLeft(before)
}

// allLeft is that every pod of before is still there.
func (f *fixture) allLeft(before []string) error {
	f.Helper()
	after := f.everyPod()
	for _, pod := range before {
		if !slices.Contains(after, pod) {
			return fmt.Errorf("pod %s is gone", pod)
		}
	}
	return nil
}

// everyPod is the pods of all releases.
func (f *fixture) everyPod() []string {
	f.Helper()
	pods := f.podIDs()
	for _, name := range []string{"gone", "kept", "last"} {
		pods = append(pods, name+" "+f.appPod(name))
	}
	return pods
}

// removeReleases takes two releases out of the file, of which one is protected.
// Argo CD wants a person's word before it lets go of the protected one.
func (f *fixture) removeReleases() {
	f.Helper()
	before := f.Journal.Now()
	f.env.set("spec.releases", []any{f.app("between", "prefect-cloud"), f.app("last", "between")})
	f.deliver()
	if f.target == "argo" {
		f.until("Argo CD waits for a person", 2*time.Minute, func() bool {
			out, code := f.status()
			return code == notYet && containsAll(out, "deletion-approved")
		})
		f.annotate(f.get("argoproj.io/v1alpha1 Application", "argocd", f.env.name), "argocd.argoproj.io/deletion-approved", time.Now().UTC().Format(time.RFC3339))
	}
	f.until("the release is uninstalled", 2*time.Minute, func() bool { return f.count(before, deleted("Deployment", "apps-gone", "gone")) > 0 })
	f.until("its database does not run", time.Minute, func() bool { return f.count(before, deleted("StatefulSet", "apps-gone", "database")) > 0 })
	f.awaitReady()
}

// checkLeft is that nothing else went with the release: what holds data stays
// even of a release that goes.
func (f *fixture) checkLeft() error {
	if f.appPod("kept") == "" || len(f.pods("apps-kept")) != 2 {
		return fmt.Errorf("the protected release has pods %v", f.pods("apps-kept"))
	}
	for _, one := range [][3]string{
		{"v1 Namespace", "", istioNamespace}, {"v1 Namespace", "", cloudNamespace},
		{"v1 Namespace", "", "apps-gone"}, {"v1 Namespace", "", "apps-kept"}, {"v1 Namespace", "", "apps-last"},
		{"apiextensions.k8s.io/v1 CustomResourceDefinition", "", "gateways.networking.istio.io"},
		{"apiextensions.k8s.io/v1 CustomResourceDefinition", "", "databases.gone.example.com"},
		{"apiextensions.k8s.io/v1 CustomResourceDefinition", "", "databases.kept.example.com"},
		{"v1 PersistentVolumeClaim", "apps-gone", "data-database-0"}, {"v1 PersistentVolumeClaim", "apps-kept", "data-database-0"},
		{"apps/v1 StatefulSet", "apps-kept", "database"},
	} {
		if object := f.get(one[0], one[1], one[2]); object == nil || object.GetDeletionTimestamp() != nil {
			return fmt.Errorf("%s is gone", one)
		}
	}
	for _, e := range f.Journal.Events() {
		if kind := e.Object.GetKind(); e.Type == watch.Deleted && slices.Contains([]string{"CustomResourceDefinition", "Namespace", "PersistentVolumeClaim"}, kind) {
			return fmt.Errorf("%s %s was deleted", kind, e.Object.GetName())
		}
	}
	return nil
}

// removeRoot deletes what the delivery system was pointed at, as somebody does
// who means to start anew, and for Argo CD what is below. A release that is not
// protected goes with that: with it everything is done that will be.
func (f *fixture) removeRoot() {
	f.Helper()
	before := f.Journal.Now()
	if f.target == "flux" {
		f.remove("kustomize.toolkit.fluxcd.io/v1 Kustomization", "flux-system", "fleet")
		f.until("the Flux Kustomizations are gone", 2*time.Minute, func() bool {
			return f.get("kustomize.toolkit.fluxcd.io/v1 Kustomization", "flux-system", f.env.name+"-prefect-cloud") == nil &&
				f.get("kustomize.toolkit.fluxcd.io/v1 Kustomization", "flux-system", f.env.name+"-prefect-istiod") == nil
		})
	} else {
		f.remove("argoproj.io/v1alpha1 Application", "argocd", f.env.name)
		for _, child := range []string{"prereqs", "prefect-cloud", "prefect-istiod", "last"} {
			f.remove("argoproj.io/v1alpha1 Application", "argocd", f.env.name+"-"+child)
		}
	}
	f.until("the last release is uninstalled", 2*time.Minute, func() bool { return f.count(before, deleted("Deployment", "apps-last", "last")) > 0 })
}

// checkUnmanaged is that the vendor's releases are as they were, and that
// nothing is about to uninstall them.
func (f *fixture) checkUnmanaged() error {
	for _, e := range f.Journal.Events() {
		if namespace := e.Object.GetNamespace(); e.Type == watch.Deleted && (namespace == istioNamespace || namespace == cloudNamespace) && e.Object.GetKind() == "Deployment" {
			return fmt.Errorf("Deployment %s was deleted", e.Object.GetName())
		}
	}
	for _, release := range []struct{ namespace, deployment, key string }{{istioNamespace, "istiod", "prefect-istiod"}, {cloudNamespace, "server", "prefect-cloud"}} {
		deployment := f.get("apps/v1 Deployment", release.namespace, release.deployment)
		if deployment == nil || deployment.GetDeletionTimestamp() != nil || !rolledOut(deployment) {
			return fmt.Errorf("Deployment %s is not what it was", release.deployment)
		}
		if f.target != "flux" {
			continue
		}
		if hr := f.get("helm.toolkit.fluxcd.io/v2 HelmRelease", release.namespace, release.key); hr == nil || hr.GetDeletionTimestamp() != nil {
			return fmt.Errorf("HelmRelease %s went with the root, and uninstalls", release.key)
		}
	}
	return nil
}

// remove deletes an object and waits until it is gone.
func (f *fixture) remove(kind, namespace, name string) {
	f.Helper()
	object := f.get(kind, namespace, name)
	if object == nil {
		f.Fatalf("%s %s is not there", kind, name)
	}
	resource, err := f.Resource(object)
	f.check(err)
	f.check(resource.Delete(f.ctx, name, metav1.DeleteOptions{}))
	f.until(name+" is gone", time.Minute, func() bool {
		_, err := resource.Get(f.ctx, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}
