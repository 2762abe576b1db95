package targets_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/targets"
)

// cluster is what Flux keeps of a rendering: the Flux Kustomizations, and
// below each the objects that it applied, by "Kind namespace/name".
type cluster struct {
	kustomizations map[string]map[string]any
	applied        map[string]map[string]map[string]any // Kustomization to its objects
}

func apply(t *testing.T, rendering render.Rendering) cluster {
	t.Helper()
	c := cluster{map[string]map[string]any{}, map[string]map[string]map[string]any{}}
	byPath := map[string]map[string]map[string]any{}
	for _, manifest := range rendering.Manifests {
		for _, object := range objects(t, manifest.YAML) {
			if strings.HasPrefix(manifest.Source, "clusters/") {
				c.kustomizations[id(object)] = object
				continue
			}
			if byPath["./"+manifest.Source] == nil {
				byPath["./"+manifest.Source] = map[string]map[string]any{}
			}
			byPath["./"+manifest.Source][id(object)] = object
		}
	}
	for name, kustomization := range c.kustomizations {
		path := kustomization["spec"].(map[string]any)["path"].(string)
		if byPath[path] == nil {
			t.Fatalf("%s points at %s, which has no overlay", name, path)
		}
		c.applied[name] = byPath[path]
	}
	return c
}

func id(object map[string]any) string {
	metadata := object["metadata"].(map[string]any)
	if metadata["namespace"] == nil {
		return fmt.Sprintf("%s %s", object["kind"], metadata["name"])
	}
	return fmt.Sprintf("%s %s/%s", object["kind"], metadata["namespace"], metadata["name"])
}

// changes is what a commit does to a cluster, as Flux documents it
// (https://fluxcd.io/flux/components/kustomize/kustomizations/#prune and
// #deletion-policy): what is gone from an overlay is pruned if its
// Kustomization prunes and it does not say prune: disabled; a Kustomization
// that is gone takes its objects with it unless its policy is Orphan.
type changes struct{ Added, Changed, Pruned, Kept []string }

func between(before, after cluster) changes {
	var c changes
	note := func(list *[]string, name string) { *list = append(*list, name) }
	for _, name := range slices.Sorted(maps.Keys(before.kustomizations)) {
		old := before.kustomizations[name]
		if after.kustomizations[name] == nil {
			note(&c.Pruned, name)
		} else if !reflect.DeepEqual(old, after.kustomizations[name]) {
			note(&c.Changed, name)
		}
		spec := old["spec"].(map[string]any)
		prunes := spec["prune"] == true && (after.kustomizations[name] != nil || spec["deletionPolicy"] != "Orphan")
		for _, object := range slices.Sorted(maps.Keys(before.applied[name])) {
			annotations, _ := before.applied[name][object]["metadata"].(map[string]any)["annotations"].(map[string]any)
			now := find(after, object)
			switch {
			case now != nil && reflect.DeepEqual(now, before.applied[name][object]):
			case now != nil:
				note(&c.Changed, object)
			case prunes && annotations["kustomize.toolkit.fluxcd.io/prune"] != "disabled":
				note(&c.Pruned, object)
			default:
				note(&c.Kept, object)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after.kustomizations)) {
		if before.kustomizations[name] == nil {
			note(&c.Added, name)
		}
		for _, object := range slices.Sorted(maps.Keys(after.applied[name])) {
			if find(before, object) == nil {
				note(&c.Added, object)
			}
		}
	}
	return c
}

func find(c cluster, object string) map[string]any {
	for _, applied := range c.applied {
		if applied[object] != nil {
			return applied[object]
		}
	}
	return nil
}

// TestChanges is what reaches the cluster when an environment changes, from
// one sample, and that nothing of the vendor's releases, or of a protected
// one, is ever pruned or renamed by it.
func TestChanges(t *testing.T) {
	const worker = "- name: prefect-worker\n    chart: oci://registry.company.com/charts/prefect-worker\n"
	tests := []struct {
		name     string
		old, new string // in the sample's text
		want     changes
	}{
		{"nothing", "", "", changes{}},
		{"server tag", "2025.10.202511042343", "2025.10.202512010000", changes{
			Changed: []string{"HelmRelease customer-managed/prefect-cloud"}}},
		{"chart version", "prefectCloud: 1.2.900", "prefectCloud: 1.2.901", changes{
			Added:   []string{"OCIRepository customer-managed/prefect-cloud-1.2.901"},
			Changed: []string{"HelmRelease customer-managed/prefect-cloud"},
			Pruned:  []string{"OCIRepository customer-managed/prefect-cloud-1.2.900"}}},
		{"pinned digest", "prefectIstiod: 1.2.900", "prefectIstiod: 1.2.900@sha256:" + strings.Repeat("ab", 32), changes{
			Added:   []string{"OCIRepository istio-system/prefect-istiod-1.2.900-abababababab"},
			Changed: []string{"HelmRelease istio-system/prefect-istiod"},
			Pruned:  []string{"OCIRepository istio-system/prefect-istiod-1.2.900"}}},
		{"wave inserted", worker, "- name: middle\n    chart: oci://registry.company.com/charts/middle\n    version: 1.0.0\n    namespace: middle\n    needs: [prefect-cloud]\n  " + strings.Replace(worker, "\n", "\n    needs: [middle]\n", 1), changes{
			Added:   []string{"Kustomization gitops/prod-middle", "HelmRelease middle/middle", "OCIRepository middle/middle-1.0.0", "Namespace middle"},
			Changed: []string{"Kustomization gitops/prod-prefect-worker"}}},
		{"release added before the vendor's", "prefect-cloud: [cert-manager]", "prefect-cloud: [cert-manager, prefect-worker]", changes{
			Changed: []string{"Kustomization gitops/prod-prefect-cloud", "Kustomization gitops/prod-prefect-worker"}}},
		{"release key renamed", "name: prefect-worker", "name: worker", changes{
			Added:  []string{"Kustomization gitops/prod-worker", "HelmRelease prefect-workers/worker", "OCIRepository prefect-workers/worker-2025.11.1"},
			Pruned: []string{"Kustomization gitops/prod-prefect-worker", "HelmRelease prefect-workers/prefect-worker", "OCIRepository prefect-workers/prefect-worker-2025.11.1"}}},
		{"protected release renamed", "cert-manager", "certs", changes{
			Added:   []string{"HelmRelease certs/certs", "Kustomization gitops/prod-certs", "OCIRepository certs/certs-v1.19.1", "Namespace certs"},
			Changed: []string{"Kustomization gitops/prod-prefect-cloud"},
			Pruned:  []string{"Kustomization gitops/prod-cert-manager"},
			Kept:    []string{"HelmRelease cert-manager/cert-manager", "OCIRepository cert-manager/cert-manager-v1.19.1", "Namespace cert-manager"}}},
		{"namespace of the vendor's", "namespace: customer-managed}", "namespace: prefect}", changes{
			Added:  []string{"HelmRelease prefect/prefect-cloud", "OCIRepository prefect/prefect-cloud-1.2.900", "Namespace prefect"},
			Pruned: []string{"OCIRepository customer-managed/prefect-cloud-1.2.900"},
			Kept:   []string{"HelmRelease customer-managed/prefect-cloud", "Namespace customer-managed"}}},
		{"mesh given up", "mesh: prefect-istiod", "mesh: none", changes{
			Changed: []string{"HelmRelease customer-managed/prefect-cloud", "Kustomization gitops/prod-prefect-cloud", "Namespace customer-managed"},
			Pruned:  []string{"Kustomization gitops/prod-prefect-istiod"},
			Kept:    []string{"HelmRelease istio-system/prefect-istiod", "Namespace istio-system", "OCIRepository istio-system/prefect-istiod-1.2.900"}}},
	}
	for _, tt := range tests {
		for _, version := range fluxVersions {
			t.Run(tt.name+"/"+version, func(t *testing.T) {
				file := samples(t)["prod"]
				source := string(readFile(t, file))
				edited := strings.ReplaceAll(source, tt.old, tt.new)
				if tt.name == "release added before the vendor's" {
					edited = strings.Replace(edited, "    needs: [prefect-cloud]\n", "", 1)
				}
				if tt.name == "wave inserted" {
					edited = strings.Replace(edited, "    namespace: prefect-workers\n    needs: [prefect-cloud]\n", "    namespace: prefect-workers\n", 1)
				}
				if tt.name == "mesh given up" {
					edited = strings.Replace(edited, "    prefect-istiod:\n      istioDiscovery: {replicaCount: 2}\n", "", 1)
				}
				got := between(flux(t, file, source, version), flux(t, file, edited, version))
				checkProtected(t, got)
				if version == "2.4" {
					return // no deletionPolicy: sources of protected releases go, their HelmReleases stay
				}
				for _, list := range []*[]string{&got.Added, &got.Changed, &got.Pruned, &got.Kept, &tt.want.Added, &tt.want.Changed, &tt.want.Pruned, &tt.want.Kept} {
					slices.Sort(*list)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("changes (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func flux(t *testing.T, file, source string, version string) cluster {
	t.Helper()
	plan := planSource(t, targets.Flux{}, file, []byte(source))
	plan.Delivery.Flux.Version = render.FluxVersion(version)
	return apply(t, rendered(t, plan, targets.Flux{}))
}

// checkProtected fails when Helm would uninstall what is protected.
func checkProtected(t *testing.T, c changes) {
	t.Helper()
	for _, object := range c.Pruned {
		for _, release := range []string{"/prefect-istiod", "/prefect-cloud", "/cert-manager"} {
			if strings.HasPrefix(object, "HelmRelease ") && strings.HasSuffix(object, release) || strings.HasPrefix(object, "Namespace ") {
				t.Errorf("%s is pruned", object)
			}
		}
	}
}
