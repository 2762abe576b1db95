package importer_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLikelySecrets holds init to the rules of package plaintext: what they find
// becomes a reference, certain or not.
func TestLikelySecrets(t *testing.T) {
	for _, text := range []string{
		"smtp: {pass: CANARY}", "smtp: {auth: {pwd: CANARY}}", "passphrase: CANARY", "db: {userPass: CANARY}", "DB_PASS: CANARY", "encryptionKey: CANARY", "signing-key: CANARY", "app: {secretKey: CANARY}",
		"extraEnv: {AWS_SECRET_ACCESS_KEY: CANARY}", "extraEnv: {AWS_ACCESS_KEY_ID: AKIACANARYCANARY1234}", "dockerconfigjson: CANARY", "registry: {dockerConfigJson: CANARY}",
		"list: {passwords: {a: CANARY}}", "tokens: {a: {b: CANARY}}", "authorization: Basic CANARY", "header: \"Bearer CANARYCANARYCANARYCANARY\"", "basicAuth: me:CANARY", "header: {Cookie: CANARY}",
		"hook: https://hooks.slack.com/services/T0/B0/CANARY", "sas: \"https://x.blob.core.windows.net/c?sv=2020&sig=CANARY%3D\"", "bot: xoxb-1234567890-CANARYCANARY",
		"jwt: eyJhbGciOiJIUzI1NiJ9.eyJDQU5BUlkiOjQ1fQ.CANARYCANARYCANARY", "json: '{\"auths\": {\"r.io\": {\"auth\": \"CANARY\"}}}'", "b64: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpDQU5BUlk",
		"ini: \"[db]\\npass = CANARY\"", "dsn: host=h user=u pwd=CANARY", "account: \"AccountName=a;AccountKey=CANARY\"",
	} {
		result, err := imported(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if out := string(result.YAML); strings.Contains(out, "CANARY") || strings.Contains(out, "LS0t") || len(result.Secrets) != 1 {
			t.Errorf("%s: %d secrets in\n%s", text, len(result.Secrets), out)
		}
	}
}

// TestNoSecrets is values that only look a little like secrets.
func TestNoSecrets(t *testing.T) {
	for _, text := range []string{
		"bypass: all", "compass: north", "pass: true", "maxTokens: 4096", "imagePullSecrets: [regcred]", "secretName: db", "existingSecret: db", "key: a", "author: me", "webhookPath: /hook", "passthrough: a", "sshKeyscan: a", "secretKeyRef: {name: a, key: b}",
		"publicKey: abc", "tokenTTL: 5m", "monkey: a", "signal: https://a.b/?signal=1", "text: bearer of news",
	} {
		result, err := imported(text)
		if err != nil || len(result.Secrets) != 0 {
			t.Errorf("%s: %v %v", text, result.Secrets, err)
		}
	}
}

// TestLikelySecretsInLists cannot become references: what is certain is refused,
// since validate refuses it too, and of the rest a note tells.
func TestLikelySecretsInLists(t *testing.T) {
	_, err := imported("env: [{name: SMTP_PASS, value: CANARY}, {name: MODE, value: a}]\npasses: [{pass: CANARY}]")
	const out = ", and no chart value in a list, or below a key with a dot, can come from a Secret: let the chart read it from one (existingSecret, or valueFrom of an environment variable), and import what is left"
	if diff := cmp.Diff([]string{"o.yaml:1:32: env[0].value: the name is that of a secret" + out, "o.yaml:2:17: passes[0].pass: the key names a secret" + out}, messages(err)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	result, err := imported("headers: [{authorization: CANARY}, {mode: a}]\nmounts: [{peerSecret: etcd-peer}]")
	if err != nil {
		t.Fatal(err)
	}
	const why = "may be a secret, and no chart value in a list, or below a key with a dot, can come from a Secret: if it is one, let the chart read it from one (existingSecret, or valueFrom of an environment variable)"
	got := messages(result.Notes.Err())
	for _, want := range []string{"o.yaml:1:27: headers[0].authorization: " + why, "o.yaml:2:23: mounts[0].peerSecret: " + why} {
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("no note %q in %q", want, got)
		}
	}
	if len(got) != 3 { // and how the charts are pulled
		t.Errorf("notes: %q", got)
	}
}
