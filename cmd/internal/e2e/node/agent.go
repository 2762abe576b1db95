//go:build e2e

// Package node plays what a cluster's machines do, on a real API server without
// machines: it runs pods the way a kubelet reports them, and istiod's part of
// the mesh. Nothing here is ready just because it was created: a pod waits for
// what it reads, for a real image, its sidecar and the migration of its version.
package node

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

// Name is the name of the one node.
const Name = "node-0"

// tick is how often pods are looked at.
const tick = 200 * time.Millisecond

// Agent is the kubelet of one node.
type Agent struct {
	client     kubernetes.Interface
	pods       listers.PodLister
	secrets    listers.SecretLister
	configMaps listers.ConfigMapLister
	namespaces listers.NamespaceLister

	mu       sync.Mutex
	runs     map[types.UID]*run // of pods that end
	migrated map[schema]bool
	script   func(Migration) Outcome
	locked   map[string]locked
	pulled   map[string]bool // images of locked registries
	address  int             // of the last pod
}

// schema is a database that was migrated to what an image wants.
type schema struct{ namespace, image, database string }

// Databases is what the services of the stand-in charts read.
var Databases = []string{"nebula", "orion", "events"}

// New is an agent that does its work through a client.
func New(client kubernetes.Interface) *Agent {
	return &Agent{
		client:   client,
		runs:     map[types.UID]*run{},
		migrated: map[schema]bool{},
		locked:   map[string]locked{},
		pulled:   map[string]bool{},
		script:   func(Migration) Outcome { return Outcome{Takes: 2 * time.Second} },
	}
}

// Script says how migrations go from now on, those too that run at the moment.
func (a *Agent) Script(script func(Migration) Outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.script = script
}

// Register makes the node, whose kubelet gives logs at a port of 127.0.0.1.
func (a *Agent) Register(ctx context.Context, logPort int) error {
	size := corev1.ResourceList{"cpu": resource.MustParse("64"), "memory": resource.MustParse("256Gi"), "pods": resource.MustParse("500")}
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: Name, Labels: map[string]string{"kubernetes.io/hostname": Name, "kubernetes.io/os": "linux"}},
	}
	created, err := a.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("make the node: %w", err)
	}
	created.Status = corev1.NodeStatus{
		Capacity: size, Allocatable: size,
		Addresses:       []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: int32(logPort)}},
		NodeInfo:        corev1.NodeSystemInfo{KubeletVersion: "v1.33.4", OperatingSystem: "linux", Architecture: "amd64"},
		Conditions:      []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now()}},
	}
	if _, err := a.client.CoreV1().Nodes().UpdateStatus(ctx, created, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("make the node ready: %w", err)
	}
	return nil
}

// Run runs the node's pods until the context ends. It closes ready when it has
// seen the cluster.
func (a *Agent) Run(ctx context.Context, ready chan<- struct{}) {
	factory := informers.NewSharedInformerFactory(a.client, 0)
	core := factory.Core().V1()
	a.pods, a.secrets, a.configMaps, a.namespaces = core.Pods().Lister(), core.Secrets().Lister(), core.ConfigMaps().Lister(), core.Namespaces().Lister()
	for _, informer := range []cache.SharedIndexInformer{core.Pods().Informer(), core.Secrets().Informer(), core.ConfigMaps().Informer(), core.Namespaces().Informer()} {
		_ = informer.SetWatchErrorHandler(func(*cache.Reflector, error) {}) // it tries again
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	close(ready)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			a.look(ctx)
		}
	}
}

// look brings every pod of the node to where it should be by now.
func (a *Agent) look(ctx context.Context) {
	pods, err := a.pods.List(labels.Everything())
	if err != nil {
		return
	}
	for _, pod := range pods {
		if pod.Spec.NodeName != Name {
			continue
		}
		if pod.DeletionTimestamp != nil {
			now := int64(0)
			_ = a.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &pod.UID}})
			continue
		}
		a.report(ctx, pod)
	}
}

// report writes a pod's status where it changed. What failed is tried again
// at the next look: the pod has not changed then.
func (a *Agent) report(ctx context.Context, pod *corev1.Pod) {
	status, ok := a.status(pod)
	if !ok || reflect.DeepEqual(status, pod.Status) {
		return
	}
	next := pod.DeepCopy()
	next.Status = status
	_, err := a.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, next, metav1.UpdateOptions{})
	if err == nil && pod.Status.Phase != status.Phase && status.Phase == corev1.PodSucceeded {
		a.note(pod)
	}
}

// blocked says why a container of a pod cannot run, as a kubelet would; empty
// if it can.
func (a *Agent) blocked(pod *corev1.Pod, container corev1.Container) (reason, message string) {
	if container.Image == "auto" {
		return "ErrImagePull", `failed to pull image "auto": nobody injected a proxy`
	}
	if err := a.pull(pod, container.Image); err != nil {
		return "ImagePullBackOff", err.Error()
	}
	if err := a.reads(pod, container); err != nil {
		return "CreateContainerConfigError", err.Error()
	}
	return "", ""
}

// reads is what a container reads and does not exist.
func (a *Agent) reads(pod *corev1.Pod, container corev1.Container) error {
	for _, from := range container.EnvFrom {
		if ref := from.SecretRef; ref != nil && !isTrue(ref.Optional) {
			if _, err := a.secrets.Secrets(pod.Namespace).Get(ref.Name); err != nil {
				return err
			}
		}
		if ref := from.ConfigMapRef; ref != nil && !isTrue(ref.Optional) {
			if _, err := a.configMaps.ConfigMaps(pod.Namespace).Get(ref.Name); err != nil {
				return err
			}
		}
	}
	for _, variable := range container.Env {
		if err := a.readsKey(pod.Namespace, variable.ValueFrom); err != nil {
			return err
		}
	}
	return nil
}

func (a *Agent) readsKey(namespace string, from *corev1.EnvVarSource) error {
	switch {
	case from == nil:
	case from.SecretKeyRef != nil && !isTrue(from.SecretKeyRef.Optional):
		ref := from.SecretKeyRef
		secret, err := a.secrets.Secrets(namespace).Get(ref.Name)
		if err != nil {
			return err
		}
		if _, ok := secret.Data[ref.Key]; !ok {
			return fmt.Errorf("couldn't find key %s in Secret %s/%s", ref.Key, namespace, ref.Name)
		}
	case from.ConfigMapKeyRef != nil && !isTrue(from.ConfigMapKeyRef.Optional):
		ref := from.ConfigMapKeyRef
		configMap, err := a.configMaps.ConfigMaps(namespace).Get(ref.Name)
		if err != nil {
			return err
		}
		if _, ok := configMap.Data[ref.Key]; !ok {
			return fmt.Errorf("couldn't find key %s in ConfigMap %s/%s", ref.Key, namespace, ref.Name)
		}
	}
	return nil
}

// volumes is a volume of a pod whose content does not exist.
func (a *Agent) volumes(pod *corev1.Pod) error {
	for _, volume := range pod.Spec.Volumes {
		if secret := volume.Secret; secret != nil && !isTrue(secret.Optional) {
			if _, err := a.secrets.Secrets(pod.Namespace).Get(secret.SecretName); err != nil {
				return err
			}
		}
		if configMap := volume.ConfigMap; configMap != nil && !isTrue(configMap.Optional) {
			if _, err := a.configMaps.ConfigMaps(pod.Namespace).Get(configMap.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

func isTrue(value *bool) bool { return value != nil && *value }

// lacksSidecar reports whether a pod is in a namespace whose pods get one, and
// has none: nobody could reach it.
func (a *Agent) lacksSidecar(pod *corev1.Pod) bool {
	namespace, err := a.namespaces.Get(pod.Namespace)
	if err != nil || namespace.Labels["istio-injection"] != "enabled" {
		return false
	}
	if pod.Labels["sidecar.istio.io/inject"] == "false" || pod.Annotations["sidecar.istio.io/inject"] == "false" {
		return false
	}
	return !slices.ContainsFunc(pod.Spec.Containers, func(c corev1.Container) bool { return c.Name == "istio-proxy" })
}

// unmigrated is the databases that are not yet what a service's image wants.
func (a *Agent) unmigrated(namespace, image string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(Databases), func(database string) bool {
		return a.migrated[schema{namespace, image, database}]
	})
}

// Migrated is the images whose migrations are done in a namespace, sorted.
func (a *Agent) Migrated(namespace string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	images := map[string]int{}
	for done := range a.migrated {
		if done.namespace == namespace {
			images[done.image]++
		}
	}
	maps.DeleteFunc(images, func(_ string, n int) bool { return n < len(Databases) })
	return slices.Sorted(maps.Keys(images))
}

// AlreadyMigrated says that a namespace's databases are what an image wants.
func (a *Agent) AlreadyMigrated(namespace, image string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, database := range Databases {
		a.migrated[schema{namespace, image, database}] = true
	}
}

// Cordon keeps new pods from the node, or lets them on it again.
func (a *Agent) Cordon(ctx context.Context, closed bool) error {
	patch := fmt.Appendf(nil, `{"spec":{"unschedulable":%v}}`, closed)
	_, err := a.client.CoreV1().Nodes().Patch(ctx, Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("cordon the node: %w", err)
	}
	return nil
}
