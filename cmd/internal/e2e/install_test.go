//go:build e2e

package e2e

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A migration that is a pod of its own; Secrets that the chart reads itself; and
// istiod's webhooks, which it rewrites.
func TestInstallPod(t *testing.T) {
	both(t, func(f *fixture) {
		f.env.set("spec.values.prefect-cloud.migrations.delivery", "pod")
		f.step("install", func() {
			f.install()
			f.check(f.checkInstall())
		})
		f.step("secrets", func() { f.check(f.checkRead()) })
		f.step("webhooks", func() { f.check(f.checkWebhooks()) })
	},
		mistake{"Secrets that the chart makes", "", madeByChart, delivered((*fixture).checkRead, "cannot be imported"), `^pods read |cannot be imported`},
		mistake{"no ignored policy", "flux", edit("prefect/base/v1/flux/prefect-istiod/helmrelease.yaml", `/webhooks/0/failurePolicy`, "/webhooks/0/nothing"), compared, `^ValidatingWebhookConfiguration|^Flux finds nothing to correct`},
		mistake{"no ignored policy", "argo", edit("prefect/base/v1/argo/prefect-istiod/application.yaml", `^    - \.webhooks\[\]\?\.failurePolicy\n`, ""), compared, `^ValidatingWebhookConfiguration|^Application`})
}

// checkInstall is what must have happened in a first install: namespaces with
// their label, istiod ready strictly before anything of prefect-cloud exists, and
// the migrations done before the release counts as ready, whatever form they have.
func (f *fixture) checkInstall() error {
	for _, namespace := range []string{istioNamespace, cloudNamespace} {
		labelled := created("Namespace", "", namespace)
		is := labelled.is
		if err := f.inOrder(0, condition{"Namespace " + namespace + " is created with istio-injection=enabled", func(e event) bool {
			return is(e) && e.Object.GetLabels()["istio-injection"] == "enabled"
		}}); err != nil {
			return err
		}
	}
	for _, begins := range []condition{f.begun("prefect-cloud"), ofCloud} {
		if err := f.inOrder(0, available(istioNamespace, "istiod"), begins); err != nil {
			return err
		}
		if err := f.inOrder(0, f.releaseReady("prefect-istiod"), begins); err != nil {
			return err
		}
	}
	if err := f.inOrder(0, ofCloud, migrated, f.releaseReady("prefect-cloud")); err != nil {
		return err
	}
	return f.checkSidecars()
}

// checkSidecars is that every service has the proxy that istiod injects.
func (f *fixture) checkSidecars() error {
	for name, pod := range f.pods(cloudNamespace) {
		containers, _, _ := unstructured.NestedSlice(pod.Object, "spec", "containers")
		if !migrates(pod) && !hasProxy(containers) {
			return errorf("pod %s has no proxy", name)
		}
	}
	return nil
}
