package gitrepo

import (
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

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
