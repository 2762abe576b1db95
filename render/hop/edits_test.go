package hop_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// TestEdited: with all edits, and with what must be set, the new chart renders what the
// old one did, and the hop means nothing more that is to be edited.
func TestEdited(t *testing.T) {
	for _, version := range []string{"1.3.900", "1.3.901"} {
		all := values(t, "ingress: {enabled: true, tls: {enabled: true, secretName: cert}}")
		old, next := standIn(t, charts.Cloud, "1.2.900"), standIn(t, charts.Cloud, version)
		a := analyze(t, hop.Input{Old: side(old, all), New: side(next, all), Secrets: guideSecrets})
		edited := overlay(a.Values, parsed(t, "{global: {encryptionKeySecret: {name: key}}, redis: {leases: {host: 10.0.0.9}}}"))
		before, err := side(old, all).Make(t.Context(), all)
		if err != nil {
			t.Fatal(err)
		}
		after, err := side(next, edited).Make(t.Context(), edited)
		if err != nil {
			t.Fatalf("%s: the edited values do not render: %s", version, err)
		}
		was, is := secretsIn(t, before), secretsIn(t, after)
		for _, name := range slices.Sorted(maps.Keys(was)) {
			if is[name] != was[name] && !strings.Contains(name, "ladler") {
				t.Errorf("%s: %s is another one", version, name)
			}
		}
		if len(was) < 20 {
			t.Errorf("%d keys of Secrets", len(was))
		}
		again := analyze(t, hop.Input{Old: side(old, all), New: side(next, edited), Secrets: append(guideSecrets, "db.serviceUser.password", "db.adminUser.password")})
		if again.Edits() != nil || again.Blocked() {
			t.Errorf("%s: then there is still to be edited: %v\n%s", version, again.Edits(), strings.Join(told(again), "\n"))
		}
	}
}

// secretsIn gives what the Secrets of objects hold.
func secretsIn(t *testing.T, objects []chart.Object) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, o := range objects {
		tree, err := o.Tree()
		if err != nil {
			t.Fatal(err)
		}
		data, _ := tree["data"].(map[string]any)
		for key, value := range data {
			if o.Kind == "Secret" {
				all[o.Name+" "+key] = fmt.Sprint(value)
			}
		}
	}
	return all
}

// TestNoSecrets: no value of a secret is in anything that an analysis gives, wherever the
// secret lands, and whether the caller names it or not.
func TestNoSecrets(t *testing.T) {
	const canary = "CANARY-secretPassword"
	all := values(t, fmt.Sprintf(`
global: {authProvider: {adfs: {clientSecret: %[1]s-a}}}
db: {serviceuser: {password: %[1]s-b}, superuser: {password: %[1]s-c}}
redis: {cache: {password: %[1]s-d}}
smtp: {enabled: true, host: mail, password: %[1]s-e}
oddities: {apiToken: %[1]s-f}
services: {server: {resources: {password: %[1]s-g}}}
`, canary))
	for _, version := range []string{"1.3.900", "1.3.901"} {
		a := analyze(t, hop.Input{Old: side(standIn(t, charts.Cloud, "1.2.900"), all), New: side(standIn(t, charts.Cloud, version), all), Secrets: guideSecrets})
		data, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		for _, o := range slices.Concat(a.Objects, a.Before) {
			text += string(o.YAML)
		}
		if strings.Contains(text, canary) {
			t.Errorf("%s: a secret gets out", version)
		}
		if strings.Contains(string(data), "Pm9s") || strings.Contains(string(data), "pm9q") {
			t.Errorf("%s: a text of ours gets out:\n%s", version, data)
		}
		if smtp := fate(a, "smtp.password"); smtp.Fate != hop.Landed || !smtp.Secret {
			t.Errorf("%s: smtp.password: %+v", version, smtp)
		}
	}
}

func fate(a hop.Analysis, path string) hop.Parity {
	for _, p := range a.Parity {
		if p.Path == path {
			return p
		}
	}
	return hop.Parity{}
}

// TestBudget: an analysis renders no more often than it may, says so, and finds nothing
// certain that is wrong then.
func TestBudget(t *testing.T) {
	all := values(t, "")
	known := wanted(true, nil)
	for most := 1; most < 60; most += 6 {
		a, err := hop.Analyze(t.Context(), hop.Input{Old: side(standIn(t, charts.Cloud, "1.2.900"), all), New: side(standIn(t, charts.Cloud, "1.3.901"), all), Secrets: guideSecrets, Most: most})
		if err != nil {
			t.Fatal(err)
		}
		if !a.Exhausted || a.Renders > most {
			t.Errorf("most %d: %d renders, exhausted: %v", most, a.Renders, a.Exhausted)
		}
		for _, f := range a.Findings {
			for _, e := range f.Edits {
				if !strings.Contains(strings.Join(known, "\n"), e.String()) {
					t.Errorf("most %d: %s %s", most, f.Class, e)
				}
			}
		}
	}
}
