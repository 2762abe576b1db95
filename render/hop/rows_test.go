package hop_test

import (
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// beside gives what a hop of the guide's values to 1.3 means besides the values of a case.
func beside(lines ...string) []string { return lines }

// TestRows: what only some environments have of the changes of each line.
func TestRows(t *testing.T) {
	both := []string{"1.3.900", "1.3.901"}
	for _, tt := range []struct {
		name       string
		values     string
		old        string
		new        []string
		want, gone []string // lines, or beginnings of lines that must not be there
	}{
		{"resources were ignored", "services: {server: {resources: {limits: {cpu: '1', memory: 1Gi}}}}", "1.2.900", both,
			beside("activated warning certain from services.server.resources to services.server.resources"), nil},
		{"certificate of the ingress", "ingress: {enabled: true, tls: {enabled: true, secretName: cert}}", "1.2.900", both,
			beside(`type-change error certain from ingress.tls.secretName to ingress.tls; remove ingress.tls.secretName; set ingress.tls=[{"secretName":"cert"}]`, "type-change error certain from ingress.tls.enabled to ingress.tls; remove ingress.tls.enabled"), nil},
		{"certificate without an ingress", "ingress: {tls: {enabled: true, secretName: cert}}", "1.2.900", both,
			beside("type-change error unknown from ingress.tls.enabled"), beside("type-change error certain", "removed warning")},
		{"overridden service", "services: {ladler: {replicas: 3}}", "1.2.900", []string{"1.3.900"},
			beside("renamed error certain from services.ladler to services.event-archiver; move services.ladler to services.event-archiver"), nil},
		{"overridden service, silent", "services: {ladler: {replicas: 3}}", "1.2.900", []string{"1.3.901"},
			beside("renamed error suspected from services.ladler.replicas to services.event-archiver.replicas"), nil},
		{"embedded database", "db: {use_embedded: true}", "1.2.900", both,
			beside("stateful error certain blocks StatefulSet/postgres", "images warning certain StatefulSet/postgres"), beside("flipped error certain blocks from db")},
		{"other selector", "breaking: {changedSelector: true}", "1.2.900", both,
			beside("immutable error certain blocks Deployment/server"), nil},
		{"proxy", "serviceMesh: {authorizationMode: traefik}", "1.2.900", both,
			beside("images warning certain Deployment/prefect-auth-proxy"), nil},
		{"own Secrets", "createAppSecretsInChart: false", "1.2.900", both,
			beside("renamed error certain from createAppSecretsInChart to secrets.create; move createAppSecretsInChart to secrets.create", "required error certain Secret/events-user-connection-strings"),
			beside("flipped", "deleted")},
		{"older line", "frontendUrl: https://a.company.com\nbackendUrl: https://b.company.com\nglobal: {frontendUrl: null, backendUrl: null}\ningress: {enabled: true}", "0.8.900", []string{"1.2.900"},
			beside(
				"moved error certain from frontendUrl to global.frontendUrl; move frontendUrl to global.frontendUrl",
				"moved error certain from backendUrl to global.backendUrl; move backendUrl to global.backendUrl",
				`renamed-object warning certain from ingress.name to ingress.name; set ingress.name="self-managed-prefect-cloud"`,
			), beside("required", "deleted", "removed", "flipped")},
		{"own name of the ingress", "ingress: {enabled: true, name: mine}\nfrontendUrl: https://a.company.com\nbackendUrl: https://b.company.com\nglobal: {frontendUrl: null, backendUrl: null}", "0.8.900", []string{"1.2.900"},
			nil, beside("renamed-object", "deleted")},
	} {
		for _, version := range tt.new {
			t.Run(tt.name+" "+version, func(t *testing.T) {
				all := values(t, tt.values)
				a := analyze(t, hop.Input{Old: side(standIn(t, charts.Cloud, tt.old), all), New: side(standIn(t, charts.Cloud, version), all), Secrets: guideSecrets})
				contains(t, a, tt.want, tt.gone)
			})
		}
	}
}

// contains reports lines that are missing, and those that must not be there.
func contains(t *testing.T, a hop.Analysis, want, gone []string) {
	t.Helper()
	got := "\n" + strings.Join(told(a), "\n") + "\n"
	for _, line := range want {
		if !strings.Contains(got, "\n"+line+"\n") {
			t.Errorf("missing: %s", line)
		}
	}
	for _, line := range gone {
		if strings.Contains(got, "\n"+line) {
			t.Errorf("must not be there: %s", line)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

// next is the guide's values for 1.3.
const next = `
global: {instanceName: null, encryptionKeySecret: {name: key}, authProvider: {type: null, providers: [adfs]}}
db: {use_embedded: null, serviceuser: null, superuser: null, embedded: {enabled: false}, serviceUser: {password: secretPassword}, adminUser: {password: secretSuperuserPassword}}
redis: {use_embedded: null, embedded: {enabled: false}, leases: {host: 10.0.0.9}}
secrets: {create: true}
ui: {cloud2: null, web: {image: {tag: 2025.1023.154520}}}
`

// TestLastLine: from 1.3 to 1.4, where a value of the mail server has another name.
func TestLastLine(t *testing.T) {
	secrets := []string{"global.authProvider.adfs.clientSecret", "db.serviceUser.password", "db.adminUser.password"}
	for name, tt := range map[string]struct {
		more       string
		want, gone []string
	}{
		"no mail": {"", []string{
			"default info certain from services.webhooks.replicas to services.webhooks.replicas",
			"new-service info certain Deployment/audit-log",
		}, []string{"renamed", "removed", "required", "flipped", "hooks"}},
		"mail": {"smtp: {enabled: true, host: mail, existingSecret: smtp-login}", []string{
			"renamed error certain from smtp.existingSecret to smtp.secretName; move smtp.existingSecret to smtp.secretName",
		}, nil},
		"mail that is off": {"smtp: {existingSecret: smtp-login}", []string{
			"renamed warning certain from smtp.existingSecret to smtp.secretName; move smtp.existingSecret to smtp.secretName",
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			all := overlay(values(t, next), parsed(t, tt.more))
			a := analyze(t, hop.Input{Old: side(standIn(t, charts.Cloud, "1.3.900"), all), New: side(standIn(t, charts.Cloud, "1.4.900"), all), Secrets: secrets})
			contains(t, a, tt.want, tt.gone)
		})
	}
}

// TestMesh: the mesh's chart has a definition more, and with a switch one loses a version.
func TestMesh(t *testing.T) {
	for values, want := range map[string][]string{
		"{}": {"crd info certain CustomResourceDefinition/serviceentries.networking.istio.io", "images warning certain ConfigMap/istio-sidecar-injector Deployment/istiod"},
		"{istioBase: {breaking: {droppedCRDVersion: true}}, istioDiscovery: {replicaCount: 2}}": {"crd error certain blocks CustomResourceDefinition/gateways.networking.istio.io"},
	} {
		all := parsed(t, values)
		a := analyze(t, hop.Input{Old: side(standIn(t, charts.Istiod, "1.2.900"), all), New: side(standIn(t, charts.Istiod, "1.3.900"), all)})
		contains(t, a, want, []string{"removed", "required", "deleted", "renamed"})
	}
}

// TestCatalog: what a catalog says is as good as the chart's own text, and what it asks
// for must be set.
func TestCatalog(t *testing.T) {
	all := values(t, "services: {ladler: {replicas: 3}}")
	moves := []catalog.Move{{From: "services.ladler", To: "services.event-archiver"}, {Require: "smtp.host", Why: "mail is sent now"}, {Require: "db.sslmode", Was: "prefer", Why: "of security"}}
	a := analyze(t, hop.Input{Old: side(standIn(t, charts.Cloud, "1.2.900"), all), New: side(standIn(t, charts.Cloud, "1.3.901"), all), Secrets: guideSecrets, Moves: moves})
	contains(t, a, []string{
		"renamed error certain from services.ladler to services.event-archiver; move services.ladler to services.event-archiver",
		"required error certain to smtp.host",
	}, []string{"required error certain to db.sslmode"})
	for _, f := range a.Findings {
		if f.To == "db.sslmode" && !strings.HasSuffix(f.Evidence, "the catalog says: of security") {
			t.Errorf("db.sslmode: %s", f.Evidence)
		}
	}
}

// TestKubernetes: a chart that wants a newer Kubernetes than the cluster has blocks.
func TestKubernetes(t *testing.T) {
	all := values(t, "")
	in := hop.Input{Old: side(standIn(t, charts.Cloud, "1.2.900"), all), New: side(standIn(t, charts.Cloud, "1.2.901"), all), Secrets: guideSecrets, KubeVersion: "1.28"}
	contains(t, analyze(t, in), []string{"kubernetes error certain blocks "}, nil)
	in.KubeVersion = "1.33"
	contains(t, analyze(t, in), nil, []string{"kubernetes"})
}
