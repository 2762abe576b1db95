package hop_test

import (
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// rightMoves is what the values of line 1.2 become in 1.3 (testdata/charts).
var rightMoves = map[string]string{
	"db.use_embedded": "db.embedded.enabled", "redis.use_embedded": "redis.embedded.enabled", "db.serviceuser": "db.serviceUser", "db.superuser": "db.adminUser",
	"ui.cloud2": "ui.web", "services.ladler": "services.event-archiver", "global.authProvider.type": "global.authProvider.providers",
	"createAppSecretsInChart": "secrets.create", "ingress.tls": "ingress.tls",
}

// moved gives what a value of 1.2 is in a variant of 1.3; empty if it has no place there.
func moved(at string, names map[string]string) string {
	for from, to := range rightMoves {
		if at == from || strings.HasPrefix(at, from+".") && from != "ingress.tls" {
			to += strings.TrimPrefix(at, from)
			for _, old := range []string{"services.event-archiver", "db.embedded.enabled", "redis.embedded.enabled", "db.serviceUser", "db.adminUser", "ui.web", "global.authProvider.providers", "secrets.create"} {
				name := names[old]
				if old == "services.event-archiver" {
					name = "services." + names["event-archiver"]
				}
				if rest, ok := strings.CutPrefix(to, old); ok {
					return name + rest
				}
			}
			return to
		}
	}
	if strings.HasPrefix(at, "ingress.tls.") {
		return "ingress.tls"
	}
	return ""
}

// TestSeeds: whatever an environment sets, no certain edit is wrong, whatever the names;
// and of what is only suspected most is right.
func TestSeeds(t *testing.T) {
	right, suspected := 0, 0
	for seed := range seeds(1, 8) {
		for name, set := range map[string]string{
			"services":  "services: {ladler: {replicas: 3, resources: {limits: {cpu: '1'}}}, server: {replicas: 5}}",
			"embedded":  "db: {use_embedded: true, host: null, embedded: {storage: 20Gi}}\nredis: {use_embedded: true}",
			"users":     "db: {serviceuser: {username: app}, superuser: {username: admin}}\nui: {cloud2: {replicas: 4, image: {digest: '', pullPolicy: Always}}}",
			"existing":  "createAppSecretsInChart: false\nexistingSecrets: {auth-provider: mine}",
			"ingress":   "ingress: {enabled: true, tls: {enabled: true, secretName: cert}, annotations: {a.b/c: d}}",
			"alike":     "db: {serviceuser: {username: same, password: alike}, superuser: {username: same, password: alike}}",
			"providers": "global: {authProvider: {type: okta, adfs: null, okta: {clientID: a, clientSecret: b, authServerURL: https://a.okta.com, apiKey: c}}}",
		} {
			t.Run(name, func(t *testing.T) {
				files, names, err := charts.Variant(seed, true)
				if err != nil {
					t.Fatal(err)
				}
				all := values(t, set)
				a := analyze(t, hop.Input{Old: side(standIn(t, charts.Cloud, "1.2.900"), all), New: side(load(t, files), all), Secrets: append(guideSecrets, "global.authProvider.okta.clientSecret", "global.authProvider.okta.apiKey")})
				for _, f := range a.Findings {
					if f.From == "" || f.To == "" || f.From == f.To {
						continue
					}
					isRight := moved(f.From, names) == f.To
					switch {
					case f.Certainty != hop.Certain:
						suspected++
						if isRight {
							right++
						}
						t.Logf("seed %d: %s: suspected %s to %s, right: %v (%s)", seed, name, f.From, f.To, isRight, f.Evidence)
					case !isRight:
						t.Errorf("seed %d: %s to %s is certain (%s)", seed, f.From, f.To, f.Evidence)
					}
				}
				for _, f := range a.Findings {
					if f.Class == hop.Removed && f.Certainty == hop.Certain && f.From != "global.instanceName" {
						t.Errorf("seed %d: %s is gone for certain (%s)", seed, f.From, f.Evidence)
					}
				}
			})
		}
	}
	t.Logf("%d of %d that are suspected are right", right, suspected)
	if suspected == 0 || right*5 < suspected*4 {
		t.Errorf("%d of %d that are suspected are right: want four of five", right, suspected)
	}
}
