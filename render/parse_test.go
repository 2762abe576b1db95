package render_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
)

// complete is a small environment that is right; the tests below break it.
const complete = `apiVersion: pm-gitops/v1
kind: Environment
metadata:
  name: dev
spec:
  instance:
    name: customer-managed
    frontendUrl: https://ui.company.com
    backendUrl: https://api.company.com
    ownerEmail: owner@company.com
  versions:
    prefectIstiod: 1.2.900
    prefectCloud: 1.2.900
    server: "2025.10.202511042343"
    ui: "2025.1023.154520"
  auth:
    okta:
      clientID: prefect
      clientSecret: {secret: prefect-auth, key: client-secret}
      authServerURL: https://company.okta.com/oauth2/default
`

// canary is a secret in the wrong place: it must be in no message.
const canary = "CANARY-secretPassword"

func noFiles(string) ([]byte, error) { return nil, fs.ErrNotExist }

func TestParseProblems(t *testing.T) {
	tests := []struct {
		name     string
		old, new string // in complete; an empty old appends
		want     []string
	}{
		{"nothing wrong", "", "", nil},
		{"unknown field", "frontendUrl", "frontendURL", []string{
			`dev.yaml:7:5: spec.instance.frontendUrl: the field is missing`,
			`dev.yaml:8:5: spec.instance.frontendURL: unknown field: did you mean "frontendUrl"?`}},
		{"no secret's field for another's", "clientSecret: {", "clientSecrets: {", []string{
			`dev.yaml:18:7: spec.auth.okta.clientSecret: the field is missing`,
			`dev.yaml:19:7: spec.auth.okta.clientSecrets: unknown field: want clientID, clientSecret, authServerURL or apiKey`}},
		{"the same secret's field", "clientSecret: {", "client_secret: {", []string{
			`dev.yaml:18:7: spec.auth.okta.clientSecret: the field is missing`,
			`dev.yaml:19:7: spec.auth.okta.client_secret: unknown field: did you mean "clientSecret"?`}},
		{"no user for another", "", "  database: {primary: 10.0.0.1, serviceUser: {password: {secret: s, key: k}}, superUsers: {password: {secret: s, key: k}}}\n", []string{
			`dev.yaml:21:13: spec.database.superUser: the field is missing`,
			`dev.yaml:21:79: spec.database.superUsers: unknown field: want primary, replica, serviceUser or superUser`}},
		{"no field of another type", "", "  databases: ten\n", []string{`dev.yaml:21:3: spec.databases: unknown field`}},
		{"unknown field with nothing near", "", "  colour: blue\n", []string{
			`dev.yaml:21:3: spec.colour: unknown field`}},
		{"key twice", "", "  mesh: none\n  mesh: none\n", []string{
			`dev.yaml:22:3: spec.mesh: the key is given twice, first on line 21`}},
		{"missing section", "  auth:\n    okta:\n      clientID: prefect\n      clientSecret: {secret: prefect-auth, key: client-secret}\n      authServerURL: https://company.okta.com/oauth2/default\n", "", []string{
			`dev.yaml:6:3: spec.auth: the field is missing`}},
		{"tag without quotes", `"2025.10.202511042343"`, "2025.10", []string{
			`dev.yaml:14:13: spec.versions.server: want a string, got a number: put it in quotes`}},
		{"tag that is a date", `"2025.1023.154520"`, "2025-10-23", []string{
			`dev.yaml:15:9: spec.versions.ui: want a string, got a date: put it in quotes`}},
		{"latest", `"2025.1023.154520"`, "latest", []string{
			`dev.yaml:15:9: spec.versions.ui: want the tag of one build: latest may change at any time`}},
		{"list for a mapping", "    okta:\n      clientID", "    okta:\n    - clientID", []string{
			`dev.yaml:18:5: spec.auth.okta: want a mapping, got a list`}},
		{"bad name", "name: dev", "name: ../Dev", []string{
			`dev.yaml:4:9: metadata.name: want at most 63 lower-case letters, digits and -, beginning and ending with a letter or digit, got "../Dev"`}},
		{"bad URL", "https://ui.company.com", "ui.company.com", []string{
			`dev.yaml:8:18: spec.instance.frontendUrl: want an http or https address such as https://prefect.company.com, got "ui.company.com"`}},
		{"URL with a password", "https://ui.company.com", "https://me:" + canary + "@ui.company.com", []string{
			`dev.yaml:8:18: spec.instance.frontendUrl: want an address without user and password: it would be in Git for all to read`}},
		{"bad e-mail address", "owner@company.com", "Owner <owner@company.com>", []string{
			`dev.yaml:10:17: spec.instance.ownerEmail: want an e-mail address such as owner@company.com, got "Owner <owner@company.com>"`}},
		{"version range", "prefectCloud: 1.2.900", "prefectCloud: 1.2.x", []string{
			`dev.yaml:13:19: spec.versions.prefectCloud: want an exact chart version such as 1.2.3, got "1.2.x"`}},
		{"short digest", "prefectCloud: 1.2.900", "prefectCloud: 1.2.900@sha256:abc", []string{
			`dev.yaml:13:19: spec.versions.prefectCloud: want sha256: and 64 hexadecimal digits behind the @, got "sha256:abc"`}},
		{"no istiod version", "    prefectIstiod: 1.2.900\n", "", []string{
			`dev.yaml:11:3: spec.versions.prefectIstiod: the field is missing: give a chart version, or say mesh: existing or mesh: none`}},
		{"plaintext secret", "{secret: prefect-auth, key: client-secret}", canary, []string{
			`dev.yaml:19:21: spec.auth.okta.clientSecret: want a reference, {secret: NAME, key: KEY}: a secret itself would be in Git for all to read`}},
		{"plaintext number as a secret", "{secret: prefect-auth, key: client-secret}", "123456", []string{
			`dev.yaml:19:21: spec.auth.okta.clientSecret: want a reference, {secret: NAME, key: KEY}: a secret itself would be in Git for all to read`}},
		{"plaintext in the reference", "secret: prefect-auth, key", "secret: " + canary + "!, key", []string{
			`dev.yaml:19:30: spec.auth.okta.clientSecret.secret: want the name of a Secret: at most 253 lower-case letters, digits, . and -`}},
		{"plaintext under values", "", "  values:\n    prefect-cloud:\n      smtp: {password: " + canary + ", existingSecret: smtp, tokens: 3}\n      list: [{apiKey: [" + canary + "]}]\n      dsn: postgres://me:" + canary + "@db/orion\n", []string{
			`dev.yaml:23:24: spec.values.prefect-cloud.smtp.password: the key names a secret, and Git would show it to every reader: name it under spec.secretValues, or accept its path under spec.checks.ignore`,
			`dev.yaml:24:23: spec.values.prefect-cloud.list[0].apiKey: the key names a secret, and Git would show it to every reader: let the chart read it from a Secret (existingSecret, valueFrom), or accept its path under spec.checks.ignore`,
			`dev.yaml:25:12: spec.values.prefect-cloud.dsn: the address has a password in it, and Git would show it to every reader: name it under spec.secretValues, or accept its path under spec.checks.ignore`}},
		{"values that would change", "", "  values:\n    prefect-cloud: {a: 2025.10, b: 0123, c: null, d: 1_000, $patch: delete, e: 1.0, f: -3, g: 1e3, h: 9007199254740993}\n", []string{
			`dev.yaml:22:24: spec.values.prefect-cloud.a: the number would not reach the chart as it is written, since charts get 64-bit floats: put it in quotes, or write it in plain decimal digits, without needless ones`,
			`dev.yaml:22:36: spec.values.prefect-cloud.b: the number would not reach the chart as it is written, since charts get 64-bit floats: put it in quotes, or write it in plain decimal digits, without needless ones`,
			`dev.yaml:22:45: spec.values.prefect-cloud.c: null is not written, since Helm 3 and Helm 4 treat it differently: give a value or leave the key out`,
			`dev.yaml:22:54: spec.values.prefect-cloud.d: the number would not reach the chart as it is written, since charts get 64-bit floats: put it in quotes, or write it in plain decimal digits, without needless ones`,
			`dev.yaml:22:61: spec.values.prefect-cloud.$patch: a key that begins with $, or is <<, is a directive of kustomize or YAML and cannot reach the chart`,
			`dev.yaml:22:80: spec.values.prefect-cloud.e: the number would not reach the chart as it is written, since charts get 64-bit floats: put it in quotes, or write it in plain decimal digits, without needless ones`,
			`dev.yaml:22:95: spec.values.prefect-cloud.g: the number would not reach the chart as it is written, since charts get 64-bit floats: put it in quotes, or write it in plain decimal digits, without needless ones`,
			`dev.yaml:22:103: spec.values.prefect-cloud.h: the number would not reach the chart as it is written, since charts get 64-bit floats: put it in quotes, or write it in plain decimal digits, without needless ones`}},
		{"an empty key", "", "  values: {prefect-cloud: {labels: {\"\": a}}}\n", []string{
			`dev.yaml:21:37: spec.values.prefect-cloud.labels[""]: an empty key, or one with a control character, would not reach the chart as it is written`}},
		{"two providers", "    okta:\n", "    entra: {clientID: a, clientSecret: {secret: b, key: c}, tenantID: d}\n    okta:\n", []string{
			`dev.yaml:16:3: spec.auth: want exactly one of okta, adfs and entra, got 2`}},
		{"unknown word", "", "  secrets: {from: vault, into: env}\n", []string{
			`dev.yaml:21:19: spec.secrets.from: want existing, externalSecrets, sops or sealedSecrets, got "vault"`,
			`dev.yaml:21:32: spec.secrets.into: want values or chart, got "env"`}},
		{"secrets without their section", "", "  secrets: {from: sops, sealedSecrets: {certificate: a.pem}}\n", []string{
			`dev.yaml:21:13: spec.secrets.from: sops wants the section spec.secrets.sops`,
			`dev.yaml:21:25: spec.secrets.sealedSecrets: the section says nothing while secrets.from is not sealedSecrets`}},
		{"unknown mesh", "", "  mesh: istio\n", []string{
			`dev.yaml:21:9: spec.mesh: want prefect-istiod, existing or none, or {existing: {revision: REVISION}}, got a string`}},
		{"unsupported Flux", "", "  delivery: {flux: {version: \"2.3\"}}\n", []string{
			`dev.yaml:21:30: spec.delivery.flux.version: want 2.4, 2.5, 2.6, 2.7, 2.8 or 2.9, got "2.3"`}},
		{"escaping path", "", "  delivery: {path: ../other}\n", []string{
			`dev.yaml:21:20: spec.delivery.path: want a relative path with slashes that stays below the folder, got "../other"`}},
		{"Git URL with a token", "", "  delivery: {git: {url: \"https://" + canary + "@git.company.com/a.git\"}}\n", []string{
			`dev.yaml:21:25: spec.delivery.git.url: want an address without user and password: it would be in Git for all to read`}},
		{"a map without a mirror", "", "  registry: {map: {docker.io: r.io/hub}}\n", []string{
			`dev.yaml:21:14: spec.registry.map: the map says nothing without spec.registry.mirror, from which everything else is pulled`}},
		{"places that are none", "", "  registry:\n    mirror: r.io/all\n    map: {docker: r.io/hub, docker.io/: r.io/b, index.docker.io: r.io/c, gcr.io: \"R.io/D\"}\n", []string{
			`dev.yaml:23:11: spec.registry.map.docker: want a registry and a path such as registry.company.com/prefect, without scheme, tag and trailing slash, got "docker"`,
			`dev.yaml:23:29: spec.registry.map["docker.io/"]: want a registry and a path such as registry.company.com/prefect, without scheme, tag and trailing slash, got "docker.io/"`,
			`dev.yaml:23:49: spec.registry.map["index.docker.io"]: images of Docker Hub are known by the host docker.io: want it here`,
			`dev.yaml:23:82: spec.registry.map["gcr.io"]: want a registry and a path such as registry.company.com/prefect, without scheme, tag and trailing slash, got "R.io/D"`}},
		{"places that cannot be told apart", "", "  registry:\n    source: src.io/cloud\n    mirror: r.io/all\n    map: {docker.io: r.io/hub, ghcr.io: r.io/hub, r.io/hub/a: r.io/b, quay.io: r.io/all, gcr.io: src.io/cloud/c}\n", []string{
			`dev.yaml:24:11: spec.registry.map["docker.io"]: r.io/hub and r.io/hub/a overlap: what is pulled from there would be relocated once more`,
			`dev.yaml:24:11: spec.registry.map["docker.io"]: r.io/hub is where ghcr.io is pulled from too: nothing would say where an image there comes from`,
			`dev.yaml:24:32: spec.registry.map["ghcr.io"]: r.io/hub and r.io/hub/a overlap: what is pulled from there would be relocated once more`,
			`dev.yaml:24:71: spec.registry.map["quay.io"]: r.io/all is where src.io/cloud is pulled from too: nothing would say where an image there comes from`,
			`dev.yaml:24:90: spec.registry.map["gcr.io"]: src.io/cloud/c and src.io/cloud overlap: what is pulled from there would be relocated once more`}},
		{"unknown releases", "", "  names: {prefect-clod: {release: a}}\n  needs: {prefect-cloud: [istio]}\n  values: {prefect-could: {}}\n  secretValues: [{release: nobody, path: a.b, secret: s, key: k}]\n", []string{
			`dev.yaml:21:11: spec.names.prefect-clod: unknown release: did you mean "prefect-cloud"?`,
			`dev.yaml:22:27: spec.needs.prefect-cloud[0]: unknown release "istio": want prefect-istiod or prefect-cloud`,
			`dev.yaml:23:12: spec.values.prefect-could: unknown release "prefect-could": did you mean "prefect-cloud"?`,
			`dev.yaml:24:19: spec.secretValues[0].release: unknown release "nobody": want prefect-istiod or prefect-cloud`}},
		{"extra releases", "", "  releases:\n  - {name: prereqs, chart: oci://r.io/a, version: 1.0.0, namespace: a}\n  - {name: b, chart: \"https://r.io/a\", version: 1.0.0, namespace: a, needs: [b]}\n  - {name: b, chart: \"oci://r.io/a:1.0.0\", version: 1.0.0, namespace: a}\n", []string{
			`dev.yaml:23:22: spec.releases[1].chart: want a chart such as oci://registry.company.com/charts/prefect-worker, without version, got "https://r.io/a"`,
			`dev.yaml:24:22: spec.releases[2].chart: want a chart such as oci://registry.company.com/charts/prefect-worker, without version, got "oci://r.io/a:1.0.0"`,
			`dev.yaml:22:6: spec.releases[0].name: "prereqs" is taken: want another name`,
			`dev.yaml:23:78: spec.releases[1].needs[0]: the release "b" depends on itself`,
			`dev.yaml:24:6: spec.releases[2].name: the release "b" is defined twice`}},
		{"second document", "", "---\napiVersion: v1\n", []string{
			`dev.yaml:21:1: a second document starts here: want one document a file`}},
		{"not YAML", "  name: dev", "\tname: dev", []string{
			"dev.yaml:4:1: not valid YAML: found character that cannot start any token: a text that begins with @, % or ` wants quotes, and tabs cannot indent"}},
		{"wrong kind", "kind: Environment", "kind: Deployment", []string{
			`dev.yaml:2:7: kind: want Environment or EnvironmentDefaults, got "Deployment"`}},
		{"anchor in itself", "", "  values: {prefect-cloud: &a {b: *a}}\n", []string{
			`dev.yaml:21:34: spec.values.prefect-cloud.b: the anchor contains itself`}},
		{"secret that is an alias", "{secret: prefect-auth, key: client-secret}", "*" + canary, []string{
			`dev.yaml:19:21: not valid YAML: a * begins an alias, and no anchor has the name: put a text that begins with * in quotes`}},
		{"secret that is an anchor in itself", "{secret: prefect-auth, key: client-secret}", "&" + canary + " [*" + canary + "]", []string{
			`dev.yaml:19:45: spec.auth.okta.clientSecret[0]: the anchor contains itself`}},
		{"plaintext in lists", "", "  values:\n    prefect-cloud:\n      args: [\"--dsn=postgres://me:" + canary + "@db/orion\"]\n      env: [{name: DB_PASSWORD, value: " + canary + "}, {name: TOKEN, valueFrom: x}, {name: COLOR, value: blue}]\n", []string{
			`dev.yaml:23:14: spec.values.prefect-cloud.args[0]: the address has a password in it, and Git would show it to every reader: let the chart read it from a Secret (existingSecret, valueFrom), or accept its path under spec.checks.ignore`,
			`dev.yaml:24:40: spec.values.prefect-cloud.env[0].value: the name is that of a secret, and Git would show it to every reader: let the chart read it from a Secret (existingSecret, valueFrom), or accept its path under spec.checks.ignore`}},
		{"control characters", "", "  values: {prefect-cloud: {a: \"x\\Ny\", b: \"\\x7f\", c: \"a\\tb\\nc\"}}\n", []string{
			`dev.yaml:21:31: spec.values.prefect-cloud.a: a control character would not reach the chart as it is written`,
			`dev.yaml:21:42: spec.values.prefect-cloud.b: a control character would not reach the chart as it is written`}},
		{"Git URLs with tokens", "", "  delivery: {git: {url: \"ghp_" + canary + "@git.company.com:a.git\"}}\n", []string{
			`dev.yaml:21:25: spec.delivery.git.url: want an address without user and password: it would be in Git for all to read`}},
		{"Git URL with a token behind", "", "  delivery: {git: {url: \"https://git.company.com/a.git?private_token=" + canary + "\"}}\n", []string{
			`dev.yaml:21:25: spec.delivery.git.url: want an address without ? and #`}},
		{"places that are not ours", "", "  delivery: {path: clusters/dev}\n  cluster: {name: flux-system}\n  catalog: /etc/catalog.yaml\n", []string{
			`dev.yaml:21:14: spec.delivery.path: want a folder outside clusters: the controller applies every file there as it is`,
			`dev.yaml:22:13: spec.cluster.name: clusters/flux-system may belong to Flux itself: want another name`,
			`dev.yaml:23:3: spec.catalog: want the path of a catalog, relative to this file`}},
		{"a Git folder", "", "  delivery: {path: .GIT/x}\n", []string{
			`dev.yaml:21:20: spec.delivery.path: want a relative path with slashes that stays below the folder, got ".GIT/x"`}},
		{"a time out of range", "", "  migrations: {timeout: 2000000h}\n", []string{
			`dev.yaml:21:25: spec.migrations.timeout: want a length of time such as 30m or 72h, got "2000000h"`}},
		{"a name too long for Helm", "", "  releases: [{name: " + strings.Repeat("a", 54) + ", chart: oci://r.io/a, version: 1.0.0, namespace: a}]\n", []string{
			`dev.yaml:21:15: spec.releases[0].name: want a Helm release name: at most 53 lower-case letters, digits, - and ., got "` + strings.Repeat("a", 54) + `": the name is Helm's name for the release too`}},
		{"aliases that explode", "", "  values:\n    prefect-cloud:\n      a: &a [1,1,1,1,1,1,1,1,1,1]\n      b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n      c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n      d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n      e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n", []string{
			`dev.yaml:23:16: the document is too large or too deep: want at most 10000 values, aliases expanded, in 100 levels`}},
		{"too deep", "", "  values: {prefect-cloud: {a: " + strings.Repeat("[", 150) + strings.Repeat("]", 150) + "}}\n", []string{
			`dev.yaml:21:128: the document is too large or too deep: want at most 10000 values, aliases expanded, in 100 levels`}},
		{"NUL bytes", "dev", "d\x00v", []string{`dev.yaml:4:10: there is a NUL byte: want UTF-8 text`}},
		{"not UTF-8", "dev", "d\xffv", []string{`dev.yaml:4:10: this is not UTF-8 text`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			source := complete + tt.new
			if tt.old != "" {
				source = strings.Replace(complete, tt.old, tt.new, 1)
			}
			_, err := render.Parse("dev.yaml", []byte(source), noFiles)
			got := messages(err)
			if strings.Contains(strings.Join(got, ""), canary) {
				t.Errorf("a message repeats a secret: %q", got)
			}
			if diff := cmp.Diff(sorted(tt.want), sorted(got)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func sorted(list []string) map[string]bool {
	set := map[string]bool{}
	for _, item := range list {
		set[item] = true
	}
	return set
}

func messages(err error) []string {
	var problems render.Problems
	if !errors.As(err, &problems) {
		if err != nil {
			return []string{err.Error()}
		}
		return nil
	}
	var all []string
	for _, problem := range problems {
		all = append(all, problem.Error())
	}
	return all
}

// TestParseOddities is what people write and what must work.
func TestParseOddities(t *testing.T) {
	tests := []struct{ name, source string }{
		{"CRLF", strings.ReplaceAll(complete, "\n", "\r\n")},
		{"BOM", "\ufeff" + complete},
		{"document start and end", "---\n" + complete + "...\n"},
		{"comments", strings.ReplaceAll(complete, "\n", " # é\n# ✓\n")},
		{"anchors and merge keys", strings.Replace(complete, "  versions:\n", "  versions:\n    <<: {server: \"1.0\"}\n", 1)},
		{"null section", complete + "  database:\n  ingress: null\n"},
	}
	want, err := render.Parse("dev.yaml", []byte(complete), noFiles)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := render.Parse("dev.yaml", []byte(tt.source), noFiles)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Spec, got.Spec); diff != "" {
				t.Errorf("spec (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExtends(t *testing.T) {
	files := map[string]string{
		"common.yaml":      "apiVersion: pm-gitops/v1\nkind: EnvironmentDefaults\nextends: top.yaml\nspec:\n  registry: {pullSecret: common}\n  cluster: {apiVersions: [a, b]}\n  values: {prefect-cloud: {a: 1, b: {c: 1}}}\n",
		"top.yaml":         "apiVersion: pm-gitops/v1\nkind: EnvironmentDefaults\nmetadata: {name: not-inherited}\nspec:\n  registry: {pullSecret: top, caSecret: top}\n  database: {primary: db, serviceUser: {password: {secret: s, key: k}}, superUser: {password: {secret: s, key: k}}}\n",
		"loop.yaml":        "apiVersion: pm-gitops/v1\nkind: EnvironmentDefaults\nextends: loop.yaml\n",
		"environment.yaml": complete,
		"bad.yaml":         "apiVersion: pm-gitops/v1\nkind: EnvironmentDefaults\nspec: {registry: {pullSecrets: x}}\n",
	}
	read := func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, errors.New("no such file: " + name)
	}
	head, spec, _ := strings.Cut(complete, "metadata:")
	extend := func(parent, more string) []byte {
		return []byte(head + "extends: " + parent + "\nmetadata:" + spec + more)
	}

	env, err := render.Parse("envs/dev.yaml", extend("../common.yaml", "  cluster: {apiVersions: [c]}\n  database: null\n  values: {prefect-cloud: {b: {c: 2}}}\n"), read)
	if err != nil {
		t.Fatal(err)
	}
	if got := env.Spec.Registry; got.PullSecret != "common" || got.CASecret != "top" {
		t.Errorf("registry = %+v, want the nearer parent to win, and the farther one below it", got)
	}
	if got := env.Spec.Cluster.APIVersions; len(got) != 1 || got[0] != "c" {
		t.Errorf("apiVersions = %v, want lists to be replaced", got)
	}
	if env.Spec.Database != nil {
		t.Errorf("database = %v, want a null to take it away", env.Spec.Database)
	}
	want := render.Values{"a": int64(1), "b": map[string]any{"c": int64(2)}}
	if diff := cmp.Diff(want, env.Spec.Values["prefect-cloud"]); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if env.Metadata.Name != "dev" {
		t.Errorf("name = %s, want the file's own", env.Metadata.Name)
	}

	for parent, want := range map[string]string{
		"../loop.yaml":        "loop.yaml:3:10: extends: files extend each other: envs/dev.yaml -> loop.yaml -> loop.yaml",
		"../environment.yaml": `environment.yaml:2:7: kind: want EnvironmentDefaults, got "Environment"`,
		"../nothing.yaml":     "envs/dev.yaml:3:10: extends: no such file: nothing.yaml",
		"/etc/passwd":         "envs/dev.yaml:3:10: extends: want the path of a file of kind EnvironmentDefaults, relative to this one",
		"../bad.yaml":         `bad.yaml:3:19: spec.registry.pullSecrets: unknown field: did you mean "pullSecret"?`,
	} {
		_, err := render.Parse("envs/dev.yaml", extend(parent, ""), read)
		if got := strings.Join(messages(err), "\n"); got != want {
			t.Errorf("extends %s: got %s, want %s", parent, got, want)
		}
	}
}

// TestStarterAndSamplesParse holds for every file that we show.
func TestStarterAndSamplesParse(t *testing.T) {
	files, _ := filepath.Glob("../testdata/env/*.yaml")
	files = append(files, "../templates/environment.yaml", "../testdata/demo/environment.yaml", "../testdata/env/shared/common.yaml")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := render.Parse(file, data, os.ReadFile); err != nil {
			t.Errorf("Parse(%s): %v", file, err)
		}
	}
}

// TestWith: an environment with a setting is the one whose file says it.
func TestWith(t *testing.T) {
	const more = "  values: {prefect-cloud: {db: {port: 5432}}}\n  releases: [{name: app, chart: oci://r.company.com/app, version: 1.0.0, namespace: a, values: {list: [{x: 1}]}}]\n"
	parse := func(text string) render.Environment {
		env, err := render.Parse("dev.yaml", []byte(text), noFiles)
		if err != nil {
			t.Fatal(err)
		}
		return env
	}
	for _, tt := range []struct {
		setting  render.Setting
		old, new string
	}{
		{render.Setting{Field: "spec.migrations.afterInstall", Value: true}, "  values:", "  migrations: {afterInstall: true}\n  values:"},
		{render.Setting{Field: "spec.instance.ownerEmail", Value: "a@b.com"}, "owner@company.com", "a@b.com"},
		{render.Setting{Field: "spec.values.prefect-cloud.db.port", Value: 1}, "port: 5432", "port: 1"},
		{render.Setting{Field: `spec.values.prefect-cloud.db["a.b/c"]`, Value: []any{"x", true}}, "port: 5432", "port: 5432, a.b/c: [x, true]"},
		{render.Setting{Field: "spec.values.prefect-cloud.db"}, "{db: {port: 5432}}", "{}"},
		{render.Setting{Field: "spec.values.prefect-cloud.none.there"}, "", ""},
		{render.Setting{Field: "spec.releases[0].values.list[0].x", Value: "y"}, "x: 1", "x: y"},
		{render.Setting{Field: "spec.releases[0].needs", Value: []any{"prefect-istiod"}}, "namespace: a,", "namespace: a, needs: [prefect-istiod],"},
		{render.Setting{Field: "spec.releases[0].values.list[0]"}, "[{x: 1}]", "[]"},
	} {
		env := parse(complete + more)
		got, err := env.With(tt.setting)
		if want := parse(strings.Replace(complete+more, tt.old, tt.new, 1)); err != nil || !reflect.DeepEqual(got.Spec, want.Spec) {
			t.Errorf("With(%+v) = %+v, %v, want %+v", tt.setting, got.Spec, err, want.Spec)
		}
		if same, err := env.With(); err != nil || !reflect.DeepEqual(same.Spec, parse(complete+more).Spec) {
			t.Errorf("With(%+v) changes the environment", tt.setting)
		}
	}
	_, err := parse(complete).With(render.Setting{Field: "spec.instance.ownerEmail"})
	if err == nil || err.Error() != "dev.yaml:7:5: spec.instance.ownerEmail: the field is missing" {
		t.Errorf("With a required field taken out = %v", err)
	}
}
