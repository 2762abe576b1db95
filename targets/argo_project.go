package targets

import (
	"slices"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/pm-gitops/pm-gitops/render"
)

// project allows the children what they need and nothing more: their charts,
// their namespaces, and the cluster-wide kinds that they bring. There are no
// sync windows, since one would hold the first install without a word, and no
// warnings of orphans, which nearly every namespace has.
func (w argoWriter) project() argov1.AppProject {
	project := w.appProject(w.plan.Environment, "Customer-Managed Prefect Cloud, environment "+w.plan.Environment)
	project.Spec.SourceRepos = append(w.repositories(), string(w.plan.Delivery.Git.URL))
	for _, namespace := range w.plan.Namespaces {
		project.Spec.Destinations = append(project.Spec.Destinations, w.destination(namespace.Name))
	}
	project.Spec.ClusterResourceWhitelist = w.clusterKinds()
	return project
}

// projectOfRoot allows the root Application its children.
func (w argoWriter) projectOfRoot() argov1.AppProject {
	project := w.appProject(w.rootProject(), "The Applications of environment "+w.plan.Environment)
	project.Spec.SourceRepos = []string{string(w.plan.Delivery.Git.URL)}
	project.Spec.Destinations = []argov1.ApplicationDestination{{Server: inCluster, Namespace: string(w.argo.Namespace)}}
	project.Spec.NamespaceResourceWhitelist = []metav1.GroupKind{{Group: argov1.SchemeGroupVersion.Group, Kind: "Application"}}
	return project
}

func (w argoWriter) appProject(name, description string) argov1.AppProject {
	return argov1.AppProject{
		TypeMeta:   metav1.TypeMeta{APIVersion: argov1.SchemeGroupVersion.String(), Kind: "AppProject"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: string(w.argo.Namespace)},
		Spec:       argov1.AppProjectSpec{Description: description},
	}
}

// repositories gives where the charts are, sorted.
func (w argoWriter) repositories() []string {
	var repositories []string
	for _, release := range w.plan.Releases() {
		repositories = append(repositories, w.repository(release.Chart))
	}
	slices.Sort(repositories)
	return slices.Compact(repositories)
}

// istioKinds is the cluster-wide kinds of Istio's charts, base and istiod.
var istioKinds = [...]metav1.GroupKind{
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"},
	{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"},
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"},
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicy"},
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicyBinding"},
}

// clusterKinds gives the cluster-wide kinds that may be made: namespaces, those
// of prefect-istiod where it is installed, and what the environment adds.
func (w argoWriter) clusterKinds() []metav1.GroupKind {
	kinds := []metav1.GroupKind{{Kind: "Namespace"}}
	for _, release := range w.plan.Releases() {
		if release.Key == render.PrefectIstiod {
			kinds = append(kinds, istioKinds[:]...)
		}
	}
	for _, own := range w.argo.ClusterResources {
		kind := metav1.GroupKind{Group: own.Group, Kind: string(own.Kind)}
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}
