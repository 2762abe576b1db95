package rollout_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/rollout"
	"github.com/pm-gitops/pm-gitops/targets"
)

// TestClusterRole keeps the role of the documentation the one that suffices:
// it allows what is asked for, and nothing else but logs.
func TestClusterRole(t *testing.T) {
	var want []string
	for _, target := range []render.Target{targets.Flux{}, targets.Argo{}} {
		plan, manifests := plan(t, target)
		r, err := rollout.New(plan, target, manifests)
		if err != nil {
			t.Fatal(err)
		}
		for _, query := range r.Queries() {
			want = append(want, "list "+query.Group+"/"+query.Resource)
		}
	}
	want = append(want, "get /pods/log")
	slices.Sort(want)
	if diff := cmp.Diff(slices.Compact(want), documented(t)); diff != "" {
		t.Errorf("the ClusterRole of docs/status.md (-asked for +allowed):\n%s", diff)
	}
}

// documented is what the role of the documentation allows, sorted.
func documented(t *testing.T) []string {
	t.Helper()
	docs, err := os.ReadFile("../../docs/status.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(docs), "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	var role struct {
		Rules []struct{ APIGroups, Resources, Verbs []string }
	}
	if err := yaml.Unmarshal([]byte(block), &role); err != nil {
		t.Fatal(err)
	}
	var allowed []string
	for _, rule := range role.Rules {
		for _, resource := range rule.Resources {
			allowed = append(allowed, rule.Verbs[0]+" "+rule.APIGroups[0]+"/"+resource)
		}
	}
	slices.Sort(allowed)
	return allowed
}
