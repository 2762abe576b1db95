package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// Finding is something that a check found. Its JSON form is an interface:
// fields are only ever added.
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
	// Message says what is wrong and why it hurts, Fix what to do.
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
	// Set is fields of the environment and the values that end the finding.
	Set []Proposal `json:"set,omitempty"`
	// Ignored is the environment's reason why the finding is accepted.
	Ignored string `json:"ignored,omitempty"`
}

// Object is a Kubernetes object as a finding names it.
type Object struct {
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
}

// String is Kind/name, the way an environment names it to accept a finding.
func (o Object) String() string { return o.Kind + "/" + o.Name }

// Proposal is a value for a field of the environment.
type Proposal struct {
	Field string `json:"field"` // such as spec.migrations.afterInstall
	Value any    `json:"value"`
}

// Position is the place in the environment file; its line is 0 where only the
// file is known.
func (f Finding) Position() render.Position {
	return render.Position{File: f.File, Line: f.Line, Column: f.Column}
}

// mostText is how many characters of a text a finding has: names and values
// come from charts, and may be anything.
const mostText = 600

// clean makes a text safe to print on a line, and short.
func clean(foreign string) string {
	line := text.Visible(foreign)
	if runes := []rune(line); len(runes) > mostText {
		return string(runes[:mostText]) + "…"
	}
	return line
}

// sorted is findings in the order in which they are told, each once.
func sorted(found []Finding) []Finding {
	found = slices.Clone(found)
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(
			strings.Compare(a.Environment, b.Environment),
			strings.Compare(a.Release, b.Release),
			strings.Compare(a.ID, b.ID),
			strings.Compare(a.where(), b.where()),
			strings.Compare(a.Message, b.Message),
		)
	})
	return slices.CompactFunc(found, func(a, b Finding) bool {
		return a.ID == b.ID && a.Release == b.Release && a.where() == b.where() && a.Message == b.Message
	})
}

// where is the object and the field, or the place in the environment.
func (f Finding) where() string {
	var object Object
	if f.Object != nil {
		object = *f.Object
	}
	return fmt.Sprintf("%s\x00%s\x00%s\x00%s\x00%s:%06d:%06d", object.Kind, object.Namespace, object.Name, f.Field, f.File, f.Line, f.Column)
}
