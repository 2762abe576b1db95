package gitrepo

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// IgnoredError is that files are ignored, so that git add would refuse them.
type IgnoredError struct {
	Files []IgnoredFile
}

// IgnoredFile is a file, and the line that ignores it.
type IgnoredFile struct{ Path, Rule string }

func (e *IgnoredError) Error() string {
	const most = 5
	var lines []string
	for i, file := range e.Files {
		if i == most {
			lines = append(lines, fmt.Sprintf("and %d more", len(e.Files)-most))
			break
		}
		lines = append(lines, fmt.Sprintf("%s (%s)", file.Path, file.Rule))
	}
	return "files that are to be committed are ignored: " + strings.Join(lines, ", ")
}

// ignores is what .gitignore of a commit say, where there is no checkout that git
// answers for.
// https://git-scm.com/docs/gitignore
type ignores struct {
	read    func(name string) []byte // a file of the tree, nil where there is none
	folders map[string][]ignoreRule
	dirs    map[string]string // the rule that ignores a folder, or empty
}

type ignoreRule struct {
	pattern  glob
	not, dir bool
	from     string // file:line:pattern, as git check-ignore -v has it
}

func newIgnores(read func(string) []byte) *ignores {
	return &ignores{read: read, folders: map[string][]ignoreRule{}, dirs: map[string]string{"": ""}}
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

// rule is the line that ignores a file, or empty. What is in an ignored folder
// is ignored whatever else is said.
func (g *ignores) rule(name string) string {
	dirs := foldersAbove(name)
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

// last is the last line that says something of a path, if it ignores it.
func (g *ignores) last(name string, dirs []string, isDir bool) string {
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
