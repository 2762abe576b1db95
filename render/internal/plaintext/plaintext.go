// Package plaintext finds values that are secrets written out, by what their
// keys say and what their texts look like. Nothing it gives repeats a value.
package plaintext

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// Found is a place where a secret is written out.
type Found struct {
	Position strictyaml.Position
	Path     string // below the value that was searched, as strictyaml.Join writes it
	Why      string // such as "the key names a secret"
}

// Find gives the secrets written out in v, which lies at path, in the order
// of the file.
func Find(v *strictyaml.Value, path string) []Found {
	if why := Text(v.Text); v.Kind == strictyaml.Scalar && why != "" {
		return []Found{{v.Position, path, why}}
	}
	// An environment variable says its name beside its value.
	if name, value := v.Get("name"), v.Get("value"); name != nil && value != nil && Key(name.Text) && Holds(value) {
		return []Found{{value.Position, strictyaml.Join(path, "value"), "the name is that of a secret"}}
	}
	var found []Found
	for i, item := range v.Items {
		found = append(found, Find(item, strictyaml.Index(path, i))...)
	}
	for _, entry := range v.Entries {
		at := strictyaml.Join(path, entry.Key)
		if Key(entry.Key) && Holds(entry.Value) {
			found = append(found, Found{entry.Value.Position, at, "the key names a secret"})
			continue
		}
		found = append(found, Find(entry.Value, at)...)
	}
	return found
}

// credentials is an address with user and password.
var credentials = regexp.MustCompile(`://[^/\s:@]*:[^/\s@]+@`)

// privateKey is how private keys, and the tokens of forges, look wherever they are.
var privateKey = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----|AGE-SECRET-KEY-1|\b(gh[pousr]_|github_pat_|glpat-)\w{16}|\bxox[abpr]-\w{8}`)

// Text is why a text is a secret whatever its key says, or empty.
func Text(text string) string {
	switch {
	case credentials.MatchString(text):
		return "the address has a password in it"
	case privateKey.MatchString(text):
		return "this is a private key or an access token"
	}
	return ""
}

// Holds reports whether a value is, or lists, a text or number that could be
// a secret.
func Holds(v *strictyaml.Value) bool {
	if v.Kind == strictyaml.Sequence {
		return slices.ContainsFunc(v.Items, Holds)
	}
	return v.Kind == strictyaml.Scalar && !v.IsNull() && v.Tag != "!!bool" && v.Text != ""
}

// endings is how the keys of secret chart values end, letters only and in
// lower case.
var endings = []string{"password", "passwd", "secret", "token", "apikey", "privatekey", "credentials", "connectionstring", "passphrase", "secretaccesskey", "dockerconfigjson"}

// Key reports whether a key names a secret value. Keys that name where a
// secret is, such as existingSecret, imagePullSecret, secretName and tokenRef,
// do not.
func Key(key string) bool {
	var letters strings.Builder
	for _, r := range strings.ToLower(key) {
		if r >= 'a' && r <= 'z' {
			letters.WriteRune(r)
		}
	}
	name := letters.String()
	if strings.HasPrefix(name, "existing") || strings.HasSuffix(name, "pullsecret") {
		return false
	}
	return slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(name, ending) })
}
