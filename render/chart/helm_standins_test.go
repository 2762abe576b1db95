package chart_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// archiveFile writes the archive of an unpacked chart.
func archiveFile(t *testing.T, name string, files map[string][]byte) string {
	t.Helper()
	archive, err := charts.Pack(name, files)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), name+".tgz")
	if err := os.WriteFile(file, archive, 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

func valuesFile(name string) string { return filepath.Join("testdata", "values", name+".yaml") }

// TestStandInsSameAsHelm renders every version of the stand-ins for the
// vendor's charts as the helm program does: with the guide's values as the
// line has them, with everything switched on, and with what it refuses.
func TestStandInsSameAsHelm(t *testing.T) {
	helmProgram(t)
	guide := filepath.Join("..", "..", "testdata", "guide", "values-override.yaml")
	next := valuesFile("prefect-cloud-1.3")
	own := map[string]string{
		"0.8.900": valuesFile("prefect-cloud-0.8"), "1.2.900": guide, "1.2.901": guide,
		"1.3.900": next, "1.3.901": next, "1.4.900": next,
	}
	for _, version := range charts.Versions(charts.Cloud) {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			for name, sets := range map[string][][]string{
				charts.Cloud:  {nil, {own[version]}, {own[version], valuesFile("prefect-cloud-more")}, {guide, next}},
				charts.Istiod: {nil, {valuesFile("prefect-istiod")}, {valuesFile("prefect-istiod"), valuesFile("prefect-istiod-more")}},
			} {
				files, err := charts.Files(name, version)
				if err != nil {
					t.Fatal(err)
				}
				rendered := compareWithHelm(t, archiveFile(t, name, files), sets)
				if least := 2 * (len(sets) - 2); rendered < least {
					t.Errorf("%s was rendered %d times, want at least %d", name, rendered, least)
				}
			}
		})
	}
}

// wrapper is a chart that wraps Istio's real charts as the vendor's
// prefect-istiod is said to: under other names, some of them switched off.
func wrapper(t *testing.T, release string) map[string][]byte {
	files := map[string][]byte{
		"Chart.yaml": fmt.Appendf(nil, `apiVersion: v2
name: wrapper
version: 1.0.0
kubeVersion: ">=1.29.0-0"
dependencies:
- {name: base, alias: istioBase, version: %[1]s, condition: istioBase.enabled}
- {name: istiod, alias: istioDiscovery, version: %[1]s, condition: istioDiscovery.enabled}
- {name: gateway, alias: ingress, version: %[1]s, condition: switches.ingress, import-values: [{child: _internal_defaults_do_not_set.service, parent: imported}]}
- {name: gateway, alias: egress, version: %[1]s, condition: switches.egress, tags: [more]}
`, release),
		"values.yaml": []byte(`global: {istioNamespace: istio-system, imagePullSecrets: [], hub: registry.company.com/istio}
istioBase: {enabled: true}
istioDiscovery: {enabled: true, replicaCount: 2}
switches: {ingress: true, egress: false}
ingress: {name: ingress}
egress: {name: egress}
`),
		"templates/imported.yaml": []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: imported}\ndata: {type: {{ .Values.imported.type | quote }}}\n"),
	}
	for _, name := range []string{"base", "istiod", "gateway"} {
		archive, err := os.ReadFile(publicChart(t, name+"-"+release))
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(files, map[string][]byte{"charts/" + name + "-" + release + ".tgz": archive})
	}
	return files
}

// TestWrapperSameAsHelm renders Istio's real charts in a chart around them, as
// the helm program does.
func TestWrapperSameAsHelm(t *testing.T) {
	helmProgram(t)
	for _, release := range []string{"1.27.3", "1.28.3"} {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			file := archiveFile(t, "wrapper", wrapper(t, release))
			one, two := valuesFile("wrapper"), valuesFile("wrapper-more")
			if rendered := compareWithHelm(t, file, [][]string{nil, {one}, {two}, {one, two}}); rendered != 8 {
				t.Errorf("%d of 8 were rendered", rendered)
			}
		})
	}
}
