package check_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// publicEnvironment installs public charts with sane values: Istio's three in
// their order, and metrics-server.
const publicEnvironment = `apiVersion: pm-gitops/v1
kind: Environment
extends: base.yaml
metadata: {name: prod}
spec:
  mesh: existing
  delivery: {argo: {clusterResources: [{group: apiextensions.k8s.io, kind: CustomResourceDefinition}, {group: apiregistration.k8s.io, kind: APIService}, {group: admissionregistration.k8s.io, kind: MutatingWebhookConfiguration}, {group: admissionregistration.k8s.io, kind: ValidatingWebhookConfiguration}, {group: rbac.authorization.k8s.io, kind: ClusterRole}, {group: rbac.authorization.k8s.io, kind: ClusterRoleBinding}]}}
  releases:
  - {name: base, chart: oci://registry.company.com/charts/base, version: 1.28.3, namespace: istio-system}
  - {name: istiod, chart: oci://registry.company.com/charts/istiod, version: 1.28.3, namespace: istio-system, needs: [base]}
  - {name: gateway, chart: oci://registry.company.com/charts/gateway, version: 1.28.3, namespace: ingress, needs: [istiod], values: {service: {type: ClusterIP}}}
  - {name: metrics-server, chart: oci://registry.company.com/charts/metrics-server, version: 3.13.0, namespace: metrics}
`

// publicCharts loads the charts that lie beside the project, if they do.
func publicCharts(t *testing.T) func(render.Release) (chart.Chart, error) {
	t.Helper()
	shared := os.Getenv("PM_GITOPS_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	if _, err := os.Stat(filepath.Join(shared, "charts")); err != nil {
		t.Skipf("no public charts: want %s (set PM_GITOPS_SHARED to the folder with charts)", filepath.Join(shared, "charts"))
	}
	return func(release render.Release) (chart.Chart, error) {
		if release.Key == render.PrefectCloud {
			return chart.FromFiles(map[string][]byte{"Chart.yaml": []byte("apiVersion: v2\nname: prefect-cloud\nversion: 1.2.900\n")})
		}
		archive, err := os.ReadFile(filepath.Join(shared, "charts", release.Key+"-"+release.Chart.Version+".tgz"))
		if err != nil {
			return chart.Chart{}, err
		}
		return chart.Load(archive)
	}
}

// TestPublicCharts: on public charts that are well the checks are quiet, but
// for what the golden files list and whoever reads them can justify.
func TestPublicCharts(t *testing.T) {
	load := publicCharts(t)
	for _, target := range []string{"flux", "argo"} {
		found := slices.DeleteFunc(findWith(t, setting{target: target}, publicEnvironment, load), func(f finding.Finding) bool {
			return f.Release == render.PrefectCloud // not a public chart
		})
		golden(t, filepath.Join("testdata", "public-"+target+".txt"), told(found))
	}
}
