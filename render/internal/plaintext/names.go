package plaintext

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Key returns the rule that a key breaks if its value is written out, or nil.
// Keys that name where a secret is, such as existingSecret, imagePullSecret,
// secretName and tokenRef, break none.
func Key(key string) *Rule {
	name := letters(key)
	if refers(key, name) {
		return nil
	}
	last := lastWord(key)
	for i := range rules {
		rule := &rules[i]
		if slices.Contains(rule.lastWords, last) || slices.Contains(rule.whole, name) || endsWith(name, rule.endings) {
			return rule
		}
	}
	return nil
}

// Pair returns the rule that a key with a text breaks, or nil. Some keys name a
// secret or a Secret: where the text has the form of an object's name, these
// break no rule, or one that is not certain.
func Pair(key, text string) *Rule {
	rule, name := Key(key), letters(key)
	switch {
	case rule == nil || !Secret(text):
		return nil
	case rule.Name == keyNames && letters(text) != "" && strings.Contains(name, letters(text)):
		return nil // clientSecretKey: clientSecret
	case rule.Name != secretNames || !strings.HasSuffix(name, "secret") || !objectName.MatchString(text):
		return rule
	case endsWith(name, naming):
		return nil
	case name == "secret" && !endsWith(text, kinds), endsWith(strings.TrimSuffix(name, "secret"), owners):
		return rule
	}
	return byName[objectNameRule]
}

// kinds is how names of Secrets end that say what they are.
var kinds = []string{"-secret", "-secrets", "-creds", "-credentials", "-tls", "-cert", "-certs"}

// objectName is the name of an object of several words, such as
// prefect-registry, in which a password seldom comes.
var objectName = regexp.MustCompile(`^[a-z]+([-.][a-z]+\d{0,3}){1,8}$`)

// owners is what stands before "secret" where the key names the secret itself.
var owners = []string{
	"client", "app", "application", "auth", "oauth", "oidc", "okta", "saml", "adfs", "entra", "azure", "github", "gitlab", "google", "slack", "bot",
	"shared", "webhook", "hook", "session", "jwt", "cookie", "signing", "api", "hmac", "consumer", "access", "user", "root", "master", "encryption",
}

func endsWith(name string, endings []string) bool {
	return slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(name, ending) })
}

// referring is how keys end that name a Secret or a key of one.
var referring = []string{"pullsecret", "usersecretkey", "usernamesecretkey", "passwordsecretkey", "tokensecretkey", "keysecretkey", "idsecretkey", "urlsecretkey"}

// naming is how keys end that name a Secret where their text has the form of
// a name, and its words are joined.
var naming = []string{"tlssecret", "sslsecret", "certsecret", "certssecret", "certificatesecret", "casecret", "keysecret", "credentialssecret", "passwordsecret"}

// refers reports whether a key names where a secret is.
func refers(key, name string) bool {
	if strings.HasPrefix(name, "existing") || strings.HasPrefix(name, "usepassword") {
		return true
	}
	// Annotations of Ingresses that name a Secret
	// (https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#authentication).
	if strings.Contains(key, "/") && (strings.HasSuffix(key, "auth-secret") || strings.HasSuffix(key, "auth-tls-secret")) {
		return true
	}
	return endsWith(name, referring)
}

// refersToSecret reports whether a key names a Secret, so that the keys beside
// it may name keys of the Secret.
func refersToSecret(key string) bool {
	name := letters(key)
	return strings.HasPrefix(name, "existingsecret") || strings.HasSuffix(name, "secretname") || strings.HasSuffix(name, "secretref") || name == "secret"
}

// collects reports whether a key names a list or mapping of secrets.
func collects(key string) bool {
	return slices.Contains([]string{"passwords", "tokens", "apikeys", "credentials"}, letters(key))
}

// describes reports whether a key in a collection of secrets says whose a
// secret is.
func describes(key string) bool {
	return endsWith(letters(key), []string{"name", "user", "email", "id", "kind", "type", "key", "path", "url", "host", "role"})
}

// letters returns the letters of a key in lower case: clientSecret,
// client-secret and CLIENT_SECRET are one name.
func letters(key string) string {
	return strings.Map(func(r rune) rune {
		if r = unicode.ToLower(r); r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, key)
}

// lastWord returns the last word of a key in lower case: pass of DB_PASS,
// userPass and db.pass1.
func lastWord(key string) string {
	key = strings.TrimRight(key, "0123456789")
	start := len(key)
	for start > 0 && isLetter(key[start-1]) {
		start--
		if start > 0 && isUpper(key[start]) && !isUpper(key[start-1]) {
			break
		}
	}
	return strings.ToLower(key[start:])
}

func isUpper(c byte) bool  { return c >= 'A' && c <= 'Z' }
func isLetter(c byte) bool { return isUpper(c) || c >= 'a' && c <= 'z' }
