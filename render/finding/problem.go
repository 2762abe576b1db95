package finding

import "github.com/pm-gitops/pm-gitops/render"

// FromProblem makes a finding of a problem of an environment file: its place
// and its field are the setting's.
func FromProblem(severity Severity, p render.Problem) Finding {
	return Finding{Severity: severity, File: p.Position.File, Line: p.Position.Line, Column: p.Position.Column, Setting: p.Path, Message: p.Message}
}

// InFile is a finding of an environment file as pm-gitops validate prints it in
// JSON. That form is an interface of its own, older than that of [Finding]: its
// field is the environment's, where a Finding has setting, and field is the
// object's; and it has neither check nor environment, which a Finding always
// has, since a file that cannot be read has no environment.
type InFile struct {
	Severity Severity `json:"severity"` // error or warning
	File     string   `json:"file"`
	Line     int      `json:"line,omitempty"`
	Column   int      `json:"column,omitempty"`
	Field    string   `json:"field,omitempty"`
	Message  string   `json:"message"`
}

// InFile takes of a finding what concerns the environment file.
func (f Finding) InFile() InFile {
	return InFile{f.Severity, f.File, f.Line, f.Column, f.Setting, f.Message}
}
