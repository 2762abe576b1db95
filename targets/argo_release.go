package targets

import (
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/pm-gitops/pm-gitops/render"
)

// release gives the overlay of a release's child Application. The vendor's
// releases share a base with every other environment.
func (w argoWriter) release(release render.Release, wave int) ([]render.File, error) {
	folder := w.plan.Overlay(release.Key)
	k := kustomization{Namespace: string(w.argo.Namespace), NamePrefix: w.plan.Environment + "-"}
	if !vendor(release) {
		full := applicationBase(release)
		if err := w.fill(&full, release, wave); err != nil {
			return nil, err
		}
		k.Resources = []string{"application.yaml"}
		return overlay(folder, k, fileOf("application.yaml", full)), nil
	}
	patch := newApplication(release.Key)
	if err := w.fill(&patch, release, wave); err != nil {
		return nil, err
	}
	below := w.plan.Base("argo", release.Key)
	files := overlay(below, kustomization{Resources: []string{"application.yaml"}}, fileOf("application.yaml", applicationBase(release)))
	k.Resources, k.Patches = []string{relative(folder, below)}, []string{"application-patch.yaml"}
	return append(files, overlay(folder, k, fileOf("application-patch.yaml", patch))...), nil
}

// applicationBase gives what is the same for a release in every environment and
// for every release of Argo CD. For the vendor's releases its text is fixed for ever (see render.Plan.Base).
func applicationBase(release render.Release) application {
	base := newApplication(release.Key)
	if release.Protected {
		// No finalizer: nothing that happens to the Application uninstalls it.
		base.Annotations = map[string]string{syncOptions: confirmDelete}
	} else {
		base.Finalizers = []string{argov1.ResourcesFinalizerName}
	}
	base.Spec.SyncPolicy = automated("PruneLast=true")
	if release.Key == render.PrefectIstiod {
		// istiod rewrites both once it is up; without this Argo CD and istiod
		// undo each other for ever (https://github.com/istio/istio/issues/52785).
		const group = "admissionregistration.k8s.io"
		base.Spec.IgnoreDifferences = argov1.IgnoreDifferences{
			{Group: group, Kind: "ValidatingWebhookConfiguration", JQPathExpressions: []string{".webhooks[]?.clientConfig.caBundle", ".webhooks[]?.failurePolicy"}},
			{Group: group, Kind: "MutatingWebhookConfiguration", JQPathExpressions: []string{".webhooks[]?.clientConfig.caBundle"}},
		}
	}
	return base
}

// fill says what an environment says. Version and values are in the
// Application's own specification: what it took from Git itself it would sync
// by itself, outside of the waves.
func (w argoWriter) fill(application *application, release render.Release, wave int) error {
	if application.Annotations == nil {
		application.Annotations = map[string]string{}
	}
	application.Annotations[syncWave] = strconv.Itoa(wave)
	application.Spec.Project = w.plan.Environment
	application.Spec.Destination = w.destination(release.Namespace)
	application.Spec.Source = w.chart(release.Chart)
	if application.Spec.SyncPolicy == nil {
		application.Spec.SyncPolicy = &argoSyncPolicy{}
	}
	application.Spec.SyncPolicy.Retry = w.retry()
	if release.Key != render.PrefectIstiod { // whose base ignores other things, and which has no volumes
		application.Spec.IgnoreDifferences = argov1.IgnoreDifferences{volumeTemplates}
	}
	application.Spec.Source.Helm = &argov1.ApplicationSourceHelm{ReleaseName: release.Name}
	if len(release.Values) > 0 {
		values, err := json.Marshal(release.Values)
		if err != nil {
			return fmt.Errorf("write the values of %s: %w", release.Key, err)
		}
		application.Spec.Source.Helm.ValuesObject = &runtime.RawExtension{Raw: values}
	}
	return nil
}

// volumeTemplates is what an API server adds to the volumes of a StatefulSet.
// To Argo CD's comparison, which applies nothing, it is a difference that no
// sync ends, and the wave would never be over: few charts write the two fields
// (https://github.com/argoproj/argo-cd/issues/11143).
var volumeTemplates = argov1.ResourceIgnoreDifferences{
	Group: "apps", Kind: "StatefulSet",
	JQPathExpressions: []string{".spec.volumeClaimTemplates[]?.apiVersion", ".spec.volumeClaimTemplates[]?.kind"},
}

// chart names a chart. The classic form has no scheme: with oci:// before it,
// Argo CD ignores the chart (https://github.com/argoproj/argo-cd/issues/10823).
func (w argoWriter) chart(chart render.Chart) *argov1.ApplicationSource {
	if w.argo.Charts != render.ChartsOCI {
		return &argov1.ApplicationSource{RepoURL: w.repository(chart), Chart: path.Base(chart.Repository), TargetRevision: chart.Version}
	}
	revision := strings.ReplaceAll(chart.Version, "+", "_")
	if chart.Digest != "" {
		revision = chart.Digest
	}
	return &argov1.ApplicationSource{RepoURL: w.repository(chart), Path: ".", TargetRevision: revision}
}
