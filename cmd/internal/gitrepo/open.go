package gitrepo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
)

// Local is a repository with a working tree, seen from a folder in it. It may
// be used for several commits, one after the other.
type Local struct {
	sys       System
	gitDir    string // of this working tree: HEAD and the index
	commonDir string // of all working trees: objects, branches, settings.Config
	workTree  string
	prefix    string // the folder, seen from the working tree; empty for its root
	config    settings.Config
	git       *settings.Program // nil where there is none
	who       *settings.Identities
	rules     *settings.Rules
}

// NoRepositoryError is that a folder is in no repository with a working tree.
type NoRepositoryError struct{ sentence string }

func (e *NoRepositoryError) Error() string { return e.sentence }

// Open opens the repository that holds a folder: the one whose .git is in the
// folder or in the closest one above. That may be a file, as git worktree add and
// submodules have it. The error is a [NoRepositoryError] where there is none, or
// says what of the repository cannot be worked with.
func Open(sys System, dir string) (*Local, error) {
	named, err := filepath.Abs(dir)
	start := named
	if err == nil {
		start, err = filepath.EvalSymlinks(named)
	}
	if err != nil {
		return nil, fmt.Errorf("open the repository of %s: %w", dir, settings.Reason(err))
	}
	for at := start; ; at = filepath.Dir(at) {
		gitDir, err := gitDirOf(at)
		if err != nil {
			return nil, fmt.Errorf("open the repository of %s: %w", dir, err)
		}
		if gitDir != "" {
			return openAt(sys, at, gitDir, start, named)
		}
		if isGitDir(at) {
			return nil, &NoRepositoryError{fmt.Sprintf("open the repository of %s: %s has no working tree: give it as a remote, file://%s", dir, at, filepath.ToSlash(at))}
		}
		if at == filepath.Dir(at) {
			return nil, &NoRepositoryError{fmt.Sprintf("open the repository of %s: no Git repository in this folder or above it: git init makes one", dir)}
		}
	}
}

// isGitDir reports whether a folder is what .git is: git looks for the same.
func isGitDir(dir string) bool {
	if _, err := os.Lstat(filepath.Join(dir, "HEAD")); err != nil {
		return false
	}
	if _, err := os.Stat(filepath.Join(dir, "commondir")); err == nil {
		return true
	}
	objects, err := os.Stat(filepath.Join(dir, "objects"))
	if err != nil || !objects.IsDir() {
		return false
	}
	refs, err := os.Stat(filepath.Join(dir, "refs"))
	return err == nil && refs.IsDir()
}

// gitDirOf is where the .git of a folder leads to, or empty.
func gitDirOf(dir string) (string, error) {
	name := filepath.Join(dir, ".git")
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", settings.Reason(err)
	case info.IsDir():
		if isGitDir(name) {
			return filepath.EvalSymlinks(name)
		}
		return "", nil // git goes on looking, too
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return "", settings.Reason(err)
	}
	target, found := strings.CutPrefix(strings.TrimRight(string(content), "\r\n"), "gitdir: ")
	if !found {
		return "", fmt.Errorf("%s is a file, but does not name a Git folder", name)
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(dir, target)
	}
	if !isGitDir(target) {
		return "", fmt.Errorf("%s leads to %s, which is no Git folder: was the repository moved? git worktree repair mends it", name, target)
	}
	return filepath.EvalSymlinks(target)
}

// openAt opens a repository whose .git was found. The folder's name is the user's.
func openAt(sys System, workTree, gitDir, dir, named string) (*Local, error) {
	l := &Local{sys: sys, gitDir: gitDir, commonDir: gitDir, workTree: workTree}
	prefix, err := filepath.Rel(workTree, dir)
	if err != nil {
		return nil, fmt.Errorf("open the repository of %s: %w", dir, err)
	}
	if prefix != "." {
		l.prefix = filepath.ToSlash(prefix)
	}
	if common, err := os.ReadFile(filepath.Join(gitDir, "commondir")); err == nil {
		l.commonDir = strings.TrimRight(string(common), "\r\n")
		if !filepath.IsAbs(l.commonDir) {
			l.commonDir = filepath.Join(gitDir, l.commonDir)
		}
	}
	if err := l.trusted(); err != nil {
		return nil, err
	}
	l.git = settings.FindGit(sys, workTree)
	l.git.KnownAs(named, l.prefix)
	if l.config, err = settings.ReadConfig(sys, l.git, l.commonDir); err != nil {
		return nil, err
	}
	l.who = &settings.Identities{Sys: sys, Git: l.git, Config: l.config}
	l.rules = settings.NewRules(l.git)
	return l, l.supported()
}

// supported refuses what go-git, or we, would read or write wrongly.
// https://git-scm.com/docs/repository-version
func (l *Local) supported() error {
	at := "the repository " + l.workTree
	if version := l.config.Get("core.repositoryformatversion"); version != "" && version != "0" && version != "1" {
		return fmt.Errorf("%s has format version %s, which is not known", at, version)
	}
	if format := l.config.Get("extensions.objectformat"); format != "" && format != "sha1" {
		return fmt.Errorf("%s has the object format %s (extensions.objectFormat): only sha1 can be read", at, format)
	}
	if format := l.config.Get("extensions.refstorage"); format != "" && format != "files" {
		return fmt.Errorf("%s keeps its branches as %s (extensions.refStorage): only files can be read; git refs migrate --ref-format=files changes it", at, format)
	}
	known := map[string]bool{"objectformat": true, "refstorage": true, "noop": true, "noop-v1": true, "partialclone": true, "preciousobjects": true, "worktreeconfig": true, "relativeworktrees": true, "compatobjectformat": false}
	for key := range l.config {
		if name, found := strings.CutPrefix(key, "extensions."); found && !known[name] && l.config.Get("core.repositoryformatversion") == "1" {
			return fmt.Errorf("%s needs the extension %s, which is not known", at, name)
		}
	}
	if set := l.config.Get("core.worktree"); set != "" {
		if !filepath.IsAbs(set) {
			set = filepath.Join(l.gitDir, set)
		}
		if real, err := filepath.EvalSymlinks(set); err != nil || real != l.workTree {
			return fmt.Errorf("%s says that its working tree is %s (core.worktree): open that folder", at, set)
		}
	} else if l.config.Bool("core.bare", false) && l.gitDir == l.commonDir {
		return &NoRepositoryError{fmt.Sprintf("%s has no working tree (core.bare): give it as a remote, file://%s", at, filepath.ToSlash(l.gitDir))}
	}
	return nil
}

// inTree is a path of the changes as the repository has it.
func (l *Local) inTree(name string) string { return path.Join(l.prefix, name) }

// Hooks names the hooks that git commit would run here, sorted: nothing runs them.
// core.hooksPath is honoured.
func (l *Local) Hooks() []string {
	var found []string
	for _, name := range []string{"commit-msg", "post-commit", "post-index-change", "pre-commit", "prepare-commit-msg", "reference-transaction"} {
		if l.hook(name) {
			found = append(found, name)
		}
	}
	return found
}

// hook reports whether git would run a hook here.
func (l *Local) hook(name string) bool {
	dir := filepath.Join(l.commonDir, "hooks")
	if set := l.config.Get("core.hookspath"); set != "" {
		dir = l.sys.Expand(set, l.workTree)
	}
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
