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

// Lookup is a template that asks the cluster for an object.
type Lookup struct {
	Template, APIVersion, Kind string
}

// maxLookups is how many of them are noted.
const maxLookups = 100

// lookups is a cluster without anything in it, which notes what it was asked.
// Helm answers the same where there is no cluster: nothing
// (https://helm.sh/docs/chart_template_guide/functions_and_pipelines/#using-the-lookup-function).
type lookups struct {
	work *progress
	list []Lookup
}

// GetClientFor is what Helm's function lookup calls first.
func (l *lookups) GetClientFor(apiVersion, kind string) (dynamic.NamespaceableResourceInterface, bool, error) {
	asked := Lookup{l.work.where(), apiVersion, kind}
	if len(l.list) < maxLookups && !slices.Contains(l.list, asked) {
		l.list = append(l.list, asked)
	}
	return empty{}, true, nil
}

// empty is a kind of which there are no objects.
type empty struct {
	dynamic.NamespaceableResourceInterface
}

func (e empty) Namespace(string) dynamic.ResourceInterface { return e }

func (empty) Get(_ context.Context, name string, _ metav1.GetOptions, _ ...string) (*unstructured.Unstructured, error) {
	return nil, apierrors.NewNotFound(schema.GroupResource{}, name)
}

func (empty) List(context.Context, metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	return nil, apierrors.NewNotFound(schema.GroupResource{}, "")
}
