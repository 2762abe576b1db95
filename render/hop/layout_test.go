package hop_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// TestLayout: where the layout of the new line sets a value already, there is nothing to
// edit, and parity says where it is.
func TestLayout(t *testing.T) {
	before, after := values(t, ""), values(t, next)
	a := analyze(t, hop.Input{
		Old: side(standIn(t, charts.Cloud, "1.2.900"), before), New: side(standIn(t, charts.Cloud, "1.3.901"), after),
		Secrets: append(guideSecrets, "db.serviceUser.password", "db.adminUser.password"),
	})
	contains(t, a, []string{
		"renamed info certain from db.serviceuser to db.serviceUser", "removed info certain from global.instanceName",
		"renamed info certain from ui.cloud2 to ui.web",
		"required error certain Secret/key", // the encryption key that the values name
	}, []string{"required error certain to", "flipped", "deleted", "renamed error", "removed error unknown"})
	if a.Edits() != nil || a.Blocked() {
		t.Errorf("edits %v", a.Edits())
	}
	if p := fate(a, "db.superuser.password"); p.To != "db.adminUser.password" || p.Fate != hop.Placed {
		t.Errorf("db.superuser.password: %+v", p)
	}
}

// TestSame: the same chart twice means nothing, and an analysis gives the same again.
func TestSame(t *testing.T) {
	all := values(t, "")
	same := hop.Input{Old: side(standIn(t, charts.Cloud, "1.2.900"), all), New: side(standIn(t, charts.Cloud, "1.2.900"), all), Secrets: guideSecrets}
	if a := analyze(t, same); a.Findings != nil {
		t.Errorf("the same chart: %v", told(a))
	}
	patch := same
	patch.New = side(standIn(t, charts.Cloud, "1.2.901"), all)
	if a := analyze(t, patch); a.Findings != nil {
		t.Errorf("a patch of which the environment sets all tags: %v", told(a))
	}
	next := same
	next.New = side(standIn(t, charts.Cloud, "1.3.901"), all)
	first, second := jsonOf(t, analyze(t, next)), jsonOf(t, analyze(t, next))
	if first != second {
		t.Errorf("another analysis of the same:\n%s\n%s", first, second)
	}
}

func jsonOf(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestPublicCharts: real charts with values that people set.
func TestPublicCharts(t *testing.T) {
	shared := os.Getenv("PM_GITOPS_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	for name, tt := range map[string]struct{ old, new, values string }{
		"istiod":         {"1.27.3", "1.28.3", "{pilot: {autoscaleMin: 2, resources: {requests: {cpu: 500m}}}, meshConfig: {accessLogFile: /dev/stdout}, global: {hub: registry.company.com/istio}, revision: ''}"},
		"base":           {"1.27.3", "1.28.3", "{defaultRevision: default}"},
		"gateway":        {"1.27.3", "1.28.3", "{service: {type: ClusterIP}, autoscaling: {minReplicas: 2}, labels: {team: a}}"},
		"metrics-server": {"3.12.2", "3.13.0", "{replicas: 2, args: [--kubelet-insecure-tls], resources: {limits: {memory: 300Mi}}, image: {repository: registry.company.com/metrics-server}}"},
	} {
		t.Run(name, func(t *testing.T) {
			var sides [2]chart.Chart
			for i, version := range []string{tt.old, tt.new} {
				archive, err := os.ReadFile(filepath.Join(shared, "charts", name+"-"+version+".tgz"))
				if err != nil {
					t.Skipf("no public charts in %s (set PM_GITOPS_SHARED)", shared)
				}
				if sides[i], err = chart.Load(archive); err != nil {
					t.Fatal(err)
				}
			}
			all := parsed(t, tt.values)
			a := analyze(t, hop.Input{Old: side(sides[0], all), New: side(sides[1], all)})
			t.Logf("%d renders\n%s", a.Renders, strings.Join(told(a), "\n"))
			for _, f := range a.Findings {
				t.Logf("%s: %s (%s)", f.Class, f.Message, f.Evidence)
				if f.Edits != nil || f.Blocks {
					t.Errorf("%s %s: %v", f.Class, f.Message, f.Edits)
				}
			}
			for _, p := range a.Parity {
				if p.Fate != hop.Landed {
					t.Errorf("%+v", p)
				}
			}
		})
	}
}
