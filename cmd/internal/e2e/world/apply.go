//go:build e2e

package world

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
)

// Apply applies manifests as kubectl apply --server-side does: what a user
// applies by hand, never what is under test.
func (w *World) Apply(ctx context.Context, manifests string) error {
	objects, err := Decode([]byte(manifests))
	if err != nil {
		return err
	}
	return w.apply(ctx, objects, metav1.ApplyOptions{FieldManager: "kubectl", Force: true})
}

// DryRun has the API server say whether it takes objects, unknown fields included.
func (w *World) DryRun(ctx context.Context, objects ...*unstructured.Unstructured) error {
	var errs []error
	for _, object := range objects {
		resource, err := w.Resource(object)
		if err == nil {
			data, encoding := object.MarshalJSON()
			_, err = resource.Patch(ctx, object.GetName(), "application/apply-patch+yaml", data,
				metav1.PatchOptions{FieldManager: "e2e", DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict})
			err = errors.Join(encoding, err)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err))
		}
	}
	return errors.Join(errs...)
}

func (w *World) apply(ctx context.Context, objects []*unstructured.Unstructured, options metav1.ApplyOptions) error {
	for _, object := range objects {
		resource, err := w.Resource(object)
		if err == nil {
			_, err = resource.Apply(ctx, object.GetName(), object, options)
		}
		if err != nil {
			return fmt.Errorf("apply %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}

// Resource is where an object is applied.
func (w *World) Resource(object *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := object.GroupVersionKind()
	mapping, err := w.kinds.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) { // a definition may be new
		w.kinds.Reset()
		mapping, err = w.kinds.RESTMapping(kind.GroupKind(), kind.Version)
	}
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return w.Dynamic.Resource(mapping.Resource).Namespace(object.GetNamespace()), nil
	}
	return w.Dynamic.Resource(mapping.Resource), nil
}

// Decode takes a stream of YAML documents apart.
func Decode(manifests []byte) ([]*unstructured.Unstructured, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifests), 4096)
	var objects []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}

// Define applies the CustomResourceDefinitions in a folder, without those of some
// files, and waits until the API server serves them.
func (w *World) Define(ctx context.Context, folder string, without ...string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no definitions in %s: %w", folder, err)
	}
	var all []*unstructured.Unstructured
	for _, file := range files {
		if slices.Contains(without, filepath.Base(file)) {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		objects, err := Decode(data)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, objects...)
	}
	if err := w.apply(ctx, all, metav1.ApplyOptions{FieldManager: "kubectl", Force: true}); err != nil {
		return err
	}
	for _, definition := range all {
		if err := w.established(ctx, definition); err != nil {
			return err
		}
	}
	w.kinds.Reset()
	return nil
}

// established waits until the API server serves a definition.
func (w *World) established(ctx context.Context, definition *unstructured.Unstructured) error {
	resource, err := w.Resource(definition)
	if err != nil {
		return err
	}
	for {
		got, err := resource.Get(ctx, definition.GetName(), metav1.GetOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		conditions, _, _ := unstructured.NestedSlice(got.Object, "status", "conditions")
		for _, condition := range conditions {
			if c, ok := condition.(map[string]any); ok && c["type"] == "Established" && c["status"] == "True" {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not served: %w", definition.GetName(), ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}
