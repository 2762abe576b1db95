package settings

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Attributes reads .gitattributes of a commit, where there is no checkout that git
// answers for. go-git's own matcher lets the less important of two lines win, and
// has no built-in macro.
// https://git-scm.com/docs/gitattributes
type Attributes struct {
	read    func(name string) []byte
	folders map[string][]attributeRule
	macros  map[string][]string
}

// attributeRule is a line: a pattern, and the attributes that it sets, in the words of
// the file.
type attributeRule struct {
	pattern glob
	sets    []string
}

// glob matches a pattern of the files of a folder.
type glob struct {
	dir, pattern string
	whole        bool // it is matched against the whole path below dir
}

// newGlob reads a pattern of .gitattributes and .gitignore: one with a slash
// inside is matched against the path, another one against the name.
func newGlob(dir, pattern string) glob {
	whole := strings.Contains(pattern, "/")
	return glob{dir, strings.TrimPrefix(pattern, "/"), whole}
}

func (g glob) matches(name string) bool {
	if g.dir != "" {
		rest, below := strings.CutPrefix(name, g.dir+"/")
		if !below {
			return false
		}
		name = rest
	}
	if !g.whole {
		name = path.Base(name)
	}
	return matches(g.pattern, name)
}

// matches reports whether a path matches one of Git's patterns, in which * and ?
// stop at slashes and ** does not. (wildmatch.c with WM_PATHNAME; character
// classes such as [[:alpha:]] match nothing.)
func matches(pattern, name string) bool {
	// Braces are plain characters for Git.
	pattern = strings.NewReplacer("{", `\{`, "}", `\}`, `\{`, `\{`, `\}`, `\}`, `\\`, `\\`).Replace(pattern)
	// For Git, a/** is what is in a; for the library also a itself.
	if rest, found := strings.CutSuffix(pattern, "/**"); found {
		pattern = rest + "/**/*"
	}
	ok, err := doublestar.Match(pattern, name)
	return err == nil && ok
}

// NewAttributes takes a function that reads a file of the commit, nil where there is
// none.
func NewAttributes(read func(name string) []byte) *Attributes {
	return &Attributes{
		read: read, folders: map[string][]attributeRule{},
		macros: map[string][]string{"binary": {"-diff", "-merge", "-text"}},
	}
}

// parse reads a file. Macros are defined at the top only.
func (a *Attributes) parse(content []byte, dir string, macros bool) []attributeRule {
	var rules []attributeRule
	for line := range strings.SplitSeq(strings.TrimPrefix(string(content), "\ufeff"), "\n") {
		line = strings.Trim(line, " \t\r")
		if line == "" || line[0] == '#' {
			continue
		}
		pattern, rest := attributePattern(line)
		sets := strings.Fields(rest)
		if name, macro := strings.CutPrefix(pattern, "[attr]"); macro {
			if macros {
				a.macros[name] = sets
			}
			continue
		}
		if !strings.HasPrefix(pattern, "!") && !strings.HasSuffix(pattern, "/") {
			rules = append(rules, attributeRule{newGlob(dir, pattern), sets})
		}
	}
	return rules
}

// attributePattern takes the pattern off a line; it may be in double quotes.
func attributePattern(line string) (pattern, rest string) {
	if quoted, err := strconv.QuotedPrefix(line); err == nil && line[0] == '"' {
		if pattern, err = strconv.Unquote(quoted); err == nil {
			return pattern, line[len(quoted):]
		}
	}
	end := strings.IndexAny(line+" ", " \t")
	return line[:end], line[end:]
}

// Of returns the attributes of a file: set, unset or a value; unspecified ones are
// empty.
func (a *Attributes) Of(name string) map[string]string {
	dirs := FoldersAbove(name)
	for _, dir := range dirs { // macros come first
		if _, known := a.folders[dir]; !known {
			a.folders[dir] = a.parse(a.read(path.Join(dir, ".gitattributes")), dir, dir == "")
		}
	}
	values := map[string]string{}
	for _, dir := range slices.Backward(dirs) {
		for _, rule := range slices.Backward(a.folders[dir]) {
			if rule.pattern.matches(name) {
				a.apply(rule.sets, values, 0)
			}
		}
	}
	return values
}

// apply sets the attributes that nothing more important has set. The last on a line
// counts.
func (a *Attributes) apply(sets []string, values map[string]string, depth int) {
	for i := len(sets) - 1; i >= 0; i-- {
		name, value := sets[i], "set"
		switch {
		case name[0] == '-':
			name, value = name[1:], "unset"
		case name[0] == '!':
			name, value = name[1:], ""
		case strings.Contains(name, "="):
			name, value, _ = strings.Cut(name, "=")
		}
		if _, done := values[name]; done {
			continue
		}
		values[name] = value
		if macro, found := a.macros[name]; found && value == "set" && depth < 10 {
			a.apply(macro, values, depth+1)
		}
	}
}

// FoldersAbove returns the folders that a file is in, from the root, which is empty.
func FoldersAbove(name string) []string {
	dirs := []string{""}
	for i := range len(name) {
		if name[i] == '/' {
			dirs = append(dirs, name[:i])
		}
	}
	return dirs
}
