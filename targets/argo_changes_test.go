package targets_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/targets"
)

// argoObject is an object that reaches a cluster, and what brings it there.
type argoObject struct {
	source string
	object map[string]any
}

// betweenArgo says what a commit does, as Argo CD documents it
// (https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/): what is
// gone from a folder is pruned, unless it says Prune=false, or Prune=confirm
// and no user confirms. Nothing is where a folder is gone, and no user takes
// away what Argo CD is pointed at.
func betweenArgo(before, after map[string]argoObject) changes {
	var c changes
	for _, name := range slices.Sorted(maps.Keys(before)) {
		old, now := before[name], after[name]
		metadata := old.object["metadata"].(map[string]any)
		annotations, _ := metadata["annotations"].(map[string]any)
		options, _ := annotations["argocd.argoproj.io/sync-options"].(string)
		folderStays := slices.ContainsFunc(slices.Collect(maps.Values(after)), func(o argoObject) bool { return o.source == old.source })
		switch {
		case now.object != nil && reflect.DeepEqual(now, old):
		case now.object != nil:
			c.Changed = append(c.Changed, name)
		case strings.HasPrefix(old.source, "clusters/") || !folderStays || strings.Contains(options, "Prune="):
			c.Kept = append(c.Kept, name)
		default:
			c.Pruned = append(c.Pruned, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if before[name].object == nil {
			c.Added = append(c.Added, name)
		}
	}
	return c
}

// TestArgoChanges is what reaches the cluster when an environment changes, and
// that nothing of the vendor's releases, or of a protected one, is ever
// uninstalled by it: its Application has no finalizer, and goes only after a
// person confirmed that.
func TestArgoChanges(t *testing.T) {
	const (
		needs  = "    needs: [prefect-cloud]\n"
		worker = "  - name: prefect-worker\n    chart: oci://registry.company.com/charts/prefect-worker\n    version: 2025.11.1\n    namespace: prefect-workers\n"
		middle = "  - {name: middle, chart: oci://registry.company.com/charts/middle, version: 1.0.0, namespace: middle, needs: [prefect-cloud]}\n"
	)
	tests := []struct {
		name     string
		old, new string // in the sample's text
		want     changes
	}{
		{"nothing", "", "", changes{}},
		{"server tag", "2025.10.202511042343", "2025.10.202512010000", changes{Changed: []string{"Application gitops/argo-prefect-cloud"}}},
		{"chart version", "prefectIstiod: 1.2.900", "prefectIstiod: 1.2.901", changes{Changed: []string{"Application gitops/argo-prefect-istiod"}}},
		{"wave inserted", worker + needs, middle + worker + "    needs: [middle]\n", changes{
			Added:   []string{"Application gitops/argo-middle", "Namespace middle"},
			Changed: []string{"AppProject gitops/argo", "Application gitops/argo-prefect-worker"}}},
		{"extra release renamed", "name: prefect-worker\n", "name: worker\n", changes{
			Added:  []string{"Application gitops/argo-worker"},
			Pruned: []string{"Application gitops/argo-prefect-worker"}}},
		{"protected release renamed", "name: cert-manager\n", "name: certs\n", changes{
			Added: []string{"Application gitops/argo-certs"},
			Kept:  []string{"Application gitops/argo-cert-manager"}}},
		{"namespace of the vendor's", "  needs:\n    prefect-cloud:", "  names: {prefect-cloud: {namespace: prefect}}\n  needs:\n    prefect-cloud:", changes{
			Added:   []string{"Namespace prefect"},
			Changed: []string{"AppProject gitops/argo", "Application gitops/argo-prefect-cloud"},
			Kept:    []string{"Namespace customer-managed"}}},
		{"another repository", "https://git.company.com/platform/fleet.git", "https://git.company.com/platform/other.git", changes{
			Changed: []string{"AppProject gitops/argo", "AppProject gitops/argo-root", "Application gitops/argo", "Application gitops/argo-prereqs"}}},
	}
	for _, tt := range tests {
		for _, version := range argoVersions {
			t.Run(tt.name+"/"+version, func(t *testing.T) {
				file := samples(t)["argo"]
				source := strings.NewReplacer("      charts: oci  ", "      # ", "@sha256:abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789", "").Replace(string(readFile(t, file)))
				edited := strings.ReplaceAll(source, tt.old, tt.new)
				if tt.name == "protected release renamed" {
					edited = strings.ReplaceAll(edited, "[cert-manager]", "[certs]")
				}
				if tt.old != "" && edited == source {
					t.Fatalf("the sample has no %q", tt.old)
				}
				before, after := argoCluster(t, file, source, version), argoCluster(t, file, edited, version)
				got := betweenArgo(before, after)
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("changes (-want +got):\n%s", diff)
				}
				checkUninstalled(t, before, got.Pruned)
				gone := betweenArgo(before, nil)
				if len(gone.Pruned) > 0 || len(gone.Kept) != len(before) {
					t.Errorf("without its files, %v is pruned", gone.Pruned)
				}
			})
		}
	}
}

func argoCluster(t *testing.T, file, source, version string) map[string]argoObject {
	t.Helper()
	plan := planSource(t, targets.Argo{}, file, []byte(source))
	plan.Delivery.Argo.Version = render.ArgoVersion(version)
	all := map[string]argoObject{}
	for _, manifest := range rendered(t, plan, targets.Argo{}).Manifests {
		for _, object := range objects(t, manifest.YAML) {
			all[id(object)] = argoObject{manifest.Source, object}
		}
	}
	return all
}

// checkUninstalled fails when a release is uninstalled that must not be, or
// one stays that nothing looks after any more.
func checkUninstalled(t *testing.T, before map[string]argoObject, pruned []string) {
	t.Helper()
	for name, old := range before {
		cascades := old.object["metadata"].(map[string]any)["finalizers"] != nil
		if cascades != strings.HasSuffix(name, "argo-prefect-worker") {
			t.Errorf("deleting %s uninstalls what it made: %t", name, cascades)
		}
		if slices.Contains(pruned, name) && !cascades {
			t.Errorf("%s is pruned, and what it made stays", name)
		}
	}
}
