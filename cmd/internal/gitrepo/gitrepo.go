// Package gitrepo puts trees into Git repositories with go-git.
package gitrepo

import (
	"fmt"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Repository is a Git repository with a working tree.
type Repository struct {
	repository *git.Repository
}

// Init makes a new repository in a folder, on branch main.
func Init(dir string) (Repository, error) {
	repository, err := git.PlainInitWithOptions(dir, &git.PlainInitOptions{
		InitOptions: git.InitOptions{DefaultBranch: plumbing.Main},
	})
	if err != nil {
		return Repository{}, fmt.Errorf("make a Git repository in %s: %w", dir, err)
	}
	return Repository{repository}, nil
}

// CommitAll commits everything in the working tree, and gives the commit's
// hash in hexadecimal. The same tree, parent, message, author and time give
// the same hash.
func (r Repository) CommitAll(message, name, email string, when time.Time) (string, error) {
	worktree, err := r.repository.Worktree()
	if err != nil {
		return "", fmt.Errorf("open the working tree: %w", err)
	}
	if err := worktree.AddWithOptions(&git.AddOptions{All: true}); err != nil {
		return "", fmt.Errorf("stage the working tree: %w", err)
	}
	hash, err := worktree.Commit(message, &git.CommitOptions{
		Author: &object.Signature{Name: name, Email: email, When: when},
	})
	if err != nil {
		return "", fmt.Errorf("commit: %w", err)
	}
	return hash.String(), nil
}
