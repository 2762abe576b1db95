package check_test

import (
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
)

// TestRandomOutput: objects of two renderings are compared with each other as
// the objects they are, however a chart names and lists them.
func TestRandomOutput(t *testing.T) {
	random := "{a: {{ randAlphaNum 8 | quote }}}"
	indented := func(text string) string {
		return "- " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ") + "\n"
	}
	list := func(first, second string) string {
		return "apiVersion: v1\nkind: List\nitems:\n" + indented(first) + indented(second)
	}
	groups := "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: a}\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: a}\n"
	testRules(t, "random-output", map[string]rule{
		"a List, Argo CD":     {with(list(configMap("a", "{a: b}"), configMap("b", "{a: b}"))).on("argo", ""), nil},
		"random in a List":    {with(list(configMap("a", "{a: b}"), configMap("b", random))).on("argo", ""), []string{"warning ConfigMap/b data.a"}},
		"two groups":          {with(groups), nil},
		"a hook and its twin": {with(job("load-1.0.0", "helm.sh/hook: pre-install", runs) + "---\n" + job("load-1.0.0", "", runs)), nil},
		"generated names":     {with("apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: a-}\n---\napiVersion: batch/v1\nkind: Job\nmetadata: {generateName: b-}\n"), nil},
	})
}

// TestOnlyOnUpgrade: what an upgrade makes otherwise is looked at too.
func TestOnlyOnUpgrade(t *testing.T) {
	tagged := replaced(setting{template: sane}, "app:1.0.0", "app{{ if not .Release.IsUpgrade }}:1.0.0{{ end }}")
	found := []string{"warning Deployment/app spec.template.spec.containers[0].image"}
	testRules(t, "unpinned-image", map[string]rule{
		"other than on install":   {tagged, found},
		"Argo CD has no upgrades": {tagged.on("argo", ""), nil},
		"on both, and found once": {replaced(setting{template: sane}, ":1.0.0", ""), found},
		"random, and found once":  {replaced(replaced(setting{template: sane}, ":1.0.0", ""), "metadata: {name: app}", "metadata: {name: app, annotations: {a: {{ randAlphaNum 8 | quote }}}}"), found},
	})
}

func TestTwins(t *testing.T) {
	hook := job("load-1.0.0", "helm.sh/hook: pre-upgrade", runs)
	hookNow := strings.Replace(hook, "pre-upgrade", "pre-install", 1)
	plain := job("load-1.0.0", "", runs)
	testRules(t, "duplicate-object", map[string]rule{
		"a hook and its twin": {with(hookNow + "---\n" + plain), nil},
		"two that are plain":  {with(plain+"---\n"+plain).on("argo", ""), []string{"error Job/load-1.0.0"}},
		"Argo CD":             {with(hookNow+"---\n"+plain).on("argo", ""), nil},
	})
	twins := with(hookNow + "---\n" + plain)
	testRules(t, "refused-release", map[string]rule{
		"a hook and its twin":                    {twins, nil},
		"a hook and its twin, with Flux 2.8":     {twins.on("", "delivery: {flux: {version: '2.8'}}"), []string{"warning app"}},
		"a hook and its twin, with Flux 2.9":     {twins.on("", "delivery: {flux: {version: '2.9'}}"), nil},
		"a hook of two phases, with Flux 2.8":    {with(strings.Replace(hook, "pre-upgrade", "'pre-install,post-install'", 1)).on("", "delivery: {flux: {version: '2.8'}}"), nil},
		"a hook with a key twice, with Flux 2.8": {with(strings.Replace(hook, "apiVersion: batch/v1\n", "apiVersion: batch/v1\napiVersion: batch/v1\n", 1)).on("", "delivery: {flux: {version: '2.8'}}"), []string{"warning app"}},
		"two that are plain":                     {with(plain + "---\n" + plain), []string{"error app"}},
		"two that are plain, with Flux 2.9":      {with(plain+"---\n"+plain).on("", "delivery: {flux: {version: '2.9'}}"), []string{"error app"}},
		"a key twice":                            {with(strings.Replace(plain, "kind: Job\n", "kind: Job\nkind: Job\n", 1)), []string{"error app"}},
		"no name":                                {with(strings.Replace(plain, "name: load-1.0.0", "generateName: load", 1)), []string{"error app"}},
	})
}

// TestSharedDefinition: a definition that comes with two charts is no clash
// while it is the same.
func TestSharedDefinition(t *testing.T) {
	definition := "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: as.b.c}\nspec: {group: b.c, names: {kind: A}, scope: Cluster}\n"
	for other, want := range map[string]int{definition: 0, strings.Replace(definition, "scope:", "preserveUnknownFields: false, scope:", 1): 1} {
		s := setting{template: strings.ReplaceAll(sane, "name: app}", "name: '{{ .Release.Name }}'}"), more: map[string]string{"crds/a.yaml": definition}}
		s.spec = "releases: [{name: app, chart: oci://registry.company.com/charts/app, version: 1.0.0, namespace: apps}, {name: bpp, chart: oci://registry.company.com/charts/app, version: 1.0.0, namespace: apps}]"
		found := findIn(t, s, s.environment(), func(release render.Release) (map[string][]byte, error) {
			if release.Key != "bpp" {
				return s.standIn(release)
			}
			files := s.files()
			files["crds/a.yaml"] = []byte(other)
			return files, nil
		})
		if of := ofID(found, "shared-object"); len(of) != want {
			t.Errorf("want %d, found\n%s", want, told(of))
		}
	}
}
