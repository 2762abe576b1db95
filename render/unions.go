package render

import (
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/text"
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

// SecretPlace marks the type as one that says where a secret is.
func (SecretRef) SecretPlace() {}

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
	return strictyaml.Problems{{Position: v.Position, Path: path, Message: "want " + text.OneOf(modes) + ", or {existing: {revision: REVISION}}, got " + strictyaml.Describe(v)}}
}

// Values is chart values as JSON knows them: map[string]any, []any, string,
// bool, int64 and float64; no nulls and no secrets.
type Values map[string]any

// UnmarshalValue reads chart values; [Parse] looks for secrets in them.
func (vs *Values) UnmarshalValue(v *strictyaml.Value, path string) strictyaml.Problems {
	if v.Kind != strictyaml.Mapping {
		return strictyaml.Problems{{Position: v.Position, Path: path, Message: "want a mapping of chart values, got " + strictyaml.Describe(v)}}
	}
	plain, problems := strictyaml.Plain(v, path)
	*vs, _ = plain.(map[string]any)
	return problems
}
