package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// remark says what may be a mistake, and is none in every repository: manifests
// in a folder of it, and environments whose files are gone or renamed.
func (a app) remark(folder string, leftOver []string) {
	dir, err := filepath.Abs(folder)
	if top := fleet.RepositoryAbove(dir); err == nil && top != "" && top != dir {
		a.err.Say("warning: the paths in the manifests begin at the root of the Git repository, %s, and --dir is a folder in it", top)
	}
	if len(leftOver) > 0 {
		a.err.Say("still in %s, and in no file that was read: %s; pm-gitops remove NAME --dir %s takes one out", folder, strings.Join(leftOver, ", "), folder)
	}
}

// warnUnread warns of what keeps Flux from applying environments, if this folder is
// in a Git repository.
func (a app) warnUnread(members []fleet.Member) {
	here, err := filepath.Abs(".")
	if top := fleet.RepositoryAbove(here); err == nil && top != "" {
		a.warn(publish.Unread(os.DirFS(top), top, members))
	}
}

// leftOver names the environments of a folder that are in no file that was read.
// It names none unless all files were read, and none of them failed.
func leftOver(changes folder.Changes, read fleet.Request, failed error) []string {
	if failed != nil || len(changes.Others) == 0 || !read.Whole() {
		return nil
	}
	return changes.Others
}

// openFolder opens the folder of --dir, which must be there: who mistypes it
// would otherwise fill another one.
func openFolder(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err == nil {
		return root, nil
	}
	failure := fmt.Errorf("open folder %s: %w", dir, errors.Unwrap(err))
	if hint := hintUnexpanded(dir); hint != "" {
		return nil, hinted{failure, hint}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, hinted{failure, "--dir is the root of your Git repository: clone it or make the folder first."}
	}
	return nil, failure
}

// hintForce says how to go on where the folder is not as expected.
func hintForce(err error) error {
	var conflict folder.ConflictError
	var move folder.MoveError
	var target folder.TargetError
	var duplicate folder.DuplicateReleaseError
	var name folder.NameError
	var elsewhere folder.PathError
	var unfinished folder.LeftByGitError
	switch {
	case errors.As(err, &unfinished) && unfinished.Conflict:
		return hinted{err, "Nothing was changed. An inventory is made of the rest: --force makes it anew of both sides."}
	case errors.As(err, &elsewhere):
		return hinted{err, "Nothing was changed. Take it out first: pm-gitops remove " + elsewhere.Environment + " --dir DIR"}
	case errors.As(err, &conflict), errors.As(err, &move), errors.As(err, &target), errors.As(err, &duplicate), errors.As(err, &name):
		return hinted{err, "Nothing was changed. Look first (git log -p -- FILE); --force goes ahead."}
	}
	return err
}

// printChanges prints a line a file that changed, and a summary.
func (a app) printChanges(f publishFlags, changes folder.Changes) error {
	if f.output == "json" {
		return a.printJSON(struct {
			Created   []string `json:"created"`
			Updated   []string `json:"updated"`
			Removed   []string `json:"removed"`
			Unchanged int      `json:"unchanged"`
		}{append([]string{}, changes.Created...), append([]string{}, changes.Updated...), append([]string{}, changes.Removed...), changes.Unchanged})
	}
	if f.quiet {
		return nil
	}
	a.printPaths(changes)
	defer a.tellDry(f)
	if changes.Empty() {
		a.err.Say("up to date: %s unchanged", text.Count(changes.Unchanged, "file"))
		return nil
	}
	a.err.Say("%s, %d unchanged", changes.Summary(), changes.Unchanged)
	return nil
}

// tellDry says that nothing was done of what was said.
func (a app) tellDry(f publishFlags) {
	if f.dryRun && !f.quiet {
		a.err.Say("This was a dry run: nothing was written.")
	}
}

// printPaths prints a line a file that changed.
func (a app) printPaths(changes folder.Changes) {
	for _, list := range []struct {
		verb  string
		paths []string
	}{{"created", changes.Created}, {"updated", changes.Updated}, {"removed", changes.Removed}} {
		for _, name := range list.paths {
			a.out.Say("%s %s", list.verb, name)
		}
	}
}
