package settings

import (
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
