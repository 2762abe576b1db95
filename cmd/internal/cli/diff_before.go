package cli

import (
	"context"
	"fmt"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// before is the old side of a comparison.
type before interface {
	// Before gives what is there in the place of trees that were rendered, each
	// of another environment. Nothing is written.
	Before(layouts tree.Layouts, trees []tree.Tree) (folder.Had, error)
}

// folderBefore is a folder as the old side.
type folderBefore string

func (dir folderBefore) Before(layouts tree.Layouts, trees []tree.Tree) (folder.Had, error) {
	root, err := openFolder(string(dir))
	if err != nil {
		return folder.Had{}, err
	}
	defer root.Close()
	had, err := folder.Before(root.FS(), layouts, trees)
	return had, hintForce(err)
}

// commitBefore is a commit as the old side.
type commitBefore struct {
	ctx        context.Context
	repository *gitrepo.Local
	revision   string
}

func (c commitBefore) Before(layouts tree.Layouts, trees []tree.Tree) (folder.Had, error) {
	base, err := c.repository.At(c.revision)
	if err != nil {
		return folder.Had{}, err
	}
	defer base.Close()
	had, err := folder.Before(base.FS(c.ctx, trees...), layouts, trees)
	if err != nil {
		err = fmt.Errorf("compare with %s: %w", c.revision, hintForce(err))
	}
	return had, err
}

// before opens the old side that the flags name, and gives its name.
func (a app) before(ctx context.Context, o diffOptions) (before, string, error) {
	if o.base == "" {
		return folderBefore(o.dir), o.dir, nil
	}
	repository, err := gitrepo.Open(a.git(), o.dir)
	return commitBefore{ctx, repository, o.base}, o.base, err
}
