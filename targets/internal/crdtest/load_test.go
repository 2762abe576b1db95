package crdtest_test

import (
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/targets/internal/crdtest"
)

// definitions has what Flux's definitions lack: two documents in a file, lists
// that are sets and maps, integers, defaults that rules need, a cluster scope,
// status as a plain field, an embedded object and a version that is not served.
const definitions = `
# A document of comments only.
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shelves.example.com}
spec:
  group: example.com
  scope: Cluster
  names: {kind: Shelf, plural: shelves}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          status: {type: object, properties: {full: {type: boolean}}}
          spec:
            type: object
            x-kubernetes-validations:
            - {rule: self.height <= self.room, message: height exceeds room}
            properties:
              height: {type: integer, default: 3}
              room: {type: integer, default: 4}
              tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}
              books:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [title]
                items: {type: object, required: [title], properties: {title: {type: string}}}
              object: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: lamps.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Lamp, plural: lamps}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
  - {name: v2, served: false, storage: false, schema: {openAPIV3Schema: {type: object}}}
`

func TestValidateLikeServer(t *testing.T) {
	schemas, err := crdtest.Load(write(t, "crds.yaml", definitions))
	if err != nil {
		t.Fatal(err)
	}
	const shelf = "{apiVersion: example.com/v1, kind: Shelf, metadata: {name: a}, "
	tests := []struct{ name, object, want string }{
		{"correct", shelf + "spec: {height: 4, tags: [a, b], books: [{title: x}, {title: z}]}}", ""},
		{"default breaks a rule", shelf + "spec: {height: 5}}", "height exceeds room"},
		{"null takes the default", shelf + "spec: {height: 5, room: null}}", "height exceeds room"},
		{"rules wait for types", shelf + "spec: {height: x}}", "some validation rules were not checked"},
		{"fraction for an integer", shelf + "spec: {height: 1.5}}", "spec.height: Invalid value"},
		{"set with a duplicate", shelf + "spec: {tags: [a, a]}}", `spec.tags[1]: Duplicate value: "a"`},
		{"map with a duplicate", shelf + "spec: {books: [{title: x}, {title: x}]}}", "spec.books[1]: Duplicate value"},
		{"namespace in cluster scope", "{apiVersion: example.com/v1, kind: Shelf, metadata: {name: a, namespace: b}}", "metadata.namespace: Forbidden"},
		{"status that is a plain field", shelf + "status: {full: 1}}", "status.full: Invalid value"},
		{"embedded object", shelf + "spec: {object: {apiVersion: v1, kind: Secret, metadata: {name: b}, data: {}}}}", ""},
		{"embedded object without kind", shelf + "spec: {object: {apiVersion: v1}}}", "spec.object.kind: Required value"},
		{"embedded metadata", shelf + "spec: {object: {apiVersion: v1, kind: Secret, metadata: {nam: b}}}}", `unknown field "spec.object.metadata.nam"`},
		{"second document", "{apiVersion: example.com/v1, kind: Lamp, metadata: {name: a, namespace: b}}", ""},
		{"version not served", "{apiVersion: example.com/v2, kind: Lamp, metadata: {name: a, namespace: b}}", "is not served by this release: want example.com/v1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // the cases share the schemas, which the race detector watches
			check(t, schemas.Validate(object(t, test.object)), test.want)
		})
	}
}

// Values as Go code writes them must do, not only as decoders leave them.
func TestValidateTakesGoValues(t *testing.T) {
	schemas, err := crdtest.Load(write(t, "crds.yaml", definitions))
	if err != nil {
		t.Fatal(err)
	}
	o := object(t, "{apiVersion: example.com/v1, kind: Shelf, metadata: {name: a}}")
	o["spec"] = map[string]any{"height": 3, "tags": []string{"a"}}
	check(t, schemas.Validate(o), "")
	o["spec"] = func() {}
	check(t, schemas.Validate(o), "encode object: ")
}

func TestLoadRefuses(t *testing.T) {
	const lamp = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: lamps}\n"
	tests := []struct{ name, file, text, want string }{
		{"a folder without definitions", "README.md", "", "no CustomResourceDefinition"},
		{"a file of comments", "a.yaml", "# nothing\n", "no CustomResourceDefinition"},
		{"another kind", "a.yaml", "{apiVersion: v1, kind: Secret}", "a.yaml: unknown object v1, Secret"},
		{"text that is no YAML", "a.yaml", "a: [", "a.yaml: "},
		{"a version without schema", "a.yaml", lamp + "spec: {versions: [{name: v1, served: true}]}", "lamps, version v1: no openAPIV3Schema"},
		{"a schema that is not structural", "a.yaml", lamp + "spec: {versions: [{name: v1, served: true, schema: {openAPIV3Schema: {$ref: x}}}]}", "build structural schema"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := crdtest.Load(write(t, test.file, test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Load = %v, want an error with %q", err, test.want)
			}
		})
	}
}
