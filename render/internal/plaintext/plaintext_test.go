package plaintext_test

import (
	"encoding/base64"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/internal/plaintext"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// find returns the rules that values break, each with its path.
func find(t *testing.T, values string) []string {
	t.Helper()
	v, problems := strictyaml.Load("v.yaml", []byte(values))
	if problems != nil {
		t.Fatalf("%s: %s", values, problems)
	}
	var found []string
	for _, f := range plaintext.Find(v, "") {
		found = append(found, f.Path+" "+f.Rule.Name)
	}
	return found
}

// TestRules: every rule finds one secret in its example and is whole, and finds
// nothing in what only looks like it.
func TestRules(t *testing.T) {
	seen := map[string]bool{}
	for _, rule := range plaintext.Rules() {
		if got := find(t, rule.Example); len(got) != 1 || !strings.HasSuffix(got[0], " "+rule.Name) {
			t.Errorf("%s: %s: found %q", rule.Name, rule.Example, got)
		}
		if got := find(t, rule.Passes); got != nil {
			t.Errorf("%s: %s: found %q", rule.Name, rule.Passes, got)
		}
		if seen[rule.Name] || rule.Name == "" || rule.Finds == "" || rule.Why == "" {
			t.Errorf("%s is not whole, or there twice: %+v", rule.Name, rule)
		}
		seen[rule.Name] = true
	}
}

// TestFind is values of everyday, with the rule and the place of what is found.
func TestFind(t *testing.T) {
	private := base64.StdEncoding.EncodeToString([]byte("-----BEGIN EC PRIVATE KEY-----\nhunter2\n"))
	login := base64.StdEncoding.EncodeToString([]byte("me:hunter2"))
	tests := []struct{ values, want string }{
		{"pass: x1", "pass password-names"},
		{"pwd: x1", "pwd password-names"},
		{"smtp: {userPass2: x1}", "smtp.userPass2 password-names"},
		{"password: 123456", "password password-names"},
		{"adminPassword: changeme", "adminPassword password-names"},
		{"accessKey: x1", "accessKey key-names"},
		{"secretKey: x1", "secretKey key-names"},
		{"AWS_SECRET_ACCESS_KEY: x1", "AWS_SECRET_ACCESS_KEY key-names"},
		{"encryptionKey: x1", "encryptionKey key-names"},
		{"signing_key: x1", "signing_key key-names"},
		{"fernetKey: x1", "fernetKey key-names"},
		{"api-key: x1", "api-key key-names"},
		{"token: x1", "token secret-names"},
		{"secret: git", "secret secret-names"},
		{"a: {clientSecret: my-client-secret}", "a.clientSecret secret-names"},
		{"secret: aws-secrets", "secret secret-or-name"},
		{"passwords: [x1]", "passwords[0] collection"},
		{"passwords: {me: x1}", "passwords.me collection"},
		{"credentials: {username: me, value: x1}", "credentials.value collection"},
		{`args: ["--password=x1"]`, "args[0] assignment"},
		{`args: ["--db-password", x1]`, "args[1] flag"},
		{`command: ["sh", "-c", "run --token x1"]`, "command[2] assignment"},
		{`dsn: "host=db password=x1 sslmode=require"`, "dsn assignment"},
		{`jdbc: "jdbc:postgresql://db/a?user=me&password=x1"`, "jdbc assignment"},
		{`odbc: "Server=db;Uid=me;Pwd=x1;"`, "odbc assignment"},
		{`url: "amqp://me:x1@mq/a"`, "url address-password"},
		{"config: |\n  host: db\n  password: x1\n", "config assignment"},
		{"config: |\n  [db]\n  password = x1\n", "config assignment"},
		{"config: |\n  db:\n    password: |\n      x1\n", "config assignment"},
		{`config: '{"db": {"password": "x1"}}'`, "config assignment"},
		{`config: 'export DB_PASS="x1"'`, "config assignment"},
		{"key: AKIAQ3EGUZTDHUNTER2A", "key aws-access-key"},
		{"a: Bearer abcdefghijklmnop", "a bearer"},
		{`a: "glpat-abcdefghijklmnopqrst"`, "a access-token"},
		{`a: "xoxb-12345678-abc"`, "a access-token"},
		{`a: "github_pat_abcdefghijklmnopqrst"`, "a access-token"},
		{"a: " + private, "a encoded-private-key"},
		{`a: "-----BEGIN PRIVATE KEY-----\nMII"`, "a private-key"},
		{`a: '{"auths":{"r.io":{"auth":"` + login + `"}}}'`, "a docker-auth"},
		{`a: '{"r.io": {"auth": "` + login + `"}}'`, "a docker-auth"},
		{"secret: over-there", "secret secret-names"},
		{"extra: [{kind: Secret, data: {a: eDE=}}]", "extra[0].data.a secret-object"},
		{`hook: "https://hooks.slack.com/services/T0/B0/abc"`, "hook signed-address"},

		// What passes: references, switches, placeholders, templates, files.
		{"existingSecret: db\nsecretName: db\nimagePullSecret: db\npasswordSecretName: a\ntlsSecretName: a", ""},
		{"secretKeyRef: {name: db, key: password}\ntokenRef: a\npasswordKey: admin-password", ""},
		{"auth: {existingSecret: db, secretKey: root-password}", ""},
		{"from: {secret: prefect-db, key: service}", ""},
		{"passwordSecretKey: redis-password\nclientSecretKey: clientSecret", ""},
		{"password: true\ntoken: false\nsecret: null\npwd: ''\npass: '  '\npassword2: 'yes'", ""},
		{"maxTokens: 4096\naccessKey: 12\ntokenTTL: 5m", ""},
		{"password: <password>\ntoken: REPLACE_ME\nsecret: xxxx\nclientSecret: FILL-IN a/b\napiKey: your-api-key", ""},
		{"password: ${DB_PASSWORD}\ntoken: $(TOKEN)\nsecret: '{{ .Values.a }}'\npass: $PASS", ""},
		{"token: /var/run/secrets/token\nprivateKey: tls.key\npassword: ./password", ""},
		{"env: [{name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: a, key: b}}}]", ""},
		{"env: [{name: DB_PASSWORD, value: $(OTHER)}]", ""},
		{`args: ["--password=$(DB_PASSWORD)", "--token-file=/a/b", "--password-file", "/a"]`, ""},
		{"config: |\n  password: {{ .password }}\n  token = os.getenv('TOKEN')\n  secret: ${SECRET}\n", ""},
		{`run: 'PGPASSWORD="${PGPASSWORD:-$(< "$PGPASSWORD_FILE")}" pg_dump'`, ""},
		{`url: "https://docs.company.com/token:1"`, ""},
		{"image: registry.company.com/api-token:v1", ""},
		{`annotations: {"nginx.ingress.kubernetes.io/auth-secret": basic-auth}`, ""},
		{"bypass: all\ncompass: a\nmonkey: a\npassthrough: a\npublicKey: abc\nauthor: me", ""},
		{"text: The password is kept in a Secret.", ""},
		{`a: "-----BEGIN CERTIFICATE-----\nMII"`, ""},
	}
	for _, tt := range tests {
		if got := strings.Join(find(t, tt.values), ", "); got != tt.want {
			t.Errorf("%s\n found %q, want %q", tt.values, got, tt.want)
		}
	}
}

// TestAssigned cuts out exactly the secrets.
func TestAssigned(t *testing.T) {
	for text, want := range map[string]string{
		"password=x1":                                     "x1",
		"a=b;password=x1;c=d":                             "x1",
		`{"token": "a b", "user": "c"}`:                   "a b",
		"password: |\n  one\n  two\nuser: me":             "one\n  two",
		"pass: 'x1'\npwd: \"x2\"":                         "x1,x2",
		"# password: x1":                                  "x1",
		"--token x1 --user me":                            "x1",
		"a: password=x1":                                  "x1",
		"password: ${A}\ntoken: <t>\nsecret: {{ .b }}":    "",
		"password:\nuser: me":                             "",
		"password: |\nuser: me":                           "",
		"the token is here":                               "",
		"+password: x1":                                   "x1",
		"key=1\nport: 5432\nimage: a/secret:1\nhost=pass": "",
	} {
		var got []string
		for _, span := range plaintext.Assigned(text) {
			got = append(got, text[span.Start:span.End])
		}
		if strings.Join(got, ",") != want {
			t.Errorf("Assigned(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestOf: values as JSON has them are looked at alike.
func TestOf(t *testing.T) {
	tree := map[string]any{"b": []any{map[string]any{"name": "DB_PASS", "value": "x1"}}, "a": map[string]any{"token": 5.0, "password": true, "secret": nil}}
	var got []string
	for _, f := range plaintext.Find(strictyaml.Of(tree), "") {
		got = append(got, f.Path)
	}
	if diff := cmp.Diff([]string{"a.token", "b[0].value"}, got); diff != "" {
		t.Error(diff)
	}
}

var update = flag.Bool("update", false, "rewrite the table in docs/secrets.md")

// TestDocs holds the table of docs/secrets.md to the rules.
func TestDocs(t *testing.T) {
	const page, begin, end = "../../../docs/secrets.md", "<!-- rules -->\n", "<!-- end of rules -->\n"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(data), begin)
	table, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the table", page)
	}
	var b strings.Builder
	b.WriteString("| rule | finds | for example | but not | |\n|---|---|---|---|---|\n")
	for _, rule := range plaintext.Rules() {
		severity := "refused"
		if !rule.Certain {
			severity = "warning"
		}
		b.WriteString("| `" + rule.Name + "` | " + rule.Finds + " | `" + rule.Example + "` | `" + rule.Passes + "` | " + severity + " |\n")
	}
	if *update {
		if err := os.WriteFile(page, []byte(head+begin+b.String()+end+tail), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(table, b.String()); diff != "" {
		t.Errorf("the table of %s (-page +rules; rewrite with -update):\n%s", page, diff)
	}
}
