package targets_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/targets"
)

// member gives a small environment; spec is further lines of it.
func member(t *testing.T, target render.Target, name, spec string) render.Rendering {
	t.Helper()
	source := fmt.Sprintf(`apiVersion: pm-gitops/v1
kind: Environment
metadata:
  name: %s
spec:
  instance: {name: a, frontendUrl: https://ui.a.com, backendUrl: https://api.a.com, ownerEmail: a@a.com}
  versions: {prefectIstiod: 1.2.900, prefectCloud: 1.2.900, server: "2025.10.1", ui: "2025.1023.154520"}
  auth: {okta: {clientID: a, clientSecret: {secret: a, key: a}, authServerURL: https://a.com}}
%s`, name, spec)
	plan := planSource(t, target, name+".yaml", []byte(source))
	rendering, err := render.Render(plan, target)
	if err != nil {
		t.Fatalf("Render: %v", err)
	}
	return rendering
}

func TestCollisions(t *testing.T) {
	const (
		git   = "  delivery: {git: {url: https://git.a.com/fleet.git}%s}\n"
		other = "  names: {prefect-cloud: {namespace: other}}\n"
		mesh  = "  mesh: existing\n"
		on    = "  cluster: {name: shared}\n"
	)
	hub := func(destination string) string { return fmt.Sprintf(git, ", argo: {destination: {"+destination+"}}") }
	extra := func(name, namespace string) string {
		return fmt.Sprintf("  releases: [{name: %s, chart: oci://a.com/charts/w, version: 1.0.0, namespace: %s}]\n", name, namespace)
	}
	istio := func(place string) string {
		return `b.yaml:4:3: metadata.name: environment "a" (a.yaml:4:3) installs prefect-istiod in ` + place + ` too, and that serves the whole cluster: want mesh: existing in one of them`
	}
	namespace := func(names, place string) string {
		return `b.yaml:4:3: metadata.name: environment "a" (a.yaml:4:3) has namespace ` + names + ` of ` + place + ` too: want other namespaces under spec.names in one of them`
	}
	tests := []struct {
		name   string
		target render.Target
		a, b   string
		want   []string
	}{
		{"two clusters", targets.Flux{}, "", "", nil},
		{"one cluster", targets.Flux{}, on, on, []string{istio(`cluster "shared"`), namespace("customer-managed and istio-system", `cluster "shared"`)}},
		{"one cluster, another namespace", targets.Flux{}, on, on + other, []string{istio(`cluster "shared"`), namespace("istio-system", `cluster "shared"`)}},
		{"one cluster, Istio is there", targets.Flux{}, on, on + mesh, []string{namespace("customer-managed", `cluster "shared"`)}},
		{"one cluster, nothing in common", targets.Flux{}, on, on + mesh + other, nil},
		{"a cluster named as an environment", targets.Flux{}, "", "  cluster: {name: a}\n", []string{istio(`cluster "a"`), namespace("customer-managed and istio-system", `cluster "a"`)}},
		{"a further release in one namespace", targets.Flux{}, on + extra("w", "work"), on + mesh + other + extra("x", "work"), []string{namespace("work", `cluster "shared"`)}},
		{"a hub, two clusters", targets.Argo{}, hub("name: one"), hub("name: two"), nil},
		{"a hub, one cluster", targets.Argo{}, hub("server: https://one.a.com"), hub("server: https://one.a.com") + mesh, []string{namespace("customer-managed", `cluster https://one.a.com`)}},
		{"an Argo CD in each cluster", targets.Argo{}, hub(""), hub(""), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, problem := range render.Collisions([]render.Rendering{member(t, tt.target, "a", tt.a), member(t, tt.target, "b", tt.b)}) {
				got = append(got, problem.Error())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCollisionsOfFiles: the same path with another content is told.
func TestCollisionsOfFiles(t *testing.T) {
	a, b := member(t, targets.Flux{}, "a", ""), member(t, targets.Flux{}, "b", "")
	const base = "prefect/base/v1/flux/prefect-cloud/helmrelease.yaml"
	b.Tree[base] = append(b.Tree[base], '\n')
	want := `b.yaml:4:3: metadata.name: the environment writes file ` + base + `, and environment "a" (a.yaml:4:3) writes it differently`
	if got := render.Collisions([]render.Rendering{a, b}); len(got) != 1 || got[0].Error() != want {
		t.Errorf("Collisions = %v, want %s", got, want)
	}
}
