//go:build e2e

package e2e

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// checkWebhooks is that istiod's rewriting its webhooks is no drift that anybody
// fights over: it has the delivery system compare three times, and looks whether
// it wrote anything, or thought that something was wrong.
func (f *fixture) checkWebhooks() error {
	f.until("istiod has rewritten its webhooks", time.Minute, func() bool {
		hook, err := f.Client.AdmissionregistrationV1().ValidatingWebhookConfigurations().Get(f.ctx, "istio-validator-istio-system", metav1.GetOptions{})
		return err == nil && *hook.Webhooks[0].FailurePolicy == "Fail" && len(hook.Webhooks[0].ClientConfig.CABundle) > 0
	})
	before := f.Journal.Now()
	for i := range 3 {
		if err := f.compare(fmt.Sprint(i)); err != nil {
			return err
		}
	}
	for _, e := range f.Journal.After(before) {
		switch kind := e.Object.GetKind(); {
		case kind == "ValidatingWebhookConfiguration" || kind == "MutatingWebhookConfiguration":
			return fmt.Errorf("%s %s was %s again", kind, e.Object.GetName(), e.Type)
		case f.of(e, "prefect-istiod") && !f.isReady(e.Object):
			return fmt.Errorf("%s %s was not ready: %v", kind, e.Object.GetName(), e.Object.Object["status"])
		case e.Type == watch.Added && of("Secret", istioNamespace, "")(e):
			return fmt.Errorf("Helm made another revision, %s", e.Object.GetName())
		}
	}
	return nil
}

// of reports whether an event is about what delivers a release.
func (f *fixture) of(e event, release string) bool {
	if f.target == "flux" {
		return e.Object.GetKind() == "HelmRelease" && e.Object.GetName() == release
	}
	return of("Application", "argocd", f.env.name+"-"+release)(e)
}

// isReady is that what delivers a release counts it as ready, whether or not
// it looks at it at the moment.
func (f *fixture) isReady(object *unstructured.Unstructured) bool {
	if f.target == "flux" {
		status := conditionOf(object, "Ready")
		return status == "True" || status == "Unknown" && conditionOf(object, "Reconciling") == "True"
	}
	health, _, _ := unstructured.NestedString(object.Object, "status", "health", "status")
	sync, _, _ := unstructured.NestedString(object.Object, "status", "sync", "status")
	return health == "Healthy" && sync == "Synced"
}

// compare has the delivery system compare istiod's release with the cluster
// now, as flux reconcile and argocd app get --hard-refresh do, and waits for it.
func (f *fixture) compare(token string) error {
	f.Helper()
	if f.target == "flux" {
		f.annotate(f.delivering("prefect-istiod"), "reconcile.fluxcd.io/requestedAt", token)
		return f.within("Flux finds nothing to correct", 30*time.Second, func() bool {
			now := f.delivering("prefect-istiod")
			handled, _, _ := unstructured.NestedString(now.Object, "status", "lastHandledReconcileAt")
			return handled == token && conditionOf(now, "Ready") == "True"
		})
	}
	return f.refreshed(f.env.name+"-prefect-istiod", "hard")
}

// refreshed has Argo CD look at an Application, and waits until it has.
func (f *fixture) refreshed(application, how string) error {
	f.Helper()
	get := func() *unstructured.Unstructured {
		return f.get("argoproj.io/v1alpha1 Application", "argocd", application)
	}
	f.annotate(get(), refresh, how)
	return f.within("Argo CD looks at "+application, time.Minute, func() bool { return get().GetAnnotations()[refresh] == "" })
}

func (f *fixture) annotate(object *unstructured.Unstructured, key, value string) {
	f.Helper()
	resource, err := f.Resource(object)
	f.check(err)
	_, err = resource.Patch(f.ctx, object.GetName(), types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, key, value), metav1.PatchOptions{})
	f.check(err)
}

// compared delivers a mistake in what is compared, and compares once what
// delivers istiod's release is told of it.
func compared(f *fixture, mistake mutation) error {
	spec := func() string { return fmt.Sprint(f.delivering("prefect-istiod").Object["spec"]) }
	before := spec()
	f.deliverAs("compared", mistake)
	f.until("istiod's release is told", 2*time.Minute, func() bool { return spec() != before })
	return f.checkWebhooks()
}

// delivering is what delivers a release.
func (f *fixture) delivering(release string) *unstructured.Unstructured {
	f.Helper()
	if f.target == "flux" {
		return f.get("helm.toolkit.fluxcd.io/v2 HelmRelease", vendorReleases[release][0], release)
	}
	return f.get("argoproj.io/v1alpha1 Application", "argocd", f.env.name+"-"+release)
}
