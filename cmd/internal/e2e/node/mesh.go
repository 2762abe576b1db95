//go:build e2e

package node

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	admissionlisters "k8s.io/client-go/listers/admissionregistration/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
)

// Mesh does what istiod does to a cluster, while a pod of istiod is ready: it
// answers the webhooks at the address of its Service, writes its authority into
// them, and turns the validating one's failurePolicy to Fail.
type Mesh struct {
	Client kubernetes.Interface
	Agent  *Agent
	CA     []byte // PEM
	// TLS is a server's configuration at these names, by the authority.
	TLS func(hosts ...string) (*tls.Config, error)

	server     *http.Server
	services   corelisters.ServiceLister
	mutating   admissionlisters.MutatingWebhookConfigurationLister
	validating admissionlisters.ValidatingWebhookConfigurationLister
}

// webhookPort is the port of istiod's Service that an API server calls.
const webhookPort = 443

// Run plays istiod until the context ends.
func (m *Mesh) Run(ctx context.Context) {
	defer m.close()
	factory := informers.NewSharedInformerFactory(m.Client, 0)
	webhooks := factory.Admissionregistration().V1()
	m.services = factory.Core().V1().Services().Lister()
	m.mutating, m.validating = webhooks.MutatingWebhookConfigurations().Lister(), webhooks.ValidatingWebhookConfigurations().Lister()
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		service := m.service()
		if service == nil {
			m.close()
			continue
		}
		if m.server == nil {
			m.serve(service)
		}
		m.claim(ctx, service)
	}
}

// service is istiod's Service, if a pod behind it is ready.
func (m *Mesh) service() *corev1.Service {
	istiod := labels.SelectorFromSet(labels.Set{"app": "istiod"})
	pods, err := m.Agent.pods.List(istiod)
	if err != nil || !slices.ContainsFunc(pods, isReady) {
		return nil
	}
	services, err := m.services.Services(pods[0].Namespace).List(istiod)
	if err != nil || len(services) == 0 {
		return nil
	}
	return services[0]
}

func isReady(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// serve answers at the Service's own address: cluster IPs are loopback
// addresses here, so the API server reaches it as it does in a cluster.
func (m *Mesh) serve(service *corev1.Service) {
	config, err := m.TLS(fmt.Sprintf("%s.%s.svc", service.Name, service.Namespace))
	if err != nil {
		return
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("%s:%d", service.Spec.ClusterIP, webhookPort))
	if err != nil {
		fmt.Printf("istiod's webhook cannot be answered: %v\n", err)
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/inject", review(m.inject))
	mux.HandleFunc("/validate", review(func(*admissionv1.AdmissionRequest) []patch { return nil }))
	m.server = &http.Server{Handler: mux}
	go m.server.Serve(tls.NewListener(listener, config))
}

func (m *Mesh) close() {
	if m.server != nil {
		_ = m.server.Close()
		m.server = nil
	}
}

// claim writes into the webhooks what istiod writes into them.
func (m *Mesh) claim(ctx context.Context, service *corev1.Service) {
	ours := func(config admissionregistrationv1.WebhookClientConfig) bool {
		return config.Service != nil && config.Service.Name == service.Name && config.Service.Namespace == service.Namespace
	}
	client := m.Client.AdmissionregistrationV1()
	mutating, _ := m.mutating.List(labels.Everything())
	for _, one := range mutating {
		one, changed := one.DeepCopy(), false
		for i := range one.Webhooks {
			if hook := &one.Webhooks[i]; ours(hook.ClientConfig) && !bytes.Equal(hook.ClientConfig.CABundle, m.CA) {
				hook.ClientConfig.CABundle, changed = m.CA, true
			}
		}
		if changed {
			_, _ = client.MutatingWebhookConfigurations().Update(ctx, one, metav1.UpdateOptions{FieldManager: "pilot-discovery"})
		}
	}
	fail := admissionregistrationv1.Fail
	validating, _ := m.validating.List(labels.Everything())
	for _, one := range validating {
		one, changed := one.DeepCopy(), false
		for i := range one.Webhooks {
			hook := &one.Webhooks[i]
			if ours(hook.ClientConfig) && (!bytes.Equal(hook.ClientConfig.CABundle, m.CA) || *hook.FailurePolicy != fail) {
				hook.ClientConfig.CABundle, hook.FailurePolicy, changed = m.CA, &fail, true
			}
		}
		if changed {
			_, _ = client.ValidatingWebhookConfigurations().Update(ctx, one, metav1.UpdateOptions{FieldManager: "pilot-discovery"})
		}
	}
}

// patch is an operation of a JSON patch.
type patch struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// review answers an AdmissionReview: allowed, with a patch.
func review(change func(*admissionv1.AdmissionRequest) []patch) http.HandlerFunc {
	return func(out http.ResponseWriter, in *http.Request) {
		var review admissionv1.AdmissionReview
		if err := json.NewDecoder(in.Body).Decode(&review); err != nil || review.Request == nil {
			http.Error(out, "no review", http.StatusBadRequest)
			return
		}
		review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
		if patches := change(review.Request); patches != nil {
			kind := admissionv1.PatchTypeJSONPatch
			review.Response.Patch, _ = json.Marshal(patches)
			review.Response.PatchType = &kind
		}
		review.Request = nil
		out.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(out).Encode(review)
	}
}

// inject gives a pod its proxy: a gateway's own container gets the image, any
// other pod a container more.
func (m *Mesh) inject(request *admissionv1.AdmissionRequest) []patch {
	var pod corev1.Pod
	if json.Unmarshal(request.Object.Raw, &pod) != nil || pod.Annotations["sidecar.istio.io/inject"] == "false" {
		return nil
	}
	image := m.proxy()
	if i := slices.IndexFunc(pod.Spec.Containers, func(c corev1.Container) bool { return c.Name == "istio-proxy" }); i >= 0 {
		return []patch{{"replace", fmt.Sprintf("/spec/containers/%d/image", i), image}}
	}
	return []patch{{"add", "/spec/containers/-", corev1.Container{Name: "istio-proxy", Image: image}}}
}

// proxy is the image of proxies, as the injector's ConfigMap says it.
func (m *Mesh) proxy() string {
	found, err := m.Agent.configMaps.List(labels.Everything())
	if err != nil {
		return "auto"
	}
	for _, configMap := range found {
		if !strings.HasPrefix(configMap.Name, "istio-sidecar-injector") {
			continue
		}
		var values struct {
			Global struct {
				Hub, Tag string
				Proxy    struct{ Image string }
			}
		}
		if json.Unmarshal([]byte(configMap.Data["values"]), &values) == nil {
			return fmt.Sprintf("%s/%s:%s", values.Global.Hub, values.Global.Proxy.Image, values.Global.Tag)
		}
	}
	return "auto"
}
