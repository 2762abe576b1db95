package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// Position is a place in a file. Lines and columns count from 1, columns in
// characters; a zero Line means the file as a whole.
type Position struct {
	File         string
	Line, Column int
}

// String returns the file:line:column form that editors and terminals turn into a link.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Problem is one thing that is wrong, or for a warning suspicious, in an
// input file. Message never holds a value from a place where a secret may be.
type Problem struct {
	Position Position
	Path     string // the field, such as spec.releases[0].chart; empty for the file as a whole
	Message  string
}

// Error returns the position, the field and the message on one line.
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Position.String())
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	return text.Visible(b.String())
}

// Problems is all that is wrong with an input, so that one run shows
// all of it.
type Problems []Problem

// Error returns one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// With returns the problems and further ones, but for those of a field that has one
// already: what follows from a wrong value is no news.
func (ps Problems) With(further Problems) Problems {
	known := map[string]bool{}
	for _, p := range ps {
		known[p.Path] = true
	}
	return append(ps, slices.DeleteFunc(further, func(p Problem) bool { return known[p.Path] })...)
}

// Err returns the problems in reading order as an error, or nil when there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps.Sorted()
}

// Sorted returns the problems in reading order: by file, line and column.
func (ps Problems) Sorted() Problems {
	sorted := slices.Clone(ps)
	slices.SortStableFunc(sorted, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Position.File, b.Position.File),
			cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column),
		)
	})
	return sorted
}
