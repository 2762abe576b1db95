package render

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// The types of this file read themselves, because their fields take more than
// one shape or must not repeat what was written.

// SecretRef is where a secret value is: never the value.
type SecretRef struct {
	// The Secret, in the namespace of the release that uses it.
	Secret SecretName `json:"secret"`
	// The key in the Secret.
	Key SecretKey `json:"key"`
}

// UnmarshalValue reads {secret: NAME, key: KEY} and refuses anything that
// could be the secret itself, without repeating it.
func (r *SecretRef) UnmarshalValue(v *strictyaml.Value, path string) strictyaml.Problems {
	if v.Kind != strictyaml.Mapping {
		return strictyaml.Problems{{Position: v.Position, Path: path, Message: "want a reference, {secret: NAME, key: KEY}: a secret itself would be in Git for all to read"}}
	}
	// {PASSWORD} is a mapping with the secret as its key.
	for _, entry := range v.Entries {
		if entry.Key != "secret" && entry.Key != "key" {
			return strictyaml.Problems{{Position: entry.Position, Path: path, Message: "unknown field: want {secret: NAME, key: KEY}"}}
		}
	}
	type plain SecretRef
	return strictyaml.DecodeAt(v, (*plain)(r), path)
}

// Switch is true, false or, as one page of the vendor has it, the empty text.
type Switch struct {
	Value any // bool or ""
}

// UnmarshalValue reads a boolean or "".
func (s *Switch) UnmarshalValue(v *strictyaml.Value, path string) strictyaml.Problems {
	switch {
	case v.Kind == strictyaml.Scalar && v.Tag == "!!bool":
		s.Value = strings.EqualFold(v.Text, "true")
	case v.Kind == strictyaml.Scalar && v.Tag == "!!str" && v.Text == "":
		s.Value = ""
	default:
		return strictyaml.Problems{{Position: v.Position, Path: path, Message: `want true, false or "", got ` + strictyaml.Describe(v)}}
	}
	return nil
}

// MeshMode says where Istio comes from.
type MeshMode string

// The modes of a mesh.
const (
	MeshPrefectIstiod MeshMode = "prefect-istiod" // the vendor's chart
	MeshExisting      MeshMode = "existing"       // an Istio that is there already
	MeshNone          MeshMode = "none"           // no Istio
)

// Mesh is where Istio comes from: a mode, or {existing: {revision: …}}.
type Mesh struct {
	Mode MeshMode // empty means prefect-istiod
	// Revision is the value of the label istio.io/rev of an existing Istio.
	Revision Name
}

// UnmarshalValue reads a mode or {existing: {revision: REVISION}}.
func (m *Mesh) UnmarshalValue(v *strictyaml.Value, path string) strictyaml.Problems {
	if v.Kind == strictyaml.Mapping {
		var existing struct {
			Existing struct {
				Revision Name `json:"revision"`
			} `json:"existing"`
		}
		problems := strictyaml.DecodeAt(v, &existing, path)
		m.Mode, m.Revision = MeshExisting, existing.Existing.Revision
		return problems
	}
	modes := []string{string(MeshPrefectIstiod), string(MeshExisting), string(MeshNone)}
	for _, mode := range modes {
		if v.Kind == strictyaml.Scalar && v.Text == mode {
			m.Mode = MeshMode(mode)
			return nil
		}
	}
	return strictyaml.Problems{{Position: v.Position, Path: path, Message: "want " + strictyaml.OneOf(modes) + ", or {existing: {revision: REVISION}}, got " + strictyaml.Describe(v)}}
}

// Values is chart values as JSON knows them: map[string]any, []any, string,
// bool, int64 and float64; no nulls and no secrets.
type Values map[string]any

// UnmarshalValue reads chart values. A text whose key says that it is secret
// is a problem, and is not repeated.
func (vs *Values) UnmarshalValue(v *strictyaml.Value, path string) strictyaml.Problems {
	if v.Kind != strictyaml.Mapping {
		return strictyaml.Problems{{Position: v.Position, Path: path, Message: "want a mapping of chart values, got " + strictyaml.Describe(v)}}
	}
	problems := plaintext(v, path)
	plain, p := strictyaml.Plain(v, path)
	*vs, _ = plain.(map[string]any)
	return append(problems, p...)
}

// plaintext finds texts under keys that name secrets.
func plaintext(v *strictyaml.Value, path string) strictyaml.Problems {
	var problems strictyaml.Problems
	secret := func(at Position, path, what string) {
		problems = append(problems, Problem{Position: at, Path: path, Message: what + ": name it under spec.secretValues instead, a value here would be in Git for all to read"})
	}
	if v.Kind == strictyaml.Scalar && credentials.MatchString(v.Text) {
		secret(v.Position, path, "the address has a password in it")
	}
	if v.Kind == strictyaml.Scalar && privateKey.MatchString(v.Text) {
		secret(v.Position, path, "this is a private key or an access token")
	}
	// An environment variable says its name beside its value.
	if name, value := v.Get("name"), v.Get("value"); name != nil && value != nil && secretKey(name.Text) && holdsText(value) {
		secret(value.Position, strictyaml.Join(path, "value"), "the name is that of a secret")
		return problems
	}
	for i, item := range v.Items {
		problems = append(problems, plaintext(item, strictyaml.Index(path, i))...)
	}
	for _, entry := range v.Entries {
		at := strictyaml.Join(path, entry.Key)
		if secretKey(entry.Key) && holdsText(entry.Value) {
			secret(entry.Value.Position, at, "the key names a secret")
			continue
		}
		problems = append(problems, plaintext(entry.Value, at)...)
	}
	return problems
}

// credentials is an address with user and password.
var credentials = regexp.MustCompile(`://[^/\s:@]*:[^/\s@]+@`)

// privateKey is how private keys, and the tokens of forges, look wherever they are.
var privateKey = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----|AGE-SECRET-KEY-1|\b(gh[pousr]_|github_pat_|glpat-)\w{16}`)

// holdsText reports whether a value is, or lists, a text or number that could
// be a secret.
func holdsText(v *strictyaml.Value) bool {
	if v.Kind == strictyaml.Sequence {
		return slices.ContainsFunc(v.Items, holdsText)
	}
	return v.Kind == strictyaml.Scalar && !v.IsNull() && v.Tag != "!!bool" && v.Text != ""
}

// secretEndings is how the keys of secret chart values end, letters only and
// in lower case.
var secretEndings = []string{"password", "passwd", "secret", "token", "apikey", "privatekey", "credentials", "connectionstring"}

// secretKey reports whether a key names a secret value. Keys that name where
// a secret is, such as existingSecret, imagePullSecret, secretName and
// tokenRef, do not.
func secretKey(key string) bool {
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
	for _, ending := range secretEndings {
		if strings.HasSuffix(name, ending) {
			return true
		}
	}
	return false
}
