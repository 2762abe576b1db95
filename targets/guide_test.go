package targets_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/targets"
)

// TestGuideValues compares with the values-override.yaml of the vendor's
// guide, which testdata holds as the guide prints it: what the built
// HelmRelease says inline, and what the values Secret adds, is exactly that.
func TestGuideValues(t *testing.T) {
	var want map[string]any
	if err := yaml.Unmarshal(readFile(t, "../testdata/guide/values-override.yaml"), &want); err != nil {
		t.Fatal(err)
	}
	if n := len(leaves(want)); n != 25 {
		t.Fatalf("the guide's sample has %d leaves, want 25", n)
	}
	plan := forFlux(t, samples(t)["guide"], "2.7")
	spec := helmRelease(t, rendered(t, plan, targets.Flux{}), render.PrefectCloud)["spec"].(map[string]any)
	got := leaves(spec["values"].(map[string]any))
	for path, value := range leaves(secretDocument(t, plan, spec)) {
		if got[path] != nil {
			t.Errorf("%s is inline and in the Secret", path)
		}
		got[path] = value
	}
	if diff := cmp.Diff(leaves(want), got); diff != "" {
		t.Errorf("values (-guide +rendered):\n%s", diff)
	}
}

// TestGuideNames is what lets Flux take over an installation made by hand with
// the guide's commands: `helm install istiod`, in istio-system as the guide's
// namespace says, and `helm install customer-managed -n customer-managed`.
func TestGuideNames(t *testing.T) {
	rendering := rendered(t, forFlux(t, samples(t)["guide"], "2.7"), targets.Flux{})
	for key, want := range map[string][2]string{
		render.PrefectIstiod: {"istiod", "istio-system"},
		render.PrefectCloud:  {"customer-managed", "customer-managed"},
	} {
		release := helmRelease(t, rendering, key)
		name, namespace := release["spec"].(map[string]any)["releaseName"], release["metadata"].(map[string]any)["namespace"]
		if name != want[0] || namespace != want[1] {
			t.Errorf("%s is Helm release %v in %v, want %s in %s", key, name, namespace, want[0], want[1])
		}
	}
}

// secretDocument gives the document of the values Secret that the HelmRelease
// names, as `secrets list` prints it, filled in with the guide's secrets.
func secretDocument(t *testing.T, plan render.Plan, spec map[string]any) map[string]any {
	t.Helper()
	from := spec["valuesFrom"].([]any)
	if len(from) != 1 {
		t.Fatalf("valuesFrom = %v, want one Secret", from)
	}
	manifests, err := render.SecretTemplates(plan.RequiredSecrets())
	if err != nil {
		t.Fatal(err)
	}
	filled := strings.NewReplacer(
		"FILL-IN prefect-auth/client-secret", "adfsSecret",
		"FILL-IN prefect-db/service", "secretPassword",
		"FILL-IN prefect-db/superuser", "secretSuperuserPassword",
	).Replace(string(manifests))
	for _, secret := range objects(t, []byte(filled)) {
		if secret["metadata"].(map[string]any)["name"] != from[0].(map[string]any)["name"] {
			continue
		}
		var document map[string]any
		if err := yaml.Unmarshal([]byte(secret["stringData"].(map[string]any)["values.yaml"].(string)), &document); err != nil {
			t.Fatal(err)
		}
		return document
	}
	t.Fatalf("secrets list does not name %v", from)
	return nil
}

// leaves gives dotted path to value.
func leaves(values map[string]any) map[string]any {
	all := map[string]any{}
	for key, value := range values {
		nested, isMap := value.(map[string]any)
		if !isMap {
			all[key] = value
			continue
		}
		for path, leaf := range leaves(nested) {
			all[key+"."+path] = leaf
		}
	}
	return all
}
