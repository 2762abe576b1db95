package check_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestDeletedByUpgrade: of what an install alone makes, what keeps data is found,
// unless it stays or nothing of it is lost.
func TestDeletedByUpgrade(t *testing.T) {
	object := func(api, kind, annotations, rest string) string {
		return fmt.Sprintf("---\napiVersion: %s\nkind: %s\nmetadata: {name: x, annotations: {%s}}\n%s\n", api, kind, annotations, rest)
	}
	once := func(objects ...string) setting {
		return with("{{ if .Release.IsInstall }}\n" + strings.Join(objects, "") + "{{ end }}\n")
	}
	claim := object("v1", "PersistentVolumeClaim", "", "spec: {accessModes: [ReadWriteOnce]}")
	set := object("apps/v1", "StatefulSet", "", "spec: {serviceName: x}")
	secret := func(annotations string) string { return object("v1", "Secret", annotations, "data: {a: cHc=}") }
	testRules(t, "deleted-by-upgrade", map[string]rule{
		"each kind":                    {once(claim, set, secret("")), []string{"error PersistentVolumeClaim/x", "error Secret/x", "error StatefulSet/x"}},
		"kept":                         {once(secret("helm.sh/resource-policy: keep")), nil},
		"a hook":                       {once(secret("helm.sh/hook: pre-install")), nil},
		"a kind without data":          {once(object("v1", "ConfigMap", "", "data: {a: b}")), nil},
		"a kind of that name":          {once(object("example.com/v1", "Secret", "", "data: {a: b}")), nil},
		"on upgrades alone":            {with("{{ if .Release.IsUpgrade }}\n" + claim + "{{ end }}\n"), nil},
		"with other content":           {with(strings.Replace(secret(""), "cHc=", "{{ ternary \"YQ==\" \"Yg==\" .Release.IsInstall }}", 1)), nil},
		"another name, the same":       {with(strings.Replace(secret(""), "name: x", "name: x-{{ .Release.Revision }}", 1)), nil},
		"another name, random content": {with(strings.NewReplacer("name: x", "name: x-{{ .Release.Revision }}", "cHc=", "{{ randAlpha 8 | b64enc }}").Replace(secret(""))), []string{"error Secret/x-1"}},
		"another name of a claim":      {with(strings.Replace(claim, "name: x", "name: x-{{ .Release.Revision }}", 1)), []string{"error PersistentVolumeClaim/x-1"}},
		"Argo CD, always an install":   {once(claim).on("argo", ""), nil},
	})
}

// TestEmbeddedAlthoughSet: a program of the chart's is an error beside another one
// that the environment names, and a warning without.
func TestEmbeddedAlthoughSet(t *testing.T) {
	testRules(t, "embedded-database", map[string]rule{
		"beside another": {cloud("{db: {use_embedded: true}}"), []string{"error StatefulSet/postgres"}},
		"alone":          {setting{spec: "database: null"}, []string{"warning StatefulSet/postgres"}},
	})
	testRules(t, "embedded-redis", map[string]rule{
		"beside another": {cloud("{redis: {use_embedded: true}}"), []string{"error StatefulSet/redis"}},
		"alone":          {setting{spec: "redis: null"}, []string{"warning StatefulSet/redis"}},
	})
	found := ofID(find(t, cloud("{db: {use_embedded: true}}")), "embedded-database")
	if found[0].Fix != "switch the chart's own database off in its values" {
		t.Errorf("fix %q", found[0].Fix)
	}
}

// TestRegistryLogin: the vendor's registry is private, and nothing is known of others.
func TestRegistryLogin(t *testing.T) {
	own := setting{template: sane}
	testRules(t, "registry-login", map[string]rule{
		"no login":          {own, []string{"warning"}},
		"a login":           {own.on("", "registry: {pullSecret: pull}"), nil},
		"a mirror":          {own.on("", "registry: {mirror: registry.company.com/prefect}"), nil},
		"another source":    {own.on("", "registry: {source: us-docker.pkg.dev/prefect-prd-customer-managed/clouds}"), nil},
		"a source below it": {own.on("", "registry: {source: us-docker.pkg.dev/prefect-prd-customer-managed/cloud/next}"), []string{"warning"}},
	})
	for target, says := range map[string]string{"flux": "provider: gcp", "argo": "repository Secret in its own namespace"} {
		if found := ofID(find(t, setting{target: target, template: sane}), "registry-login"); len(found) != 1 || !strings.Contains(found[0].Message, "prefect-istiod, prefect-cloud: ") || !strings.Contains(found[0].Message, says) {
			t.Errorf("%s: found\n%s", target, told(found))
		}
	}
}
