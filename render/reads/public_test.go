package reads_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/reads"
)

// TestPublicCharts: what public charts read is what their templates and values
// document: istiod's three optional Secrets, and a certificate of metrics-server
// that is made by the chart, by cert-manager, or by nothing.
func TestPublicCharts(t *testing.T) {
	shared := os.Getenv("PM_GITOPS_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	if _, err := os.Stat(filepath.Join(shared, "charts")); err != nil {
		t.Skipf("no public charts: want %s (set PM_GITOPS_SHARED to the folder with charts)", filepath.Join(shared, "charts"))
	}
	tls := func(kind string) map[string]any {
		return map[string]any{"tls": map[string]any{"type": kind, "existingSecret": map[string]any{"name": "own"}}}
	}
	for _, test := range []struct {
		archive string
		values  map[string]any
		want    string
	}{
		{"istiod-1.28.3", nil, "cacerts? istio-kubeconfig? istiod-tls?"},
		{"istiod-1.28.3", map[string]any{"global": map[string]any{"imagePullSecrets": []any{"login"}}}, "cacerts? istio-kubeconfig? istiod-tls? login[.dockerconfigjson]"},
		{"gateway-1.28.3", nil, ""},
		{"gateway-1.28.3", map[string]any{"imagePullSecrets": []any{map[string]any{"name": "login"}}}, "login[.dockerconfigjson]"},
		{"base-1.28.3", nil, ""},
		{"metrics-server-3.13.0", nil, ""},
		{"metrics-server-3.13.0", tls("helm"), ""},
		{"metrics-server-3.13.0", tls("cert-manager"), ""},
		{"metrics-server-3.13.0", tls("existingSecret"), "own"},
	} {
		archive, err := os.ReadFile(filepath.Join(shared, "charts", test.archive+".tgz"))
		if err != nil {
			t.Fatal(err)
		}
		own, err := chart.Load(archive)
		if err != nil {
			t.Fatal(err)
		}
		out, err := own.Render(t.Context(), chart.Input{As: chart.Flux("2.7"), Release: "metrics-server", Namespace: "apps", KubeVersion: "1.33", Values: test.values})
		if err != nil {
			t.Fatal(err)
		}
		secrets, err := reads.Secrets(nil, []reads.Release{{Release: render.Release{Key: "r", Namespace: "apps"}, Objects: slices.Concat(out.Objects, out.Later()), Lookups: out.Lookups}}, "Flux")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range secrets {
			text := s.Name
			if len(s.Keys) > 0 {
				text += "[" + strings.Join(s.Keys, ",") + "]"
			}
			if s.Optional {
				text += "?"
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s with %v (-want +got):\n%s", test.archive, test.values, diff)
		}
	}
}
