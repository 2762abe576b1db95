package upgrade_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// environment is the least one, with the names that it goes after.
func environment(t testing.TB, name string, after ...string) render.Environment {
	t.Helper()
	source := `apiVersion: pm-gitops/v1
kind: Environment
metadata: {name: ` + name + `}
spec:
  instance: {name: a, frontendUrl: http://ui.localdomain, backendUrl: http://api.localdomain, ownerEmail: owner@company.com}
  versions: {prefectIstiod: 1.3.4, prefectCloud: 1.3.4, server: "2026.4.202604170101", ui: "2026.0417.094520"}
  auth: {okta: {clientID: a, clientSecret: {secret: a, key: a}, authServerURL: https://a.okta.com}}
  upgrade:
    after:
`
	for _, other := range after {
		source += "    - environment: " + other + "\n"
	}
	if after == nil {
		source = strings.TrimSuffix(source, "  upgrade:\n    after:\n")
	}
	env, err := render.Parse(name+".yaml", []byte(source), func(string) ([]byte, error) { return nil, fs.ErrNotExist })
	if err != nil {
		t.Fatal(err)
	}
	return env
}

func TestOrder(t *testing.T) {
	for _, tt := range []struct{ fleet, order, problems string }{
		{"", "", ""},
		{"a b c", "a b c", ""},
		{"prod:staging staging:dev dev", "dev staging prod", ""},
		{"b:d a c d", "d b a c", ""},
		{"a:c,b b:c c", "c b a", ""},
		{"a:stagin staging", "a staging", `a.yaml:10:7: spec.upgrade.after[0].environment: unknown environment "stagin": did you mean "staging"?`},
		{"a:a", "a", `a.yaml:10:7: spec.upgrade.after[0].environment: environment "a" waits for itself`},
		{"a:b b:c c:d,a d", "d c b a", `c.yaml:11:7: spec.upgrade.after[1].environment: environments wait for each other: a -> b -> c -> a`},
		{"x:a a:b b:a", "b a x", `b.yaml:10:7: spec.upgrade.after[0].environment: environments wait for each other: a -> b -> a`},
		{"a:b b:a c:d d:c", "b a d c", `b.yaml:10:7: spec.upgrade.after[0].environment: environments wait for each other: a -> b -> a
d.yaml:10:7: spec.upgrade.after[0].environment: environments wait for each other: c -> d -> c`},
	} {
		var fleet []render.Environment
		for one := range strings.FieldsSeq(tt.fleet) {
			name, after, waits := strings.Cut(one, ":")
			if waits {
				fleet = append(fleet, environment(t, name, strings.Split(after, ",")...))
			} else {
				fleet = append(fleet, environment(t, name))
			}
		}
		order, problems := upgrade.Order(fleet)
		var names []string
		for _, i := range order {
			names = append(names, string(fleet[i].Metadata.Name))
		}
		if got := strings.Join(names, " "); got != tt.order {
			t.Errorf("%s: order %s, want %s", tt.fleet, got, tt.order)
		}
		if got := problems.Error(); got != tt.problems {
			t.Errorf("%s: problems\n%s\nwant\n%s", tt.fleet, got, tt.problems)
		}
	}
}

// TestOrderOfManyThatWait is a chain as long as no fleet is.
func TestOrderOfManyThatWait(t *testing.T) {
	fleet := make([]render.Environment, 20_000)
	for i := range fleet {
		fleet[i].Metadata.Name = render.Name(fmt.Sprint(i))
		fleet[i].Spec.Upgrade.After = []render.UpgradeAfter{{Environment: render.Name(fmt.Sprint(i + 1))}}
	}
	fleet[len(fleet)-1].Spec.Upgrade.After = nil
	order, problems := upgrade.Order(fleet)
	if len(problems) > 0 || len(order) != len(fleet) || order[0] != len(fleet)-1 {
		t.Errorf("%d environments, the first %d, %v", len(order), order[0], problems)
	}
}
