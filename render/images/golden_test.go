package images_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/images"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

var update = flag.Bool("update", false, "rewrite the golden lists")

// What the stand-ins need at least, in the words of their lines.
const (
	line08 = "{frontendUrl: https://a.b, backendUrl: https://a.c, global: {ownerEmail: o@a.b, authProvider: {type: okta}}}"
	line12 = "{global: {frontendUrl: https://a.b, backendUrl: https://a.c, ownerEmail: o@a.b, authProvider: {type: okta}}}"
	line13 = "{secrets: {create: true}, global: {frontendUrl: https://a.b, backendUrl: https://a.c, ownerEmail: o@a.b, encryptionKeySecret: {name: key}, authProvider: {providers: [okta]}}}"
)

// externals is databases of one's own, for each line.
const (
	external12 = "{createAppSecretsInChart: false, db: {use_embedded: false, host: {primary: db}}, redis: {use_embedded: false, cache: {host: r}, work: {host: r}, streams: {host: r}}}"
	external13 = "{secrets: {create: false}, db: {embedded: {enabled: false}, host: {primary: db}}, redis: {embedded: {enabled: false}, cache: {host: r}, work: {host: r}, streams: {host: r}, leases: {host: r}}}"
)

// settings is what a chart is rendered with, by name: texts laid over another.
func settings(name, version string) map[string][]string {
	switch {
	case name == charts.Istiod:
		return map[string][]string{
			"default": nil,
			"cni":     {"{istioCNI: {enabled: true}}"},
			"mirror":  {"{istioDiscovery: {hub: reg.company.com/istio, tag: 1.27.901, global: {proxy: {image: proxy}}}}"},
		}
	case name == charts.Cloud:
		base, external := line12, external12
		switch {
		case version < "1.2":
			base = line08
		case version >= "1.3":
			base, external = line13, external13
		}
		return map[string][]string{
			"embedded": {base},
			"external": {base, external},
			"proxy":    {base, external, "{serviceMesh: {authorizationMode: proxy}}"},
			"oddities": {base, external, "{oddities: {imageInConfigMap: true, tagInLabel: true}, migrations: {delivery: pod}}"},
			"digests":  {base, external, "{global: {backend: {app: {image: {digest: '" + digest + "'}}}}}"},
		}
	case strings.HasPrefix(name, "istiod-"):
		return map[string][]string{
			"default": nil,
			"mirror":  {"{hub: reg.company.com/istio, tag: 1.0.1, global: {hub: reg.company.com/istio, tag: 1.0.1}}"},
			"variant": {"{global: {variant: distroless, tag: 1.0.1-debug}, pilot: {}}"},
			"whole":   {"{global: {proxy: {image: 'a.b/proxy:1'}, proxy_init: {image: 'a.b/init:1'}}}"},
			"ambient": {"{profile: ambient}"},
		}
	}
	return map[string][]string{"default": nil}
}

// over lays values over values.
func over(t testing.TB, texts []string) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, text := range texts {
		var own map[string]any
		if err := yaml.Unmarshal([]byte(text), &own); err != nil {
			t.Fatal(err)
		}
		merge(all, own)
	}
	return all
}

func merge(into, from map[string]any) {
	for key, value := range from {
		below, isMap := into[key].(map[string]any)
		own, isOwn := value.(map[string]any)
		if isMap && isOwn {
			merge(below, own)
			continue
		}
		into[key] = value
	}
}

// rendered is what a chart makes for an install and an upgrade.
func rendered(t testing.TB, c chart.Chart, values map[string]any) []chart.Object {
	t.Helper()
	var all []chart.Object
	for _, upgrade := range []bool{false, true} {
		out, err := c.Render(t.Context(), chart.Input{As: chart.Helm(), Release: "mine", Namespace: "place", KubeVersion: "1.33", Values: values, IsUpgrade: upgrade})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, out.Objects...)
	}
	return all
}

func standIn(t testing.TB, name, version string) chart.Chart {
	t.Helper()
	files, err := charts.Files(name, version)
	if err != nil {
		t.Fatal(err)
	}
	c, err := chart.FromFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// list is a rendering's images, each once, with the kinds that name it.
func list(found []images.Image) string {
	kinds := map[string]map[string]bool{}
	for _, image := range found {
		line := fmt.Sprintf("%s (%s %s)", image.Reference, image.Sure, image.How)
		if kinds[line] == nil {
			kinds[line] = map[string]bool{}
		}
		kinds[line][image.Object.Kind] = true
	}
	var lines strings.Builder
	for _, line := range slices.Sorted(maps.Keys(kinds)) {
		fmt.Fprintf(&lines, "  %s: %s\n", line, strings.Join(slices.Sorted(maps.Keys(kinds[line])), ", "))
	}
	return lines.String()
}

// imageField is a line with an image, as a search through manifests finds it.
var imageField = regexp.MustCompile(`(?m)^[ -]*image: *"?([^"{ \n]+)"?$`)

// golden compares the lists of charts with the file of that name.
func golden(t *testing.T, file string, found map[string]chart.Chart) {
	t.Helper()
	var got strings.Builder
	for _, name := range slices.Sorted(maps.Keys(found)) {
		kind, version, _ := strings.Cut(name, " ")
		all := settings(kind, version)
		for _, setting := range slices.Sorted(maps.Keys(all)) {
			objects := rendered(t, found[name], over(t, all[setting]))
			result := find(t, objects...)
			fmt.Fprintf(&got, "%s, %s\n%s", name, setting, list(result.Images))
			checkNoneMissing(t, name, objects, result.Images)
			if len(result.Unread) > 0 {
				t.Errorf("%s, %s: not read: %v", name, setting, result.Unread)
			}
		}
	}
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// checkNoneMissing searches the texts of objects for what is named image.
func checkNoneMissing(t *testing.T, name string, objects []chart.Object, found []images.Image) {
	t.Helper()
	for _, object := range objects {
		for _, match := range imageField.FindAllStringSubmatch(string(object.YAML), -1) {
			isIt := func(image images.Image) bool { return image.Written == match[1] && image.Object.Name == object.Name }
			if match[1] != "auto" && !slices.ContainsFunc(found, isIt) && object.Kind != "CustomResourceDefinition" {
				t.Errorf("%s: %s %s has %q, which was not found", name, object.Kind, object.Name, match[0])
			}
		}
	}
}

// TestStandIns: every version of the stand-ins in several settings.
func TestStandIns(t *testing.T) {
	found := map[string]chart.Chart{}
	for _, name := range []string{charts.Cloud, charts.Istiod} {
		for _, version := range charts.Versions(name) {
			found[name+" "+version] = standIn(t, name, version)
		}
	}
	golden(t, "stand-ins.golden", found)
}

// TestVariant: nothing depends on the names of the stand-ins.
func TestVariant(t *testing.T) {
	for seed := range uint64(3) {
		files, names, err := charts.Variant(seed, true)
		if err != nil {
			t.Fatal(err)
		}
		c, err := chart.FromFiles(files)
		if err != nil {
			t.Fatal(err)
		}
		values := over(t, []string{line12})
		global := values["global"].(map[string]any)
		global["authProvider"] = map[string]any{strings.TrimPrefix(names["global.authProvider.providers"], "global.authProvider."): []any{"okta"}}
		got := list(find(t, rendered(t, c, values)...).Images)
		for _, want := range []string{"docker.io/library/postgres:" + names["db.embedded.image.tag=17.5"] + " (certain container): StatefulSet", ":" + names["global.backend.app.image.tag=2026.1.202601010000"] + " (certain container): Deployment, Job"} {
			if !strings.Contains(got, want) {
				t.Errorf("variant %d: want %s, got\n%s", seed, want, got)
			}
		}
	}
}

// TestPublicCharts: Istio's charts and another, which are no part of this
// repository: in charts/ below the folder that PM_GITOPS_SHARED names, or below
// "shared" beside the repository.
func TestPublicCharts(t *testing.T) {
	shared := os.Getenv("PM_GITOPS_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	found := map[string]chart.Chart{}
	for _, name := range []string{"base-1.28.3", "gateway-1.28.3", "istiod-1.27.3", "istiod-1.28.3", "metrics-server-3.12.2", "metrics-server-3.13.0"} {
		data, err := os.ReadFile(filepath.Join(shared, "charts", name+".tgz"))
		if err != nil {
			t.Skipf("no public charts: %v (set PM_GITOPS_SHARED to the folder with charts)", err)
		}
		if found[name], err = chart.Load(data); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "public.golden", found)
}
