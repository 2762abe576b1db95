//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/journal"
)

// Conditions on events of the journal. What happened is asserted from these
// alone: the API server's own account, never pm-gitops'.
type condition struct {
	what string
	is   func(journal.Event) bool
}

func (c condition) String() string { return c.what }

func of(kind, namespace, name string) func(journal.Event) bool {
	return func(e journal.Event) bool {
		return e.Object.GetKind() == kind && e.Object.GetNamespace() == namespace && (name == "" || e.Object.GetName() == name)
	}
}

// created is the first sight of an object.
func created(kind, namespace, name string) condition {
	is := of(kind, namespace, name)
	return condition{fmt.Sprintf("%s %s/%s is created", kind, namespace, name), func(e journal.Event) bool { return e.Type == watch.Added && is(e) }}
}

// deleted is the end of an object.
func deleted(kind, namespace, name string) condition {
	is := of(kind, namespace, name)
	return condition{fmt.Sprintf("%s %s/%s is deleted", kind, namespace, name), func(e journal.Event) bool { return e.Type == watch.Deleted && is(e) }}
}

// available is a Deployment whose pods are all of its newest form, and ready.
func available(namespace, name string) condition {
	is := of("Deployment", namespace, name)
	return condition{fmt.Sprintf("Deployment %s/%s is ready", namespace, name), func(e journal.Event) bool {
		return is(e) && e.Type != watch.Deleted && rolledOut(e.Object)
	}}
}

func rolledOut(deployment *unstructured.Unstructured) bool {
	number := func(fields ...string) int64 {
		n, _, _ := unstructured.NestedInt64(deployment.Object, fields...)
		return n
	}
	want := number("spec", "replicas")
	return number("status", "observedGeneration") == deployment.GetGeneration() && number("status", "updatedReplicas") == want &&
		number("status", "availableReplicas") == want && number("status", "replicas") == want
}

// withImage is an object whose first container has an image with a tag.
func withImage(c condition, tag string) condition {
	return condition{c.what + " with " + tag, func(e journal.Event) bool { return c.is(e) && strings.HasSuffix(imageOf(e.Object), ":"+tag) }}
}

// imageOf is the image of the first container of a pod, or of what makes pods.
func imageOf(object *unstructured.Unstructured) string {
	for _, at := range [][]string{{"spec", "containers"}, {"spec", "template", "spec", "containers"}} {
		if containers, _, _ := unstructured.NestedSlice(object.Object, at...); len(containers) > 0 {
			image, _ := containers[0].(map[string]any)["image"].(string)
			return image
		}
	}
	return ""
}

// ofCloud is anything that the chart prefect-cloud makes: it labels it all.
var ofCloud = condition{"an object of prefect-cloud exists", func(e journal.Event) bool {
	return e.Type == watch.Added && e.Object.GetNamespace() == cloudNamespace && e.Object.GetLabels()["app.kubernetes.io/part-of"] == "prefect-cloud"
}}

// migrated is a pod that migrated databases and is done.
var migrated = condition{"a migration is done", func(e journal.Event) bool {
	phase, _, _ := unstructured.NestedString(e.Object.Object, "status", "phase")
	return e.Object.GetKind() == "Pod" && phase == "Succeeded" && migrates(e.Object)
}}

// migrates reports whether a pod, or what makes pods, migrates databases.
func migrates(object *unstructured.Unstructured) bool {
	for _, at := range [][]string{{"spec", "containers"}, {"spec", "template", "spec", "containers"}} {
		if containers, _, _ := unstructured.NestedSlice(object.Object, at...); len(containers) > 0 {
			args, _ := containers[0].(map[string]any)["args"].([]any)
			return len(args) > 0 && args[0] == "migrate"
		}
	}
	return false
}

// The namespaces of the vendor's guide.
const (
	istioNamespace = "istio-system"
	cloudNamespace = "customer-managed"
)

// begun is that the delivery system was told of a release.
func (f *fixture) begun(key string) condition {
	if f.target == "flux" {
		return created("HelmRelease", vendorReleases[key][0], key)
	}
	return created("Application", "argocd", f.env.name+"-"+key)
}

// releaseReady is that the delivery system counts a release as ready.
func (f *fixture) releaseReady(key string) condition {
	if f.target == "flux" {
		is := of("HelmRelease", vendorReleases[key][0], key)
		return condition{"HelmRelease " + key + " is ready", func(e journal.Event) bool { return is(e) && fluxReady(e.Object) }}
	}
	is := of("Application", "argocd", f.env.name+"-"+key)
	return condition{"Application " + key + " is healthy and synced", func(e journal.Event) bool { return is(e) && argoReady(e.Object) }}
}

func fluxReady(object *unstructured.Unstructured) bool {
	observed, _, _ := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
	return observed == object.GetGeneration() && conditionOf(object, "Ready") == "True"
}

func argoReady(object *unstructured.Unstructured) bool {
	health, _, _ := unstructured.NestedString(object.Object, "status", "health", "status")
	sync, _, _ := unstructured.NestedString(object.Object, "status", "sync", "status")
	phase, _, _ := unstructured.NestedString(object.Object, "status", "operationState", "phase")
	return health == "Healthy" && sync == "Synced" && phase == "Succeeded"
}

// conditionOf is the status of a condition of an object.
func conditionOf(object *unstructured.Unstructured, kind string) string {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, one := range conditions {
		if c, ok := one.(map[string]any); ok && c["type"] == kind {
			status, _ := c["status"].(string)
			return status
		}
	}
	return ""
}

// first is the version at which a condition first held after a version.
func (f *fixture) first(after uint64, c condition) (uint64, error) {
	e, ok := journal.First(f.Journal.After(after), c.is)
	if !ok {
		return 0, fmt.Errorf("never: %s", c)
	}
	return e.Version, nil
}

// inOrder is an error unless the first time of each condition after a version
// comes after the one before.
func (f *fixture) inOrder(after uint64, conditions ...condition) error {
	var last uint64
	for i, c := range conditions {
		at, err := f.first(after, c)
		if err != nil {
			return err
		}
		if i > 0 && at <= last {
			return fmt.Errorf("%s (%d) before %s (%d)", c, at, conditions[i-1], last)
		}
		last = at
	}
	return nil
}

// count is how many events after a version a condition holds for.
func (f *fixture) count(after uint64, c condition) int {
	n := 0
	for _, e := range f.Journal.After(after) {
		if c.is(e) {
			n++
		}
	}
	return n
}

// pods is the pods of a namespace now, by name.
func (f *fixture) pods(namespace string) map[string]*unstructured.Unstructured {
	pods := map[string]*unstructured.Unstructured{}
	for _, e := range f.Journal.Events() {
		if !of("Pod", namespace, "")(e) {
			continue
		}
		pods[e.Object.GetName()] = e.Object
		if e.Type == watch.Deleted {
			delete(pods, e.Object.GetName())
		}
	}
	return pods
}

// revisions is the revisions of a Helm release that Helm's Secrets tell of.
func (f *fixture) revisions(namespace, release string) []string {
	var names []string
	for _, e := range f.Journal.Events() {
		name := e.Object.GetName()
		if of("Secret", namespace, "")(e) && strings.HasPrefix(name, "sh.helm.release.v1."+release+".v") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

type event = journal.Event

func errorf(format string, args ...any) error { return fmt.Errorf(format, args...) }

// hasProxy reports whether one of containers is Istio's proxy, with an image.
func hasProxy(containers []any) bool {
	return slices.ContainsFunc(containers, func(c any) bool {
		container := c.(map[string]any)
		return container["name"] == "istio-proxy" && container["image"] != "auto"
	})
}

func containsAll(text string, parts ...string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
}
