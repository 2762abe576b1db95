// Package finding defines what the program finds wrong with environments, and
// the formats in which people and machines read it: text, JSON, SARIF, GitHub's
// annotations, GitLab's code quality and Markdown. What finds something (package check, the parser
// of environments) makes findings; what a format needs to know besides, such as
// the rules that exist, callers hand in. Like package render it never touches
// disk, network, clock or environment variables.
package finding

import (
	"encoding/json"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/pm-gitops/pm-gitops/render"
)

// Severity is how bad a finding is.
type Severity string

// The severities, the worst first: an error breaks the installation or an
// upgrade, a warning may or is not for production, an info is good to know.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Severities lists the names of all severities, the worst first.
func Severities() []string { return []string{string(Error), string(Warning), string(Info)} }

// AtLeast reports whether a severity is as bad as another.
func (s Severity) AtLeast(other Severity) bool { return s.Compare(other) <= 0 }

// Compare orders severities, the worst first, as [cmp.Compare] does.
func (s Severity) Compare(other Severity) int {
	return slices.Index(Severities(), string(s)) - slices.Index(Severities(), string(other))
}

// Finding is one thing that is wrong with an environment, or worth knowing. Its
// JSON form is an interface: fields are only ever added.
type Finding struct {
	ID          string   `json:"check"`
	Severity    Severity `json:"severity"`
	Environment string   `json:"environment"`
	Release     string   `json:"release,omitempty"` // the key
	Object      *Object  `json:"object,omitempty"`
	Source      string   `json:"source,omitempty"` // the template
	Field       string   `json:"field,omitempty"`  // in the object
	// File, Line and Column are where the environment can change it, and
	// Setting is the field there.
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Setting string `json:"setting,omitempty"`
	// Message says what is wrong and why it hurts, Fix what to do, and Certainty
	// how sure that is. Doubt says why a guess is one.
	Message   string    `json:"message"`
	Fix       string    `json:"fix,omitempty"`
	Certainty Certainty `json:"certainty,omitempty"`
	Doubt     string    `json:"doubt,omitempty"`
	// Set is fields of the environment and their values, by which Fix is done.
	Set []Proposal `json:"set,omitempty"`
	// Others can be tried in the place of Set where that does not help, the most
	// likely first.
	Others [][]Proposal `json:"-"`
	// Otherwise takes the place of Fix where nothing of that helps.
	Otherwise string `json:"-"`
	// Ignored is the environment's reason why the finding is accepted.
	Ignored string `json:"ignored,omitempty"`
}

// Certainty says how sure a fix is to end its finding, and to do nothing else.
type Certainty string

// The certainties. Only what is proved may be done unasked.
const (
	// Proved: with Set in the environment everything was rendered again, the
	// finding was gone, and nothing else had changed.
	Proved Certainty = "proved"
	// Guess: it may help, and may do more than that.
	Guess Certainty = "guess"
	// Advice: what to do in words, since it takes a person to find the value.
	Advice Certainty = "advice"
)

// Object is a Kubernetes object as a finding names it.
type Object struct {
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
}

// String returns Kind/name, the way an environment names an object to accept a
// finding.
func (o Object) String() string { return o.Kind + "/" + o.Name }

// Proposal is a value for a field of the environment, or that the field is to be
// taken out.
type Proposal struct {
	Field  string `json:"field"` // such as spec.migrations.afterInstall
	Value  any    `json:"value,omitempty"`
	Remove bool   `json:"remove,omitempty"`
	// Release and Path are the release and its chart value, if the field is one.
	Release string `json:"release,omitempty"`
	Path    string `json:"path,omitempty"`
}

// Setting gives the proposal as [render.Environment.With] takes it.
func (p Proposal) Setting() render.Setting {
	if p.Remove {
		return render.Setting{Field: p.Field}
	}
	return render.Setting{Field: p.Field, Value: p.Value}
}

// Assignment writes the proposal as an argument of pm-gitops set, not yet quoted for a
// shell: FIELD=VALUE with the value as YAML on one line, or FIELD=null.
func (p Proposal) Assignment() string {
	value := p.Setting().Value
	if plain, ok := value.(string); ok {
		if data, err := yaml.Marshal(plain); err == nil && string(data) == plain+"\n" {
			return p.Field + "=" + plain
		}
	}
	data, _ := json.Marshal(value) // a plain value
	return p.Field + "=" + string(data)
}

// Position returns the place in the environment file; its line is 0 where only
// the file is known.
func (f Finding) Position() render.Position {
	return render.Position{File: f.File, Line: f.Line, Column: f.Column}
}
