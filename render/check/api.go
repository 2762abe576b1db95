package check

import (
	"github.com/pm-gitops/pm-gitops/render/apis"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

const deprecationGuide = "https://kubernetes.io/docs/reference/using-api/deprecation-guide/"

func apiChecks() []Check {
	return []Check{{
		ID: "removed-api", Severity: finding.Error,
		Title:  "The cluster does not serve an API version any more",
		Why:    "The API server refuses the object, and with it the whole install or upgrade.",
		Fix:    "Take a version of the chart that uses the new API version, or record what the cluster serves (cluster.capabilities), if the chart asks for it.",
		Source: deprecationGuide,
		each:   removedAPI,
	}, {
		ID: "deprecated-api", Severity: finding.Warning,
		Title:  "A later Kubernetes does not serve an API version",
		Why:    "The object is taken today, and refused after an upgrade of the cluster. What Helm has stored of the release then has a kind that it cannot read, and the next upgrade of the release fails too.",
		Fix:    "Take a version of the chart that uses the new API version before the cluster is upgraded.",
		Source: deprecationGuide,
		each:   deprecatedAPI,
	}, {
		ID: "kube-version-unknown", Severity: finding.Info,
		Title:  "The environment does not say its Kubernetes version",
		Why:    "Charts make other objects for other versions, and without one they are rendered for a version that nobody chose: what is checked may not be what is applied, and removed-api cannot tell what is removed.",
		Fix:    "Set spec.cluster.kubeVersion.",
		Source: "https://helm.sh/docs/topics/kubernetes_apis/",
		all:    kubeVersionUnknown,
	}}
}

// lifecycle is the minor releases of Kubernetes in which an API version of a
// kind was deprecated and from which on it is not served, and what is instead.
type lifecycle struct {
	deprecated, removed int
	instead             string
}

// lifecycles is the API versions that a release of Kubernetes no longer serves,
// of kinds that charts make, by API version and kind. A test compares it with
// what k8s.io/api says.
var lifecycles = map[string]lifecycle{
	"extensions/v1beta1 DaemonSet":                                          {8, 16, "apps/v1"},
	"extensions/v1beta1 Deployment":                                         {8, 16, "apps/v1"},
	"extensions/v1beta1 ReplicaSet":                                         {8, 16, "apps/v1"},
	"extensions/v1beta1 NetworkPolicy":                                      {9, 16, "networking.k8s.io/v1"},
	"extensions/v1beta1 Ingress":                                            {14, 22, "networking.k8s.io/v1"},
	"apps/v1beta1 ControllerRevision":                                       {8, 16, "apps/v1"},
	"apps/v1beta2 ControllerRevision":                                       {9, 16, "apps/v1"},
	"admissionregistration.k8s.io/v1beta1 ValidatingAdmissionPolicy":        {31, 34, "admissionregistration.k8s.io/v1"},
	"admissionregistration.k8s.io/v1beta1 ValidatingAdmissionPolicyBinding": {31, 34, "admissionregistration.k8s.io/v1"},
	"apps/v1beta1 Deployment":                                               {8, 16, "apps/v1"},
	"apps/v1beta1 StatefulSet":                                              {8, 16, "apps/v1"},
	"apps/v1beta2 DaemonSet":                                                {9, 16, "apps/v1"},
	"apps/v1beta2 Deployment":                                               {9, 16, "apps/v1"},
	"apps/v1beta2 ReplicaSet":                                               {9, 16, "apps/v1"},
	"apps/v1beta2 StatefulSet":                                              {9, 16, "apps/v1"},
	"admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration":     {16, 22, "admissionregistration.k8s.io/v1"},
	"admissionregistration.k8s.io/v1beta1 ValidatingWebhookConfiguration":   {16, 22, "admissionregistration.k8s.io/v1"},
	"apiextensions.k8s.io/v1beta1 CustomResourceDefinition":                 {16, 22, "apiextensions.k8s.io/v1"},
	"apiregistration.k8s.io/v1beta1 APIService":                             {19, 22, "apiregistration.k8s.io/v1"},
	"certificates.k8s.io/v1beta1 CertificateSigningRequest":                 {19, 22, "certificates.k8s.io/v1"},
	"coordination.k8s.io/v1beta1 Lease":                                     {19, 22, "coordination.k8s.io/v1"},
	"networking.k8s.io/v1beta1 Ingress":                                     {19, 22, "networking.k8s.io/v1"},
	"networking.k8s.io/v1beta1 IngressClass":                                {19, 22, "networking.k8s.io/v1"},
	"rbac.authorization.k8s.io/v1beta1 ClusterRole":                         {17, 22, "rbac.authorization.k8s.io/v1"},
	"rbac.authorization.k8s.io/v1beta1 ClusterRoleBinding":                  {17, 22, "rbac.authorization.k8s.io/v1"},
	"rbac.authorization.k8s.io/v1beta1 Role":                                {17, 22, "rbac.authorization.k8s.io/v1"},
	"rbac.authorization.k8s.io/v1beta1 RoleBinding":                         {17, 22, "rbac.authorization.k8s.io/v1"},
	"scheduling.k8s.io/v1beta1 PriorityClass":                               {14, 22, "scheduling.k8s.io/v1"},
	"storage.k8s.io/v1beta1 CSIDriver":                                      {19, 22, "storage.k8s.io/v1"},
	"storage.k8s.io/v1beta1 CSINode":                                        {17, 22, "storage.k8s.io/v1"},
	"storage.k8s.io/v1beta1 StorageClass":                                   {19, 22, "storage.k8s.io/v1"},
	"storage.k8s.io/v1beta1 VolumeAttachment":                               {19, 22, "storage.k8s.io/v1"},
	"autoscaling/v2beta1 HorizontalPodAutoscaler":                           {22, 25, "autoscaling/v2"},
	"batch/v1beta1 CronJob":                                                 {21, 25, "batch/v1"},
	"discovery.k8s.io/v1beta1 EndpointSlice":                                {21, 25, "discovery.k8s.io/v1"},
	"events.k8s.io/v1beta1 Event":                                           {22, 25, "events.k8s.io/v1"},
	"node.k8s.io/v1beta1 RuntimeClass":                                      {22, 25, "node.k8s.io/v1"},
	"policy/v1beta1 PodDisruptionBudget":                                    {21, 25, "policy/v1"},
	"policy/v1beta1 PodSecurityPolicy":                                      {21, 25, "Pod Security Admission"},
	"autoscaling/v2beta2 HorizontalPodAutoscaler":                           {23, 26, "autoscaling/v2"},
	"flowcontrol.apiserver.k8s.io/v1beta1 FlowSchema":                       {23, 26, "flowcontrol.apiserver.k8s.io/v1"},
	"flowcontrol.apiserver.k8s.io/v1beta1 PriorityLevelConfiguration":       {23, 26, "flowcontrol.apiserver.k8s.io/v1"},
	"storage.k8s.io/v1beta1 CSIStorageCapacity":                             {24, 27, "storage.k8s.io/v1"},
	"flowcontrol.apiserver.k8s.io/v1beta2 FlowSchema":                       {26, 29, "flowcontrol.apiserver.k8s.io/v1"},
	"flowcontrol.apiserver.k8s.io/v1beta2 PriorityLevelConfiguration":       {26, 29, "flowcontrol.apiserver.k8s.io/v1"},
	"flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema":                       {29, 32, "flowcontrol.apiserver.k8s.io/v1"},
	"flowcontrol.apiserver.k8s.io/v1beta3 PriorityLevelConfiguration":       {29, 32, "flowcontrol.apiserver.k8s.io/v1"},
}

// lifecycle is that of the object's API version, if it has an end.
func (o *object) lifecycle() (lifecycle, bool) {
	known, ok := lifecycles[o.APIVersion+" "+o.Kind]
	return known, ok
}

// minor is the cluster's minor release of Kubernetes 1, 0 if it is not known.
func (s *scope) minor() int { return apis.Minor(s.Plan.KubeVersion) }

func removedAPI(s *scope, r *release) {
	for _, o := range r.objects {
		if known, ends := o.lifecycle(); ends && known.removed <= s.minor() {
			f := o.finding("apiVersion", "Kubernetes %s does not serve %s of %s, since 1.%d: the API server refuses the object", s.Plan.KubeVersion, o.APIVersion, o.Kind, known.removed)
			f.Fix = "use a chart with " + known.instead
			s.add(f)
		}
	}
}

func deprecatedAPI(s *scope, r *release) {
	for _, o := range r.objects {
		minor := s.minor()
		if known, ends := o.lifecycle(); ends && known.removed > minor && (minor == 0 || known.deprecated <= minor) {
			f := o.finding("apiVersion", "Kubernetes serves %s of %s only up to 1.%d", o.APIVersion, o.Kind, known.removed-1)
			f.Fix = "use a chart with " + known.instead
			s.add(f)
		}
	}
}

func kubeVersionUnknown(s *scope) {
	if s.Plan.KubeVersion == "" {
		f := finding.Finding{Message: "the environment does not say its Kubernetes version: charts are rendered for " + chart.DefaultKubeVersion}
		f.Fix = "set spec.cluster.kubeVersion"
		s.put(&f, "spec.cluster.kubeVersion")
		s.add(f)
	}
}
