// Package kustomize prepares the state that kustomize's libraries keep in
// variables of their packages.
package kustomize

import (
	"sync"

	"sigs.k8s.io/kustomize/kyaml/openapi"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

var ready = sync.OnceFunc(func() {
	openapi.SuppressBuiltInSchemaUse()
	openapi.SchemaForResourceType(kyaml.TypeMeta{})
})

// Ready makes kustomize's libraries safe for concurrent use. Their copy of the
// Kubernetes API is not read, which takes longer than building an environment:
// it says how lists of built-in kinds merge, and neither the kinds that
// overlays patch nor a post-renderer that adds labels need it. What is left of
// the schema is read at once: kustomize would read it later without a lock that
// its readers take (https://github.com/kubernetes-sigs/kustomize/issues/4824).
func Ready() { ready() }
