package targets_test

import (
	"bytes"
	"encoding/json"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/tree"
	"github.com/pm-gitops/pm-gitops/targets"
)

// TestInstalledReadsBack reads every sample back, as every release of every
// delivery system has it written: the same charts, names and values.
func TestInstalledReadsBack(t *testing.T) {
	read := 0
	for _, delivery := range deliveries {
		for name, file := range samples(t) {
			for _, version := range delivery.versions {
				plan := delivery.plan(t, file, version)
				if delivery.target.Name() == "argo" && plan.Delivery.Argo.Charts == render.ChartsOCI && !plan.Delivery.Argo.Version.NativeOCI() {
					continue
				}
				if _, err := delivery.target.Files(plan); err != nil {
					continue // this target cannot do it
				}
				found, err := targets.Flux{}.Installed(rendered(t, plan, delivery.target).Tree, plan)
				if err != nil {
					t.Fatalf("%s %s %s: %v", delivery.target.Name(), version, name, err)
				}
				read++
				if d := cmp.Diff(facts(t, fromPlan(plan, delivery.target)), facts(t, found)); d != "" {
					t.Errorf("%s %s %s (-plan +read):\n%s", delivery.target.Name(), version, name, d)
				}
			}
		}
	}
	if read < 50 {
		t.Errorf("only %d renderings were read back", read)
	}
}

// fromPlan gives what should be read: a digest in Argo CD leaves no version.
func fromPlan(plan render.Plan, target render.Target) []render.Installation {
	var all []render.Installation
	for _, release := range plan.Releases() {
		if target.Name() == "argo" && plan.Delivery.Argo.Charts == render.ChartsOCI && release.Chart.Digest != "" {
			release.Chart.Version = ""
		}
		all = append(all, render.Installation{Release: release, HasSecrets: len(release.SecretInputs) > 0})
	}
	return all
}

// TestInstalledKeepsNumbers: a whole number that no float has is the same when
// it is read back, or every run would see a difference.
func TestInstalledKeepsNumbers(t *testing.T) {
	const file = "../testdata/env/minimal.yaml"
	source := append(readFile(t, file), "\n  values: {prefect-cloud: {big: 9007199254740992}}\n"...)
	plan := planSource(t, targets.Flux{}, file, source)
	old := rendered(t, plan, targets.Flux{}).Tree
	for name, content := range old { // as it was written before environments refused it
		old[name] = bytes.ReplaceAll(content, []byte("9007199254740992"), []byte("9007199254740993"))
	}
	found, err := targets.Flux{}.Installed(old, plan)
	if err != nil {
		t.Fatal(err)
	}
	if got := facts(t, found)[render.PrefectCloud].Values; !strings.Contains(got, `"big":9007199254740993`) {
		t.Errorf("values: %s", got)
	}
}

type fact struct {
	Name, Namespace, Repository, Version, Digest, Values string
	Protected, HasSecrets                                bool
}

func facts(t *testing.T, all []render.Installation) map[string]fact {
	t.Helper()
	byKey := map[string]fact{}
	for _, one := range all {
		values, err := json.Marshal(one.Values)
		if err != nil {
			t.Fatal(err)
		}
		if string(values) == "null" {
			values = []byte("{}")
		}
		byKey[one.Key] = fact{one.Name, one.Namespace, one.Chart.Repository, one.Chart.Version, one.Chart.Digest, string(values), one.Protected, one.HasSecrets}
	}
	return byKey
}

// TestInstalledRefuses what the program did not write: kustomize would fetch it, or a
// chart be rendered that is not installed.
func TestInstalledRefuses(t *testing.T) {
	plan := forFlux(t, "../testdata/env/minimal.yaml", "2.7")
	files := rendered(t, plan, targets.Flux{}).Tree
	overlay := plan.Overlay(render.PrefectCloud)
	for name, test := range map[string]struct{ file, old, new, want string }{
		"a remote base":       {"kustomization.yaml", "resources:\n", "resources:\n- https://127.0.0.1:1/base?ref=main\n", "is none of the files"},
		"a repository":        {"kustomization.yaml", "resources:\n", "resources:\n- git@127.0.0.1:a/b\n", "is none of the files"},
		"a file outside":      {"kustomization.yaml", "resources:\n", "resources:\n- ../../../../etc/passwd\n", "is none of the files"},
		"a generator":         {"kustomization.yaml", "resources:\n", "generators: [x.yaml]\nresources:\n", "not as it was written"},
		"a chart of its own":  {"kustomization.yaml", "resources:\n", "helmCharts: [{name: x}]\nresources:\n", "not as it was written"},
		"no source":           {"kustomization.yaml", "- ocirepository.yaml\n", "", "does not say its chart"},
		"no release":          {"helmrelease-patch.yaml", "  releaseName: customer-managed\n", "", "does not say its Helm release"},
		"no YAML any more":    {"helmrelease-patch.yaml", "spec:", "spec: [", "build overlay"},
		"values that are no…": {"helmrelease-patch.yaml", "  values:\n", "  values: text\n  other:\n", "not as it was written"},
	} {
		changed := tree.Tree{}
		for file, data := range files {
			changed[file] = data
		}
		file := path.Join(overlay, test.file)
		text := strings.Replace(string(files[file]), test.old, test.new, 1)
		if text == string(files[file]) {
			t.Fatalf("%s: %s has no %q:\n%s", name, file, test.old, text)
		}
		changed[file] = []byte(text)
		if _, err := (targets.Flux{}).Installed(changed, plan); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}
