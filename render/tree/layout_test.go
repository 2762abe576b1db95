package tree_test

import (
	"testing"

	"github.com/pm-gitops/pm-gitops/render/tree"
)

// TestLayoutOwns: names come from a repository and are no patterns.
func TestLayoutOwns(t *testing.T) {
	layout := tree.Layout{Paths: []string{"{path}/base/", "{path}/overlays/{environment}/", "clusters/*/prefect-{environment}.yaml", ".ci.yml"}}
	for _, test := range []struct {
		path, environment, file string
		want                    bool
	}{
		{"prefect", "dev", "prefect/base/v1/flux/a.yaml", true},
		{"prefect", "dev", "prefect/base", false},
		{"prefect", "dev", "prefect/bases/a.yaml", false},
		{"prefect", "dev", "other/base/a.yaml", false},
		{"a/b", "dev", "a/b/base/a.yaml", true},
		{"a/b", "dev", "a/base/a.yaml", false},
		{".", "dev", "base/a.yaml", true},
		{".", "dev", "x/base/a.yaml", false},
		{"prefect", "dev", "prefect/overlays/dev/a/b.yaml", true},
		{"prefect", "dev", "prefect/overlays/dev2/a.yaml", false},
		{"prefect", "dev", "prefect/overlays/prod/a.yaml", false},
		{"prefect", "*", "prefect/overlays/prod/a.yaml", false},
		{"prefect", ".", "prefect/overlays/prod/a.yaml", false},
		{"prefect", "", "prefect/overlays/prod/a.yaml", false},
		{"prefect", "{path}", "prefect/overlays/prefect/a.yaml", false},
		{"prefect", "dev", "clusters/x/prefect-dev.yaml", true},
		{"prefect", "dev", "clusters/x/y/prefect-dev.yaml", false},
		{"prefect", "dev", "clusters/prefect-dev.yaml", false},
		{"prefect", "dev", "clusters/x/prefect-dev.yaml/more", false},
		{"prefect", "dev", "clusters/x/prefect-prod.yaml", false},
		{"prefect", "dev", ".ci.yml", true},
		{"prefect", "dev", ".ci.yml2", false},
		{"prefect", "dev", "x/.ci.yml", false},
		{"prefect", "dev", "prefect/base/../../x", false},
		{"prefect", "dev", "../prefect/base/a.yaml", false},
		{"prefect", "dev", "/prefect/base/a.yaml", false},
		{"prefect", "dev", "", false},
		{"prefect", "..", "prefect/overlays/../base2/a.yaml", false},
	} {
		if got := layout.Owns(test.path, test.environment, test.file); got != test.want {
			t.Errorf("Owns(%q, %q, %q) = %v, want %v", test.path, test.environment, test.file, got, test.want)
		}
	}
}
