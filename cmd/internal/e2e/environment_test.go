//go:build e2e

package e2e

import (
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/cmd/internal/e2e/world"
)

// The versions of the scenarios: what is installed first, a patch of it, and
// the next line.
const (
	oldChart, oldServer, oldUI = "1.2.900", "2025.10.202511042343", "2025.1023.154520"
	patchServer, patchUI       = "2025.10.202512010915", "2025.1201.101500"
	newChart, newServer, newUI = "1.3.900", "2026.1.202601150930", "2026.0115.101500"
)

// environment is an environment file, as a tree.
type environment struct {
	name string
	file string // in the checkout
	tree map[string]any
}

// newEnvironment is what the scenarios start from: an installation on 1.2.900
// with its databases outside, from the world's registry. Its migrations are a
// hook before everything else, and take two seconds of at most a minute. The
// injector fails closed, as Istio's own: a busy machine must not leave a pod
// without its proxy for ever.
func newEnvironment(f *fixture, name string) *environment {
	e := &environment{name: name, file: "environments/" + name + ".yaml", tree: map[string]any{
		"apiVersion": "pm-gitops/v1", "kind": "Environment", "metadata": map[string]any{"name": name},
	}}
	var spec map[string]any
	f.check(yaml.Unmarshal([]byte(`
instance: {name: customer-managed, frontendUrl: "https://prefect-ui.company.com", backendUrl: "https://prefect-api.company.com", ownerEmail: owner@company.com}
auth: {adfs: {clientID: adfsId, clientSecret: {secret: prefect-auth, key: client-secret}, clientAuthority: "https://adfs.company.com/adfs", clientVerifySSL: true}}
database:
  primary: 10.0.0.1
  replica: 10.0.0.2
  serviceUser: {password: {secret: prefect-db, key: service}}
  superUser: {password: {secret: prefect-db, key: superuser}}
redis: {cache: {host: 10.0.0.3}, work: {host: 10.0.0.4}, streams: {host: 10.0.0.5}}
cluster: {kubeVersion: "1.33"}
migrations: {timeout: 1m, afterInstall: false}
catalog: catalog.yaml
values:
  prefect-istiod: {istioDiscovery: {injectorFailurePolicy: Fail}}
  prefect-cloud: {migrations: {delivery: hook, hooks: "pre-install,pre-upgrade"}}
`), &spec))
	e.tree["spec"] = spec
	e.versions(oldChart, oldServer, oldUI)
	e.set("spec.registry.mirror", f.Registry.Host+"/prefect")
	e.set("spec.delivery.git.url", f.repo)
	e.set("spec.delivery.flux", map[string]any{"version": "2.9", "namespace": world.FluxNamespace, "source": "fleet"})
	e.set("spec.delivery.argo", map[string]any{"version": "2.14", "namespace": world.ArgoNamespace})
	// The chart reads Secrets that exist: a migration before the install can
	// read no Secret that the chart makes.
	e.set("spec.secrets.into", "chart")
	return e
}

func (e *environment) versions(chart, server, ui string) {
	e.set("spec.versions", map[string]any{"prefectIstiod": chart, "prefectCloud": chart, "server": server, "ui": ui})
}

// nextLine is what an upgrade to 1.3.900 needs besides the versions: what the
// chart's guards ask for, by hand.
func (e *environment) nextLine() {
	e.versions(newChart, newServer, newUI)
	e.set("spec.values.prefect-cloud.global", map[string]any{"authProvider": map[string]any{"providers": []any{"adfs"}}, "encryptionKeySecret": map[string]any{"name": "encryption"}})
	e.set("spec.values.prefect-cloud.redis", map[string]any{"leases": map[string]any{"host": "10.0.0.6"}})
}

// nextLine makes the environment the next line's, and has the Secrets what the
// line reads: it has more services, and they read more keys.
func (f *fixture) nextLine() {
	f.Helper()
	f.env.nextLine()
	f.write(f.env.file, f.env.text(f))
	f.keepSecrets()
}

// set sets a field by its dotted path; nil takes it away.
func (e *environment) set(path string, value any) {
	keys := strings.Split(path, ".")
	tree := e.tree
	for _, key := range keys[:len(keys)-1] {
		child, ok := tree[key].(map[string]any)
		if !ok {
			child = map[string]any{}
			tree[key] = child
		}
		tree = child
	}
	if last := keys[len(keys)-1]; value == nil {
		delete(tree, last)
	} else {
		tree[last] = value
	}
}

func (e *environment) text(f *fixture) string {
	text, err := yaml.Marshal(e.tree)
	f.check(err)
	return string(text)
}

// catalog is what the stand-in charts read. It corrects what the embedded
// catalog says of the lines, as a user does who has read the charts.
const catalog = `apiVersion: pm-gitops/v1
kind: Catalog
lines:
- name: "1.2"
  charts: {prefect-cloud: ">=1.2.0 <1.3.0", prefect-istiod: ">=1.2.0 <1.3.0"}
  layout:
  - {field: registry.pullSecret, path: global.imagePullSecret}
  secrets:
    auth-provider: [client-secret]
    nebula-user-connection-strings: [db-migration, auth, server, server-background]
    nebula-replica-user-connection-strings: [auth, server, server-background]
    orion-user-connection-strings: [db-migration, server, server-background, scheduler, actions, triggers-proactive]
    orion-replica-user-connection-strings: [server, server-background, scheduler, actions, triggers-proactive]
    events-user-connection-strings: [db-migration, events-api, ladler, logs]
    events-replica-user-connection-strings: [events-api, ladler, logs]
    redis-connection-strings: [REDIS_CACHE_URL, REDIS_WORK_URL, REDIS_STREAMS_URL]
- name: "1.3"
  charts: {prefect-cloud: ">=1.3.0 <1.5.0", prefect-istiod: ">=1.3.0 <1.5.0"}
  layout:
  - {field: instance.name}
  - {field: auth.type}
  - {field: images.ui.repository, path: ui.web.image.repository}
  - {field: versions.ui, path: ui.web.image.tag}
  - {when: database, set: {db.embedded.enabled: false}}
  - {field: database.serviceUser.password, path: db.serviceUser.password}
  - {field: database.superUser.password, path: db.adminUser.password}
  - {when: redis, set: {redis.embedded.enabled: false}}
  - {when: secrets.into=chart, set: {secrets.create: false}}
  secrets:
    auth-provider: [client-secret]
    encryption: [key]
    nebula-user-connection-strings: [db-migration, auth, server, server-background]
    nebula-replica-user-connection-strings: [auth, server, server-background]
    orion-user-connection-strings: [db-migration, server, server-background, scheduler, actions, triggers-proactive]
    orion-replica-user-connection-strings: [server, server-background, scheduler, actions, triggers-proactive]
    events-user-connection-strings: [db-migration, events-api, event-archiver, logs, webhooks, audit-log]
    events-replica-user-connection-strings: [events-api, event-archiver, logs, webhooks, audit-log]
    redis-connection-strings: [REDIS_CACHE_URL, REDIS_WORK_URL, REDIS_STREAMS_URL, REDIS_LEASES_URL]
`
