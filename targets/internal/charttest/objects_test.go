package charttest_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	serializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/pm-gitops/pm-gitops/targets/internal/charttest"
)

// decoder reads objects of Kubernetes and refuses fields that it does not know.
var decoder = func() runtime.Decoder {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		admissionv1.AddToScheme, apiextensionsv1.AddToScheme, appsv1.AddToScheme, autoscalingv2.AddToScheme, batchv1.AddToScheme,
		corev1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme, rbacv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}
	return serializer.NewSerializerWithOptions(serializer.DefaultMetaFactory, scheme, scheme, serializer.SerializerOptions{Strict: true})
}()

// seen is what was decoded: most objects are the same in most scenarios.
var seen sync.Map

func decode(object charttest.Object) (runtime.Object, error) {
	if o, ok := seen.Load(object.Source); ok {
		return o.(runtime.Object), nil
	}
	source, err := json.Marshal(object.Map)
	if err != nil {
		return nil, err
	}
	o, _, err := decoder.Decode(source, nil, nil)
	if err == nil {
		seen.Store(object.Source, o)
	}
	return o, err
}

// release is the objects of a rendering, decoded.
type release struct {
	t     *testing.T
	names map[string]bool // KIND NAME
	pods  []pod
}

// pod is a pod, or the template of one.
type pod struct {
	of     string
	meta   metav1.ObjectMeta
	spec   corev1.PodSpec
	policy []corev1.RestartPolicy
}

// inspect finds what an API server would refuse, and what cannot work because
// an object that another one names is not there. custom is the kinds of which
// the cluster has definitions; existing are Secrets that it has.
func inspect(t *testing.T, objects []charttest.Object, custom map[string]bool, existing ...string) {
	t.Helper()
	r := release{t: t, names: map[string]bool{}}
	for _, name := range existing {
		r.names["Secret "+name] = true
	}
	var decoded []runtime.Object
	for _, object := range objects {
		r.identify(object)
		r.findNulls(object.Kind()+" "+object.Name(), object.Map)
		if custom[fmt.Sprint(object.Map["apiVersion"], " ", object.Kind())] {
			continue
		}
		o, err := decode(object)
		if err != nil {
			t.Errorf("%s of %s: %v", object.Name(), object.File, err)
			continue
		}
		decoded = append(decoded, o)
		r.collect(object.Kind()+" "+object.Name(), o)
	}
	for _, pod := range r.pods {
		r.inspectPod(pod)
	}
	for _, o := range decoded {
		r.inspectReferences(o)
	}
}

func (r release) identify(object charttest.Object) {
	of := object.Kind() + " " + object.Name()
	if r.names[of] {
		r.t.Errorf("%s is there twice", of)
	}
	r.names[of] = true
	if problems := validation.IsDNS1123Subdomain(object.Name()); problems != nil || object.Kind() != "CustomResourceDefinition" && len(object.Name()) > 63 {
		r.t.Errorf("%s: the name is no DNS label", of)
	}
	metadata, _ := object.At("metadata", "labels").(map[string]any)
	for key, value := range metadata {
		if text, ok := value.(string); !ok || validation.IsValidLabelValue(text) != nil {
			r.t.Errorf("%s: label %s is %v", of, key, value)
		}
	}
}

func (r release) findNulls(at string, value any) {
	switch v := value.(type) {
	case nil:
		r.t.Errorf("%s is null", at)
	case map[string]any:
		for key, nested := range v {
			r.findNulls(at+"."+key, nested)
		}
	case []any:
		for i, nested := range v {
			r.findNulls(fmt.Sprintf("%s[%d]", at, i), nested)
		}
	}
}

func (r *release) collect(of string, o runtime.Object) {
	always := []corev1.RestartPolicy{"", corev1.RestartPolicyAlways}
	once := []corev1.RestartPolicy{corev1.RestartPolicyNever, corev1.RestartPolicyOnFailure}
	add := func(selector *metav1.LabelSelector, template corev1.PodTemplateSpec, policy []corev1.RestartPolicy) {
		if selector != nil && !selects(selector.MatchLabels, template.Labels) {
			r.t.Errorf("%s does not select its own pods", of)
		}
		r.pods = append(r.pods, pod{of, template.ObjectMeta, template.Spec, policy})
	}
	switch o := o.(type) {
	case *appsv1.Deployment:
		add(o.Spec.Selector, o.Spec.Template, always)
	case *appsv1.StatefulSet:
		add(o.Spec.Selector, o.Spec.Template, always)
	case *appsv1.DaemonSet:
		add(o.Spec.Selector, o.Spec.Template, always)
	case *batchv1.Job:
		add(nil, o.Spec.Template, once)
	case *corev1.Pod:
		r.pods = append(r.pods, pod{of, o.ObjectMeta, o.Spec, once})
	}
}

func selects(selector, pod map[string]string) bool {
	return len(selector) > 0 && labels.SelectorFromSet(selector).Matches(labels.Set(pod))
}

func (r release) inspectPod(p pod) {
	ok := false
	for _, policy := range p.policy {
		ok = ok || p.spec.RestartPolicy == policy
	}
	if !ok {
		r.t.Errorf("%s: restartPolicy %q", p.of, p.spec.RestartPolicy)
	}
	for key, value := range p.meta.Labels {
		if validation.IsValidLabelValue(value) != nil {
			r.t.Errorf("%s: label %s of its pods is %q", p.of, key, value)
		}
	}
	if account := p.spec.ServiceAccountName; account != "" && account != "default" {
		r.want(p.of, "ServiceAccount "+account)
	}
	for _, volume := range p.spec.Volumes {
		if volume.ConfigMap != nil {
			r.want(p.of, "ConfigMap "+volume.ConfigMap.Name)
		}
	}
	for _, container := range p.spec.Containers {
		r.inspectContainer(p.of, container)
	}
}

func (r release) inspectContainer(of string, c corev1.Container) {
	if c.Image == "" {
		r.t.Errorf("%s: container %s has no image", of, c.Name)
	}
	ports := map[string]bool{}
	for _, port := range c.Ports {
		ports[port.Name] = true
		if problems := validation.IsValidPortName(port.Name); problems != nil {
			r.t.Errorf("%s: port %s: %v", of, port.Name, problems)
		}
	}
	for _, probe := range []*corev1.Probe{c.ReadinessProbe, c.LivenessProbe} {
		var port intstr.IntOrString
		switch {
		case probe == nil:
			continue
		case probe.HTTPGet != nil:
			port = probe.HTTPGet.Port
		case probe.TCPSocket != nil:
			port = probe.TCPSocket.Port
		}
		if !ports[port.StrVal] {
			r.t.Errorf("%s: a probe asks port %q", of, port.StrVal)
		}
	}
	seen := map[string]bool{}
	for _, env := range c.Env {
		if seen[env.Name] || validation.IsCIdentifier(env.Name) != nil {
			r.t.Errorf("%s: environment variable %q", of, env.Name)
		}
		seen[env.Name] = true
		if env.ValueFrom != nil {
			r.want(of, "Secret "+env.ValueFrom.SecretKeyRef.Name)
		}
	}
	for _, from := range c.EnvFrom {
		if from.ConfigMapRef != nil {
			r.want(of, "ConfigMap "+from.ConfigMapRef.Name)
		} else {
			r.want(of, "Secret "+from.SecretRef.Name)
		}
	}
}

func (r release) want(of, name string) {
	if !r.names[name] {
		r.t.Errorf("%s needs %s", of, name)
	}
}

// inspectReferences follows what names or selects another object.
func (r release) inspectReferences(o runtime.Object) {
	switch o := o.(type) {
	case *corev1.Service:
		for _, port := range o.Spec.Ports {
			if !r.served(o.Spec.Selector, port.TargetPort.StrVal) {
				r.t.Errorf("Service %s leads to no port %q of a pod", o.Name, port.TargetPort.StrVal)
			}
		}
	case *policyv1.PodDisruptionBudget:
		if !r.served(o.Spec.Selector.MatchLabels, "http") {
			r.t.Errorf("PodDisruptionBudget %s selects no pod", o.Name)
		}
	case *autoscalingv2.HorizontalPodAutoscaler:
		r.want("HorizontalPodAutoscaler "+o.Name, o.Spec.ScaleTargetRef.Kind+" "+o.Spec.ScaleTargetRef.Name)
	case *networkingv1.Ingress:
		for _, rule := range o.Spec.Rules {
			for _, p := range rule.HTTP.Paths {
				r.want("Ingress "+o.Name, "Service "+p.Backend.Service.Name)
			}
		}
	case *admissionv1.MutatingWebhookConfiguration:
		for _, webhook := range o.Webhooks {
			r.want(o.Name, "Service "+webhook.ClientConfig.Service.Name)
		}
	}
}

// served reports whether the selected pods have a port of that name.
func (r release) served(selector map[string]string, port string) bool {
	for _, pod := range r.pods {
		if !selects(selector, pod.meta.Labels) {
			continue
		}
		for _, p := range pod.spec.Containers[0].Ports {
			if p.Name == port {
				return true
			}
		}
	}
	return false
}
