package render_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
)

// TestPlaceholderValues: secret values are there whether the release has values
// of its own or not, and these stay as they are.
func TestPlaceholderValues(t *testing.T) {
	inputs := []render.SecretInput{{Path: "a.b", From: render.SecretRef{Secret: "s", Key: "k"}}}
	own := render.Values{"a": map[string]any{"c": "d"}}
	for _, test := range []struct {
		values render.Values
		want   map[string]any
	}{
		{nil, map[string]any{"a": map[string]any{"b": "FILL-IN s/k"}}},
		{own, map[string]any{"a": map[string]any{"b": "FILL-IN s/k", "c": "d"}}},
	} {
		got, err := render.Release{Values: test.values, SecretInputs: inputs}.PlaceholderValues()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("values %v (-want +got):\n%s", test.values, diff)
		}
	}
	if !cmp.Equal(own, render.Values{"a": map[string]any{"c": "d"}}) {
		t.Errorf("the release's own values became %v", own)
	}
}

// TestFilledInStaysText: whatever replaces a placeholder is a text, in a Secret
// and in the document of a values Secret.
func TestFilledInStaysText(t *testing.T) {
	secrets := []render.RequiredSecret{
		{Namespace: "n", Name: "plain", Type: "Opaque", Keys: []string{"k"}},
		{Namespace: "n", Name: "values", Type: "Opaque", Keys: []string{render.ValuesKey}, Inputs: []render.SecretInput{{Path: "a.b", From: render.SecretRef{Secret: "s", Key: "k"}}}},
	}
	manifests, err := render.SecretTemplates(secrets)
	if err != nil {
		t.Fatal(err)
	}
	for _, filled := range []string{"123", "1e3", "yes", "true", "null", "~", "2025-01-01", "0x1F", "a: b", "a #b", "*a", "@a", "{a", "- a"} {
		text := strings.ReplaceAll(strings.ReplaceAll(string(manifests), "FILL-IN s/k", filled), "FILL-IN", filled)
		documents := strings.Split(text, "---\n")
		var plain, values struct{ StringData map[string]any }
		var document struct{ A struct{ B any } }
		if err := errors.Join(yaml.Unmarshal([]byte(documents[0]), &plain), yaml.Unmarshal([]byte(documents[1]), &values)); err != nil {
			t.Errorf("%s: %v", filled, err)
			continue
		}
		if err := yaml.Unmarshal([]byte(fmt.Sprint(values.StringData[render.ValuesKey])), &document); err != nil {
			t.Errorf("%s: %v", filled, err)
		}
		if plain.StringData["k"] != filled || document.A.B != filled {
			t.Errorf("%q became %#v and %#v", filled, plain.StringData["k"], document.A.B)
		}
	}
}

// TestSecretReferences: each reference says which value it is a note for, or
// that it changes nothing.
func TestSecretReferences(t *testing.T) {
	source := func(more string) string {
		return `apiVersion: pm-gitops/v1
kind: Environment
metadata: {name: dev}
spec:
  instance: {name: a, frontendUrl: https://a.b, backendUrl: https://b.b, ownerEmail: o@b.c}
  versions: {prefectCloud: 1.2.900, server: "2025.10.1", ui: "2025.1023.1"}
  mesh: none
  auth: {okta: {clientID: a, clientSecret: {secret: s, key: k}, authServerURL: https://o.b}}
  secretValues: [{release: app, path: a.b, secret: s, key: own}]
  releases: [{name: app, chart: oci://r.io/app, version: 1.0.0, namespace: apps}]
` + more
	}
	own := render.SecretReference{Field: "spec.secretValues[0]", From: render.SecretRef{Secret: "s", Key: "own"}, Namespace: "apps", Secret: "app-values", Path: "a.b"}
	auth := render.SecretReference{Field: "spec.auth.okta.clientSecret", From: render.SecretRef{Secret: "s", Key: "k"}}
	noted := auth
	noted.Namespace, noted.Secret, noted.Path = "customer-managed", "prefect-cloud-values", "global.authProvider.okta.clientSecret"
	for into, want := range map[string][]render.SecretReference{
		"values": {noted, own},
		"chart":  {auth, own},
	} {
		plan, err := render.NewPlan(parse(t, source("  secrets: {into: "+into+"}\n")), catalog.Embedded(), render.IntoValues)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, plan.SecretReferences()); diff != "" {
			t.Errorf("into %s (-want +got):\n%s", into, diff)
		}
	}
}
