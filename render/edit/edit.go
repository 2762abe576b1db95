// Package edit changes values of environment files where they are written: in the
// environment's own file, or in the one that it extends. Only the lines of the value
// change; comments, order, quotes, indentation and line ends stay. What it writes it
// reads again: an edit whose result is anything else than what was asked for is
// refused. Like package render it never touches disk, network, clock or environment
// variables.
package edit

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// Op names what an edit does.
type Op string

// The operations.
const (
	Set    Op = "set"    // replaces a value, or adds it with the mappings that lead to it
	Append Op = "append" // adds an item to a list, or makes the list
	Remove Op = "remove" // takes out a key or an item
	Move   Op = "move"   // renames a key, or takes it to another mapping
)

// Edit is one change of an environment. A path is as findings print it, such as
// spec.releases[0].version or spec.values.prefect-cloud.annotations["a.b"], or as
// Helm's --set takes it, with a\.b for a key with a dot; an item of a list may be
// named by its field name: spec.releases[worker].
type Edit struct {
	Op   Op
	Path string
	To   string // of a move: the path of the key afterwards
	// Value is what is set or appended. A text field of the environment takes a
	// number as it is written: 2025.10 stays one.
	Value Value
}

// Value is a value of YAML, made by [YAML], [Text] or [Of].
type Value struct{ tree *strictyaml.Value }

// CheckText refuses a text that no value can be, however it is written: what is not
// UTF-8, and control characters, which do not reach charts.
func CheckText(value string) error {
	if !utf8.ValidString(value) {
		return errors.New("the value is not UTF-8 text")
	}
	for _, r := range value {
		if unicode.IsControl(r) && !strings.ContainsRune("\t\r\n\u0085", r) || r == 0xfffe || r == 0xffff {
			return fmt.Errorf("the value has the control character %U, which does not reach charts: take it out", r)
		}
	}
	return nil
}

// YAML reads a value. No error repeats it.
func YAML(text string) (Value, error) {
	root, problems := strictyaml.Load("", []byte(text))
	if problems != nil {
		return Value{}, fmt.Errorf("the value: %s", problems[0].Message)
	}
	return Value{root}, nil
}

// Text gives a text, whatever it looks like.
func Text(text string) Value {
	return Value{&strictyaml.Value{Tag: "!!str", Text: text}}
}

// Of gives a value that JSON knows.
func Of(value any) (Value, error) {
	data, err := yaml.Marshal(value)
	if err != nil {
		return Value{}, fmt.Errorf("write the value as YAML: %w", err)
	}
	return YAML(string(data))
}

// IsAsWritten reports whether a text that was read as the value says what it looks
// like: lines that YAML joins, a mapping without braces and a text that is nothing but
// YAML's own signs do not.
func (v Value) IsAsWritten(text string) bool {
	text = strings.TrimSpace(text)
	switch v.tree.Kind {
	case strictyaml.Scalar:
		quoted := strings.ContainsAny(text[:1], `"'`)
		return !strings.ContainsAny(text, "\r\n") && (quoted || v.tree.Text != "" || v.IsNull())
	case strictyaml.Mapping:
		return text[0] == '{'
	}
	return text[0] == '['
}

// IsNull reports whether the value is YAML's null.
func (v Value) IsNull() bool { return v.tree.IsNull() }

// HasComment reports whether a text that was read as the value has a comment: a text
// without quotes ends where one begins.
func (v Value) HasComment(text string) bool {
	s, known := v.tree.Source()
	return known && strings.TrimSpace(text[s.Node.End:]) != ""
}

// Change describes what an edit did to a file.
type Change struct {
	Op   Op
	File string
	Line int    // in the edited file; for what was removed, in the old one
	Path string // as findings print it
	To   string // of a move
	// Old and New are the values on one line, as YAML; empty where there is none,
	// and [Hidden] for what looks like a secret.
	Old, New string
}

// File is a file with its content before and after the edits.
type File struct {
	Name     string
	Old, New []byte
}

// problem is a problem at a field of a file, without a line: the file is not written.
func problem(file, path string, err error) render.Problem {
	return render.Problem{Position: render.Position{File: file}, Path: path, Message: err.Error()}
}
