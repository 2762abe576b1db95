package plaintext

import "regexp"

// Rule is one way in which a secret is written out.
type Rule struct {
	Name    string // stable, in kebab case
	Finds   string // for the documentation
	Example string // YAML of chart values in which the rule finds one secret
	Passes  string // YAML that looks alike and passes
	Why     string // for messages, such as "the key names a secret"
	// Certain says that what the rule finds is a secret: files with one are
	// refused. What may be one is a warning.
	Certain bool

	// A key breaks the rule by the end of its letters, by its last word or by
	// all of its letters.
	endings, lastWords, whole []string
	numbers                   bool // a number may be the secret
	// A text breaks the rule by its form, which has one of the hints in it.
	form  *regexp.Regexp
	hints []string
}

// Inside reports whether what the rule finds is a part of a longer text, which
// [Assigned] finds.
func (r Rule) Inside() bool { return r.Name == assignmentRule }

// Names of rules that the code looks up.
const (
	secretNames    = "secret-names"
	keyNames       = "key-names"
	objectNameRule = "secret-or-name"
	variableRule   = "variable"
	flagRule       = "flag"
	objectRule     = "secret-object"
	collectionRule = "collection"
	assignmentRule = "assignment"
	dockerAuthRule = "docker-auth"
	encodedKeyRule = "encoded-private-key"
)

// Rules returns the table of all rules, for the documentation.
func Rules() []Rule { return append([]Rule(nil), rules...) }

// rules is never changed. The first rule that a value breaks is the one that
// is named.
var rules = []Rule{{
	Name: "password-names", Certain: true, numbers: true,
	Finds:   "keys that end in `password`, `passwd`, `passphrase` or `passcode`, and whose last word is `pass` or `pwd`; numbers too",
	Example: "DB_PASS: hunter2", Passes: "bypass: all",
	Why:     "the key names a secret",
	endings: []string{"password", "passwd", "passphrase", "passcode", "dbpass", "userpass", "rootpass", "adminpass"}, lastWords: []string{"pass", "pwd"},
}, {
	Name: secretNames, Certain: true, numbers: true,
	Finds:   "keys that end in `secret`, `token`, `credentials`, `connectionString` or `dockerconfigjson`; numbers too",
	Example: "clientSecret: hunter2", Passes: "existingSecret: okta",
	Why:     "the key names a secret",
	endings: []string{"secret", "token", "credentials", "connectionstring", "dockerconfigjson", "dockercfg"},
}, {
	Name: keyNames, Certain: true,
	Finds:   "keys that end in `apiKey`, `privateKey`, or `Key` behind `secret`, `access`, `encryption`, `signing`, `shared`, `master`, `account`, `auth`, `session`, `cookie`, `license`, `hmac`, `jwt`, `fernet`, `cipher`, `hash` or `app`",
	Example: "signing-key: hunter2", Passes: "{existingSecret: app, secretKey: signing-key}",
	Why: "the key names a secret",
	endings: []string{"apikey", "privatekey", "secretkey", "accesskey", "encryptionkey", "signingkey", "sharedkey", "masterkey", "accountkey",
		"authkey", "sessionkey", "cookiekey", "licensekey", "hmackey", "jwtkey", "fernetkey", "cipherkey", "hashkey", "appkey"},
}, {
	Name:    objectNameRule,
	Finds:   "keys that end in `Secret` and may name a Secret, where the text has the form of a name; `tlsSecret`, `caSecret` and the like pass",
	Example: "peerSecret: etcd-peer", Passes: "tlsSecret: etcd-peer",
	Why: "this may be a secret",
}, {
	Name:    "header-names",
	Finds:   "keys `authorization`, `cookie` and those that end in `basicAuth` or `accessKeyId`",
	Example: "authorization: Basic aHVudGVy", Passes: "cookieName: session",
	Why:     "this may be a secret",
	endings: []string{"basicauth", "accesskeyid"}, whole: []string{"authorization", "cookie"},
}, {
	Name: variableRule, Certain: true,
	Finds:   "`value` beside a `name` or `key` that names a secret, as in environment variables",
	Example: "env: [{name: DB_PASSWORD, value: hunter2}]", Passes: "env: [{name: DB_PASSWORD_FILE, value: hunter2}]",
	Why: "the name is that of a secret",
}, {
	Name: flagRule, Certain: true,
	Finds:   "the argument behind a flag that names a secret",
	Example: `args: ["--password", "hunter2"]`, Passes: `args: ["--user", "hunter2"]`,
	Why: "the flag before it names a secret",
}, {
	Name: objectRule, Certain: true,
	Finds:   "`data` and `stringData` of a Secret among the values",
	Example: "extra: [{kind: Secret, stringData: {a: hunter2}}]", Passes: "extra: [{kind: ConfigMap, data: {a: hunter2}}]",
	Why: "this is the data of a Secret",
}, {
	Name: collectionRule, Certain: true,
	Finds:   "texts in lists and mappings below `passwords`, `tokens`, `apiKeys` and `credentials`",
	Example: "passwords: [hunter2]", Passes: "passwordsAllowed: [hunter2]",
	Why: "the key above it names secrets",
}, {
	Name: "private-key", Certain: true,
	Finds:   "private keys in PEM, PGP and age form",
	Example: `a: "-----BEGIN RSA PRIVATE KEY-----\nhunter2"`, Passes: `a: "-----BEGIN PUBLIC KEY-----\nhunter2"`,
	Why:   "this is a private key or an access token",
	hints: []string{"PRIVATE KEY", "AGE-SECRET-KEY"},
	form:  regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY( BLOCK)?-----(\s|\\n|\\r)*[A-Za-z0-9+/]|AGE-SECRET-KEY-1[0-9A-Z]*`),
}, {
	Name: encodedKeyRule, Certain: true,
	Finds:   "private keys in PEM form behind base64",
	Example: "a: LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCmh1bnRlcjIK", Passes: "a: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCmh1bnRlcjIK",
	Why:   "this is a private key in base64",
	hints: []string{"LS0tLS1CRUdJTi"},
	form:  regexp.MustCompile(`LS0tLS1CRUdJTi[A-Za-z0-9+/]{10,50}`),
}, {
	Name: "access-token", Certain: true,
	Finds:   "tokens of GitHub, GitLab, Slack, npm, PyPI, Docker Hub, Vault, Stripe, Google and Prefect by their prefixes",
	Example: "a: ghp_0123456789abcdef0123456789abcdef0123", Passes: "a: ghp_short",
	Why:   "this is a private key or an access token",
	hints: []string{"gh", "gl", "xox", "xapp-", "npm_", "pypi-", "dckr_pat_", "hvs.", "k_live_", "AIza", "pnu_", "pnb_"},
	form: regexp.MustCompile(`\b(gh[pousr]_\w{16}|github_pat_\w{16}|gl(pat|dt|rt|cbt|ptt|ft|soat|agent|oas|ffct|imt)-[\w-]{16}|xox[abeoprs](-|\.)[\w-]{8}|xapp-\d-[\w-]{8}|` +
		`npm_[A-Za-z0-9]{36}|pypi-AgEIcHlwaS5vcmc[\w-]{16}|dckr_pat_[\w-]{16}|hvs\.[\w-]{24}|[rs]k_live_[A-Za-z0-9]{16}|AIza[\w-]{35}|pn[ub]_[A-Za-z0-9]{36})`),
}, {
	Name: "aws-access-key", Certain: true,
	Finds:   "AWS access keys",
	Example: "a: AKIAQ3EGUZTDHUNTER2A", Passes: "a: AKIAIOSFODNN7EXAMPLE",
	Why:   "this is an AWS access key",
	hints: []string{"AKIA", "ASIA"},
	form:  regexp.MustCompile(`\bA(KIA|SIA)[A-Z0-9]{16}\b`),
}, {
	Name: "jwt", Certain: true,
	Finds:   "JSON Web Tokens",
	Example: "a: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.c2lnbmF0dXJl", Passes: "a: eyJhbGciOiJIUzI1NiJ9",
	Why:   "this is a JSON Web Token",
	hints: []string{"eyJ"},
	form:  regexp.MustCompile(`\beyJ[\w-]{8,}\.eyJ[\w-]{4,}\.[\w-]*`),
}, {
	Name: dockerAuthRule, Certain: true,
	Finds:   "`auth` of Docker's config.json: user and password in base64",
	Example: `a: '{"auths": {"a.b": {"auth": "bWU6aHVudGVyMg=="}}}'`, Passes: `a: '{"auth": "disabled"}'`,
	Why:   "this is a login of Docker's config.json",
	hints: []string{"auth"},
	form:  regexp.MustCompile(`"auths"\s*:[\s\S]*?"auth"\s*:\s*"[^"\s]+"|"auth"\s*:\s*"[A-Za-z0-9+/]{4,}={0,2}"`),
}, {
	Name: "address-password", Certain: true,
	Finds:   "addresses with user and password",
	Example: "a: postgres://me:hunter2@db:5432/a", Passes: "a: postgres://me:$(PASSWORD)@db:5432/a",
	Why:   "the address has a password in it",
	hints: []string{"://"},
	form:  regexp.MustCompile(`://[^/\s:@"'<>]*:[^/\s@"']+@`),
}, {
	Name: "signed-address", Certain: true,
	Finds:   "addresses that are a credential: Slack's webhooks, signed queries of Azure",
	Example: "a: https://hooks.slack.com/services/T0HUNTER2/B0HUNTER2/hunter2hunter2", Passes: "a: https://hooks.slack.com/services/",
	Why:   "the address lets its reader in",
	hints: []string{"hooks.slack.com/", "sig="},
	form:  regexp.MustCompile(`hooks\.slack\.com/(services|workflows|triggers)/\w+/\w+/\w+|[?&]sig=[\w%+/-]{6,}`),
}, {
	Name: "bearer", Certain: true,
	Finds:   "`Bearer` and a token, `Basic` and a login in base64",
	Example: "a: Bearer 0123456789hunter2", Passes: "a: Bearer $(TOKEN)",
	Why:   "this is the content of an Authorization header",
	hints: []string{"earer", "EARER", "asic ", "ASIC "},
	form:  regexp.MustCompile(`(?i:\bbearer\s+)[\w.~+/-]{16,}=*|(?i:\bbasic\s+)[A-Za-z0-9+/]{8,}={0,2}(\s|"|'|$)`),
}, {
	Name: assignmentRule, Certain: true,
	Finds:   "`name: value`, `name=value` and `--name value` inside of a text, such as an argument, a connection string or a file of settings, where the name is one of the above",
	Example: `dsn: "host=db user=me password=hunter2"`, Passes: `dsn: "host=db user=me passfile=hunter2"`,
	Why: "the text looks as if a secret were in it",
}}

// byName is the rules that the code looks up, by name. It is never changed.
var byName = func() map[string]*Rule {
	index := map[string]*Rule{}
	for i := range rules {
		index[rules[i].Name] = &rules[i]
	}
	return index
}()
