//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What is taken out of the file goes, unless it is protected; what is put in
// between moves nothing; and without the delivery system everything goes on.
func TestPrune(t *testing.T) {
	both(t, func(f *fixture) {
		f.pushApp()
		kept := f.app("kept", "")
		kept["protect"] = true
		f.env.set("spec.releases", []any{f.app("gone", "prefect-cloud"), kept, f.app("last", "prefect-cloud")})
		f.install(nil)
		f.check(f.insertWave(nil))
		f.removeReleases(kept)
		f.check(f.checkLeft())
		f.removeRoot()
	})
}

// insertWave puts a release in front of another, which becomes a later wave:
// nothing of what runs may be replaced.
func (f *fixture) insertWave(mistake mutation) error {
	f.Helper()
	before := f.everyPod()
	releases := f.env.tree["spec"].(map[string]any)["releases"].([]any)
	last := f.app("last", "between")
	f.env.set("spec.releases", append(slices.Clone(releases[:2]), f.app("between", "prefect-cloud"), last))
	f.deliverAs("a wave more", mistake)
	f.until("the release in between runs", 2*time.Minute, func() bool { return f.appPod("between") != "" })
	f.awaitReady()
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
func (f *fixture) removeReleases(kept map[string]any) {
	f.Helper()
	before := f.Journal.Now()
	f.env.set("spec.releases", []any{f.app("between", "prefect-cloud"), f.app("last", "between")})
	f.deliverAs("two releases less", nil)
	if f.target == "argo" {
		f.until("Argo CD waits for a person", 2*time.Minute, func() bool {
			out, code := f.status()
			return code == notYet && containsAll(out, "deletion-approved")
		})
		f.annotate(f.get("argoproj.io/v1alpha1 Application", "argocd", f.env.name), "argocd.argoproj.io/deletion-approved", time.Now().UTC().Format(time.RFC3339))
	}
	f.until("the release is uninstalled", 2*time.Minute, func() bool { return f.count(before, deleted("Deployment", "apps-gone", "gone")) > 0 })
	f.awaitReady()
}

// checkLeft is that nothing else went with the release.
func (f *fixture) checkLeft() error {
	if f.appPod("kept") == "" || f.appPod("last") == "" {
		return fmt.Errorf("a release that stays has no pod")
	}
	for _, name := range []string{istioNamespace, cloudNamespace, "apps-gone", "apps-kept", "apps-last"} {
		if _, err := f.Client.CoreV1().Namespaces().Get(f.ctx, name, metav1.GetOptions{}); err != nil {
			return err
		}
	}
	for _, e := range f.Journal.Events() {
		if kind := e.Object.GetKind(); e.Type == "DELETED" && (kind == "CustomResourceDefinition" || kind == "Namespace" || kind == "PersistentVolumeClaim") {
			return fmt.Errorf("%s %s was deleted", kind, e.Object.GetName())
		}
	}
	return nil
}

// removeRoot deletes what the delivery system was pointed at, as somebody does
// who means to start anew: no workload may go with it.
func (f *fixture) removeRoot() {
	f.Helper()
	before := f.podIDs()
	if f.target == "flux" {
		f.remove("kustomize.toolkit.fluxcd.io/v1 Kustomization", "flux-system", "fleet")
		f.until("the Flux Kustomizations of the releases are gone", 2*time.Minute, func() bool {
			return f.get("kustomize.toolkit.fluxcd.io/v1 Kustomization", "flux-system", f.env.name+"-prefect-cloud") == nil
		})
	} else {
		f.remove("argoproj.io/v1alpha1 Application", "argocd", f.env.name)
		f.remove("argoproj.io/v1alpha1 Application", "argocd", f.env.name+"-prefect-cloud")
		f.remove("argoproj.io/v1alpha1 Application", "argocd", f.env.name+"-prefect-istiod")
	}
	if after := f.podIDs(); !slices.Equal(before, after) {
		f.Errorf("pods without the root are %q, want %q", after, before)
	}
	for _, release := range []struct{ namespace, name string }{{istioNamespace, "istiod"}, {cloudNamespace, "server"}} {
		if deployment := f.get("apps/v1 Deployment", release.namespace, release.name); deployment == nil || deployment.GetDeletionTimestamp() != nil {
			f.Errorf("Deployment %s went with the root", release.name)
		}
	}
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
