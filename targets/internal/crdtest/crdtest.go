// Package crdtest tells a test whether a Kubernetes API server would accept an
// object, given the CustomResourceDefinitions of one release of a controller.
// Only tests import it.
//
// It runs the API server's own code in the API server's order, so an object
// that passes here is accepted by a server on create with strict field
// validation. Two things a server knows are out of reach: keys written twice,
// which a map no longer has, and the namespace of the request, which is why an
// object of a namespaced kind must name its namespace itself.
package crdtest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

// Schemas are the custom resources that one release of a controller serves.
// They do not change after Load, so parallel tests may share them.
type Schemas struct {
	resources map[schema.GroupVersionKind]resource
	groups    map[string]bool
}

// resource is one served version of one kind.
type resource struct {
	structural *structuralschema.Structural
	openapi    validation.SchemaValidator
	rules      *cel.Validator // nil where the schema has none
	namespaced bool
	// dropStatus is true where status is a subresource: a create then ignores
	// the status it is given.
	dropStatus bool
}

// Owns reports whether a CustomResourceDefinition of the release defines the
// group of apiVersion, in whatever version.
func (s *Schemas) Owns(apiVersion string) bool {
	gv, err := schema.ParseGroupVersion(apiVersion)
	return err == nil && s.groups[gv.Group]
}

// Validate returns everything for which an API server with these
// CustomResourceDefinitions refuses to create object, and nothing if it accepts
// it. A server stops at the first unknown field; Validate drops unknown fields
// and goes on. An object of a group that the release does not own is an error:
// ask Owns first. Validate never changes object.
func (s *Schemas) Validate(object map[string]any) []error {
	o, err := normal(object)
	if err != nil {
		return []error{err}
	}
	r, err := s.resource(o)
	if err != nil {
		return []error{err}
	}
	defaulting.Default(o, r.structural)
	errs, err := r.coerce(o)
	if err != nil {
		return append(errs, err)
	}
	if r.dropStatus {
		delete(o, "status")
	}
	for _, err := range r.validate(o) {
		errs = append(errs, err)
	}
	return errs
}

// normal returns a deep copy of object with the value types that a server gets
// from its JSON decoder: CEL tells int64 from float64, and a YAML decoder
// leaves int or float64 where a server has int64.
func normal(object map[string]any) (map[string]any, error) {
	data, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("encode object: %w", err)
	}
	var o map[string]any
	if err := json.Unmarshal(data, &o); err != nil {
		return nil, fmt.Errorf("decode object: %w", err)
	}
	return o, nil
}

// resource finds what describes object.
func (s *Schemas) resource(object map[string]any) (resource, error) {
	u := unstructured.Unstructured{Object: object}
	if !s.Owns(u.GetAPIVersion()) {
		return resource{}, fmt.Errorf("no schema for %s, %s", u.GetAPIVersion(), u.GetKind())
	}
	gvk := u.GroupVersionKind()
	r, ok := s.resources[gvk]
	if !ok {
		return resource{}, fmt.Errorf("%s, %s is not served by this release: want %s",
			u.GetAPIVersion(), gvk.Kind, s.alternatives(gvk.GroupKind()))
	}
	return r, nil
}

// alternatives lists the served versions of a kind, or the served kinds of its
// group where the kind is unknown too.
func (s *Schemas) alternatives(gk schema.GroupKind) string {
	var versions, kinds []string
	for gvk := range s.resources {
		if gvk.GroupKind() == gk {
			versions = append(versions, gvk.GroupVersion().String())
		}
		if gvk.Group == gk.Group {
			kinds = append(kinds, gvk.Kind)
		}
	}
	if len(versions) == 0 {
		versions = kinds
	}
	slices.Sort(versions)
	return strings.Join(slices.Compact(versions), " or ")
}

// coerce removes from o what the schema does not know, in the order of the API
// server's unstructuredSchemaCoercer, and returns an error for each field
// removed. The second result is of metadata that cannot be read.
func (r resource) coerce(o map[string]any) ([]error, error) {
	meta, found, unknown, err := objectmeta.GetObjectMetaWithOptions(o, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if err != nil {
		return nil, fmt.Errorf("read metadata: %w", err)
	}
	track := structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	unknown = append(unknown, pruning.PruneWithOptions(o, r.structural, true, track)...)
	defaulting.PruneNonNullableNullsWithoutDefaults(o, r.structural)
	invalid, embedded := objectmeta.CoerceWithOptions(nil, o, r.structural, false, objectmeta.CoerceOptions{ReturnUnknownFieldPaths: true})
	unknown = append(unknown, embedded...)
	errs := unknownFields(unknown)
	if invalid != nil { // as an error, a nil *field.Error would not be nil
		return errs, invalid
	}
	if found {
		err = objectmeta.SetObjectMeta(o, meta)
	}
	return errs, err
}

// unknownFields words paths like the API server.
func unknownFields(paths []string) []error {
	var errs []error
	for _, path := range paths {
		errs = append(errs, fmt.Errorf("unknown field %q", path))
	}
	return errs
}

// validate does what the API server's customResourceStrategy does on create:
// metadata, OpenAPI, embedded objects, lists that are sets or maps and, unless
// what was found makes them pointless, the x-kubernetes-validations rules.
func (r resource) validate(o map[string]any) field.ErrorList {
	// No caller has a context to give: nothing here blocks.
	ctx := context.Background()
	u := unstructured.Unstructured{Object: o}
	errs := metavalidation.ValidateObjectMetaAccessor(&u, r.namespaced, metavalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
	errs = append(errs, validation.ValidateCustomResource(nil, o, r.openapi)...)
	errs = append(errs, objectmeta.Validate(ctx, nil, o, r.structural, false)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, r.structural, o)...)
	if r.rules == nil {
		return errs
	}
	if slices.ContainsFunc(errs, blocksRules) {
		return append(errs, field.Invalid(nil, nil, "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"))
	}
	violations, _ := r.rules.Validate(ctx, nil, r.structural, o, nil, celconfig.RuntimeCELCostBudget)
	return append(errs, violations...)
}

// blocksRules reports whether the API server skips the CEL rules after err:
// they may rely on the types and limits of the schema.
func blocksRules(err *field.Error) bool {
	switch err.Type {
	case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
		return true
	}
	return false
}
