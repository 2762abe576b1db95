package render_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
)

const publicKey = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAEfh9kLA6WgYgoHiez88E3BXlhBokLRCAuUk39EwtDBw=\n-----END PUBLIC KEY-----\n"

// keyFiles holds the files that rules name, by path.
var keyFiles = map[string]string{
	"envs/keys/good.pub": publicKey,
	"common/parent.pub":  publicKey,
	"envs/private.pub":   "-----BEGIN PRIVATE KEY-----\n" + canary,
	"envs/bad.pub":       "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
	"common/common.yaml": "apiVersion: pm-gitops/v1\nkind: EnvironmentDefaults\nspec:\n  verify:\n  - {match: ghcr.io/company, keys: {a: parent.pub}}\n",
}

func readKeys(name string) ([]byte, error) {
	if content, found := keyFiles[name]; found {
		return []byte(content), nil
	}
	return nil, fs.ErrNotExist
}

// TestVerifyProblems: what is wrong with rules and keys is said with its place, and keys
// are not repeated.
func TestVerifyProblems(t *testing.T) {
	for _, tt := range []struct {
		rules string
		want  []string
	}{
		{"- {match: ghcr.io/a, keys: {vendor: keys/good.pub}}", nil},
		{"- {match: \"*\", required: false, keyless: {issuer: https://a.b, subject: ^a$}}", nil},
		{"- {match: ghcr.io/a}", []string{"22:5: spec.verify[0]: want exactly one of keys and keyless"}},
		{"- {match: ghcr.io/a, keys: {a: keys/good.pub}, keyless: {issuer: https://a.b, subject: ^a$}}", []string{"22:5: spec.verify[0]: want exactly one of keys and keyless"}},
		{"- {match: a.b, keys: {a: keys/good.pub}}\n  - {match: a.b, keys: {a: keys/good.pub}}", []string{"23:6: spec.verify[1].match: a rule before this one is for a.b too"}},
		{"- {match: ghcr.io/a, keys: {a: none.pub}}", []string{"22:31: spec.verify[0].keys.a: file does not exist"}},
		{"- {match: ghcr.io/a, keys: {a: private.pub, b: bad.pub}}", []string{
			"22:31: spec.verify[0].keys.a: private.pub: this is a private key, which must not be in Git: want the public key, which cosign public-key prints",
			"22:47: spec.verify[0].keys.b: bad.pub: the public key is damaged, or of an unknown kind"}},
		{"- {match: ghcr.io/a, keys: {a: \"-----BEGIN PUBLIC KEY-----" + canary + "\"}}", []string{"22:34: spec.verify[0].keys.a: want a public key in PEM form, from -----BEGIN PUBLIC KEY----- to -----END PUBLIC KEY-----"}},
		{"- {match: ghcr.io/a, keys: {a b: keys/good.pub}}", []string{`22:31: spec.verify[0].keys["a b"]: want a name of letters, digits, -, . and _ for the key`}},
		{"- {match: \"ghcr.io/*\", keyless: {issuer: a, subject: \"(\"}, require: true}", []string{
			`22:13: spec.verify[0].match: want a registry, and a path if only that is meant, such as registry.company.com/prefect, or "*"; without scheme, tag and trailing slash`,
			"22:44: spec.verify[0].keyless.issuer: want the address of an issuer, such as https://token.actions.githubusercontent.com, and no regular expression",
			"22:56: spec.verify[0].keyless.subject: want a regular expression: missing closing )",
			`22:62: spec.verify[0].require: unknown field: did you mean "required"?`}},
		{"- {match: ghcr.io/a, keyless: {issuer: https://a.b, subject: a}}", []string{"22:64: spec.verify[0].keyless.subject: want a regular expression from ^ to $, such as ^https://github\\.com/company/.*$; alternatives in parentheses, such as ^(a|b)$"}},
	} {
		_, err := render.Parse("envs/dev.yaml", []byte(complete+"  verify:\n  "+tt.rules+"\n"), readKeys)
		var problems render.Problems
		if err != nil && !errors.As(err, &problems) {
			t.Fatal(err)
		}
		var got []string
		for _, problem := range problems {
			got = append(got, strings.TrimPrefix(problem.Error(), "envs/dev.yaml:"))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.rules, diff)
		}
		if err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("%s: the problem repeats a key", tt.rules)
		}
	}
}

// TestPolicy: a rule is found by where a thing comes from, also by the place from which
// it is pulled, and its key is relative to the file that names it.
func TestPolicy(t *testing.T) {
	source := strings.Replace(complete, "metadata:", "extends: ../common/common.yaml\nmetadata:", 1) + "  registry: {mirror: registry.company.com/all}\n"
	env, err := render.Parse("envs/dev.yaml", []byte(source), readKeys)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := render.NewPlan(env, catalog.Embedded(), render.IntoChart)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"ghcr.io/company/a": true, "registry.company.com/all/ghcr.io/company/a": true, "ghcr.io/other/a": false, "registry.company.com/all/server": false} {
		policy, found := plan.Policy(name)
		if found != want || found && (policy.Keys[0].PEM != publicKey || !policy.Required) {
			t.Errorf("%s: %+v, %t", name, policy, found)
		}
	}
	changed, err := env.With(render.Setting{Field: "spec.migrations.timeout", Value: "1h"})
	if err != nil {
		t.Fatal(err)
	}
	if plan, err = render.NewPlan(changed, catalog.Embedded(), render.IntoChart); err != nil {
		t.Fatal(err)
	}
	if _, found := plan.Policy("ghcr.io/company/a"); !found {
		t.Error("a changed environment has lost its keys")
	}
}

// TestRuleForAMirror: a rule that names a place of the mirror verifies nothing, and one for
// the mirror's host may be for what comes from there.
func TestRuleForAMirror(t *testing.T) {
	warnings := func(registry, match string) (found []string) {
		env, err := render.Parse("envs/dev.yaml", []byte(complete+"  registry: {"+registry+"}\n  verify:\n  - {match: "+match+", keys: {a: keys/good.pub}}\n"), readKeys)
		if err != nil {
			t.Fatal(err)
		}
		for _, message := range messages(env.Warnings()) {
			if strings.Contains(message, "mirror") {
				found = append(found, message)
			}
		}
		return found
	}
	const mapped = "mirror: r.b.c/all, map: {ghcr.io: r.b.c/github}"
	for match, want := range map[string]string{
		"r.b.c/all":                  render.VendorRegistry,
		"r.b.c/all/server":           render.VendorRegistry + "/server",
		"r.b.c/all/quay.io/jetstack": "quay.io/jetstack",
		"r.b.c/github/company":       "ghcr.io/company",
	} {
		got := warnings(mapped, match)
		if len(got) != 1 || !strings.HasSuffix(got[0], "spec.verify[0].match: "+match+" is a place of the mirror, and rules name where images and charts come from: this rule verifies nothing; want "+want) {
			t.Errorf("%s: %q", match, got)
		}
	}
	for _, match := range []string{"r.b.c", "r.b.c/own", "ghcr.io/company", `"*"`, render.VendorRegistry} {
		if got := warnings(mapped, match); got != nil {
			t.Errorf("%s: %q", match, got)
		}
	}
	if got := warnings("source: r.b.c/own", "r.b.c/own"); got != nil {
		t.Errorf("without a mirror: %q", got)
	}
	if got := warnings("source: r.b.c/own, mirror: r.b.c/own", "r.b.c/own"); len(got) != 1 || !strings.HasSuffix(got[0], "spec.registry.mirror: the mirror is spec.registry.source itself: pm-gitops mirror would copy images and charts onto themselves") {
		t.Errorf("with the source as mirror: %q", got)
	}
}
