package chart

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// Lookup is a template that asks the cluster for an object, or for all of a kind.
type Lookup struct {
	Template, APIVersion, Kind string
	// Namespace is empty for a question about all of them, or about what has none.
	Namespace string
	Name      string // empty for a list
}

// maxLookups is how many of them are noted.
const maxLookups = 1000

// lookups is a cluster without anything in it, which notes what it was asked.
// Helm answers the same where there is no cluster: nothing
// (https://helm.sh/docs/chart_template_guide/functions_and_pipelines/#using-the-lookup-function).
type lookups struct {
	work *progress
	list []Lookup
}

// GetClientFor is what Helm's function lookup calls first.
func (l *lookups) GetClientFor(apiVersion, kind string) (dynamic.NamespaceableResourceInterface, bool, error) {
	return empty{notes: l, asked: Lookup{Template: l.work.where(), APIVersion: apiVersion, Kind: kind}}, true, nil
}

func (l *lookups) note(asked Lookup) {
	if len(l.list) < maxLookups && !slices.Contains(l.list, asked) {
		l.list = append(l.list, asked)
	}
}

// empty is a kind of which there are no objects.
type empty struct {
	dynamic.NamespaceableResourceInterface
	notes *lookups
	asked Lookup
}

func (e empty) Namespace(name string) dynamic.ResourceInterface {
	e.asked.Namespace = name
	return e
}

func (e empty) Get(_ context.Context, name string, _ metav1.GetOptions, _ ...string) (*unstructured.Unstructured, error) {
	e.asked.Name = name
	e.notes.note(e.asked)
	return nil, apierrors.NewNotFound(schema.GroupResource{}, name)
}

func (e empty) List(context.Context, metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	e.notes.note(e.asked)
	return nil, apierrors.NewNotFound(schema.GroupResource{}, "")
}
