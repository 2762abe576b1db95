package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"

	"github.com/pm-gitops/pm-gitops/render/tree"
)

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

// CommitAll commits every plain file of the folder that was opened, and gives
// the commit's hash in hexadecimal. The same files, parent, message and
// signature give the same hash.
func (l *Local) CommitAll(ctx context.Context, message string, as Signature) (string, error) {
	root := filepath.Join(l.workTree, filepath.FromSlash(l.prefix))
	tree := tree.Tree{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.Name() == ".git":
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !entry.Type().IsRegular():
			return nil
		}
		content, readErr := os.ReadFile(name)
		relative, relErr := filepath.Rel(root, name)
		tree[filepath.ToSlash(relative)] = content
		return errors.Join(readErr, relErr)
	})
	if err != nil {
		return "", fmt.Errorf("read %s: %w", root, err)
	}
	result, err := l.Commit(ctx, Changes{Write: tree}, CommitOptions{Message: Message{Text: message}, As: &as, IncludeIgnored: true})
	return result.Hash, err
}
