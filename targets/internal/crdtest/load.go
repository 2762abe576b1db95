package crdtest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// Load reads every *.yaml file of dir, each of one or more documents that are
// all CustomResourceDefinitions (apiextensions.k8s.io/v1), and builds the
// schemas of all served versions. A folder without any is an error, lest a
// wrong path accept every object.
func Load(dir string) (*Schemas, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	s := &Schemas{resources: map[schema.GroupVersionKind]resource{}, groups: map[string]bool{}}
	for _, file := range files {
		if err := s.addFile(file); err != nil {
			return nil, fmt.Errorf("load %s: %w", file, err)
		}
	}
	if len(s.resources) == 0 {
		return nil, fmt.Errorf("load %s: no CustomResourceDefinition in its *.yaml files", dir)
	}
	return s, nil
}

// addFile adds the definitions of one file.
func (s *Schemas) addFile(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.addDocument(document); err != nil {
			return err
		}
	}
}

// addDocument adds the definition of one document. A document of comments only
// adds nothing.
func (s *Schemas) addDocument(document []byte) error {
	var content map[string]any
	if err := yaml.Unmarshal(document, &content); err != nil {
		return err
	}
	if len(content) == 0 {
		return nil
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(document, &crd); err != nil {
		return err
	}
	if want := apiextensionsv1.SchemeGroupVersion.String(); crd.APIVersion != want || crd.Kind != "CustomResourceDefinition" {
		return fmt.Errorf("unknown object %s, %s: want %s, CustomResourceDefinition", crd.APIVersion, crd.Kind, want)
	}
	return s.addDefinition(crd)
}

// addDefinition adds the served versions of crd.
func (s *Schemas) addDefinition(crd apiextensionsv1.CustomResourceDefinition) error {
	s.groups[crd.Spec.Group] = true
	for _, version := range crd.Spec.Versions {
		if !version.Served {
			continue
		}
		r, err := newResource(version)
		if err != nil {
			return fmt.Errorf("%s, version %s: %w", crd.Name, version.Name, err)
		}
		r.namespaced = crd.Spec.Scope == apiextensionsv1.NamespaceScoped
		gvk := schema.GroupVersionKind{Group: crd.Spec.Group, Version: version.Name, Kind: crd.Spec.Names.Kind}
		s.resources[gvk] = r
	}
	return nil
}

// newResource builds what validates objects of one version, all but its scope,
// which belongs to the definition.
func newResource(version apiextensionsv1.CustomResourceDefinitionVersion) (resource, error) {
	if version.Schema == nil || version.Schema.OpenAPIV3Schema == nil {
		return resource{}, errors.New("no openAPIV3Schema")
	}
	var internal apiextensions.CustomResourceValidation
	err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(version.Schema, &internal, nil)
	if err != nil {
		return resource{}, fmt.Errorf("convert schema: %w", err)
	}
	structural, err := newStructural(internal.OpenAPIV3Schema)
	if err != nil {
		return resource{}, fmt.Errorf("build structural schema: %w", err)
	}
	openapi, _, err := validation.NewSchemaValidator(internal.OpenAPIV3Schema)
	if err != nil {
		return resource{}, fmt.Errorf("build OpenAPI validator: %w", err)
	}
	return resource{
		structural: structural,
		openapi:    openapi,
		rules:      cel.NewValidator(structural, true, celconfig.PerCallLimit),
		dropStatus: version.Subresources != nil && version.Subresources.Status != nil,
	}, nil
}

// newStructural builds the schema that defaults and prunes. Like in the API
// server its defaults are pruned first, so that they add no unknown fields.
func newStructural(props *apiextensions.JSONSchemaProps) (*structuralschema.Structural, error) {
	structural, err := structuralschema.NewStructural(props)
	if err != nil {
		return nil, err
	}
	// NewStructural shares its defaults with props, which PruneDefaults would change.
	structural = structural.DeepCopy()
	return structural, defaulting.PruneDefaults(structural)
}
