package gitrepo

import (
	"path/filepath"
	"slices"
	"strings"
)

// include reads the file that a setting includes, if it does and its condition
// holds. https://git-scm.com/docs/git-config#_includes
func (r *configReader) include(from string, depth int, s setting) error {
	if s.name != "path" {
		return nil
	}
	if s.section == "include" && s.subsection == "" || s.section == "includeif" && r.holds(s.subsection, from) {
		return r.file(r.expand(s.value, filepath.Dir(from)), depth+1)
	}
	return nil
}

// expand makes ~/ the home folder, and a relative path one below a folder.
func (r *configReader) expand(name, dir string) string {
	if rest, found := strings.CutPrefix(name, "~/"); found {
		return filepath.Join(homeDir(r.sys), rest)
	}
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// holds reports whether a condition of includeIf holds.
func (r *configReader) holds(condition, from string) bool {
	kind, pattern, _ := strings.Cut(condition, ":")
	switch kind {
	case "gitdir":
		return r.inGitDir(pattern, from, false)
	case "gitdir/i":
		return r.inGitDir(pattern, from, true)
	case "onbranch":
		return r.branch != "" && matches(openEnd(pattern), r.branch)
	case "hasconfig":
		pattern, found := strings.CutPrefix(pattern, "remote.*.url:")
		return found && slices.ContainsFunc(r.urls, func(url string) bool { return matches(pattern, url) })
	}
	return false
}

func openEnd(pattern string) string {
	if strings.HasSuffix(pattern, "/") {
		return pattern + "**"
	}
	return pattern
}

func (r *configReader) inGitDir(pattern, from string, ignoreCase bool) bool {
	if r.gitDir == "" {
		return false
	}
	switch pattern = openEnd(pattern); {
	case strings.HasPrefix(pattern, "~/"):
		pattern = filepath.ToSlash(homeDir(r.sys)) + pattern[1:]
	case strings.HasPrefix(pattern, "./"):
		pattern = filepath.ToSlash(filepath.Dir(from)) + pattern[1:]
	case !filepath.IsAbs(pattern) && !strings.HasPrefix(pattern, "/"):
		pattern = "**/" + pattern
	}
	dir := filepath.ToSlash(r.gitDir)
	if ignoreCase {
		pattern, dir = strings.ToLower(pattern), strings.ToLower(dir)
	}
	return matches(pattern, dir)
}
