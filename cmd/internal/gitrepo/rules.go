package gitrepo

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// rules is what git says of the attributes of files, and which of them it ignores.
// Each file is asked about once, in one run of git for many of them.
type rules struct {
	git     *gitProgram
	said    map[string]map[string]string // attributes by file; unspecified ones are left out
	ignored map[string]string            // the line that ignores a file; empty if none does
}

func newRules(git *gitProgram) *rules {
	return &rules{git: git, said: map[string]map[string]string{}, ignored: map[string]string{}}
}

// attributes gives those of a file that was asked about.
func (r *rules) attributes(name string) map[string]string { return r.said[name] }

// rule gives the line that ignores a file that was asked about.
func (r *rules) rule(name string) string { return r.ignored[name] }

// askAttributes asks for the attributes that change what Git stores.
// https://git-scm.com/docs/git-check-attr
func (r *rules) askAttributes(names []string) error {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { _, known := r.said[name]; return known })
	fields, err := r.ask(names, 3, "check-attr", "-z", "--stdin", "crlf", "eol", "filter", "ident", "text", "working-tree-encoding")
	for _, name := range names {
		r.said[name] = map[string]string{}
	}
	for _, field := range fields {
		if name, attribute, value := field[0], field[1], field[2]; value != "unspecified" {
			r.said[name][attribute] = value
		}
	}
	return err
}

// askIgnored asks which files are ignored, whatever the index knows.
// https://git-scm.com/docs/git-check-ignore
func (r *rules) askIgnored(names []string) error {
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

// ask asks git about files, and gives its answers, of so many fields each.
func (r *rules) ask(names []string, fields int, args ...string) ([][]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	out, err := r.git.ask(strings.Join(names, "\x00")+"\x00", nil, args...)
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
