package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
	"github.com/pm-gitops/pm-gitops/render/tree"
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

// Open opens the repository that holds a folder: the one whose .git is in the
// folder or in the closest one above. That may be a file, as git worktree add and
// submodules have it. The error says that there is none, or
// what of the repository cannot be worked with.
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
			return nil, fmt.Errorf("open the repository of %s: %s has no working tree: give it as a remote, file://%s", dir, at, filepath.ToSlash(at))
		}
		if at == filepath.Dir(at) {
			return nil, fmt.Errorf("open the repository of %s: no Git repository in this folder or above it: git init makes one", dir)
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
	return isFolder(filepath.Join(dir, "objects")) && isFolder(filepath.Join(dir, "refs"))
}

// gitDirOf follows the .git of a folder; it returns "" where there is none.
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
	if err := l.refuseForeign(); err != nil {
		return nil, err
	}
	l.git = settings.FindGit(sys, workTree)
	l.git.KnownAs(named, l.prefix)
	if l.config, err = settings.ReadConfig(sys, l.git, l.commonDir); err != nil {
		return nil, err
	}
	l.who = &settings.Identities{Sys: sys, Git: l.git, Config: l.config}
	l.rules = settings.NewRules(l.git)
	return l, l.refuseUnsupported()
}

// refuseUnsupported refuses what go-git, or we, would read or write wrongly.
// https://git-scm.com/docs/repository-version
func (l *Local) refuseUnsupported() error {
	at := "the repository " + l.workTree
	if version := l.config.Get("core.repositoryformatversion"); version != "" && version != "0" && version != "1" {
		return fmt.Errorf("%s has format version %s, which is not known", at, version)
	}
	if format := l.config.Get("extensions.objectformat"); format != "" && format != "sha1" {
		return transport.OtherFormat(l.workTree, format)
	}
	if format := l.config.Get("extensions.refstorage"); format != "" && format != "files" {
		return fmt.Errorf("%s keeps its branches as %s (extensions.refStorage): only files can be read; git refs migrate --ref-format=files changes it", at, format)
	}
	known := map[string]bool{"objectformat": true, "refstorage": true, "noop": true, "noop-v1": true, "partialclone": true, "preciousobjects": true, "worktreeconfig": true, "relativeworktrees": true, "compatobjectformat": false}
	for _, setting := range l.config {
		if name, found := strings.CutPrefix(setting.Key, "extensions."); found && !known[name] && l.config.Get("core.repositoryformatversion") == "1" {
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
		return fmt.Errorf("%s has no working tree (core.bare): give it as a remote, file://%s", at, filepath.ToSlash(l.gitDir))
	}
	return nil
}

// Hooks names the hooks that git commit would run here, sorted: nothing runs them.
// core.hooksPath is honoured.
func (l *Local) Hooks() []string {
	var found []string
	for _, name := range []string{"commit-msg", "post-commit", "post-index-change", "pre-commit", "prepare-commit-msg", "reference-transaction"} {
		if l.hasHook(name) {
			found = append(found, name)
		}
	}
	return found
}

// hasHook reports whether git would run a hook here.
func (l *Local) hasHook(name string) bool {
	dir := filepath.Join(l.commonDir, "hooks")
	if set := l.config.Get("core.hookspath"); set != "" {
		dir = l.sys.Expand(set, l.workTree)
	}
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// Init makes a new repository in a folder, on branch main, and opens it.
func Init(sys System, dir string) (*Local, error) {
	_, err := git.PlainInitWithOptions(dir, &git.PlainInitOptions{
		InitOptions: git.InitOptions{DefaultBranch: plumbing.Main},
	})
	if err != nil {
		return nil, fmt.Errorf("make a Git repository in %s: %w", dir, err)
	}
	return Open(sys, dir)
}

// CommitAll commits every plain file of the folder that was opened, and returns
// the commit's hash in hexadecimal. The same files, parent, message and
// signature give the same hash.
func (l *Local) CommitAll(ctx context.Context, message string, as Signature) (string, error) {
	dir, all := filepath.Join(l.workTree, filepath.FromSlash(l.prefix)), tree.Tree{}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err == nil && entry.Name() == ".git" && entry.IsDir():
			return fs.SkipDir
		case err != nil || entry.Name() == ".git" || !entry.Type().IsRegular():
			return err
		}
		all[name], err = fs.ReadFile(root, name)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read %s: %w", dir, err)
	}
	result, err := l.Commit(ctx, Changes{Write: all}, CommitOptions{Message: Message{Text: message}, As: &as, IncludeIgnored: true})
	return result.Hash, err
}
