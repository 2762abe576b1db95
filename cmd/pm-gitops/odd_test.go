//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/cmd/internal/cli"
)

// odd is ways to write the plain environment, or another, that people and
// their tools have. It renders to the same bytes as the plain form, with the
// edit of same laid over it where the meaning is another one; or it is refused.
type odd struct {
	name    string
	edit    func(string) string
	same    func(string) string // nil: the plain form itself
	refused string              // what is said instead
}

// swap replaces the one place where old is.
func swap(old, replacement string) func(string) string {
	return func(text string) string {
		if strings.Count(text, old) != 1 {
			panic("odd_test: not exactly once: " + old)
		}
		return strings.Replace(text, old, replacement, 1)
	}
}

func all(old, replacement string) func(string) string {
	return func(text string) string { return strings.ReplaceAll(text, old, replacement) }
}

func around(before, after string) func(string) string {
	return func(text string) string { return before + text + after }
}

func chain(edits ...func(string) string) func(string) string {
	return func(text string) string {
		for _, edit := range edits {
			text = edit(text)
		}
		return text
	}
}

// fieldText gives the chart value text another form, and expect what it means.
func fieldText(form string) func(string) string { return swap("text: a text", "text: "+form) }

func expect(quoted string) func(string) string { return swap("text: a text", "text: "+quoted) }

var oddForms = []odd{
	{name: "CRLF", edit: all("\n", "\r\n")},
	{name: "CR only", edit: all("\n", "\r")},
	{name: "BOM", edit: around("\ufeff", "")},
	{name: "BOM and CRLF", edit: chain(around("\ufeff", ""), all("\n", "\r\n"))},
	{name: "no final newline", edit: func(s string) string { return strings.TrimSuffix(s, "\n") }},
	{name: "trailing spaces", edit: all("\n", "   \n")},
	{name: "blank lines", edit: all("\n", "\n\n  \n")},
	{name: "tabs behind values", edit: swap("name: dev", "name: dev\t")},
	{name: "comments behind values", edit: all(": 1.2.900\n", ": 1.2.900 # why\n")},
	{name: "comments between", edit: all("\n", "\n# comment: [{\n      # another\n")},
	{name: "comments before the document", edit: around("# yaml-language-server: $schema=x\n\n---\n", "")},
	{name: "document markers", edit: around("--- # begins\n", "... # ends\n# and a comment\n")},
	{name: "version directive", edit: around("%YAML 1.2\n---\n", "")},
	{name: "version directive behind a comment and a BOM", edit: around("\ufeff# hello\r\n\r\n%YAML 1.2 # new\n---\n", "")},
	{name: "old version directive", edit: around("%YAML 1.1\n---\n", "")},
	{name: "tag directive", edit: chain(around("%TAG ! tag:company.com,2026:\n---\n", ""))},
	{name: "quoted keys", edit: chain(swap("metadata:", `"metadata":`), swap("kind:", "'kind' :"))},
	{name: "question marks", edit: swap("metadata:\n  name: dev", "? metadata\n: ? name\n  : dev")},
	{name: "single quotes", edit: swap("name: dev", "name: 'dev'")},
	{name: "escapes", edit: swap("name: dev", `name: "d\x65\u0076"`)},
	{name: "tag of a text", edit: swap(`server: "2025.10.1"`, "server: !!str 2025.10.1")},
	{name: "tag of a number that is a text", edit: swap(`"2025.10.1"`, "!!str 2025.10"), same: swap("2025.10.1", "2025.10")},
	{name: "tags of everything", edit: chain(swap("metadata:", "!!str metadata: !!map"), swap("releases:", "releases: !!seq"), swap("protect: true", "protect: !!bool true"), swap("count: 3", "count: !!int 3"))},
	{name: "block scalars", edit: swap("name: dev", "name: >-\n    dev")},
	{name: "literal block that ends", edit: fieldText("|-\n        a text")},
	{name: "literal block", edit: fieldText("|\n        a\n          b # no comment\n\n        c"), same: expect(`"a\n  b # no comment\n\nc\n"`)},
	{name: "folded block", edit: fieldText(">+\n        a\n        b\n\n        c\n"), same: expect(`"a b\nc\n\n"`)},
	{name: "text over lines", edit: fieldText("a\n        text")},
	{name: "quoted text over lines", edit: fieldText("\"a\n        \\ttext\\\n        s\""), same: expect(`"a \ttexts"`)},
	{name: "anchors", edit: chain(swap("prefectIstiod: 1.2.900", "prefectIstiod: &v 1.2.900"), swap("prefectCloud: 1.2.900", "prefectCloud: *v"))},
	{name: "anchors of mappings", edit: chain(swap("count: 3", "count: 3\n      one: &m {a: [1, x]}\n      two: *m")), same: swap("count: 3", "count: 3\n      one: {a: [1, x]}\n      two: {a: [1, x]}")},
	{name: "anchors that nobody uses", edit: swap("metadata:", "metadata: &unused")},
	{name: "anchors given again", edit: swap("count: 3", "count: &a 3\n      b: &a 4\n      c: *a"), same: swap("count: 3", "count: 3\n      b: 4\n      c: 4")},
	{name: "merge keys", edit: swap("count: 3", "count: 3\n      one: &m {a: 1, b: 2}\n      two:\n        <<: *m\n        b: 3"), same: swap("count: 3", "count: 3\n      one: {a: 1, b: 2}\n      two: {a: 1, b: 3}")},
	{name: "merge key behind", edit: swap("count: 3", "count: 3\n      two: {b: 3, <<: {a: 1, b: 2}}"), same: swap("count: 3", "count: 3\n      two: {b: 3, a: 1}")},
	{name: "merge keys of lists", edit: swap("count: 3", "count: 3\n      two: {<<: [{a: 1}, {a: 2, b: 2}]}"), same: swap("count: 3", "count: 3\n      two: {a: 1, b: 2}")},
	{name: "keys in another order", edit: func(s string) string {
		head, spec, _ := strings.Cut(s, "spec:\n")
		return "spec:\n" + spec + head
	}},
	{name: "lists indented", edit: swap("  - {name: worker", "    - {name: worker")},
	{name: "flow style over lines", edit: swap("{secret: prefect-auth, key: client-secret}", "{\n  secret: prefect-auth,\n  key: client-secret,\n  }")},
	{name: "JSON", edit: func(string) string { return plainJSON }},
	{name: "JSON with tabs", edit: func(string) string { return strings.ReplaceAll(plainJSON, "  ", "\t") }},
	{name: "unset fields", edit: swap("  auth:", "  redis: ~\n  database:\n  ingress: null\n  auth:")},
	{name: "true in other cases", edit: swap("protect: true", "protect: TRUE")},
	{name: "yes for true", edit: swap("protect: true", "protect: yes"), refused: "environment.yaml:22:114: spec.releases[0].protect: want true or false, got a string"},
	{name: "yes as a text", edit: fieldText("yes"), same: expect(`"yes"`)},
	{name: "off as a text", edit: fieldText("off"), same: expect(`"off"`)},
	{name: "n as a text", edit: fieldText("n"), same: expect(`"n"`)},
	{name: "Norway", edit: fieldText("[no, NO, y, on]"), same: expect(`["no", "NO", "y", "on"]`)},
	{name: "a key that YAML 1.1 reads as true", edit: swap("on: true", `"on": true`)},
	{name: "octal", edit: fieldText("0755"), refused: "write it in plain decimal digits"},
	{name: "new octal", edit: fieldText("0o755"), refused: "write it in plain decimal digits"},
	{name: "hexadecimal", edit: fieldText("0x1F"), refused: "write it in plain decimal digits"},
	{name: "binary", edit: fieldText("0b11"), refused: "write it in plain decimal digits"},
	{name: "underscores", edit: fieldText("1_000"), refused: "write it in plain decimal digits"},
	{name: "no leading zero", edit: fieldText(".5"), refused: "plain decimal digits, without needless ones"},
	{name: "trailing point", edit: fieldText("5."), refused: "plain decimal digits, without needless ones"},
	{name: "plus sign", edit: fieldText("+5"), refused: "write it in plain decimal digits"},
	{name: "a decimal that is whole", edit: fieldText("1.0"), refused: "put it in quotes"},
	{name: "a whole number that no float is", edit: fieldText("9007199254740993"), refused: "put it in quotes"},
	{name: "not a number", edit: fieldText(".nan"), refused: "put it in quotes"},
	{name: "tilde", edit: fieldText("~"), refused: "give a value or leave the key out"},
	{name: "base 60", edit: fieldText("12:30:45"), same: expect(`"12:30:45"`)},
	{name: "versions with two points", edit: fieldText("1.2.3"), same: expect(`"1.2.3"`)},
	{name: "date in quotes", edit: fieldText(`"2026-01-02"`), same: expect(`'2026-01-02'`)},
	{name: "e-mail with plus", edit: swap("owner@company.com", "owner+x@company.com"), same: swap("owner@company.com", `"owner+x@company.com"`)},
	{name: "composed Unicode", edit: fieldText("é"), same: expect(`"\u00e9"`)},
	{name: "decomposed Unicode", edit: fieldText("e\u0301"), same: expect(`"e\u0301"`)},
	{name: "emoji", edit: fieldText("👩‍🚀 🇳🇴"), same: expect(`"\U0001F469\u200D\U0001F680 \U0001F1F3\U0001F1F4"`)},
	{name: "right to left", edit: fieldText("שלום"), same: expect(`"\u05e9\u05dc\u05d5\u05dd"`)},
	{name: "Unicode keys", edit: swap("count: 3", "größe: 3"), same: swap("count: 3", `"gr\u00f6\u00dfe": 3`)},
	{name: "line separator", edit: fieldText(`"a\u2028b"`), same: expect(`"a\Lb"`)},
	{name: "next line", edit: fieldText(`"a\u0085b"`), refused: "a control character would not reach the chart as it is written"},
	{name: "tabs in texts", edit: fieldText("\"a\tb\""), same: expect(`"a\tb"`)},
	{name: "a text that is a comment", edit: fieldText("'# a'"), same: expect(`"# a"`)},
	{name: "a text with a hash", edit: fieldText("a#b"), same: expect(`"a#b"`)},
	{name: "a text of a template", edit: fieldText("'{{ .Values.a }}'"), same: expect(`"{{ .Values.a }}"`)},
	{name: "a text with a document marker", edit: fieldText(`"a\n---\nb"`), same: expect("|-\n        a\n        ---\n        b")},
	{name: "a long line", edit: fieldText(strings.Repeat("word ", 2_000) + "end"), same: expect(`"` + strings.Repeat("word ", 2_000) + `end"`)},
	{name: "an empty text", edit: fieldText("''"), same: expect(`""`)},
	{name: "an empty key", edit: swap("count: 3", `"": 3`), refused: `spec.values.prefect-cloud[""]: an empty key, or one with a control character, would not reach the chart as it is written`},
	{name: "a key with a control character", edit: swap("count: 3", `"a\Nb": 3`), refused: `spec.values.prefect-cloud["a\u0085b"]: an empty key, or one with a control character, would not reach the chart`},
	{name: "escaped slashes of JSON", edit: fieldText(`"a\/b"`), refused: "found unknown escape character"},
	{name: "keys with dots and spaces", edit: swap("count: 3", "a.b c/d: 3"), same: swap("count: 3", `"a.b c/d": 3`)},
}

const plainJSON = `{
  "apiVersion": "pm-gitops/v1", "kind": "Environment",
  "metadata": {"name": "dev"},
  "spec": {
    "instance": {"name": "customer-managed", "frontendUrl": "https://ui.company.com", "backendUrl": "https://api.company.com", "ownerEmail": "owner@company.com"},
    "versions": {"prefectIstiod": "1.2.900", "prefectCloud": "1.2.900", "server": "2025.10.1", "ui": "2025.1.2"},
    "auth": {"okta": {"clientID": "prefect", "clientSecret": {"secret": "prefect-auth", "key": "client-secret"}, "authServerURL": "https://company.okta.com/oauth2/default"}},
    "releases": [{"name": "worker", "chart": "oci://registry.company.com/charts/worker", "version": "1.0.0", "namespace": "workers", "protect": true}],
    "values": {"prefect-cloud": {"text": "a text", "on": true, "count": 3}}
  }
}
`

// renderedFiles renders an environment and gives every file, and what was printed.
func renderedFiles(t *testing.T, environment string) (map[string]string, outcome) {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "environment.yaml", environment)
	must(t, os.Mkdir(filepath.Join(dir, "repo"), 0o777))
	got := execute(t, dir, "render", "--dir", "repo")
	files := map[string]string{}
	for name, content := range picture(t, filepath.Join(dir, "repo")) {
		files[strings.TrimPrefix(name, dir)] = content
	}
	return files, got
}

// TestOddInput: what can be meant in one way only is taken.
func TestOddInput(t *testing.T) {
	rendered, printed := renderedFiles(t, plain)
	for _, tt := range oddForms {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ran := renderedFiles(t, tt.edit(plain))
			if tt.refused != "" {
				if ran.code != cli.ExitFailed || !strings.Contains(ran.stderr, tt.refused) || len(got) > 1 {
					t.Errorf("exit code %d, %d files, want a refusal with %q, got\n%s", ran.code, len(got), tt.refused, ran.stderr)
				}
				return
			}
			want, wanted := rendered, printed
			if tt.same != nil {
				want, wanted = renderedFiles(t, tt.same(plain))
			}
			if ran.code != cli.ExitDone || wanted.code != cli.ExitDone {
				t.Fatalf("refused: %s%s", ran.stderr, wanted.stderr)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("another tree than the plain form (-plain +odd):\n%s", diff)
			}
		})
	}
}
