package render_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/verify"
)

// compiled is our schema as an independent validator reads it.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := json.Marshal(render.Schema())
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("environment.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("environment.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(t *testing.T, schema *jsonschema.Schema, source string) error {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(document)
}

// TestSchemaAcceptsSamples validates every file that we show.
func TestSchemaAcceptsSamples(t *testing.T) {
	schema := compiled(t)
	files, _ := filepath.Glob("../testdata/env/*.yaml")
	files = append(files, "../templates/environment.yaml", "../testdata/demo/environment.yaml", "../testdata/env/shared/common.yaml")
	if len(files) < 8 {
		t.Fatalf("found %d samples", len(files))
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, schema, string(data)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestSchemaRefusesWhatParseRefuses is the proof that the schema says
// something: what it can say of the problems that Parse finds.
func TestSchemaRefusesWhatParseRefuses(t *testing.T) {
	schema := compiled(t)
	edits := []struct{ old, new string }{
		{"frontendUrl", "frontendURL"},
		{"    ownerEmail: owner@company.com\n", ""},
		{"name: dev", "name: Dev"},
		{"https://ui.company.com", "ui.company.com"},
		{`"2025.10.202511042343"`, "2025.10"},
		{"prefectCloud: 1.2.900", "prefectCloud: 1.2.x"},
		{"{secret: prefect-auth, key: client-secret}", "plain"},
		{"{secret: prefect-auth, key: client-secret}", "{secret: prefect-auth}"},
		{"kind: Environment", "kind: Catalog"},
		{"  auth:", "  mesh: istio\n  auth:"},
		{"  auth:", "  mesh: {existing: {}}\n  auth:"},
		{"  auth:", "  delivery: {flux: {version: \"2.3\"}}\n  auth:"},
		{"  auth:", "  secrets: {into: env}\n  auth:"},
		{"  auth:", "  migrations: {timeout: long}\n  auth:"},
		{"  auth:", "  names: {prefect-cloud: {namespace: A}}\n  auth:"},
		{"  auth:", "  releases: [{name: a}]\n  auth:"},
		{"  auth:", "  verify: [{match: ghcr.io/*, keyless: {issuer: https://a.b, subject: ^a$}}]\n  auth:"},
		{"  auth:", "  verify: [{match: ghcr.io/a, keyless: {issuer: a.b, subject: ^a$}}]\n  auth:"},
		{"  auth:", "  verify: [{match: ghcr.io/a, keyless: {issuer: https://a.b, subject: a}}]\n  auth:"},
		{"  auth:", "  verify: [{match: ghcr.io/a, key: a.pub}]\n  auth:"},
	}
	if err := validate(t, schema, complete); err != nil {
		t.Fatalf("the schema refuses what is right: %v", err)
	}
	for _, edit := range edits {
		source := strings.Replace(complete, edit.old, edit.new, 1)
		if _, err := render.Parse("dev.yaml", []byte(source), noFiles); err == nil {
			t.Errorf("Parse takes %q for %q", edit.new, edit.old)
		}
		if err := validate(t, schema, source); err == nil {
			t.Errorf("the schema takes %q for %q", edit.new, edit.old)
		}
	}
}

// TestSchemaDescribesFields keeps the descriptions that editors show: every
// type has one, taken from its doc comment.
func TestSchemaDescribesFields(t *testing.T) {
	definitions := render.Schema().Definitions
	for _, of := range []reflect.Type{reflect.TypeFor[render.Spec](), reflect.TypeFor[render.Versions](), reflect.TypeFor[render.SecretRef](), reflect.TypeFor[verify.Rule](), reflect.TypeFor[verify.Keyless]()} {
		if definitions[of.Name()] == nil || definitions[of.Name()].Description == "" {
			t.Errorf("the schema does not describe %s", of.Name())
		}
	}
	server, _ := definitions["Versions"].Properties.Get("server")
	if want := "Image tag of the server."; server == nil || server.Description != want {
		t.Errorf("description of versions.server = %+v, want %q", server, want)
	}
}
