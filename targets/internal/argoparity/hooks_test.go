package argoparity

import (
	"os"
	"slices"
	"testing"

	"github.com/argoproj/gitops-engine/pkg/sync/hook"
	"github.com/argoproj/gitops-engine/pkg/sync/ignore"
	"github.com/argoproj/gitops-engine/pkg/sync/syncwaves"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// TestHooks holds the table of package chart to Argo CD's own code.
func TestHooks(t *testing.T) {
	type verdict struct {
		Annotations     map[string]string
		Hook, Ignored   bool
		Types, Policies []string
		Wave            int
	}
	data, err := os.ReadFile("../../../render/chart/testdata/sync-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var table []verdict
	if err := yaml.UnmarshalStrict(data, &table); err != nil {
		t.Fatal(err)
	}
	for _, want := range table {
		object := &unstructured.Unstructured{Object: map[string]any{}}
		object.SetAnnotations(want.Annotations)
		got := verdict{want.Annotations, hook.IsHook(object), ignore.Ignore(object), []string{}, []string{}, syncwaves.Wave(object)}
		for _, kind := range hook.Types(object) {
			got.Types = append(got.Types, string(kind))
		}
		for _, policy := range hook.DeletePolicies(object) {
			got.Policies = append(got.Policies, string(policy))
		}
		slices.Sort(got.Types)
		got.Types = slices.Compact(got.Types) // phases are a set
		slices.Sort(got.Policies)
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%v (-Argo CD +table):\n%s", want.Annotations, diff)
		}
	}
	if len(table) < 20 {
		t.Errorf("the table has %d entries", len(table))
	}
}
