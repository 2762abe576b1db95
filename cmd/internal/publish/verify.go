package publish

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// UnknownVersion is the version of a program that nothing names: two of them need not be
// the same.
const UnknownVersion = "unknown"

// Verdict says whether a commit's files are what its environments render to.
type Verdict struct {
	Commit string // in hexadecimal
	// Version is that of the program which made the commit; empty if the commit does not
	// say.
	Version      string
	Environments []string // in the order of their files
	Files        int      // that the environments render to
	Differences  []Difference
}

// Difference is a file of a commit that is not as its environments render it.
type Difference struct {
	Path string `json:"path"`
	// State is changed, missing, or extra: a file in a place that is an environment's own,
	// and the inventory of an environment that is not rendered.
	State string `json:"state"`
}

// VersionError says that a commit was made by another version of the program, whose
// environments need not render to the same.
type VersionError struct{ Commit, Made, Program string }

func (e *VersionError) Error() string {
	if e.Program == UnknownVersion {
		return fmt.Sprintf("commit %.12s was made by pm-gitops %s, and the version of this program is not known", e.Commit, e.Made)
	}
	return fmt.Sprintf("commit %.12s was made by pm-gitops %s, and this is %s", e.Commit, e.Made, e.Program)
}

// Verify renders all environments of a commit, which the request names in it, and compares
// the result with the commit's files: what is rendered, and what else lies in the places of these
// environments. Other files are the user's. Version is that of the program; a commit of
// another one is a [*VersionError]. Environments that cannot be rendered are an error too.
func Verify(ctx context.Context, base *gitrepo.Base, f Fleet, version string) (Verdict, error) {
	done := Verdict{Commit: base.Commit()}
	message, err := base.Message()
	if err != nil {
		return done, err
	}
	for _, trailer := range gitrepo.Trailers(message) {
		if trailer.Key == versionTrailer {
			done.Version = trailer.Value
		}
	}
	if done.Version != "" && (done.Version != version || version == UnknownVersion) {
		return done, &VersionError{done.Commit, done.Version, version}
	}
	if _, err := base.List(ctx, "."); err != nil { // all folders at once
		return done, err
	}
	f.Request.Repository = base.FS(ctx)
	members, err := fleet.Render(ctx, f.Request, f.Target)
	if err != nil {
		return done, err
	}
	rendered := tree.Tree{}
	for _, m := range members {
		done.Environments = append(done.Environments, m.Rendering.Environment)
		for name, content := range m.Rendering.Tree {
			rendered[name] = content
		}
	}
	done.Files = len(rendered)
	done.Differences, err = differences(base.FS(ctx, rendered), rendered, f.owns(members))
	return done, err
}

// owns gives the function that reports whether a place is for files of these environments
// alone. Locks are not.
func (f Fleet) owns(members []fleet.Member) func(name string) bool {
	tops := map[string]bool{} // most files of a large repository are in other folders
	for _, m := range members {
		for _, layout := range f.Layouts {
			for _, pattern := range layout.Paths {
				top, _, _ := strings.Cut(strings.Replace(pattern, "{path}", path.Clean(m.Plan.Path), 1), "/")
				tops[top] = true
			}
		}
	}
	return func(name string) bool {
		if top, _, _ := strings.Cut(name, "/"); tree.IsInventory(name) || !tops[top] && !tops["."] {
			return tree.IsInventory(name)
		}
		for _, m := range members {
			for _, layout := range f.Layouts {
				if layout.Owns(m.Plan.Path, m.Plan.Environment, name) {
					return true
				}
			}
		}
		return false
	}
}

// differences compares files with what is rendered, sorted by path.
func differences(files fs.FS, rendered tree.Tree, owns func(string) bool) ([]Difference, error) {
	if far, is := files.(fetcher); is {
		if err := far.Fetch(rendered.Paths()...); err != nil {
			return nil, err
		}
	}
	var found []Difference
	there := map[string]bool{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		want, is := rendered[name]
		switch {
		case err != nil:
			return err
		case !is:
			inside, err := 0, error(nil)
			if entry.IsDir() { // Git has no empty folders: one that seems to be is a submodule
				var entries []fs.DirEntry
				entries, err = fs.ReadDir(files, name)
				inside = len(entries)
			}
			if inside == 0 && owns(name) {
				found = append(found, Difference{name, "extra"})
			}
			return err
		}
		there[name] = true
		if !entry.Type().IsRegular() {
			found = append(found, Difference{name, "changed"})
			return nil
		}
		content, err := fs.ReadFile(files, name)
		if err == nil && !bytes.Equal(content, want) {
			found = append(found, Difference{name, "changed"})
		}
		return err
	})
	for name := range rendered {
		if !there[name] {
			found = append(found, Difference{name, "missing"})
		}
	}
	slices.SortFunc(found, func(a, b Difference) int { return cmp.Compare(a.Path, b.Path) })
	return found, err
}
