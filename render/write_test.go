package render_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
)

// sampleFiles is the environments that the golden trees are made from, and
// the starter file.
func sampleFiles(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("../testdata/env/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	files := map[string][]byte{}
	for _, name := range append(names, "../templates/environment.yaml") {
		if files[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func readBeside(name string) ([]byte, error) { return os.ReadFile(name) }

// TestRewriteSamples holds for what samples extend, too: it is written out.
func TestRewriteSamples(t *testing.T) {
	for name, source := range sampleFiles(t) {
		env, err := render.Parse(name, source, readBeside)
		if err != nil {
			t.Fatal(err)
		}
		checkRewrite(t, env, name)
	}
}

// checkRewrite writes an environment and reads it again, in the place of a file.
func checkRewrite(t *testing.T, env render.Environment, name string) {
	t.Helper()
	written, err := env.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := render.Parse(name, written, readBeside)
	if err != nil {
		t.Fatalf("what was written is refused: %v\n%s", err, written)
	}
	if diff := cmp.Diff(env.Metadata, again.Metadata) + cmp.Diff(env.Spec, again.Spec) + cmp.Diff(env.Kind, again.Kind); diff != "" {
		t.Errorf("rewritten (-before +after):\n%s\n%s", diff, written)
	}
}

// FuzzRewrite holds the writer to the reader: every accepted file survives
// being written by the program.
func FuzzRewrite(f *testing.F) {
	for _, source := range sampleFiles(f) {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		env, err := render.Parse("environment.yaml", source, noFiles)
		if err != nil {
			return
		}
		checkRewrite(t, env, "environment.yaml")
	})
}

// TestBlanks puts comments where something is still to fill in, in a section
// of which nothing is known too.
func TestBlanks(t *testing.T) {
	env, err := render.Parse("dev.yaml", []byte(strings.Replace(complete, "  auth:", "  mesh: {existing: {revision: 1-28}}\n  auth:", 1)), noFiles)
	if err != nil {
		t.Fatal(err)
	}
	env.Spec.Versions = render.Versions{Server: "2025.10"}
	env.Spec.Auth = render.Auth{}
	env.Spec.Instance.OwnerEmail = ""
	got, err := env.YAML(
		render.Blank{Field: "spec.versions.prefectCloud", Hint: "the chart's version"},
		render.Blank{Field: "spec.versions.ui", Hint: "the tag"},
		render.Blank{Field: "spec.instance.ownerEmail", Hint: "the owner"},
		render.Blank{Field: "spec.auth.okta.clientID", Hint: "the client"})
	if err != nil {
		t.Fatal(err)
	}
	want := `apiVersion: pm-gitops/v1
kind: Environment
metadata:
  name: dev
spec:
  instance:
    name: customer-managed
    frontendUrl: https://ui.company.com
    backendUrl: https://api.company.com
    # ownerEmail: the owner
  versions:
    # prefectCloud: the chart's version
    server: "2025.10"
    # ui: the tag
  auth:
    okta:
      # clientID: the client
  mesh: {existing: {revision: "1-28"}}
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("YAML (-want +got):\n%s", diff)
	}
}
