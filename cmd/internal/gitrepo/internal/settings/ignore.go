package settings

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// RefuseIgnored returns an error that names the files that a rule ignores, and the
// rules, where there is one: git add would refuse them.
func RefuseIgnored(ignoredBy func(name string) string, names []string) error {
	const most = 5
	var lines []string
	for _, name := range names {
		if rule := ignoredBy(name); rule != "" {
			lines = append(lines, fmt.Sprintf("%s (%s)", name, rule))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	if more := len(lines) - most; more > 0 {
		lines = append(lines[:most], fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("files that are to be committed are ignored: %s", strings.Join(lines, ", "))
}

// Ignores reads .gitignore of a commit, where there is no checkout that git answers
// for. https://git-scm.com/docs/gitignore
type Ignores struct {
	read    func(name string) []byte
	folders map[string][]ignoreRule
	dirs    map[string]string // the rule that ignores a folder, or empty
}

type ignoreRule struct {
	pattern  glob
	not, dir bool
	from     string // file:line:pattern, as git check-ignore -v has it
}

// NewIgnores takes a function that reads a file of the commit, nil where there is none.
func NewIgnores(read func(name string) []byte) *Ignores {
	return &Ignores{read: read, folders: map[string][]ignoreRule{}, dirs: map[string]string{"": ""}}
}

func parseIgnores(content []byte, dir, file string) []ignoreRule {
	var rules []ignoreRule
	number := 0
	for line := range strings.SplitSeq(strings.TrimPrefix(string(content), "\ufeff"), "\n") {
		number++
		line = trimIgnore(strings.TrimSuffix(line, "\r"))
		if line == "" || line[0] == '#' {
			continue
		}
		rule := ignoreRule{from: fmt.Sprintf("%s:%d:%s", file, number, line)}
		line, rule.not = strings.CutPrefix(line, "!")
		line, rule.dir = strings.CutSuffix(line, "/")
		rule.pattern = newGlob(dir, line)
		rules = append(rules, rule)
	}
	return rules
}

// trimIgnore leaves out spaces at the end, but for one behind a backslash.
func trimIgnore(line string) string {
	trimmed := strings.TrimRight(line, " ")
	if strings.HasSuffix(trimmed, `\`) && len(trimmed) < len(line) {
		return trimmed + " "
	}
	return trimmed
}

// IgnoredBy returns the line that ignores a file, or "". All files of an ignored
// folder are ignored, whatever other lines say.
func (g *Ignores) IgnoredBy(name string) string {
	dirs := FoldersAbove(name)
	for i, dir := range dirs[1:] {
		rule, known := g.dirs[dir]
		if !known {
			rule = g.last(dir, dirs[:i+1], true)
			g.dirs[dir] = rule
		}
		if rule != "" {
			return rule
		}
	}
	return g.last(name, dirs, false)
}

// last returns the last line that matches a path, if that line ignores it.
func (g *Ignores) last(name string, dirs []string, isDir bool) string {
	for _, dir := range slices.Backward(dirs) {
		rules, known := g.folders[dir]
		if !known {
			file := path.Join(dir, ".gitignore")
			rules = parseIgnores(g.read(file), dir, file)
			g.folders[dir] = rules
		}
		for _, rule := range slices.Backward(rules) {
			if (isDir || !rule.dir) && rule.pattern.matches(name) {
				if rule.not {
					return ""
				}
				return rule.from
			}
		}
	}
	return ""
}

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
