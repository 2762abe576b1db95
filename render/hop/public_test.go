package hop_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/hop"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// publicHops names the public charts with their two versions, and values that people set.
// What the golden files hold was compared with the difference of the charts and with their
// release notes, as the comments say.
var publicHops = []struct{ name, chart, from, to, values string }{
	// Defaults alone. istiod 1.28 has no PodDisruptionBudget for one replica, as its template
	// says (kubernetes/kubernetes#93476). That its ClusterRole reads
	// inference.networking.k8s.io in place of inference.networking.x-k8s.io is no finding: it
	// follows from no value.
	{"istiod-minimal", "istiod", "1.27.3", "1.28.3", ""},
	{"istiod-production", "istiod", "1.27.3", "1.28.3", `
autoscaleMin: 2
autoscaleMax: 5
resources: {requests: {cpu: 500m, memory: 2Gi}}
podAnnotations: {team: mesh}
nodeSelector: {pool: system}
tolerations: [{key: dedicated, operator: Equal, value: system, effect: NoSchedule}]
env: {PILOT_ENABLE_AMBIENT: "false", PILOT_TRACE_SAMPLING: "1"}
meshConfig:
  accessLogFile: /dev/stdout
  outboundTrafficPolicy: {mode: REGISTRY_ONLY}
  defaultConfig: {holdApplicationUntilProxyStarts: true}
  extensionProviders: [{name: auth, envoyExtAuthzHttp: {service: auth.customer-managed.svc.cluster.local, port: "4300"}}]
global:
  hub: registry.company.com/istio
  imagePullSecrets: [registry]
  logAsJson: true
  proxy: {resources: {requests: {cpu: 50m}}, logLevel: warning}
`},
	// A revision, and the old way to write values: below "pilot".
	{"istiod-revision", "istiod", "1.27.3", "1.28.3", "{revision: 1-27, pilot: {autoscaleEnabled: false, replicaCount: 3, hub: registry.company.com/istio, tag: 1.27.3-distroless}}"},
	// A cluster whose istiod is elsewhere: its Endpoints become an EndpointSlice.
	{"istiod-remote", "istiod", "1.27.3", "1.28.3", "{profile: remote, istiodRemote: {enabled: true}, global: {remotePilotAddress: 10.0.0.9, configCluster: true}}"},
	// Istio 1.28 has no profile for the behaviour of 1.24, and fails.
	{"istiod-compatibility", "istiod", "1.27.3", "1.28.3", `{compatibilityVersion: "1.24"}`},
	// Values of 1.28 in an environment on 1.27: they begin to work.
	{"istiod-new-values", "istiod", "1.27.3", "1.28.3", "{global: {networkPolicy: {enabled: true}, resourceScope: namespace}}"},
	{"base-minimal", "base", "1.27.3", "1.28.3", ""},
	{"base-production", "base", "1.27.3", "1.28.3", "{defaultRevision: default, base: {excludedCRDs: [wasmplugins.extensions.istio.io]}, global: {imagePullSecrets: [registry]}}"},
	{"gateway-minimal", "gateway", "1.27.3", "1.28.3", ""},
	{"gateway-production", "gateway", "1.27.3", "1.28.3", `
name: prefect-gateway
service: {type: ClusterIP, annotations: {team: mesh}, externalTrafficPolicy: Local}
autoscaling: {minReplicas: 2, maxReplicas: 6}
podDisruptionBudget: {minAvailable: 1}
labels: {team: mesh}
resources: {requests: {cpu: 200m}}
topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}]
`},
	// As istiod, it has no PodDisruptionBudget for one replica any more, whatever is set.
	{"gateway-one-replica", "gateway", "1.27.3", "1.28.3", "{autoscaling: {enabled: false}, replicaCount: 1, podDisruptionBudget: {minAvailable: 1}}"},
	{"metrics-server-minimal", "metrics-server", "3.12.2", "3.13.0", ""},
	{"metrics-server-production", "metrics-server", "3.12.2", "3.13.0", `
replicas: 2
args: [--kubelet-insecure-tls]
resources: {limits: {memory: 300Mi}}
image: {repository: registry.company.com/metrics-server, tag: v0.7.2}
podDisruptionBudget: {enabled: true, minAvailable: 1}
apiService: {annotations: {team: mesh}, caBundle: "-----BEGIN CERTIFICATE-----", insecureSkipTLSVerify: false}
metrics: {enabled: true}
serviceMonitor: {enabled: true}
`},
	{"metrics-server-addon-resizer", "metrics-server", "3.12.2", "3.13.0", "{addonResizer: {enabled: true}}"},
	// Values of 3.13.0 in an environment on 3.12.2: cert-manager makes the certificate now.
	{"metrics-server-new-values", "metrics-server", "3.12.2", "3.13.0", "{tls: {type: cert-manager}, podDisruptionBudget: {enabled: true, minAvailable: 1, unhealthyPodEvictionPolicy: AlwaysAllow}}"},
}

// publicChart loads a chart that lies beside the project, if it does.
func publicChart(t *testing.T, name, version string) chart.Chart {
	t.Helper()
	shared := os.Getenv("PM_GITOPS_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	archive, err := os.ReadFile(filepath.Join(shared, "charts", name+"-"+version+".tgz"))
	if err != nil {
		t.Skipf("no public charts: want %s (set PM_GITOPS_SHARED to the folder with charts)", filepath.Join(shared, "charts"))
	}
	c, err := chart.Load(archive)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestPublicCharts keeps what the hops of public charts mean for their values.
func TestPublicCharts(t *testing.T) {
	for _, tt := range publicHops {
		t.Run(tt.name, func(t *testing.T) {
			old, next, all := publicChart(t, tt.chart, tt.from), publicChart(t, tt.chart, tt.to), parsed(t, tt.values)
			a, err := hop.Analyze(t.Context(), hop.Input{Release: tt.chart, Old: side(old, all), New: side(next, all), KubeVersion: "1.33"})
			if err != nil {
				t.Fatal(err)
			}
			if a.Exhausted {
				t.Errorf("%d renders are not enough", a.Renders)
			}
			file := filepath.Join("testdata", "public", tt.name+".txt")
			got := review(a)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("%s (-want +got):\n%s", file, d)
			}
		})
	}
}

// review writes an analysis for a reader.
func review(a hop.Analysis) string {
	var b strings.Builder
	if a.Unrendered != "" {
		fmt.Fprintf(&b, "unrendered: %s\n", a.Unrendered)
	}
	for _, f := range a.Findings {
		blocks := ""
		if f.Blocks {
			blocks = ", blocks"
		}
		fmt.Fprintf(&b, "%s (%s, %s%s): %s\n  evidence: %s\n", f.Class, f.Severity, f.Certainty, blocks, f.Message, f.Evidence)
		for _, line := range []struct{ title, text string }{
			{"from", f.From}, {"to", f.To}, {"was", f.Was}, {"is", f.Is}, {"objects", strings.Join(f.Objects, ", ")}, {"to do", f.Todo},
		} {
			if line.text != "" {
				fmt.Fprintf(&b, "  %s: %s\n", line.title, line.text)
			}
		}
		for _, e := range f.Edits {
			fmt.Fprintf(&b, "  edit: %s\n", e)
		}
	}
	for _, image := range a.Images {
		fmt.Fprintf(&b, "image: %s\n", image)
	}
	for _, p := range a.Parity {
		fmt.Fprintf(&b, "value %s: %s", p.Path, p.Fate)
		if p.To != "" {
			fmt.Fprintf(&b, " to %s", p.To)
		}
		fmt.Fprintf(&b, ": %s\n", p.Why)
	}
	return b.String()
}
