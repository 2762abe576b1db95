package settings

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Rules asks git for the attributes of files, and which files it ignores. It asks
// about each file once, and about many files in one run of git.
type Rules struct {
	git        *Program
	attributes map[string]map[string]string // by file; unspecified ones are left out
	ignored    map[string]string            // the line that ignores a file; empty if none does
}

// NewRules prepares the questions.
func NewRules(git *Program) *Rules {
	return &Rules{git: git, attributes: map[string]map[string]string{}, ignored: map[string]string{}}
}

// Attributes returns those of a file that was asked about.
func (r *Rules) Attributes(name string) map[string]string { return r.attributes[name] }

// IgnoredBy returns the line that ignores a file that was asked about, or "".
func (r *Rules) IgnoredBy(name string) string { return r.ignored[name] }

// AskAttributes asks for the attributes that change what Git stores.
// https://git-scm.com/docs/git-check-attr
func (r *Rules) AskAttributes(names []string) error {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { _, known := r.attributes[name]; return known })
	fields, err := r.ask(names, 3, "check-attr", "-z", "--stdin", "crlf", "eol", "filter", "ident", "text", "working-tree-encoding")
	for _, name := range names {
		r.attributes[name] = map[string]string{}
	}
	for _, field := range fields {
		if name, attribute, value := field[0], field[1], field[2]; value != "unspecified" {
			r.attributes[name][attribute] = value
		}
	}
	return err
}

// AskIgnored asks which files are ignored, whatever the index knows.
// https://git-scm.com/docs/git-check-ignore
func (r *Rules) AskIgnored(names []string) error {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { _, known := r.ignored[name]; return known })
	fields, err := r.ask(names, 4, "check-ignore", "-v", "-z", "--stdin", "--no-index")
	for _, name := range names {
		r.ignored[name] = ""
	}
	for _, field := range fields {
		if file, line, pattern, name := field[0], field[1], field[2], field[3]; !strings.HasPrefix(pattern, "!") {
			r.ignored[name] = file + ":" + line + ":" + pattern
		}
	}
	return err
}

// ask asks git about files, and returns its answers, of so many fields each.
func (r *Rules) ask(names []string, fields int, args ...string) ([][]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	out, err := r.git.Ask(strings.Join(names, "\x00")+"\x00", nil, args...)
	var failed *GitError
	if errors.As(err, &failed) && failed.Code == 1 { // no file is ignored
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("git %s: %w", args[0], err)
	}
	answers := slices.Collect(slices.Chunk(strings.Split(strings.TrimSuffix(out, "\x00"), "\x00"), fields))
	if len(answers[len(answers)-1]) < fields {
		answers = answers[:len(answers)-1]
	}
	return answers, nil
}
