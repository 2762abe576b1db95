package check_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/check"
)

// many is a setting with findings of many checks.
func many() setting {
	return cloud("{services: {scheduler: {replicas: 3}}, oddities: {randomSecret: true, lookup: true}, db: {sslmode: prefer}}").on("", "cluster: null\nmigrations: {afterInstall: false}")
}

// TestSameFindings: one input has one answer, in the order that is promised.
func TestSameFindings(t *testing.T) {
	first := find(t, many())
	if diff := cmp.Diff(first, find(t, many())); diff != "" {
		t.Errorf("two runs (-first +second):\n%s", diff)
	}
	var order []string
	for _, f := range first {
		order = append(order, f.Release+" "+f.ID)
	}
	want := []string{" kube-version-unknown", " registry-login", "prefect-cloud lookup-use", "prefect-cloud migration-deadlock", "prefect-cloud random-output", "prefect-cloud singleton-replicas", "prefect-cloud tls-verification-disabled"}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// TestIgnore: an entry accepts the findings of its check, in its release, at
// its object, and no others; entries that accept nothing are found, where the
// run can know.
func TestIgnore(t *testing.T) {
	for name, test := range map[string]struct {
		entry   string
		ignored int
		unused  bool
	}{
		"check alone":              {"{check: random-output, reason: r}", 1, false},
		"release":                  {"{check: random-output, release: prefect-cloud, reason: r}", 1, false},
		"another release":          {"{check: random-output, release: prefect-istiod, reason: r}", 0, true},
		"object":                   {"{check: random-output, object: Secret/session-key, reason: r}", 1, false},
		"object with stars":        {`{check: random-output, object: "*/sess*-*y", reason: r}`, 1, false},
		"another object":           {"{check: random-output, object: Secret/session, reason: r}", 0, true},
		"another kind":             {"{check: random-output, object: ConfigMap/*, reason: r}", 0, true},
		"object where none is":     {"{check: kube-version-unknown, object: Secret/*, reason: r}", 0, true},
		"one without a release":    {"{check: kube-version-unknown, reason: r}", 1, false},
		"what is not found at all": {"{check: load-balancer, reason: r}", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := many()
			s.spec += "\nchecks: {ignore: [" + test.entry + "]}"
			found, ignored := find(t, s), 0
			for _, f := range found {
				if f.Ignored == "r" {
					ignored++
				}
			}
			if unused := ofID(found, "unused-ignore"); ignored != test.ignored || len(unused) > 0 != test.unused {
				t.Errorf("%d ignored, want %d; found\n%s", ignored, test.ignored, told(found))
			}
		})
	}
}

// TestIgnoreOfOthers: what a file that is extended accepts may be for another
// environment.
func TestIgnoreOfOthers(t *testing.T) {
	shared := strings.Replace(base, "spec:\n", "spec:\n  checks: {ignore: [{check: load-balancer, reason: r}, {check: random-output, release: prefect-istiod, reason: r}]}\n", 1)
	s := many()
	s.defaults = shared
	if unused := ofID(find(t, s), "unused-ignore"); len(unused) > 0 {
		t.Errorf("found\n%s", told(unused))
	}
}

// TestFirstReason: of two entries for a finding the first says why, and
// neither is unused.
func TestFirstReason(t *testing.T) {
	s := many()
	s.spec += "\nchecks: {ignore: [{check: random-output, reason: one}, {check: random-output, reason: two}]}"
	found := find(t, s)
	if of := ofID(found, "random-output"); len(of) != 1 || of[0].Ignored != "one" || ofID(found, "unused-ignore") != nil {
		t.Errorf("found\n%s", told(found))
	}
}

// TestNoSecrets: what Secrets hold is in no finding, whatever is wrong with it.
func TestNoSecrets(t *testing.T) {
	const canary = "CANARY-h8Vq2"
	s := with(fmt.Sprintf(`apiVersion: v1
kind: Secret
metadata: {name: big}
stringData: {url: "postgresql://u:%[1]s@db/x?sslmode=disable", random: "%[1]s-{{ randAlphaNum 8 }}", image: "quay.io/%[1]s/x:1"}
data: {url: {{ "postgresql://u:%[1]s@db/x?sslmode=allow" | b64enc }}}
`, canary))
	s.spec = "registry: {mirror: registry.company.com/prefect}"
	found := find(t, s)
	data, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.ToLower(string(data)), strings.ToLower(canary)) {
		t.Errorf("a secret is told: %s", data)
	}
	if len(ofID(found, "tls-verification-disabled")) != 2 || len(ofID(found, "random-output")) != 1 {
		t.Errorf("found\n%s", told(found))
	}
}

// TestHostile: names and values of a chart cannot steer a terminal, make up
// lines, or fill the screen, and objects of any form are looked at.
func TestHostile(t *testing.T) {
	for name, template := range map[string]string{
		"control characters": "apiVersion: v1\nkind: Service\nmetadata: {name: \"a\\e[2J\\r\\nb\", labels: {\"x\\n::error::\": \"\\e[31m\"}}\n",
		"long names":         "apiVersion: v1\nkind: Service\nmetadata: {name: " + strings.Repeat("x", 100_000) + "}\n",
		"odd types":          "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, labels: [1], annotations: 3}\nspec: {replicas: many, selector: 4, template: {metadata: 5, spec: {containers: [1, {image: {a: b}}, {image: 7, env: [{name: [x]}, 3], envFrom: 1}], volumes: {a: b}, imagePullSecrets: x}}}\n",
		"odd lists":          "apiVersion: v1\nkind: List\nitems: [1, null, {}, {kind: Service}, {apiVersion: v1, kind: List, items: [{kind: Pod}]}]\n",
		"odd webhooks":       "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {name: a}\nwebhooks: [1, {name: 2}]\n",
		"deep":               "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: " + strings.Repeat("{a: ", 500) + "1" + strings.Repeat("}", 500) + "\n",
		"no kind":            "a: 1\n",
		"many findings":      "{{ range until 3000 }}---\napiVersion: v1\nkind: Service\nmetadata: {name: \"+{{ . }}\"}\n{{ end }}",
	} {
		t.Run(name, func(t *testing.T) {
			for _, target := range []string{"flux", "argo"} {
				found := find(t, with(template).on(target, ""))
				if len(found) > 600 {
					t.Errorf("%d findings", len(found))
				}
				for _, f := range found {
					data, _ := json.Marshal(f)
					if len(data) > 8000 || strings.Contains(string(data), `\u001b`) || strings.Contains(f.Message+f.Fix+f.Field, "\n") {
						t.Errorf("%s", data)
					}
				}
			}
		})
	}
}

// TestTooManyObjects: what would cost too much to look at is an error.
func TestTooManyObjects(t *testing.T) {
	in := check.Input{}
	in.Releases = []check.Release{{Release: render.Release{Key: "app"}}}
	in.Releases[0].Install.Objects = append(in.Releases[0].Install.Objects, make([]chart.Object, 10_001)...)
	if _, err := check.Run(in); err == nil || !strings.Contains(err.Error(), "app: the chart makes 10001 objects") {
		t.Errorf("Run = %v", err)
	}
}
