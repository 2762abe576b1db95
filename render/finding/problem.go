package finding

import (
	"cmp"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// FromProblem makes a finding of a problem of an environment file: its place
// and its field are the setting's.
func FromProblem(severity Severity, p render.Problem) Finding {
	return Finding{Severity: severity, File: p.Position.File, Line: p.Position.Line, Column: p.Position.Column, Setting: p.Path, Message: p.Message}
}

// FromProblems makes findings of problems, in their order.
func FromProblems(severity Severity, problems render.Problems) []Finding {
	found := make([]Finding, len(problems))
	for i, p := range problems {
		found[i] = FromProblem(severity, p)
	}
	return found
}

// ComparePlaces orders findings by file, line and column, as [cmp.Compare] does.
func ComparePlaces(a, b Finding) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// Line formats a finding of an environment file on one line: its place, its
// severity unless it is an error, the setting and the message. Control characters
// are written out.
func Line(f Finding) string {
	parts := []string{f.Position().String()}
	if f.Severity != Error {
		parts = append(parts, string(f.Severity))
	}
	if f.Setting != "" {
		parts = append(parts, f.Setting)
	}
	return text.Visible(strings.Join(append(parts, f.Message), ": "))
}

// Errors are findings because of which a command fails.
type Errors []Finding

// Error returns a line for each finding, as [Line] formats it.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, f := range e {
		lines[i] = Line(f)
	}
	return strings.Join(lines, "\n")
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
