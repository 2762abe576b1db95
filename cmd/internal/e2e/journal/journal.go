//go:build e2e

// Package journal records what happens in a cluster, in the order in which it
// happened: everything is one etcd's, so resource versions order the changes of
// all objects (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
// promises less; here there is one etcd, and a version is its revision).
package journal

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
)

// Event is a change of an object.
type Event struct {
	Version uint64 // orders the events of all objects
	Type    watch.EventType
	Object  *unstructured.Unstructured // as it was then, without managedFields
}

// Journal is the events of a cluster from when it was started.
type Journal struct {
	discovery discovery.DiscoveryInterface
	client    dynamic.Interface

	mu      sync.Mutex
	events  []Event // in order, none twice
	watched map[schema.GroupVersionResource]bool
}

// New is a journal of the cluster that the clients speak to.
func New(discovery discovery.DiscoveryInterface, client dynamic.Interface) *Journal {
	return &Journal{discovery: discovery, client: client, watched: map[schema.GroupVersionResource]bool{}}
}

// unwatched is what is only noise.
var unwatched = []string{"events", "leases", "endpoints", "endpointslices", "componentstatuses"}

// Run records until the context ends: what the cluster knows when it is started,
// and from each definition on what that defines.
func (j *Journal) Run(ctx context.Context) {
	lists, _ := j.discovery.ServerPreferredResources() // nothing is defined yet that may be unavailable
	for _, list := range lists {
		group, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for _, resource := range list.APIResources {
			if slices.Contains(resource.Verbs, "watch") && !slices.Contains(unwatched, resource.Name) {
				j.follow(ctx, group.WithResource(resource.Name))
			}
		}
	}
	<-ctx.Done()
}

// defined is what a CustomResourceDefinition defines, in its preferred version.
func defined(definition *unstructured.Unstructured) (schema.GroupVersionResource, bool) {
	group, _, _ := unstructured.NestedString(definition.Object, "spec", "group")
	plural, _, _ := unstructured.NestedString(definition.Object, "spec", "names", "plural")
	versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
	preferred := ""
	for _, one := range versions {
		fields, ok := one.(map[string]any)
		if !ok || fields["served"] != true {
			continue
		}
		if name, _ := fields["name"].(string); preferred == "" || version.CompareKubeAwareVersionStrings(name, preferred) > 0 {
			preferred = name
		}
	}
	return schema.GroupVersionResource{Group: group, Version: preferred, Resource: plural}, preferred != ""
}

// follow records one kind of object, once.
func (j *Journal) follow(ctx context.Context, resource schema.GroupVersionResource) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.watched[resource] {
		return
	}
	j.watched[resource] = true
	go func() {
		from := ""
		for ctx.Err() == nil {
			if from = j.watch(ctx, resource, from); from == "" {
				time.Sleep(100 * time.Millisecond)
			}
		}
	}()
}

// watch records events after a version, all that is there first if there is
// none, and gives the version to go on from when the connection ends.
func (j *Journal) watch(ctx context.Context, resource schema.GroupVersionResource, from string) string {
	client := j.client.Resource(resource)
	if from == "" {
		list, err := client.List(ctx, metav1.ListOptions{})
		if err != nil {
			return ""
		}
		for i := range list.Items {
			j.add(ctx, watch.Added, &list.Items[i])
		}
		from = list.GetResourceVersion()
	}
	watcher, err := client.Watch(ctx, metav1.ListOptions{ResourceVersion: from})
	if err != nil {
		return ""
	}
	defer watcher.Stop()
	for event := range watcher.ResultChan() {
		object, ok := event.Object.(*unstructured.Unstructured)
		if !ok || event.Type == watch.Error {
			return ""
		}
		j.add(ctx, event.Type, object)
		from = object.GetResourceVersion()
	}
	return from
}

func (j *Journal) add(ctx context.Context, kind watch.EventType, object *unstructured.Unstructured) {
	if object.GetKind() == "CustomResourceDefinition" {
		if resource, ok := defined(object); ok {
			j.follow(ctx, resource) // it is asked for until it is served
		}
	}
	version, err := strconv.ParseUint(object.GetResourceVersion(), 10, 64)
	if err != nil {
		return
	}
	object.SetManagedFields(nil)
	event := Event{version, kind, object}
	j.mu.Lock()
	defer j.mu.Unlock()
	i := len(j.events) // most come in order
	for i > 0 && j.events[i-1].Version > version {
		i--
	}
	if i > 0 && same(j.events[i-1], event) {
		return // a list said it, and a watch says it again
	}
	j.events = slices.Insert(j.events, i, event)
}

func same(a, b Event) bool {
	return a.Version == b.Version && a.Type == b.Type && a.Object.GetUID() == b.Object.GetUID()
}

// Events is all events so far, in order.
func (j *Journal) Events() []Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.events)
}

// After is the events after a version, in order.
func (j *Journal) After(version uint64) []Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	i, _ := slices.BinarySearchFunc(j.events, version+1, func(e Event, v uint64) int { return cmp.Compare(e.Version, v) })
	return slices.Clone(j.events[i:])
}

// Now is the version of the newest event.
func (j *Journal) Now() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.events) == 0 {
		return 0
	}
	return j.events[len(j.events)-1].Version
}

// First is the first of events that a condition holds for.
func First(events []Event, is func(Event) bool) (Event, bool) {
	if i := slices.IndexFunc(events, is); i >= 0 {
		return events[i], true
	}
	return Event{}, false
}
